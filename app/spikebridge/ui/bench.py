"""What drawing costs, measured on the real widgets."""

from __future__ import annotations

import time

import numpy as np
from PyQt6.QtCore import QEventLoop, QTimer
from PyQt6.QtWidgets import QApplication

from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.picture import Picture
from spikebridge.ui.event_view import EventView
from spikebridge.ui.frame_clock import display_timer
from spikebridge.ui.session import SessionOpener
from spikebridge.ui.window import MainWindow

#: Events per second and sensor pixel: 1 M events/s at 128×128, as in the latency figure.
_RATE_PER_PX = 1e6 / 128**2
_HIGHEST_RATE_HZ = 10e6
_STEP_US = 10_000
_PACKETS = 64


def measure_drawing(width: int, height: int, seconds: float = 6.0) -> tuple[float, float]:
    """(ms per frame on the GUI thread, frames per second held) of the event view for a sensor of this size.

    The picture is as large as on a screen of 1920×1080; a packet of noise arrives for every frame, 1 M events/s at
    128×128 and up to 10 M events/s on larger sensors. The ms are the median of update and paint together; the chain's
    process, which absorbs the events, is not in them.
    """
    application = QApplication.instance() or QApplication(["bench"])
    view = EventView()
    view.resize(960, 540)
    picture = Picture(Sensor(width, height))
    view.show_picture(picture)
    packets = _noise(Sensor(width, height))
    view.show()
    drawn = 0

    def frame() -> None:
        nonlocal drawn
        events = packets[drawn % len(packets)].copy()
        events["t"] += drawn * _STEP_US
        drawn += 1
        picture.absorb(events, drawn * _STEP_US)
        view.advance()

    timer = display_timer(frame)
    _run_for(0.5)
    view.frames.clear()
    _run_for(seconds)
    timer.stop()
    figures = view.frames.figures()
    view.close()
    del application
    return figures.p50_ms, figures.frames_per_s


def measure_window(opener: SessionOpener, uri: str, seconds: float = 10.0) -> tuple[float, float]:
    """(share of one core that the GUI thread needs, frames per second held) with the whole window on a source."""
    application = QApplication.instance() or QApplication(["bench"])
    window = MainWindow(opener)
    window.resize(1920, 1080)
    window.show()
    window.open(uri)
    _run_for(2.0)
    window.page.stage.events.frames.clear()
    busy_s, started = time.thread_time(), time.perf_counter()
    _run_for(seconds)
    share = (time.thread_time() - busy_s) / (time.perf_counter() - started)
    figures = window.page.stage.events.frames.figures()
    window.end()
    del application
    return share, figures.frames_per_s


def _run_for(seconds: float) -> None:
    # A loop of its own: ending the application's would close the window.
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def _noise(sensor: Sensor) -> list[EventArray]:
    random = np.random.default_rng(1)
    rate_hz = min(_HIGHEST_RATE_HZ, _RATE_PER_PX * sensor.width * sensor.height)
    n = round(rate_hz * _STEP_US / 1e6)
    packets = []
    for _ in range(_PACKETS):
        t = np.sort(random.integers(0, _STEP_US, n))
        x, y = random.integers(0, sensor.width, n), random.integers(0, sensor.height, n)
        packets.append(make_events(t, x, y, random.integers(0, 2, n)))
    return packets
