"""The table under the columns: what every network costs, how fast it is, and whether they agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PyQt6.QtCore import QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QMouseEvent

from spikebridge.snapshot import Snapshot
from spikebridge.ui import theme
from spikebridge.ui.comparison import COLUMNS, MEASURES, SPIKING, Column, Row, groups, rows, static_origins
from spikebridge.ui.figures import NOTHING
from spikebridge.ui.items import LEFT, RIGHT, Box, Item, Pointer, Words
from spikebridge.ui.painted import PaintedPanel

_HEAD, _ROW, _LOWEST_ROW, _ALL_ROWS, _NOTE = 42, 26, 18, 156, 18

#: Type does not shrink below this scale, and the table has no room for all columns.
_SMALL = 0.64


def table_height(lanes: int) -> float:
    """px of the reference screen; rows are lower where there are more than six."""
    return _HEAD + lanes * row_height(lanes) + _NOTE + 5


def row_height(lanes: int) -> float:
    """px of the reference screen."""
    return max(_LOWEST_ROW, min(_ROW, _ALL_ROWS / max(1, lanes)))


class LaneTable(PaintedPanel):
    """A row for each network; a click chooses it."""

    chosen = pyqtSignal(int)

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[Row, ...] = ()
        self._chosen = 0
        self._note = ""
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("All networks side by side")

    def show_snapshot(self, snapshot: Snapshot, chosen: int) -> None:
        self._rows, self._chosen = rows(snapshot, chosen), chosen
        self._note = static_origins(snapshot)
        self.refresh()

    def clear(self) -> None:
        self._rows, self._note = (), ""
        self.refresh()

    def cell(self, row: int, key: str) -> str:
        """Words in a column, for tests and screen readers."""
        return self._rows[row].cells[key]

    def compose(self) -> Iterator[Item]:
        pad = self.px(16)
        inner = QRectF(pad, 0, self.width() - 2 * pad, self.height())
        small = self.scale < _SMALL
        columns = [column for column in COLUMNS if not (small and column.spare)]
        yield from self._compose_groups(inner, columns)
        head, high = self.px(_HEAD) / 2, self.px(row_height(len(self._rows))) if self._rows else 0
        yield Box(
            QRectF(pad / 2, self.px(_HEAD) + self._chosen * high, self.width() - pad, high), theme.RAISED, self.px(4)
        )
        total = sum(column.weight for column in columns)
        x = inner.x()
        for column in columns:
            place = QRectF(x, head, inner.width() * column.weight / total, head)
            yield self._words(place, column, column.caption, 14, theme.MUTED)
            for n in range(len(self._rows)):
                yield from self._compose_cell(QRectF(x, self.px(_HEAD) + n * high, place.width(), high), column, n)
            x += place.width()

    def _compose_groups(self, inner: QRectF, columns: Sequence[Column]) -> Iterator[Item]:
        """Titles over the columns, and under those of the spiking layers where their static energy is from."""
        for title, start, stop in groups(columns):
            place = QRectF(
                inner.x() + inner.width() * start, self.px(2), inner.width() * (stop - start), self.px(_HEAD) / 2
            ).adjusted(self.px(10), 0, 0, 0)
            yield Box(QRectF(place.x(), place.bottom() - 1, place.width() if title else 0, 1), theme.LINE)
            yield Words(place, title, 14, theme.MUTED, align=LEFT, narrow=True)
            if title == SPIKING:
                place = QRectF(
                    place.x(), inner.bottom() - self.px(_NOTE + 3), inner.right() - place.x(), self.px(_NOTE)
                )
                yield Words(place, self._note, 14, theme.MUTED, narrow=True)

    def _compose_cell(self, place: QRectF, column: Column, n: int) -> Iterator[Item]:
        row, chosen = self._rows[n], n == self._chosen
        # Lower rows have no room for bars, nor for type of the usual size.
        low = row_height(len(self._rows)) < _ROW
        above = place if low else place.adjusted(0, 0, 0, -self.px(3))
        words = row.cells[column.key]
        if column.key == "lane":
            half = self.px(6) if chosen else 0
            yield Pointer(QRectF(place.x(), above.center().y() - half, 1.5 * half, 2 * half), theme.ACCENT)
            yield Words(above.adjusted(self.px(16), 0, 0, 0), words, 13 if low else 16, bold=chosen, narrow=True)
            return
        muted = not column.right or words in ("none", NOTHING)
        size = 13 if low else 14 if muted else 16
        yield self._words(above, column, words, size, theme.MUTED if muted else theme.TEXT)
        if column.key in MEASURES and not low:
            length = (place.width() - self.px(10)) * row.sizes[column.key]
            yield Box(QRectF(place.right() - length, place.bottom() - self.px(4), length, self.px(3)), theme.ACCENT)

    def _words(self, place: QRectF, column: Column, words: str, size: float, colour: QColor) -> Words:
        inner = place.adjusted(self.px(10), 0, 0, 0)
        return Words(inner, words, size, colour, align=RIGHT if column.right else LEFT, narrow=True)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        row = self.px(row_height(len(self._rows)))
        if event is not None and row:
            n = int((event.position().y() - self.px(_HEAD)) // row)
            if 0 <= n < len(self._rows):
                self.chosen.emit(n)
