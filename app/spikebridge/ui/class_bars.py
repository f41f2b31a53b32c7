"""Bars of all class probabilities with the threshold."""

from __future__ import annotations

from collections.abc import Iterator

from PyQt6.QtCore import QRectF, Qt

from spikebridge.contracts import LABELS
from spikebridge.snapshot import LaneSnapshot
from spikebridge.ui import theme
from spikebridge.ui.figures import label_text, sentence, short_label_text
from spikebridge.ui.items import CENTRE, RIGHT, Box, Item, Line, Paragraph, Pointer, Words
from spikebridge.ui.lettering import Face, fitted_size, text_width
from spikebridge.ui.painted import PaintedPanel

#: Of a row, px of the reference screen and of any.
_LOWEST_ROW, _LOWEST_ROW_PX = 15, 12


class ClassBars(PaintedPanel):
    """One row for each class; the named one is brighter, bold and pointed at. small : for one of several columns."""

    def __init__(self) -> None:
        super().__init__()
        self.small = False
        self._failure = ""
        self._threshold = 0.0
        self._show(LABELS, (), None)
        self.setAccessibleName("Probabilities of all gestures")

    @property
    def probabilities(self) -> tuple[float, ...]:
        return self._probabilities

    def show_lane(self, lane: LaneSnapshot) -> None:
        """The newest decision of a lane; in its place, why there will be none."""
        decision = lane.decision
        self._failure = sentence(lane.failure or "")
        self._threshold = lane.threshold
        if decision is None:
            self._show(lane.model.labels, (), None)
        else:
            self._show(lane.model.labels, tuple(decision.probabilities.tolist()), decision.index)
        self.refresh()

    def clear(self) -> None:
        self._failure, self._threshold = "", 0.0
        self._show(self._labels, (), None)
        self.refresh()

    def _show(self, labels: tuple[str, ...], probabilities: tuple[float, ...], index: int | None) -> None:
        self._labels = labels
        self._probabilities = probabilities or (0.0,) * len(labels)
        self._index = index

    def compose(self) -> Iterator[Item]:
        pad, head = self.px(14 if self.small else 20), self.px(24 if self.small else 44)
        if self._failure:
            place = QRectF(pad, head, self.width() - 2 * pad, self.height() - head - pad)
            yield Paragraph(place, self._failure, 16 if self.small else 20)
            return
        names = min(self.px(240 if self.small else 290), int(self.width() * (0.6 if self.small else 0.5)))
        value = self.px(54 if self.small else 66)
        bars = QRectF(pad + names, head, self.width() - 2 * pad - names - value, self.height() - head - self.px(8))
        title = QRectF(pad, self.px(2), names, head - self.px(2))
        shown = self._shown(bars.height())
        words = "All gestures" if len(shown) == len(self._labels) else f"{len(shown)} of {len(self._labels)} gestures"
        yield Words(title, words, 15 if self.small else 18, theme.MUTED, True)
        row = bars.height() / max(1, len(shown))
        indent = self.px(16 if self.small else 20)
        texts, size = self._names(names - indent - self.px(8), min(self.px(16 if self.small else 20), int(row * 0.8)))
        for n, i in enumerate(shown):
            place = QRectF(pad + indent, bars.y() + n * row, names - indent - self.px(4), row)
            yield from self._compose_row(i, Words(place, texts[i], size, narrow=True), bars)
        if self._threshold > 0:
            yield from self._compose_threshold(bars, head)

    def _names(self, width: int, largest_px: int) -> tuple[list[str], float]:
        """A name for each label, all in short where the longest fits in no type, and the size of their type."""
        for text in (label_text, short_label_text):
            names = [text(label) for label in self._labels]
            longest = max(names, key=len, default="")
            if text_width(longest, Face(theme.SMALLEST_PX, True, True)) <= width:
                break
        return names, fitted_size(longest, width, Face(largest_px, True, True)) / self.scale

    def _shown(self, height: float) -> list[int]:
        """All labels, or the likeliest where there is no room for all, in the order of the labels."""
        room = max(1, int(height / max(_LOWEST_ROW_PX, self.px(_LOWEST_ROW))))
        likeliest = sorted(range(len(self._labels)), key=lambda i: -self._probabilities[i])
        return sorted(likeliest[:room])

    def _compose_row(self, i: int, name: Words, bars: QRectF) -> Iterator[Item]:
        """name : in the height of the row."""
        row, top = name.place.height(), name.place.y()
        probability, chosen = self._probabilities[i], i == self._index
        colour = theme.TEXT if chosen else theme.MUTED
        yield name._replace(colour=colour, bold=chosen)
        half = min(self.px(7), row * 0.35) if chosen else 0.0
        left = self.px(14 if self.small else 20)
        yield Pointer(QRectF(left, top + row / 2 - half, 1.5 * half, 2 * half), theme.ACCENT)
        radius = min(self.px(4), row * 0.28)
        thick = min(row * 0.56, self.px(28))
        groove = QRectF(bars.x(), top + (row - thick) / 2, bars.width(), thick)
        yield Box(groove, theme.RAISED, radius)
        length = round(groove.width() * min(1.0, max(0.0, probability)))
        bar = QRectF(groove.x(), groove.y(), max(2 * radius, length) if length else 0.0, groove.height())
        yield Box(bar, theme.ACCENT if chosen else theme.FAINT, radius)
        place = QRectF(bars.right() + self.px(4), top, self.width() - bars.right() - self.px(14), row)
        yield Words(place, f"{probability:.0%}", min(name.size, 19), colour, chosen, RIGHT)

    def _compose_threshold(self, bars: QRectF, head: float) -> Iterator[Item]:
        thick = max(1, self.px(2))
        x = bars.x() + bars.width() * self._threshold
        yield Line(QRectF(x - thick / 2, head, thick, bars.height()), theme.YELLOW, Qt.PenStyle.DashLine)
        width = self.px(150)
        place = QRectF(min(max(bars.x(), x - width / 2), bars.right() - width), self.px(2), width, head - self.px(2))
        yield Words(place, f"threshold {self._threshold:.0%}", 15, theme.YELLOW, align=CENTRE)
