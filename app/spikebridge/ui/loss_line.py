"""The counters of loss: what came in is done, dropped or waiting, and the sum is on the screen."""

from __future__ import annotations

from collections.abc import Iterator

from PyQt6.QtCore import QRectF

from spikebridge.contracts import SourceCounters
from spikebridge.snapshot import Counters, Snapshot
from spikebridge.ui import theme
from spikebridge.ui.figures import count, number
from spikebridge.ui.items import Item, Words
from spikebridge.ui.lettering import Face, fitted_size, text_width
from spikebridge.ui.painted import PaintedPanel

_NOTHING = "Nothing lost"
#: Of a camera whose driver does not count.
_NOTHING_HERE = "Nothing lost here; the driver does not tell"
#: Of the width goes to what was lost.
_MOST = 0.6


class LossLine(PaintedPanel):
    """Left what was lost anywhere, right the counters of the chosen lane. Loss is a word, an icon and a colour."""

    def __init__(self) -> None:
        super().__init__()
        self._counters, self._filtered = Counters(), 0
        self.verdict = _NOTHING

    def clear(self) -> None:
        self._counters, self._filtered, self.verdict = Counters(), 0, _NOTHING
        self.refresh()

    def show_snapshot(self, snapshot: Snapshot, chosen: int) -> None:
        self._counters = snapshot.lanes[chosen].counters
        self._filtered = snapshot.source_counters.filtered
        self.verdict = describe_losses(snapshot)
        self.refresh()

    def compose(self) -> Iterator[Item]:
        lost = self.verdict not in (_NOTHING, _NOTHING_HERE)
        pad, height = self.px(16), self.height()
        words = f"{'⚠' if lost else '✓'}  {self.verdict}"
        size = fitted_size(words, int(self.width() * _MOST), Face(self.px(18), lost, lost))
        room = max(self.px(340), text_width(words, Face(size, lost, lost)) + 2)
        colour = theme.ALARM if lost else theme.TEXT
        yield Words(QRectF(pad, 0, room, height), words, size / self.scale, colour, lost, narrow=lost)
        x = pad + room + self.px(20)
        for name, value, widest in self._cells():
            needed = text_width(name, Face(self.px(15), narrow=True)) + self.px(8)
            figure = max(text_width(text, Face(self.px(17), True, True)) for text in (widest, count(value))) + 2
            if x + needed + figure > self.width() - pad:
                # What was lost comes first; half a figure says nothing.
                return
            alarm = value > 0 and name == "+ dropped"
            yield Words(QRectF(x, 0, needed, height), name, 15, theme.ALARM if alarm else theme.MUTED, narrow=True)
            x += needed
            yield Words(
                QRectF(x, 0, figure, height), count(value), 17, theme.ALARM if alarm else theme.TEXT, True, narrow=True
            )
            x += figure + self.px(10)

    def _cells(self) -> tuple[tuple[str, int, str], ...]:
        """(name, value, a value for which there is always room)."""
        c = self._counters
        filtered = (("filtered", self._filtered, count(999_999_999)),) if self._filtered else ()
        return (
            *filtered,
            ("events in", c.events_in, count(999_999_999)),
            ("= done", c.events_done, count(999_999_999)),
            ("+ dropped", c.events_dropped, count(9_999_999)),
            ("+ waiting", c.events_queued, count(99_999)),
            ("outside the crop", c.events_outside, count(9_999_999)),
            ("decisions", c.decisions, count(9_999_999)),
            ("resets", c.resets, count(999)),
        )


def describe_losses(snapshot: Snapshot) -> str:
    """``Nothing lost``, or what was: by every lane and before them."""
    several = len(snapshot.lanes) > 1
    losses = [
        f"{lane.model.name} lost {lost}" if several else f"{lost} lost"
        for lane in snapshot.lanes
        if (lost := _lost(lane.counters))
    ]
    losses += _lost_before(snapshot.source_counters, snapshot.source.kind == "recording")
    return ", ".join(losses) or (_NOTHING if snapshot.source.counts_losses else _NOTHING_HERE)


def _lost(counters: Counters) -> str:
    """Steps where no event was in them: the network missed time all the same."""
    if counters.events_dropped:
        return number(counters.events_dropped, "event")
    return number(counters.packets_dropped, "step") if counters.packets_dropped else ""


def _lost_before(source: SourceCounters, recorded: bool) -> list[str]:
    losses = []
    if source.dropped:
        where = "of the file unusable" if recorded else "lost in the driver"
        losses.append(f"{number(source.dropped, 'event')} {where}")
    if source.out_of_order:
        losses.append(f"{number(source.out_of_order, 'event')} moved in time")
    if source.skipped_bytes:
        losses.append(f"{number(source.skipped_bytes, 'byte')} skipped")
    if source.truncated:
        losses.append("file truncated")
    return losses
