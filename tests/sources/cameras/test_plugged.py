"""A camera that is unplugged: waited for, the same one again, and nothing forgotten."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from spikebridge.errors import MissingError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.sources.cameras import plugged
from spikebridge.sources.cameras.found import NoCameraError
from spikebridge.sources.cameras.plugged import PluggedCamera
from spikebridge.sources.live import CameraReport


class Cable:
    """A camera that gives an event at each look, a millisecond after the last, until it is pulled."""

    details, counts_losses = ("driver none",), True

    def __init__(self, dropped: int = 0, notes: tuple[str, ...] = ()) -> None:
        self.uri, self.title, self.sensor = "camera:cable/1", "Cable", Sensor(8, 8)
        self.pulled = False
        self.closed = 0
        self._report = CameraReport(dropped=dropped, notes=notes)
        self._t_us = 0

    def read(self) -> EventArray | None:
        if self.pulled:
            raise OSError("no device")
        self._t_us += 1000
        return make_events([self._t_us], [2], [3], [1])

    def report(self) -> CameraReport:
        return self._report

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugged, "TRY_EVERY_S", 0.002)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_it_is_what_its_camera_is() -> None:
    camera = PluggedCamera(Cable(3, ("note",)), None, ("slow",))
    assert (camera.uri, camera.title, camera.sensor, camera.details) == (
        "camera:cable/1", "Cable", Sensor(8, 8), ("driver none",),
    )  # fmt: skip
    assert camera.counts_losses
    assert camera.report() == CameraReport(3, notes=("slow", "note"))
    assert camera.read() is not None
    camera.close()


def test_a_camera_that_is_not_waited_for_is_an_os_error() -> None:
    cable = Cable()
    camera = PluggedCamera(cable, None)
    cable.pulled = True
    with pytest.raises(OSError, match="no device"):
        camera.read()


def test_it_is_named_at_once_and_opened_again_when_it_is_back() -> None:
    first, second, back = Cable(3, ("first",)), Cable(4, ("second",)), threading.Event()

    def reopen() -> Cable:
        if not back.is_set():
            raise NoCameraError("expected a camera, found none.")
        return second

    seconds = iter((100.0, 102.5))
    camera = PluggedCamera(first, reopen, clock_s=lambda: next(seconds))
    first.pulled = True
    assert camera.read() is None
    assert camera.report() == CameraReport(3, gone="camera unplugged, waiting for it …", notes=("first",))
    assert first.closed == 1
    assert camera.read() is None
    back.set()
    until(lambda: camera.read() is not None)
    assert camera.report() == CameraReport(
        7, interruptions=1,
        notes=("first", "second", "the camera was gone once, 2.5 s in all; it was waited for, and the networks began "
               "anew."),
    )  # fmt: skip
    camera.close()
    assert second.closed == 1


def test_what_keeps_it_from_opening_is_said() -> None:
    tried = threading.Event()

    def reopen() -> Cable:
        tried.set()
        raise MissingError("expected the camera to open, found it in use by another program; end that one.")

    first = Cable()
    camera = PluggedCamera(first, reopen)
    first.pulled = True
    camera.read()
    until(tried.is_set)
    until(lambda: "in use by another program" in camera.report().gone)
    camera.close()


def test_closing_does_not_wait_and_leaves_nothing_open() -> None:
    """It is being opened while the source closes: what is opened too late is closed."""
    first, second, opening, go_on = Cable(), Cable(), threading.Event(), threading.Event()

    def reopen() -> Cable:
        opening.set()
        go_on.wait(5)
        return second

    camera = PluggedCamera(first, reopen)
    first.pulled = True
    camera.read()
    until(opening.is_set)
    started = time.monotonic()
    camera.close()
    assert time.monotonic() - started < 0.1
    go_on.set()
    until(lambda: second.closed == 1)


def test_pulled_twice_counts_twice() -> None:
    cables = [Cable(), Cable(), Cable()]
    waiting = iter(cables[1:])
    camera = PluggedCamera(cables[0], lambda: next(waiting))
    for cable in cables[:2]:
        cable.pulled = True
        camera.read()
        until(lambda: camera.read() is not None)
    assert camera.report().interruptions == 2
    assert "gone 2 times" in camera.report().notes[0]
    camera.close()
