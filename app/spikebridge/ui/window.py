"""The window: opens and closes sources, and pulls snapshots on timers for its page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6 import sip
from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence, QResizeEvent, QShowEvent
from PyQt6.QtWidgets import QMainWindow, QMenu

from spikebridge.errors import SpikebridgeError
from spikebridge.snapshot import Snapshot
from spikebridge.ui import theme
from spikebridge.ui.actions import GROUPS
from spikebridge.ui.banner import Banner
from spikebridge.ui.camera_menu import CameraMenu
from spikebridge.ui.commands import Commands
from spikebridge.ui.frame_clock import display_timer
from spikebridge.ui.help_overlay import HelpOverlay
from spikebridge.ui.notices import Notices
from spikebridge.ui.opening import SessionLoader
from spikebridge.ui.page import Page
from spikebridge.ui.session import ChainSession, SessionOpener

#: Pictures at the display's rate, each chart ten times a second by turns, words and figures five times, so that they
#: can be read.
_CHART_MS, _WORDS_MS = 50, 200


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
        self._notices = Notices()
        self._loader = SessionLoader(opener)
        self._loader.opened.connect(self._show_session)
        self._loader.failed.connect(self._show_opening_error)
        self._loader.said.connect(self._show_opening_words)
        self._build()
        self._timers = [
            display_timer(self._draw_frame),
            self._timer(_CHART_MS, self._draw_charts),
            self._timer(_WORDS_MS, self._draw_words),
        ]

    # ------------------------------------------------ building

    def _build(self) -> None:
        self.menu = QMenu(self)
        self.page = Page(self.menu)
        self.setCentralWidget(self.page)
        self.banner = Banner(self.page)
        keys = [(title, [(command.shown, command.title) for command in commands]) for title, commands in GROUPS]
        self.help = HelpOverlay(self.page, keys)
        self.cameras = CameraMenu(self)
        self.cameras.chosen.connect(self.open)
        self.cameras.said.connect(self.banner.show_note)
        self.commands = Commands(self)
        for group, commands in GROUPS:
            if not self.menu.isEmpty():
                self.menu.addSection(group)
            for command in commands:
                action = QAction(command.title, self)
                action.setObjectName(command.name)
                action.setShortcuts([QKeySequence(key) for key in command.keys])
                action.triggered.connect(partial(self._act, command.act))
                self.menu.addAction(action)
                self.addAction(action)
        self.page.replay_bar.replayed.connect(lambda: self.open(self._uri))
        self.page.stage.settings.threshold_stepped.connect(self.commands.step_threshold)
        self.page.stage.settings.smoothing_stepped.connect(self.commands.step_smoothing)
        self.page.lane_clicked.connect(self.commands.choose)

    def _act(self, command: Callable[[Commands], None], checked: bool = False) -> None:
        command(self.commands)

    def _timer(self, interval_ms: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.timeout.connect(slot)
        timer.start(interval_ms)
        return timer

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        # Where no window manager runs, as on a kiosk, nobody else gives it the keys.
        self.activateWindow()
        self.setFocus()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        scale = theme.scale_for(self.width(), self.height())
        self.setStyleSheet(theme.style_sheet(round(scale, 2)))
        self.page.set_scale(scale)
        self.help.set_scale(scale)
        self.help.setGeometry(0, 0, self.width(), self.height())
        self.banner.set_scale(scale)
        self.banner.margin_px = self.page.gap
        self.banner.top_px = 2 * (self.page.gap // 2) + self.page.header.height()
        self.banner.place()

    def toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    # ------------------------------------------------ sources

    def snapshot(self) -> Snapshot | None:
        """The newest of the source that is open, None while none is; from any thread."""
        session = self.session
        return None if session is None else session.snapshot()

    def open(self, uri: str) -> None:
        """Opens a source in the background; the present one runs on until the new one is there."""
        same = self.session if uri == self._uri else None
        if same is not None:
            self._forget_session()
        self.page.header.show_opening(uri)
        if self.session is None:
            self.page.wait("Opening", "the source", "and the model")
        self._loader.open(uri, same)

    def find_cameras(self) -> None:
        """Looks for cameras in the background, and offers those that are found."""
        self.cameras.open()

    def close_source(self) -> None:
        """Ends the source; the window stays."""
        if self.session is not None:
            self._loader.close(self.session)
        self._forget_session()
        self.setWindowTitle("Spikebridge")
        self.page.header.show_closed()

    def _show_session(self, uri: str, session: ChainSession) -> None:
        before = self.session
        self._forget_session()
        if before is not None:
            self._loader.close(before)
        self.opening_error = None
        self.session, self._uri = session, uri
        self.banner.clear()
        self.page.begin(session)
        session.want_features(self.page.chosen, not self.page.stage.features.isHidden())
        info = session.snapshot().source
        self.setWindowTitle(f"{info.title}{' (simulated)' if info.kind == 'simulated' else ''} – Spikebridge")
        self._draw_words()
        self.source_opened.emit()

    def _forget_session(self) -> None:
        self.session = None
        self._notices = Notices()
        self.page.clear()

    def _show_opening_words(self, uri: str, words: str) -> None:
        if self.session is None:
            self.page.header.show_opening(uri, words)
            self.page.wait("Opening", *words.split(": ", 1))

    def _show_opening_error(self, uri: str, error: Exception) -> None:
        if self.session is None:
            self.opening_error = self.opening_error or error
            self.page.header.show_closed()
            self.page.wait("No source", "drop a recording", "or press O")
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
        self.page.stage.events.advance()
        if self.session is not None:
            self.page.show_frame(self.session.snapshot())

    def _draw_charts(self) -> None:
        if self.session is not None:
            self.page.show_charts(self.session.snapshot())

    def _draw_words(self) -> None:
        if self.session is None:
            opening = self.page.header.state == "opening"
            self.page.stage.events.set_message("Opening …" if opening else "Drop a recording here")
            return
        snapshot = self.session.snapshot()
        self.page.show_words(snapshot)
        self.has_failed |= snapshot.failure is not None
        for failure in self._notices.failures(snapshot):
            self.show_error(failure)
        for note in self._notices.notes(snapshot):
            self.banner.show_note(note)

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
        self.cameras.shut_down()
        super().closeEvent(event)

    def end(self) -> None:
        """Closes the window and deletes all that Qt has of it. Left to the garbage collector, that could happen on
        another thread, where Qt would crash."""
        self.close()
        sip.delete(self)
