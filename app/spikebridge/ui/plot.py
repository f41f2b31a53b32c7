"""A chart: its title and legend, and beneath them its axes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from PyQt6.QtCore import QRect, QRectF, Qt
from PyQt6.QtGui import QColor

from spikebridge.ui import theme
from spikebridge.ui.axes import Axes
from spikebridge.ui.items import Item, Line, Words
from spikebridge.ui.lettering import Face, text_width
from spikebridge.ui.painted import PaintedPanel

_TITLE, _ROW, _NEXT_ROW = 18, 30, 22
_LARGEST, _SMALLEST = 16, 13
#: Width and height of a solid line in the legend, and of a broken one: two dashes and a gap of its pen.
_SOLID, _BROKEN = (12, 4), (30, 3)


class Entry(NamedTuple):
    """One curve in the legend. widest : a text as wide as this one can become, so that the others stay in place."""

    text: str
    widest: str
    colour: QColor
    style: Qt.PenStyle = Qt.PenStyle.SolidLine


class Plot(PaintedPanel):
    """Has axes from ``begin`` on."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.axes: Axes | None = None
        self._title = title
        self._rows = 1

    def begin(self) -> None:
        """A source was opened."""
        if self.axes is None:
            self.axes = Axes(self)
            self.set_scale(self.scale)

    def entries(self) -> Sequence[Entry]:
        """The legend."""
        raise NotImplementedError

    def draw(self, axes: Axes) -> None:
        """Levels and curves."""
        raise NotImplementedError

    def set_scale(self, scale: float) -> None:
        if self.axes is not None:
            self.axes.set_scale(scale)
        super().set_scale(scale)

    def refresh(self) -> None:
        super().refresh()
        if self.axes is not None:
            # The corners of the panel are round, those of the axes are not.
            edge, top = self.px(3), self.px(_ROW) + self.px(_NEXT_ROW) * (self._rows - 1) - self.px(2)
            self.axes.place(QRect(edge, top, self.width() - 2 * edge, self.height() - top - edge))
            self.draw(self.axes)

    def compose(self) -> Iterator[Item]:
        row = self.px(_ROW)
        left = float(self.px(16))
        title = text_width(self._title, Face(self.px(_TITLE), bold=True)) + 2
        yield Words(QRectF(left, 0, title, row), self._title, _TITLE, theme.MUTED, True)
        left += title + self.px(16)
        entries = self.entries()
        size, places = self._place(entries, left)
        self._rows = len({place.y() for place in places} | {0.0})
        for entry, place in zip(entries, places, strict=True):
            width, height = self._swatch(entry)
            swatch = QRectF(place.x(), place.center().y() - height / 2, width, height)
            yield Line(swatch, entry.colour, entry.style)
            yield Words(place.adjusted(width + self.px(6), 0, 0, 0), entry.text, size, narrow=True)

    def _swatch(self, entry: Entry) -> tuple[int, int]:
        """Width and height, px."""
        width, height = _SOLID if entry.style == Qt.PenStyle.SolidLine else _BROKEN
        return self.px(width), max(2, self.px(height))

    def _place(self, entries: Sequence[Entry], left: float) -> tuple[float, list[QRectF]]:
        """Size of the type and the places of all entries: as large as fits on one line, else on several lines."""
        for size in range(_LARGEST, _SMALLEST - 1, -1):
            places = self._flow(entries, left, size)
            if all(place.y() == 0 for place in places):
                break
        return size, places

    def _flow(self, entries: Sequence[Entry], left: float, size: float) -> list[QRectF]:
        row, gap = self.px(_ROW), self.px(11)
        x, y = left, 0.0
        places: list[QRectF] = []
        for entry in entries:
            words = max(text_width(text, Face(self.px(size), narrow=True)) for text in (entry.text, entry.widest))
            width = self._swatch(entry)[0] + self.px(6) + 2 + words
            if x + width > self.width() - self.px(8) and x > left:
                x, y = left, y + self.px(_NEXT_ROW)
            places.append(QRectF(x, y, min(width, self.width() - x), row))
            x += width + gap
        return places
