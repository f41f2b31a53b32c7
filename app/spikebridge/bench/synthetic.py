"""Sources with known rates, for benchmarks and tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import numpy as np

from spikebridge.contracts import SourceCounters, SourceInfo
from spikebridge.events import EventArray, EventPacket, Sensor, empty_events


def noise_events(n: int, duration_us: int, sensor: Sensor, seed: int = 0) -> EventArray:
    """(n,) events at random pixels, evenly spread over ``[0, duration_us)``; half of them within a disc that moves."""
    random = np.random.default_rng(seed)
    events = empty_events(n)
    events["t"] = np.sort(random.integers(0, duration_us, n))
    angle = events["t"] * (2 * np.pi / 900_000)
    radius = 0.12 * min(sensor.width, sensor.height)
    moving = random.random(n) < 0.5
    x = sensor.width * (0.35 + 0.2 * np.cos(angle)) + random.normal(0, radius, n)
    y = sensor.height * (0.5 + 0.2 * np.sin(angle)) + random.normal(0, radius, n)
    events["x"] = np.where(moving, np.clip(x, 0, sensor.width - 1), random.integers(0, sensor.width, n))
    events["y"] = np.where(moving, np.clip(y, 0, sensor.height - 1), random.integers(0, sensor.height, n))
    events["polarity"] = random.integers(0, 2, n)
    return events


class BurstSource:
    """A live source that delivers ``burst_hz`` events per second for ``burst_s`` and then ``calm_hz`` for ``calm_s``.

    Steps come on time whether or not the chain keeps up, as from a camera.
    """

    def __init__(self, sensor: Sensor, burst_hz: float, burst_s: float, calm_hz: float, calm_s: float) -> None:
        self._info = SourceInfo("burst:", "synthetic burst", "live", sensor)
        self._phases = ((burst_hz, burst_s), (calm_hz, calm_s))
        self._read = 0
        self._closed = threading.Event()
        self.burst_ended_ns = 0

    @property
    def info(self) -> SourceInfo:
        return self._info

    def counters(self) -> SourceCounters:
        return SourceCounters(read=self._read)

    def packets(self, step_us: int) -> Iterator[EventPacket]:
        sequence = 0
        due_ns = time.monotonic_ns()
        for rate_hz, seconds in self._phases:
            template = noise_events(round(rate_hz * step_us / 1e6), step_us, self._info.sensor)
            for _ in range(round(seconds * 1e6 / step_us)):
                due_ns += step_us * 1000
                if self._closed.wait(max(0.0, (due_ns - time.monotonic_ns()) / 1e9)):
                    return
                events = template.copy()
                events["t"] += sequence * step_us
                self._read += events.size
                start_us, now_ns = sequence * step_us, time.monotonic_ns()
                yield EventPacket(events, start_us, start_us + step_us, sequence, now_ns, due_ns=due_ns)
                sequence += 1
            self.burst_ended_ns = self.burst_ended_ns or time.monotonic_ns()

    def close(self) -> None:
        self._closed.set()
