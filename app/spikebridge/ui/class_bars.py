"""Bars of all class probabilities with the threshold."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QPainter, QPen, QPolygonF

from spikebridge.contracts import LABELS
from spikebridge.snapshot import Decision
from spikebridge.ui import theme
from spikebridge.ui.figures import label_text
from spikebridge.ui.painted import Align, PaintedPanel, fitted_size


class ClassBars(PaintedPanel):
    """One row for each class; the named one is brighter, bold and pointed at."""

    def __init__(self, labels: Sequence[str] = LABELS) -> None:
        super().__init__()
        self._labels = tuple(labels)
        self._longest = max((label_text(label) for label in self._labels), key=len)
        self._probabilities: tuple[float, ...] = (0.0,) * len(self._labels)
        self._index: int | None = None
        self._threshold = 0.0
        self.setAccessibleName("Probabilities of all gestures")

    @property
    def probabilities(self) -> tuple[float, ...]:
        return self._probabilities

    def show_decision(self, decision: Decision | None, threshold: float) -> None:
        probabilities = tuple(float(p) for p in decision.probabilities) if decision else (0.0,) * len(self._labels)
        index = decision.index if decision else None
        if (probabilities, index, threshold) != (self._probabilities, self._index, self._threshold):
            self._probabilities, self._index, self._threshold = probabilities, index, threshold
            self.update()

    def paint(self, painter: QPainter) -> None:
        pad, head = self.px(20), self.px(44)
        names = min(self.px(290), int(self.width() * 0.5))
        size = fitted_size(self._longest, names - self.px(30), self.px(20), True, True) / self.scale
        value = self.px(66)
        left, right = pad + names, self.width() - pad - value
        row = (self.height() - head - pad) / len(self._labels)
        title = QRectF(pad, self.px(10), names, head - self.px(10))
        self.text(painter, title, "All gestures", 18, theme.MUTED, True)
        for i, (label, probability) in enumerate(zip(self._labels, self._probabilities, strict=True)):
            top = head + i * row
            chosen = i == self._index
            colour = theme.TEXT if chosen else theme.MUTED
            place = QRectF(pad + self.px(20), top, names - self.px(28), row)
            self.text(painter, place, label_text(label), size, colour, chosen, narrow=True)
            if chosen:
                self._paint_pointer(painter, pad, top + row / 2)
            self._paint_bar(painter, QRectF(left, top + row * 0.22, right - left, row * 0.56), probability, chosen)
            place = QRectF(right + self.px(6), top, value - self.px(6), row)
            right_aligned = Align.AlignRight | Align.AlignVCenter
            self.text(painter, place, f"{probability:.0%}", 19, colour, chosen, right_aligned)
        if self._threshold > 0:
            self._paint_threshold(painter, left, right, head)

    def _paint_pointer(self, painter: QPainter, x: float, y: float) -> None:
        size = self.px(7)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.ACCENT)
        painter.drawPolygon(QPolygonF([QPointF(x, y - size), QPointF(x + 1.5 * size, y), QPointF(x, y + size)]))

    def _paint_bar(self, painter: QPainter, groove: QRectF, probability: float, chosen: bool) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.RAISED)
        painter.drawRoundedRect(groove, self.px(4), self.px(4))
        if probability > 0:
            bar = QRectF(groove.x(), groove.y(), max(2.0, groove.width() * min(1.0, probability)), groove.height())
            painter.setBrush(theme.ACCENT if chosen else theme.FAINT)
            painter.drawRoundedRect(bar, self.px(4), self.px(4))

    def _paint_threshold(self, painter: QPainter, left: float, right: float, head: float) -> None:
        x = left + (right - left) * self._threshold
        painter.setPen(QPen(theme.YELLOW, max(1, self.px(2)), Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, head), QPointF(x, self.height() - self.px(14)))
        width = self.px(170)
        place = QRectF(min(max(left, x - width / 2), right - width), self.px(12), width, head - self.px(14))
        self.text(painter, place, f"threshold {self._threshold:.0%}", 16, theme.YELLOW, align=Align.AlignCenter)
