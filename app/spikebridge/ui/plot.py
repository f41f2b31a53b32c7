"""The frame of a chart: title, legend, axes and levels of the last half minute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor

from spikebridge.ui import theme
from spikebridge.ui.history import POINT_S, POINTS
from spikebridge.ui.items import CENTRE, RIGHT, Box, Item, Line, Words
from spikebridge.ui.lettering import Face, text_width
from spikebridge.ui.painted import PaintedPanel

_TITLE, _ROW, _NEXT_ROW = 18, 30, 22
_LARGEST, _SMALLEST = 16, 13
_SWATCH, _LONG_SWATCH = 12, 26
_TICKS_S = (25, 20, 15, 10, 5)


class Entry(NamedTuple):
    """One curve in the legend. widest : a text as wide as this one can become, so that the others stay in place."""

    text: str
    widest: str
    colour: QColor
    style: Qt.PenStyle = Qt.PenStyle.SolidLine


class Plot(PaintedPanel):
    """Composes everything but the curves, for which ``area`` is the room."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self._rows = 1

    def entries(self) -> Sequence[Entry]:
        """The legend."""
        raise NotImplementedError

    def levels(self, area: QRectF) -> Sequence[tuple[float, str]]:
        """(height in the area from 0 to 1, words) of each."""
        raise NotImplementedError

    def curves(self, area: QRectF) -> Iterator[Item]:
        """What is drawn over the levels."""
        raise NotImplementedError

    @property
    def area(self) -> QRectF:
        """Where the curves are."""
        left, top = self.px(84), self.px(_ROW) + self.px(_NEXT_ROW) * (self._rows - 1) + self.px(8)
        return QRectF(left, top, max(1.0, self.width() - left), max(1.0, self.height() - top - self.px(26)))

    def compose(self) -> Iterator[Item]:
        # The legend first: it says how high the area is.
        legend = tuple(self._compose_legend(self.entries()))
        area = self.area
        levels = self.levels(area)
        for at, _ in levels:
            yield Box(QRectF(area.left(), round(area.bottom() - at * area.height()), area.width(), 1), theme.LINE)
        yield from self.curves(area)
        yield from legend
        yield from self._compose_axes(area, levels)

    def _compose_axes(self, area: QRectF, levels: Sequence[tuple[float, str]]) -> Iterator[Item]:
        height = self.px(20)
        for at, words in levels:
            y = area.bottom() - at * area.height() - height / 2
            yield Words(QRectF(0, y, area.left() - self.px(8), height), words, 15, theme.MUTED, align=RIGHT)
        width = self.px(80)
        for seconds in _TICKS_S:
            x = area.right() - area.width() * seconds / (POINTS * POINT_S)
            place = QRectF(x - width / 2, area.bottom() + self.px(4), width, self.px(20))
            yield Words(place, f"−{seconds} s", 15, theme.MUTED, align=CENTRE)

    def _compose_legend(self, entries: Sequence[Entry]) -> Iterator[Item]:
        row = self.px(_ROW)
        left = float(self.px(16))
        title = text_width(self._title, Face(self.px(_TITLE), bold=True)) + 2
        yield Words(QRectF(left, 0, title, row), self._title, _TITLE, theme.MUTED, True)
        left += title + self.px(16)
        size, places = self._place(entries, left)
        self._rows = len({place.y() for place in places} | {0.0})
        for entry, place in zip(entries, places, strict=True):
            swatch = QRectF(place.x(), place.center().y() - self.px(2), self._swatch(entry), self.px(4))
            yield Line(swatch, entry.colour, entry.style)
            yield Words(place.adjusted(self._swatch(entry) + self.px(6), 0, 0, 0), entry.text, size, narrow=True)

    def _swatch(self, entry: Entry) -> int:
        """px; long enough to tell dashes from dots."""
        return self.px(_SWATCH if entry.style == Qt.PenStyle.SolidLine else _LONG_SWATCH)

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
            width = self._swatch(entry) + self.px(6) + 2 + words
            if x + width > self.width() - self.px(8) and x > left:
                x, y = left, y + self.px(_NEXT_ROW)
            places.append(QRectF(x, y, min(width, self.width() - x), row))
            x += width + gap
        return places
