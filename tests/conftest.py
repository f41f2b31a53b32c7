"""For all tests: Qt off-screen, no thread left behind, real recordings where they are."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ["QT_QPA_PLATFORM"] = "offscreen"

RECORDINGS_VARIABLE = "SPIKEBRIDGE_RECORDINGS"
_RECORDINGS = Path(os.environ.get(RECORDINGS_VARIABLE) or Path(__file__).resolve().parents[2] / "shared/recordings")
_MISSING = f"REAL RECORDINGS MISSING: expected them in {_RECORDINGS}; set {RECORDINGS_VARIABLE} to their folder"
_NO_X_SERVER = "KEYS AND CLICKS NOT TESTED ON AN X SERVER: expected Xvfb, found none; apt-get install xvfb xdotool"


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Folder with ``expected.json``, ``formats/`` and ``gestures/``; the test is skipped, loudly, without it."""
    if not (_RECORDINGS / "expected.json").is_file():
        pytest.skip(_MISSING)
    return _RECORDINGS


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 2
    while left := [thread for thread in threading.enumerate() if thread not in before and thread.is_alive()]:
        if time.monotonic() > deadline:
            pytest.fail(f"left threads behind: {[thread.name for thread in left]}")
        time.sleep(0.01)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not (_RECORDINGS / "expected.json").is_file():
        terminalreporter.write_line(f"{_MISSING}. Every test that reads them was left out.", red=True, bold=True)
    if shutil.which("Xvfb") is None:
        terminalreporter.write_line(_NO_X_SERVER, red=True, bold=True)
