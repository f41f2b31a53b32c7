from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from fake_session import RECORDING, SIMULATED, FakeSession
from PyQt6.QtCore import QCoreApplication, QEvent
from PyQt6.QtWidgets import QApplication

from spikebridge.contracts import Say
from spikebridge.errors import InputError
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
    """A window and the sessions that it opened; ``missing`` in the address fails."""

    def __init__(self) -> None:
        self.sessions: list[FakeSession] = []
        self.window = MainWindow(self._open)
        self.window.resize(1280, 720)
        self.window.show()

    def _open(self, uri: str, say: Say) -> FakeSession:
        if "missing" in uri:
            raise InputError(f"expected a recording at '{uri}', found nothing; check the path.")
        self.sessions.append(FakeSession(uri, SIMULATED if uri.startswith("sim:") else RECORDING))
        return self.sessions[-1]

    @property
    def session(self) -> FakeSession:
        return self.sessions[-1]


@pytest.fixture
def opened(application: QApplication, until: Waiting) -> Iterator[Opened]:
    """A window with a recording open."""
    result = Opened()
    result.window.open("wave.aedat")
    until(lambda: result.window.session is not None)
    yield result
    result.window.close()
    assert all(session.closed for session in result.sessions)
