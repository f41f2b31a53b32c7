"""All keys on one page."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QColor, QMouseEvent, QPainter
from PyQt6.QtWidgets import QWidget

from spikebridge.ui import theme
from spikebridge.ui.painted import Align, PaintedPanel

_COLUMNS = 2


class HelpOverlay(PaintedPanel):
    """Covers the window until a key or a click; ``groups``: (title, ((key, what it does), …)), …"""

    def __init__(self, parent: QWidget, groups: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> None:
        super().__init__(parent, QColor(8, 11, 16, 240))
        self._groups = groups
        self.hide()

    def paint(self, painter: QPainter) -> None:
        margin = self.px(120)
        title = QRectF(margin, self.px(60), self.width() - 2 * margin, self.px(64))
        self.text(painter, title, "Keys", 44, theme.TEXT, True)
        self.text(painter, title, "? or Esc closes", 20, theme.MUTED, align=Align.AlignRight | Align.AlignVCenter)
        width = (self.width() - 2 * margin) / _COLUMNS
        half = -(-len(self._groups) // _COLUMNS)
        for column in range(_COLUMNS):
            y: float = self.px(150)
            for name, keys in self._groups[column * half : (column + 1) * half]:
                y = self._paint_group(painter, margin + column * width, y, width - self.px(60), name, keys)

    def _paint_group(
        self, painter: QPainter, x: float, y: float, width: float, name: str, keys: Sequence[tuple[str, str]]
    ) -> float:
        row = self.px(42)
        self.text(painter, QRectF(x, y, width, row), name, 22, theme.ACCENT, True)
        for key, what in keys:
            y += row
            self.text(painter, QRectF(x, y, self.px(210), row), key, 20, theme.TEXT, True)
            self.text(painter, QRectF(x + self.px(220), y, width - self.px(220), row), what, 20, theme.MUTED)
        return y + row + self.px(22)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        self.hide()
