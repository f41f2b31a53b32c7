"""An error or a note across the top of the window: one sentence and a way to dismiss it."""

from __future__ import annotations

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from spikebridge.ui import theme

_NOTE_MS = 20_000


class Banner(QWidget):
    """Lies over the content, so that nothing moves when it comes and goes."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._icon = QLabel("⚠")
        self._words = QLabel()
        self._words.setWordWrap(True)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        dismiss = QToolButton()
        dismiss.setText("Dismiss  (Esc)")
        dismiss.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        dismiss.clicked.connect(self.hide)
        self._going = QTimer(self)
        self._going.setSingleShot(True)
        self._going.timeout.connect(self.hide)
        self._layout = QHBoxLayout(self)
        self._layout.addWidget(self._icon)
        self._layout.addWidget(self._words, 1)
        self._layout.addWidget(dismiss)
        #: Below the header, which says what the source is and how it fares.
        self.top_px, self.margin_px = 0, theme.UNIT * 2
        self.hide()

    @property
    def words(self) -> str:
        """The sentence shown, empty when none is."""
        return self._words.text() if not self.isHidden() else ""

    def set_scale(self, scale: float) -> None:
        pad = round(16 * scale)
        self._layout.setContentsMargins(round(24 * scale), pad, pad, pad)
        self._layout.setSpacing(pad)
        self.setStyleSheet(
            f"#banner {{ background: #3a2016; border: 2px solid {theme.ALARM.name()}; border-radius: {pad // 2}px; }}"
            f"#banner QLabel {{ font-size: {round(22 * scale)}px; color: {theme.TEXT.name()}; }}"
        )

    def show_note(self, sentence: str) -> None:
        """Goes by itself, so that nobody has to come; an error that is there stays."""
        if self.isHidden() or self._going.isActive():
            self.show_error(sentence)
            self._going.start(_NOTE_MS)

    def show_error(self, sentence: str) -> None:
        self._going.stop()
        sentence = sentence.strip()
        self._words.setText(sentence[:1].upper() + sentence[1:])
        self.setAccessibleName(sentence)
        self.show()
        self.place()
        self.raise_()

    def place(self) -> None:
        """Over the content, as wide as the window, as high as the sentence needs."""
        parent = self.parentWidget()
        if parent is not None:
            margin = self.margin_px
            width = parent.width() - 2 * margin
            self.setGeometry(margin, self.top_px, width, self._layout.heightForWidth(width))
