"""All parts of the window, and what they show of a snapshot."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QMenu, QVBoxLayout, QWidget

from spikebridge.snapshot import LaneSnapshot, Snapshot
from spikebridge.ui import theme
from spikebridge.ui.bridge_strip import BridgeStrip
from spikebridge.ui.charts import LatencyChart, PowerChart
from spikebridge.ui.header import Header
from spikebridge.ui.history import LaneHistory, Rails
from spikebridge.ui.lane_table import LaneTable, table_height
from spikebridge.ui.loss_line import LossLine
from spikebridge.ui.replay_bar import ReplayBar
from spikebridge.ui.session import ChainSession
from spikebridge.ui.stage_layout import MOST_COLUMNS, Stage

#: px of the reference screen.
_HEADER, _LOSS = 48, 32
#: Of strip and charts: of one network, and of one among several, where the table needs the room.
_STRIP, _LOW_STRIP = 228, 168
_CHARTS, _LOW_CHARTS = 140, 116
_MESSAGES = {"starting": "Starting …", "paused": "Paused", "failed": "⚠  Stopped by an error"}


class Page(QWidget):
    """Strip, charts, settings and feature maps are of the ``chosen`` lane; the rest is of all."""

    #: A lane was clicked.
    lane_clicked = pyqtSignal(int)

    def __init__(self, menu: QMenu) -> None:
        super().__init__()
        self.chosen = 0
        self.header = Header(menu)
        self.stage = Stage()
        self.table = LaneTable()
        self.replay_bar = ReplayBar()
        self.strip = BridgeStrip()
        self.latency_chart, self.power_chart = LatencyChart(), PowerChart()
        self.loss = LossLine()
        self._charts = QWidget()
        self._beside = QHBoxLayout(self._charts)
        self._beside.setContentsMargins(0, 0, 0, 0)
        self._beside.addWidget(self.latency_chart)
        self._beside.addWidget(self.power_chart)
        self.note = QLabel()
        self.note.setProperty("muted", True)
        self._controls = QHBoxLayout()
        self._controls.addWidget(self.note)
        self._controls.addWidget(self.replay_bar, 1)
        self._controls.addStretch()
        self._column = QVBoxLayout(self)
        self._column.addWidget(self.header)
        self._column.addWidget(self.stage, 1)
        self._column.addLayout(self._controls)
        for part in (self.table, self.strip, self._charts, self.loss):
            self._column.addWidget(part)
        self.replay_bar.hide()
        self.table.hide()
        self.note.hide()
        self.table.chosen.connect(self.lane_clicked)
        self.stage.chosen.connect(self.lane_clicked)
        self._scale = 1.0
        self._host = Rails()
        self._histories: list[LaneHistory] = []
        self._drawn_sequence = -1
        self._power_next = False

    # ------------------------------------------------ sizes

    def set_scale(self, scale: float) -> None:
        """px for each px of the reference screen."""
        self._scale = scale
        gap = self.gap
        self._column.setContentsMargins(gap, gap // 2, gap, gap // 2)
        self._column.setSpacing(round(1.5 * theme.UNIT * scale))
        self._beside.setSpacing(gap)
        n = len(self._histories)
        self.strip.low = n > 1
        self._controls.setSpacing(2 * gap)
        heights: tuple[tuple[QWidget, float], ...] = (
            (self.header, _HEADER),
            (self.table, table_height(n)),
            (self.strip, _LOW_STRIP if n > 1 else _STRIP),
            (self._charts, _LOW_CHARTS if n > 1 else _CHARTS),
            (self.loss, _LOSS),
        )
        for part, height in heights:
            part.setFixedHeight(round(height * scale))
        for part in (self.header, self.stage, self.table, self.replay_bar, self.strip):
            part.set_scale(scale)
        for part in (self.latency_chart, self.power_chart, self.loss):
            part.set_scale(scale)

    @property
    def gap(self) -> int:
        """px at the edges and between neighbours."""
        return round(2 * theme.UNIT * self._scale)

    # ------------------------------------------------ a source begins and ends

    def begin(self, session: ChainSession) -> None:
        """Room for all lanes of a source that was opened."""
        snapshot = session.snapshot()
        n = len(snapshot.lanes)
        self.chosen = self.chosen if self.chosen < n else 0
        self._histories = [LaneHistory() for _ in snapshot.lanes]
        self.latency_chart.begin()
        self.power_chart.begin()
        self.stage.events.show_picture(session.picture)
        self._make_room([lane.model.name for lane in snapshot.lanes])
        self.replay_bar.set_replay(session.replay, snapshot.source)
        self.wait("Starting", "waiting for", "the first decision")

    def _make_room(self, names: list[str]) -> None:
        """For the columns of several networks, their table, and words on those that have no column."""
        several = len(names) > 1
        if several:
            self._controls.insertWidget(0, self.stage.settings)
        self.stage.settings.make_room(names if several else ())
        self.stage.show_lanes(len(names))
        self.table.setVisible(several)
        more = len(names) - MOST_COLUMNS
        self.note.setVisible(more > 0)
        self.note.setText(f"+ {more} more: see the table" if more > 0 else "")
        self.set_scale(self._scale)

    def clear(self) -> None:
        """Nothing of a source is left to see; places and the chosen lane stay."""
        self._drawn_sequence = -1
        self._host = Rails()
        self._histories = [LaneHistory() for _ in self._histories]
        self.stage.events.show_nothing()
        self.replay_bar.set_replay(None, None)
        self.strip.clear()
        self.latency_chart.show_latencies(LaneHistory().latencies)
        self.power_chart.show_rails()
        self.loss.clear()
        self.table.clear()
        for column in self.stage.columns:
            column.clear()
        self.wait("No source", "drop a recording", "or press O")
        self.stage.features.show_features(None, None)

    def wait(self, title: str, *why: str) -> None:
        """What stands in place of the gesture until the first decision."""
        for column in self.stage.columns:
            column.gesture.wait(title, *why)

    # ------------------------------------------------ what is drawn, and how often

    def show_frame(self, snapshot: Snapshot) -> None:
        """At the display's rate: pictures and decisions."""
        if snapshot.sequence != self._drawn_sequence:
            self._drawn_sequence = snapshot.sequence
            if snapshot.state == "waiting":
                # What was decided before says nothing of now.
                self.wait("No camera", "waiting until it is", "plugged in again")
                return
            for column, lane in zip(self.stage.shown_columns, snapshot.lanes, strict=False):
                column.show_decision(lane)

    def show_charts(self, snapshot: Snapshot) -> None:
        """Twenty times a second, the two charts by turns, so that no frame is late by both."""
        history = self._histories[self.chosen]
        self._power_next = not self._power_next
        if self._power_next:
            self._host.add(snapshot.power)
            for each, lane in zip(self._histories, snapshot.lanes, strict=True):
                each.chip.add(lane.chip)
            self.power_chart.show_rails(self._host, history.chip)
            return
        if snapshot.state == "running":
            for each, lane in zip(self._histories, snapshot.lanes, strict=True):
                each.add_latency(lane)
            self.latency_chart.show_latencies(history.latencies)
        if not self.stage.features.isHidden():
            lane = snapshot.lanes[self.chosen]
            self.stage.features.show_features(lane.features, lane.features_shape, self._whose(snapshot, lane))
        self.replay_bar.refresh(snapshot.state == "ended", snapshot.source)

    def show_words(self, snapshot: Snapshot) -> None:
        """Five times a second: words and figures."""
        for each, lane in zip(self._histories, snapshot.lanes, strict=True):
            each.add_cards(lane.cards)
        self.show_lane(snapshot)

    def show_lane(self, snapshot: Snapshot) -> None:
        """Words and figures of the chosen lane, and what is said of all."""
        lane = snapshot.lanes[self.chosen]
        self.header.show_snapshot(snapshot, lane)
        self.strip.show_cards(lane.cards, self._histories[self.chosen].sparks)
        self.strip.details = snapshot.source.details
        self.loss.show_snapshot(snapshot, self.chosen)
        self.show_settings(snapshot, lane.threshold, lane.smoothing_us)
        self.stage.events.set_message(snapshot.source_counters.waiting_for or _MESSAGES.get(snapshot.state, ""))
        if len(snapshot.lanes) > 1:
            self.table.show_snapshot(snapshot, self.chosen)
            for number, (column, one) in enumerate(zip(self.stage.shown_columns, snapshot.lanes, strict=False)):
                column.show_lane(one, number + 1, number == self.chosen)

    def show_settings(self, snapshot: Snapshot, threshold: float, smoothing_us: int) -> None:
        """Of the chosen lane; also what was just asked for."""
        whose = self._whose(snapshot, snapshot.lanes[self.chosen])
        self.stage.settings.show_values(threshold, smoothing_us, whose)

    def choose(self, lane: int, snapshot: Snapshot) -> None:
        """Shows another lane from now on, with its past."""
        self.chosen = lane
        self.show_lane(snapshot)
        self.latency_chart.show_latencies(self._histories[lane].latencies)
        self.power_chart.show_rails(self._host, self._histories[lane].chip)

    def _whose(self, snapshot: Snapshot, lane: LaneSnapshot) -> str:
        return lane.model.name if len(snapshot.lanes) > 1 else ""
