"""The base of the painted panels."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from PyQt6.QtCore import QRect, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PyQt6.QtWidgets import QWidget

from spikebridge.ui import theme
from spikebridge.ui.items import Canvas, Item, Words


class PaintedPanel(QWidget):
    """Paints the items of ``compose`` at ``scale``; ``refresh`` paints those anew that differ from what is seen.

    Texts get fixed places, so that no value moves another, and a value that changes costs one text and not a panel.
    """

    def __init__(self, parent: QWidget | None = None, ground: QColor = theme.PANEL) -> None:
        super().__init__(parent)
        # The panel paints its corners too, so that nothing behind it has to be drawn.
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.scale = 1.0
        self.rounded = True
        self._ground = ground
        self._items: tuple[Item, ...] = ()
        #: Whole px that each item covers; none where it has no extent.
        self._covered: tuple[QRect, ...] = ()

    def compose(self) -> Iterator[Item]:
        """The content, from back to front. What comes and goes stays in the list, without extent while it is not seen:
        an item is compared with the one that had its place in the list before."""
        raise NotImplementedError

    @property
    def items(self) -> tuple[Item, ...]:
        """What is seen."""
        return self._items

    @property
    def texts(self) -> tuple[str, ...]:
        """All words that are painted, in the order of painting."""
        return tuple(item.text for item in self._items if isinstance(item, Words) and item.text)

    def refresh(self) -> None:
        """Composes the content anew and repaints what has changed."""
        before, covered = self._items, self._covered
        self._items = tuple(self.compose())
        self._covered = tuple(item.place.toAlignedRect() for item in self._items)
        changed = [
            i
            for i, (old, new) in enumerate(zip_longest(before, self._items))
            if type(old) is not type(new) or old != new
        ]
        if changed and not self.devicePixelRatioF().is_integer():
            # Edges of places lie between px of the screen, and parts would leave seams.
            self.update()
            return
        for i in changed:
            for places in (covered, self._covered):
                if i < len(places):
                    self.update(places[i])

    def set_scale(self, scale: float) -> None:
        self.scale = scale
        self.refresh()
        self.update()

    def px(self, size: float) -> int:
        """``size`` of the reference screen in px of this one."""
        return round(size * self.scale)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        self.refresh()
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        if event is None:
            return
        region = event.region()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter, region.boundingRect())
        canvas = Canvas(painter, self.scale, self.devicePixelRatioF(), region)
        for item, covered in zip(self._items, self._covered, strict=True):
            if not item.place.isEmpty() and region.intersects(covered):
                item.draw(canvas)
        painter.end()

    def _paint_ground(self, painter: QPainter, damaged: QRect) -> None:
        radius = self.px(theme.RADIUS) if self.rounded else 0
        if self.rect().adjusted(radius, 0, -radius, 0).contains(damaged) or self._ground == theme.BACKGROUND:
            painter.fillRect(damaged, self._ground)
            return
        painter.fillRect(damaged, theme.BACKGROUND)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._ground)
        painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
