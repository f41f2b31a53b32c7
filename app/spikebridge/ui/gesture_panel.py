"""The gesture: its name very large, its picture, and how sure the chain is."""

from __future__ import annotations

from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QFontMetricsF, QPainter

from spikebridge.contracts import LABELS, Decision
from spikebridge.ui import theme
from spikebridge.ui.figures import label_text
from spikebridge.ui.painted import Align, PaintedPanel, pictogram

_LARGEST_PX = 76


class GesturePanel(PaintedPanel):
    """One decision, readable from three metres. Places and sizes are the same for every gesture."""

    def __init__(self) -> None:
        super().__init__()
        self._label: str | None = None
        self._confidence: float | None = None
        self._likeliest = ""
        self._threshold = 0.0
        self.setAccessibleName("Recognised gesture")

    @property
    def words(self) -> str:
        """What the panel says, for tests and screen readers."""
        return "Waiting for the first decision" if self._confidence is None else label_text(self._label)

    def show_decision(self, decision: Decision | None, threshold: float) -> None:
        """The newest decision, or None before the first one."""
        if decision is None:
            label, confidence, likeliest = None, None, ""
        else:
            best = int(decision.probabilities.argmax())
            label = decision.label
            confidence = float(decision.probabilities[best if decision.index is None else decision.index])
            likeliest = LABELS[best] if best < len(LABELS) else ""
        shown = (label, confidence, likeliest, threshold)
        if shown != (self._label, self._confidence, self._likeliest, self._threshold):
            self._label, self._confidence, self._likeliest, self._threshold = shown
            self.setAccessibleDescription(self.words)
            self.update()

    def paint(self, painter: QPainter) -> None:
        pad = self.px(24)
        width, height = self.width() - 2 * pad, self.height() - 2 * pad
        known = self._label is not None
        colour = theme.ACCENT if known else theme.FAINT
        icon = int(min(width, height * 0.48))
        picture = pictogram(self._label or "none", icon, colour.name())
        painter.drawPixmap(pad + (width - icon) // 2, pad, picture)
        size = self._name_size(width)
        line = size * 1.18 * self.scale
        top = pad + icon + self.px(14)
        for i, words in enumerate(self._lines()):
            rect = QRectF(pad, top + i * line, width, line)
            self.text(painter, rect, words, size, theme.TEXT if known else theme.MUTED, True, Align.AlignCenter, True)
        self._paint_confidence(painter, QRectF(pad, self.height() - pad - self.px(92), width, self.px(92)))

    def _lines(self) -> list[str]:
        if self._confidence is None:
            return ["Starting", ""]
        words = label_text(self._label).split(" ")
        middle = 2 if len(words) >= 3 and words[1] in ("arm", "hand") else len(words)
        return [" ".join(words[:middle]), " ".join(words[middle:])]

    def _name_size(self, width: int) -> float:
        """Size at which the longest line of any label fits, so that no gesture is set smaller than another."""
        metrics = QFontMetricsF(theme.font(100, bold=True, narrow=True))
        widest = max(metrics.horizontalAdvance(text) for text in ("counter-clockwise", "No gesture"))
        return min(_LARGEST_PX, 98 * width / widest / self.scale)

    def _paint_confidence(self, painter: QPainter, rect: QRectF) -> None:
        if self._confidence is None:
            self.text(painter, rect, "waiting for the first decision", 22, theme.MUTED, align=Align.AlignCenter)
            return
        known = self._label is not None
        words = f"{self._confidence:.0%}" if known else f"most likely {label_text(self._likeliest).lower()}"
        line = QRectF(rect.x(), rect.y(), rect.width(), self.px(60))
        self.text(
            painter, line, words, 50 if known else 24, theme.TEXT if known else theme.MUTED, known, Align.AlignCenter
        )
        why = "confidence" if known else f"{self._confidence:.0%}, below the threshold of {self._threshold:.0%}"
        line = QRectF(rect.x(), rect.bottom() - self.px(34), rect.width(), self.px(34))
        self.text(painter, line, why, 19, theme.MUTED, align=Align.AlignCenter)
