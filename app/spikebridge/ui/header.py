"""The top line: product, source, state, and the one figure that sums it up."""

from __future__ import annotations

from collections.abc import Iterator

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QHBoxLayout, QMenu, QToolButton

from spikebridge.contracts import LABELS, RecordingStatus
from spikebridge.snapshot import LaneSnapshot, Snapshot
from spikebridge.ui import figures, theme
from spikebridge.ui.figures import count
from spikebridge.ui.items import CENTRE, RIGHT, Box, Item, Words
from spikebridge.ui.lettering import Face, fitted_size, text_width
from spikebridge.ui.painted import PaintedPanel

#: Type of the source's name, px of the reference screen; a name that needs smaller type is cut.
_SMALLEST_SOURCE = 15
#: Icon, word and colour of each state.
STATES: dict[str, tuple[str, str, QColor]] = {
    "opening": ("◌", "Opening", theme.YELLOW),
    "starting": ("◌", "Starting", theme.YELLOW),
    "running": ("●", "Running", theme.SKY),
    "waiting": ("◎", "Waiting", theme.YELLOW),
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
        #: The gesture that the key T marks.
        self.mark = LABELS[0]
        self._recording: RecordingStatus | None = None
        self._model = ""
        self._caption = ""
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
        """words : on what is slow."""
        self._show("opening", f"{uri}   {words} …" if words else uri, "simulated" if uri.startswith("sim:") else "")

    def show_closed(self) -> None:
        self._show("closed", "", "")

    def show_snapshot(self, snapshot: Snapshot, lane: LaneSnapshot) -> None:
        """lane : the one whose latency is shown."""
        several = len(snapshot.lanes) > 1
        self._model = f"{len(snapshot.lanes)} networks" if several else lane.model.name
        self._caption = f"{lane.model.name}: " if several else ""
        self._caption += "end of the step → decision, p50"
        self._end_to_end, self._age = _latency(lane)
        self._recording = snapshot.recording
        kind = snapshot.source.kind
        self._put(snapshot.state, snapshot.source.title, "live camera" if kind == "live" else kind)

    def _show(self, state: str, source: str, badge: str) -> None:
        self._model = self._caption = self._end_to_end = self._age = ""
        self._recording = None
        self._put(state, source, badge)

    def _put(self, state: str, source: str, badge: str) -> None:
        self.state, self.source, self.badge = state, source, badge
        self.refresh()

    def compose(self) -> Iterator[Item]:
        height = self.height()
        x = float(self.button.width() + self.px(24))
        product = text_width("Spikebridge", Face(self.px(28), bold=True)) + 2
        yield Words(QRectF(x, 0, product, height), "Spikebridge", 28, bold=True)
        x += product + self.px(32)
        icon, word, colour = STATES[self.state]
        # As wide as the widest state: what follows stays where it is.
        room = text_width("○  No source", Face(self.px(20), bold=True)) + self.px(12)
        yield Words(QRectF(x, 0, room, height), f"{icon}  {word}", 20, colour, True)
        x += room
        right: float = self.width() - self.px(8)
        latency = tuple(self._compose_latency(right))
        if latency:
            right = min(item.place.left() for item in latency) - self.px(16)
        if self.badge:
            simulated = self.badge == "simulated"
            badge = tuple(self._compose_badge(x, self.badge.upper(), theme.YELLOW if simulated else None))
            yield from badge
            x = badge[0].place.right() + self.px(14)
        if self._recording is not None and self._recording.running:
            badge = tuple(self._compose_badge(x, recording_words(self._recording, self.mark), theme.ALARM))
            yield from badge
            x = badge[0].place.right() + self.px(14)
        words = self.source + (f"  ·  {self._model}" if self._model else "")
        room = max(0, int(right - x))
        narrow = text_width(words, Face(self.px(20))) > room
        size = fitted_size(words, room, Face(self.px(20), narrow=narrow)) / self.scale
        yield Words(QRectF(x, 0, room, height), words, max(_SMALLEST_SOURCE, size), theme.MUTED, narrow=narrow)
        yield from latency

    def _compose_badge(self, x: float, word: str, striking: QColor | None) -> Iterator[Item]:
        """striking : its colour where it must be seen."""
        width = text_width(word, Face(self.px(16), bold=True)) + self.px(24)
        height = self.px(32)
        place = QRectF(x, (self.height() - height) / 2, width, height)
        yield Box(place, striking or theme.RAISED, self.px(6))
        yield Words(place, word, 16, theme.BACKGROUND if striking else theme.TEXT, True, CENTRE)

    def _compose_latency(self, right: float) -> Iterator[Item]:
        """The figure, and small beside it what it leaves out."""
        if not self._end_to_end:
            return
        big, small, half = self.px(150), self.px(460), self.height() / 2
        yield Words(QRectF(right - big, 0, big, self.height()), self._end_to_end, 30, bold=True, align=RIGHT)
        left = right - big - small - self.px(10)
        above, below = QRectF(left, 0, small, half + 1), QRectF(left, half - 1, small, half)
        yield Words(above, self._caption, 15, theme.MUTED, align=RIGHT, narrow=True)
        yield Words(below, self._age, 15, theme.MUTED, align=RIGHT, narrow=True)


def recording_words(recording: RecordingStatus, mark: str) -> str:
    """How long it has been recording, and what is marked or would be."""
    minutes, seconds = divmod(recording.duration_us // 1_000_000, 60)
    lost = f"  ⚠ {count(recording.lost)} LOST" if recording.lost else ""
    label = f"▶ {recording.label}" if recording.label else f"T: {mark}"
    return f"● REC {minutes}:{seconds:02}{lost}   {label.replace('_', ' ')}"


def _latency(lane: LaneSnapshot) -> tuple[str, str]:
    """The median, and what else is to be said of it."""
    if lane.end_to_end is None:
        return "– ms", "a run without a pace has no latency"
    recent, age = lane.end_to_end.recent, lane.age
    if not recent.n or age.newest_us is None or age.oldest_us is None:
        return "– ms", "waiting for the first decision"
    newest, oldest = figures.milliseconds(age.newest_us), figures.milliseconds(age.oldest_us)
    return (
        figures.milliseconds(recent.p50),
        f"p99 {figures.milliseconds(recent.p99)}; newest event {newest} old, oldest {oldest}",
    )
