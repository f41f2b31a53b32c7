from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from fake_session import RECORDING, SIMULATED, FakeSession
from PyQt6 import sip
from PyQt6.QtCore import QCoreApplication, QEvent
from PyQt6.QtWidgets import QApplication

from spikebridge.contracts import Say
from spikebridge.errors import InputError
from spikebridge.ui.session import ChainSession
from spikebridge.ui.window import MainWindow

Waiting = Callable[[Callable[[], object]], None]


@pytest.fixture(scope="session")
def application() -> QApplication:
    running = QApplication.instance() or QApplication(["tests"])
    assert isinstance(running, QApplication)
    return running


@pytest.fixture
def until(application: QApplication) -> Waiting:
    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, "the condition never came true"
            application.processEvents()
            time.sleep(0.002)

    return wait


@pytest.fixture(autouse=True)
def nothing_left(application: QApplication) -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    left = [thread.name for thread in set(threading.enumerate()) - before if thread.is_alive()]
    assert not left, f"threads left running: {left}"
    windows = [widget for widget in application.topLevelWidgets() if widget.isVisible()]
    assert not windows, f"windows left open: {windows}"


class Opened:
    """A window and the sessions that it opened, of so many lanes; ``missing`` in the address fails."""

    def __init__(self, lanes: int = 1) -> None:
        self.lanes = lanes
        self.sessions: list[FakeSession] = []
        self.window = MainWindow(self._open)
        self.page = self.window.page
        self.window.resize(1280, 720)
        self.window.show()

    def _open(self, uri: str, say: Say) -> ChainSession:
        if "missing" in uri:
            raise InputError(f"expected a recording at '{uri}', found nothing; check the path.")
        self.sessions.append(FakeSession(uri, SIMULATED if uri.startswith("sim:") else RECORDING, self.lanes))
        return self.sessions[-1]

    @property
    def session(self) -> FakeSession:
        """The newest."""
        return self.sessions[-1]

    def resize(self, width: int, height: int) -> None:
        """Until all parts have their places."""
        self.window.resize(width, height)
        self.draw()
        for _ in range(4):
            QApplication.processEvents()

    def draw(self) -> None:
        """What the timers would."""
        self.window._draw_frame()
        self.window._draw_charts()
        self.window._draw_charts()
        self.window._draw_words()


Opening = Callable[[int, str], Opened]


@pytest.fixture
def opening(application: QApplication, until: Waiting) -> Iterator[Opening]:
    """Makes windows with a source of so many lanes open."""
    made: list[Opened] = []

    def make(lanes: int, uri: str = "sim:") -> Opened:
        made.append(Opened(lanes))
        made[-1].window.open(uri)
        until(lambda: made[-1].window.session is not None)
        return made[-1]

    yield make
    for each in made:
        if not sip.isdeleted(each.window):
            each.window.end()
        assert all(session.closed for session in each.sessions)


@pytest.fixture
def opened(opening: Opening) -> Opened:
    """A window with a recording open."""
    return opening(1, "wave.aedat")
