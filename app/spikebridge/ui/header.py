"""The top line: product, source, state, and the one figure that sums it up."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QPainter
from PyQt6.QtWidgets import QHBoxLayout, QMenu, QToolButton

from spikebridge.snapshot import LaneSnapshot, Snapshot
from spikebridge.ui import figures, theme
from spikebridge.ui.painted import Align, PaintedPanel

#: Icon, word and colour of each state.
STATES: dict[str, tuple[str, str, QColor]] = {
    "opening": ("◌", "Opening", theme.YELLOW),
    "starting": ("◌", "Starting", theme.YELLOW),
    "running": ("●", "Running", theme.SKY),
    "paused": ("▮▮", "Paused", theme.YELLOW),
    "ended": ("■", "Ended", theme.MUTED),
    "failed": ("⚠", "Failed", theme.ALARM),
    "closed": ("○", "No source", theme.MUTED),
}


class Header(PaintedPanel):
    """Menu button at the left, painted texts beside it."""

    def __init__(self, menu: QMenu) -> None:
        super().__init__(ground=theme.BACKGROUND)
        self.state = "closed"
        self.source = ""
        self.badge = ""
        self._model = ""
        self._end_to_end = ""
        self._age = ""
        self.button = QToolButton(self)
        self.button.setText("☰  Menu")
        self.button.setToolTip("Menu (F10)")
        self.button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.button.setMenu(menu)
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button)
        layout.addStretch(1)

    def show_opening(self, uri: str, words: str = "") -> None:
        self.state, self.badge = "opening", "simulated" if uri.startswith("sim:") else ""
        self.source = f"{uri}   {words} …" if words else uri
        self._model = self._end_to_end = self._age = ""
        self.update()

    def show_closed(self) -> None:
        self.state, self.source, self.badge = "closed", "", ""
        self._model = self._end_to_end = self._age = ""
        self.update()

    def show_snapshot(self, snapshot: Snapshot, lane: LaneSnapshot) -> None:
        """lane : the one whose latency is shown."""
        self.state = snapshot.state
        self.source = snapshot.source.title
        self.badge = snapshot.source.kind if snapshot.source.kind != "live" else "live camera"
        self._model = lane.model.name
        self._end_to_end, self._age = "– ms", "a run without a pace has no latency"
        if lane.end_to_end is not None:
            recent, age = lane.end_to_end.recent, lane.age
            self._age = "waiting for the first decision"
            if recent.n and age.newest_us is not None and age.oldest_us is not None:
                self._end_to_end = figures.milliseconds(recent.p50)
                self._age = (
                    f"p99 {figures.milliseconds(recent.p99)}; newest event {figures.milliseconds(age.newest_us)} old, "
                    f"oldest {figures.milliseconds(age.oldest_us)}"
                )
        self.update()

    def paint(self, painter: QPainter) -> None:
        height = self.height()
        x = float(self.button.width() + self.px(24))
        x = self._word(painter, x, "Spikebridge", 28, theme.TEXT, True) + self.px(32)
        icon, word, colour = STATES[self.state]
        # As wide as the widest state: what follows stays where it is.
        painter.setFont(theme.font(self.px(20), bold=True))
        room = painter.fontMetrics().horizontalAdvance("○  No source") + self.px(12)
        self.text(painter, QRectF(x, 0, room, height), f"{icon}  {word}", 20, colour, True)
        x += room
        if self.badge:
            x = self._paint_badge(painter, x) + self.px(14)
        right: float = self.width() - self.px(8)
        if self._end_to_end:
            right = self._paint_latency(painter, right)
        words = self.source + (f"  ·  {self._model}" if self._model else "")
        self.text(painter, QRectF(x, 0, max(0.0, right - x), height), words, 20, theme.MUTED)

    def _word(self, painter: QPainter, x: float, text: str, size: float, colour: QColor, bold: bool) -> float:
        painter.setFont(theme.font(self.px(size), bold))
        width = painter.fontMetrics().horizontalAdvance(text) + 2
        self.text(painter, QRectF(x, 0, width, self.height()), text, size, colour, bold)
        return x + width

    def _paint_badge(self, painter: QPainter, x: float) -> float:
        word = self.badge.upper()
        painter.setFont(theme.font(self.px(16), bold=True))
        width = painter.fontMetrics().horizontalAdvance(word) + self.px(24)
        height = self.px(32)
        rect = QRectF(x, (self.height() - height) / 2, width, height)
        simulated = self.badge == "simulated"
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.YELLOW if simulated else theme.RAISED)
        painter.drawRoundedRect(rect, self.px(6), self.px(6))
        self.text(painter, rect, word, 16, theme.BACKGROUND if simulated else theme.TEXT, True, Align.AlignCenter)
        return x + width

    def _paint_latency(self, painter: QPainter, right: float) -> float:
        """The figure, and small beside it what it leaves out; returns where the free room ends."""
        end = Align.AlignRight | Align.AlignVCenter
        big = self.px(150)
        self.text(painter, QRectF(right - big, 0, big, self.height()), self._end_to_end, 30, theme.TEXT, True, end)
        small = self.px(440)
        left = right - big - small - self.px(10)
        half = self.height() / 2
        above = QRectF(left, 0, small, half + self.px(3))
        below = QRectF(left, half - self.px(3), small, half)
        self.text(painter, above, "end of the step → decision, p50", 15, theme.MUTED, align=end, narrow=True)
        self.text(painter, below, self._age, 15, theme.FAINT, align=end, narrow=True)
        return left - self.px(16)
