"""The window: pulls snapshots and packets on timers and hands them to its parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence, QResizeEvent, QShowEvent
from PyQt6.QtWidgets import QFileDialog, QHBoxLayout, QMainWindow, QMenu, QVBoxLayout, QWidget

from spikebridge.contracts import SourceCounters
from spikebridge.errors import SpikebridgeError
from spikebridge.snapshot import Counters, LaneSnapshot, Snapshot
from spikebridge.ui import theme
from spikebridge.ui.actions import GROUPS
from spikebridge.ui.banner import Banner
from spikebridge.ui.bridge_strip import BridgeStrip
from spikebridge.ui.charts import LatencyChart, PowerChart
from spikebridge.ui.header import Header
from spikebridge.ui.help_overlay import HelpOverlay
from spikebridge.ui.loss_line import LossLine
from spikebridge.ui.opening import SessionLoader
from spikebridge.ui.replay_bar import ReplayBar
from spikebridge.ui.session import ChainSession, SessionOpener
from spikebridge.ui.settings_bar import next_smoothing_us, next_threshold
from spikebridge.ui.stage_layout import Stage

#: Pictures at the display's rate, charts ten times a second, words and figures five times, so that they can be read.
_FRAME_MS, _CHART_MS, _WORDS_MS = 16, 100, 200


def display_timer(slot: Callable[[], None]) -> QTimer:
    """Calls ``slot`` for each frame; 16 ms are the whole milliseconds nearest to 60 Hz that are not slower."""
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(slot)
    timer.start(_FRAME_MS)
    return timer


_HEIGHTS = {"header": 48, "strip": 186, "charts": 152, "loss": 32}


class MainWindow(QMainWindow):
    """One source at a time. It never computes and never waits: opening and closing run on worker threads."""

    source_opened = pyqtSignal()
    source_failed = pyqtSignal(object)

    def __init__(self, opener: SessionOpener) -> None:
        super().__init__()
        self.setWindowTitle("Spikebridge")
        self.setAcceptDrops(True)
        self.setMinimumSize(960, 600)
        self.session: ChainSession | None = None
        #: The first error of opening, until something was opened: what the process reports when it ends.
        self.opening_error: Exception | None = None
        self.has_failed = False
        self._uri = ""
        #: The lane that strip, charts and settings are of.
        self._chosen = 0
        self._power_next = False
        self._drawn_sequence = -1
        self._shown_failure: str | None = None
        self._shown_notes: set[str] = set()
        self._loader = SessionLoader(opener)
        self._loader.opened.connect(self._show_session)
        self._loader.failed.connect(self._show_opening_error)
        self._loader.said.connect(self._show_opening_words)
        self.menu = QMenu(self)
        self._build()
        self._build_actions()
        self._timers = [
            display_timer(self._draw_frame),
            self._timer(_CHART_MS // 2, self._draw_charts),
            self._timer(_WORDS_MS, self._draw_words),
        ]

    # ------------------------------------------------ building

    def _build(self) -> None:
        self.header = Header(self.menu)
        self.stage = Stage()
        self.replay_bar = ReplayBar()
        self.replay_bar.replayed.connect(lambda: self.open(self._uri))
        self.replay_bar.hide()
        self.strip = BridgeStrip()
        self.latency_chart, self.power_chart = LatencyChart(), PowerChart()
        self.loss = LossLine()
        self._charts = QWidget()
        charts = QHBoxLayout(self._charts)
        charts.setContentsMargins(0, 0, 0, 0)
        charts.addWidget(self.latency_chart)
        charts.addWidget(self.power_chart)
        root = QWidget()
        self._column = QVBoxLayout(root)
        for part in (self.header, self.stage, self.replay_bar, self.strip, self._charts, self.loss):
            self._column.addWidget(part, 1 if part is self.stage else 0)
        self.setCentralWidget(root)
        self.banner = Banner(root)
        keys = [(title, [(command.shown, command.title) for command in commands]) for title, commands in GROUPS]
        self.help = HelpOverlay(root, keys)
        self.stage.settings.threshold_stepped.connect(self._step_threshold)
        self.stage.settings.smoothing_stepped.connect(self._step_smoothing)

    def _build_actions(self) -> None:
        for group, commands in GROUPS:
            self.menu.addSection(group)
            for command in commands:
                action = QAction(command.title, self)
                action.setObjectName(command.name)
                action.setShortcuts([QKeySequence(key) for key in command.keys])
                action.triggered.connect(self._slot(command.name))
                self.menu.addAction(action)
                self.addAction(action)

    def _slot(self, name: str) -> Callable[[], None]:
        method = getattr(self, name)
        return lambda: method()

    def _timer(self, interval_ms: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.timeout.connect(slot)
        timer.start(interval_ms)
        return timer

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        self.setFocus()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        scale = theme.scale_for(self.width(), self.height())
        self.setStyleSheet(theme.style_sheet(round(scale, 2)))
        gap = round(2 * theme.UNIT * scale)
        self._column.setContentsMargins(gap, gap // 2, gap, gap // 2)
        self._column.setSpacing(round(1.5 * theme.UNIT * scale))
        layout = self._charts.layout()
        if layout is not None:
            layout.setSpacing(gap)
        fixed = {"header": self.header, "strip": self.strip, "charts": self._charts, "loss": self.loss}
        for name, part in fixed.items():
            part.setFixedHeight(round(_HEIGHTS[name] * scale))
        for part in (self.header, self.stage, self.replay_bar, self.strip, self.latency_chart, self.power_chart):
            part.set_scale(scale)
        for part in (self.loss, self.banner, self.help):
            part.set_scale(scale)
        root = self.centralWidget()
        if root is not None:
            self.help.setGeometry(0, 0, self.width(), self.height())
        self.banner.margin_px = gap
        self.banner.top_px = gap // 2 + self.header.height() + gap // 2
        self.banner.place()

    # ------------------------------------------------ sources

    def open(self, uri: str) -> None:
        """Opens a source in the background; the present one runs on until the new one is there."""
        same = self.session if uri == self._uri else None
        if same is not None:
            self._forget_session()
        self.header.show_opening(uri)
        if self.session is None:
            self.stage.gesture.wait("Opening", "the source", "and the model")
        self._loader.open(uri, same)

    def _show_session(self, uri: str, session: ChainSession) -> None:
        before = self.session
        self._forget_session()
        if before is not None:
            self._loader.close(before)
        self.opening_error = None
        self.session, self._uri = session, uri
        self.stage.gesture.wait("Starting", "waiting for", "the first decision")
        info = session.snapshot().source
        self.stage.events.show_picture(session.picture)
        self.stage.arrange()
        self.replay_bar.set_replay(session.replay, info)
        session.want_features(self._chosen, not self.stage.features.isHidden())
        self.banner.hide()
        self.setWindowTitle(f"{info.title}{' (simulated)' if info.kind == 'simulated' else ''} – Spikebridge")
        self._draw_words()
        self.source_opened.emit()

    def _forget_session(self) -> None:
        self.session = None
        self._chosen = 0
        self._drawn_sequence, self._shown_failure, self._shown_notes = -1, None, set()
        self.stage.events.show_nothing()
        self.replay_bar.set_replay(None, None)
        self.strip.clear()
        self.latency_chart.clear()
        self.power_chart.clear()
        self.loss.show_counters(Counters(), SourceCounters())
        self.stage.gesture.wait("No source", "drop a recording", "or press O")
        self.stage.bars.show_decision(None, 0)
        self.stage.features.show_features(None, None)

    def _show_opening_words(self, uri: str, words: str) -> None:
        if self.session is None:
            self.header.show_opening(uri, words)
            self.stage.gesture.wait("Opening", *words.split(": ", 1))

    def _show_opening_error(self, uri: str, error: Exception) -> None:
        if self.session is None:
            self.opening_error = self.opening_error or error
            self.header.show_closed()
            self.stage.gesture.wait("No source", "drop a recording", "or press O")
        self.show_error(error)
        self.source_failed.emit(error)

    def show_error(self, error: BaseException | str) -> None:
        """One sentence in the banner; programs' faults are named as such."""
        if isinstance(error, (SpikebridgeError, str)):
            self.banner.show_error(str(error))
        else:
            self.banner.show_error(
                f"a fault in the program: {type(error).__name__}: {error}. It runs on; the terminal has the details."
            )

    # ------------------------------------------------ drawing

    def _draw_frame(self) -> None:
        self.stage.events.advance()
        session = self.session
        if session is None:
            return
        snapshot = session.snapshot()
        if snapshot.sequence != self._drawn_sequence:
            self._drawn_sequence = snapshot.sequence
            lane = self._lane_of(snapshot)
            self.stage.gesture.show_decision(lane.decision, lane.threshold)
            self.stage.bars.show_decision(lane.decision, lane.threshold)

    def _draw_charts(self) -> None:
        if self.session is None:
            return
        snapshot = self.session.snapshot()
        lane = self._lane_of(snapshot)
        # The two charts take turns, so that no frame is late by both.
        self._power_next = not self._power_next
        if not self._power_next:
            self.power_chart.add((*snapshot.power, *lane.chip))
            return
        if snapshot.state == "running":
            self.latency_chart.add(lane.decision.latency_us if lane.decision else None)
        if not self.stage.features.isHidden():
            self.stage.features.show_features(lane.features, lane.features_shape)
        self.replay_bar.refresh(snapshot.state == "ended")

    def _draw_words(self) -> None:
        if self.session is None:
            self.stage.events.set_message("Opening …" if self.header.state == "opening" else "Drop a recording here")
            return
        snapshot = self.session.snapshot()
        lane = self._lane_of(snapshot)
        self.header.show_snapshot(snapshot, lane)
        self.strip.show_cards(lane.cards)
        self.loss.show_counters(lane.counters, snapshot.source_counters)
        self.stage.settings.show_values(lane.threshold, lane.smoothing_us)
        self.stage.events.set_message(_MESSAGES.get(snapshot.state, ""))
        self._show_sentences(snapshot)

    def _lane_of(self, snapshot: Snapshot) -> LaneSnapshot:
        """The chosen one."""
        return snapshot.lanes[self._chosen]

    def _show_sentences(self, snapshot: Snapshot) -> None:
        if snapshot.failure is not None and snapshot.failure != self._shown_failure:
            self._shown_failure = snapshot.failure
            self.has_failed = True
            self.show_error(snapshot.failure)
        notes = dict(snapshot.notes)
        for number, lane in enumerate(snapshot.lanes):
            of = f"{lane.model.name}: " if len(snapshot.lanes) > 1 else ""
            notes |= {f"{number} {key}": of + sentence for key, sentence in lane.notes.items()}
        for key, sentence in notes.items():
            if key not in self._shown_notes:
                self._shown_notes.add(key)
                self.banner.show_note(sentence)

    # ------------------------------------------------ commands

    def choose_recording(self) -> None:
        # The format is told from the content, so any file may be chosen.
        path, _ = QFileDialog.getOpenFileName(self, "Open a recording", "", "All files (*)")
        if path:
            self.open(path)

    def open_simulated(self) -> None:
        self.open("sim:")

    def close_source(self) -> None:
        if self.session is not None:
            self._loader.close(self.session)
        self._forget_session()
        self.setWindowTitle("Spikebridge")
        self.header.show_closed()

    def _step_threshold(self, direction: int) -> None:
        if self.session is not None:
            lane = self._lane_of(self.session.snapshot())
            threshold = next_threshold(lane.threshold, direction)
            self.session.tune(self._chosen, threshold=threshold)
            self.stage.settings.show_values(threshold, lane.smoothing_us)

    def _step_smoothing(self, direction: int) -> None:
        if self.session is not None:
            lane = self._lane_of(self.session.snapshot())
            smoothing_us = next_smoothing_us(lane.smoothing_us, direction)
            self.session.tune(self._chosen, smoothing_us=smoothing_us)
            self.stage.settings.show_values(lane.threshold, smoothing_us)

    def lower_threshold(self) -> None:
        self._step_threshold(-1)

    def raise_threshold(self) -> None:
        self._step_threshold(1)

    def lower_smoothing(self) -> None:
        self._step_smoothing(-1)

    def raise_smoothing(self) -> None:
        self._step_smoothing(1)

    def toggle_features(self) -> None:
        shown = self.stage.features.isHidden()
        self.stage.show_features(shown)
        if self.session is not None:
            self.session.want_features(self._chosen, shown)

    def next_fade(self) -> None:
        self.stage.events.next_fade()

    def next_palette(self) -> None:
        self.stage.events.next_palette()

    def toggle_mirror(self) -> None:
        self.stage.events.toggle_mirror()

    def toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def toggle_play(self) -> None:
        self.replay_bar.toggle()

    def step_once(self) -> None:
        self.replay_bar.step()

    def seek_back(self) -> None:
        self.replay_bar.seek_by(-1)

    def seek_on(self) -> None:
        self.replay_bar.seek_by(1)

    def seek_start(self) -> None:
        self.replay_bar.seek_start()

    def toggle_loop(self) -> None:
        self.replay_bar.toggle_loop()

    def faster(self) -> None:
        self.replay_bar.change_speed(1)

    def slower(self) -> None:
        self.replay_bar.change_speed(-1)

    def open_menu(self) -> None:
        self.header.button.showMenu()

    def toggle_help(self) -> None:
        self.help.setVisible(self.help.isHidden())
        self.help.raise_()

    def dismiss(self) -> None:
        """The topmost thing that can go: help, banner, full screen."""
        if not self.help.isHidden():
            self.help.hide()
        elif not self.banner.isHidden():
            self.banner.hide()
        elif self.isFullScreen():
            self.toggle_full_screen()

    # ------------------------------------------------ drag and drop, end

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802 - Qt's name
        data = event.mimeData() if event is not None else None
        if event is not None and data is not None and any(url.isLocalFile() for url in data.urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802 - Qt's name
        data = event.mimeData() if event is not None else None
        paths = [url.toLocalFile() for url in data.urls() if url.isLocalFile()] if data is not None else []
        if event is not None and paths:
            event.acceptProposedAction()
            self.open(str(Path(paths[0])))

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        for timer in self._timers:
            timer.stop()
        if self.session is not None:
            self._loader.close(self.session)
        self.session = None
        self._loader.shut_down()
        super().closeEvent(event)


_MESSAGES = {"starting": "Starting …", "paused": "Paused", "failed": "⚠  Stopped by an error"}
