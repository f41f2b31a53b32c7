"""An error or a note across the top of the window: one sentence and a way to dismiss it."""

from __future__ import annotations

from collections import deque

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from spikebridge.ui import theme
from spikebridge.ui.figures import sentence as capitalised

_NOTE_MS = 20_000
#: Notes that may wait for their turn; where there are more, the oldest go unseen.
_WAITING = 16


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
        dismiss.clicked.connect(self.dismiss)
        self._notes: deque[str] = deque(maxlen=_WAITING)
        self._going = QTimer(self)
        self._going.setSingleShot(True)
        self._going.timeout.connect(self.dismiss)
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
        """Goes by itself, so that nobody has to come; waits until what is there has gone."""
        if self.isHidden():
            self._show(sentence)
            self._going.start(_NOTE_MS)
        else:
            self._notes.append(sentence)

    def show_error(self, sentence: str) -> None:
        """Stays until it is dismissed; takes the place of what is there."""
        if self._going.isActive():
            self._notes.appendleft(self._words.text())
        self._going.stop()
        self._show(sentence)

    def dismiss(self) -> None:
        """The next note is shown, if one waits."""
        self._going.stop()
        self.hide()
        if self._notes:
            self.show_note(self._notes.popleft())

    def clear(self) -> None:
        """All that was said and all that waits."""
        self._notes.clear()
        self.dismiss()

    def _show(self, sentence: str) -> None:
        self._words.setText(capitalised(sentence))
        self.setAccessibleName(sentence.strip())
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
