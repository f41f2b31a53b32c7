"""The gesture: its name very large, its picture, and how sure the chain is."""

from __future__ import annotations

from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QPainter

from spikebridge.contracts import LABELS
from spikebridge.snapshot import Decision
from spikebridge.ui import theme
from spikebridge.ui.figures import label_text
from spikebridge.ui.painted import Align, PaintedPanel, fitted_size, pictogram

_LARGEST_PX = 84


class GesturePanel(PaintedPanel):
    """One decision, readable from three metres. Places and sizes are the same for every gesture."""

    def __init__(self) -> None:
        super().__init__()
        self._label: str | None = None
        self._confidence: float | None = None
        self._waiting: tuple[str, ...] = ("Starting", "waiting for", "the first decision")
        self._likeliest = ""
        self._threshold = 0.0
        self.setAccessibleName("Recognised gesture")

    @property
    def words(self) -> str:
        """What the panel says, for tests and screen readers."""
        return " ".join(self._waiting) if self._confidence is None else label_text(self._label)

    def wait(self, title: str, *why: str) -> None:
        """What stands there until the first decision."""
        self._waiting = (title, *why)
        self.show_decision(None, 0)
        self.update()

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
        # One size for all gestures: that at which the longest line of any label fits.
        size = fitted_size("counter-clockwise", width, self.px(_LARGEST_PX), True, True)
        line = size * 1.16
        icon = int(min(width * 0.5, height - 2 * line - self.px(12)))
        colour = theme.ACCENT if known else theme.FAINT
        painter.drawPixmap(pad, pad, pictogram(self._label or "none", icon, colour.name()))
        self._paint_confidence(painter, QRectF(pad + icon + self.px(12), pad, width - icon - self.px(12), icon))
        lines = self._lines(width, size)
        top = self.height() - pad - (2 + len(lines)) / 2 * line
        for i, words in enumerate(lines):
            rect = QRectF(pad, top + i * line, width, line)
            ink = theme.TEXT if known else theme.MUTED
            self.text(painter, rect, words, size / self.scale, ink, True, narrow=True)

    def _lines(self, width: int, size: int) -> tuple[str, ...]:
        if self._confidence is None:
            return self._waiting[:1]
        words = label_text(self._label)
        if fitted_size(words, width, size, True, True) == size:
            return (words,)
        return _halves(words)

    def _paint_confidence(self, painter: QPainter, rect: QRectF) -> None:
        """Right of the picture: a large figure, or in a calm tone why there is none."""
        if self._confidence is None:
            lines = [(words, 22.0, False) for words in self._waiting[1:]]
        elif self._label is not None:
            largest = fitted_size("100%", int(rect.width()), self.px(88), True, True) / self.scale
            lines = [(f"{self._confidence:.0%}", largest, True), ("confidence", 22.0, False)]
        else:
            likeliest = [(half, 25.0, True) for half in _halves(label_text(self._likeliest).lower())]
            why = [
                (f"{self._confidence:.0%}, below the", 20.0, False),
                (f"threshold of {self._threshold:.0%}", 20.0, False),
            ]
            lines = [("most likely", 20.0, False), *likeliest, *why]
        y = rect.center().y() - sum(self.px(size * 1.3) for _, size, _ in lines) / 2
        for words, size, strong in lines:
            height = self.px(size * 1.3)
            colour = theme.TEXT if strong and self._label is not None else theme.MUTED
            place = QRectF(rect.x(), y, rect.width(), height)
            self.text(painter, place, words, size, colour, strong, Align.AlignCenter, narrow=True)
            y += height


def _halves(words: str) -> tuple[str, ...]:
    """``Left arm`` and ``counter-clockwise``; words that fit on one line stay whole."""
    parts = words.split(" ")
    return (" ".join(parts[:2]), " ".join(parts[2:])) if len(parts) > 2 else (words,)
