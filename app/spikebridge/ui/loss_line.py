"""The counters of loss: what came in is done, dropped or waiting, and the sum is on the screen."""

from __future__ import annotations

from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QPainter

from spikebridge.contracts import SourceCounters
from spikebridge.snapshot import Counters
from spikebridge.ui import theme
from spikebridge.ui.figures import count
from spikebridge.ui.painted import PaintedPanel


class LossLine(PaintedPanel):
    """One line. Lost events are a word, an icon and a colour."""

    def __init__(self) -> None:
        super().__init__()
        self._counters = Counters()
        self._source = SourceCounters()

    def show_counters(self, counters: Counters, source: SourceCounters) -> None:
        if (counters, source) != (self._counters, self._source):
            self._counters, self._source = counters, source
            self.update()

    @property
    def verdict(self) -> str:
        """``Nothing lost`` or what was."""
        losses = []
        if lost := self._counters.events_dropped + self._source.dropped:
            losses.append(f"{count(lost)} events lost")
        if self._source.skipped_bytes:
            losses.append(f"{count(self._source.skipped_bytes)} bytes skipped")
        if self._source.truncated:
            losses.append("file truncated")
        return ", ".join(losses).capitalize() or "Nothing lost"

    def paint(self, painter: QPainter) -> None:
        c = self._counters
        lost = self.verdict != "Nothing lost"
        pad, height = self.px(16), self.height()
        verdict = QRectF(pad, 0, self.px(400), height)
        icon = "⚠" if lost else "✓"
        self.text(painter, verdict, f"{icon}  {self.verdict}", 18, theme.ALARM if lost else theme.TEXT, lost)
        cells = (
            ("events in", c.events_in),
            ("= done", c.events_done),
            ("+ dropped", c.events_dropped),
            ("+ queued", c.events_queued),
            ("outside crop", c.events_outside),
            ("decisions", c.decisions),
            ("resets", c.resets),
        )
        left = verdict.right() + pad
        width = (self.width() - left - pad) / len(cells)
        for i, (name, value) in enumerate(cells):
            cell = QRectF(left + i * width, 0, width - self.px(8), height)
            alarm = value > 0 and name == "+ dropped"
            self.text(painter, cell, name, 15, theme.ALARM if alarm else theme.MUTED, narrow=True)
            painter.setFont(theme.font(self.px(15), narrow=True))
            shift = painter.fontMetrics().horizontalAdvance(name) + self.px(8)
            rest = cell.adjusted(shift, 0, 0, 0)
            self.text(painter, rest, count(value), 17, theme.ALARM if alarm else theme.TEXT, True, narrow=True)
