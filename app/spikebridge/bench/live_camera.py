"""A live camera at a rate that no chain here can take: is the delay bounded, and every loss counted?"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from spikebridge.bench.synthetic import noise_events
from spikebridge.events import EventArray, Sensor, join_events
from spikebridge.sources.live import CameraReport

#: Events in a transfer of 128 KiB of EVT3 in a busy scene, where an event takes about 4 bytes.
BATCH = 32_768
#: Transfers that wait in the driver at most, as of ``cameras.neuromorphic.RING_LENGTH``.
RING = 64
_TEMPLATE_US = 100_000


class StandInCamera:
    """Stands in for a camera on the USB: ``rate_hz`` events per second in transfers of ``BATCH``, which wait in a ring;
    what does not fit is thrown away, oldest first, and counted.

    The events are the same each tenth of a second. given : events that came out of the sensor. Its time begins at the
    first look.
    """

    def __init__(self, sensor: Sensor, rate_hz: float, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self.uri, self.title, self.sensor = "camera:stand-in", f"Stand-in at {rate_hz / 1e6:g} M events/s", sensor
        self._clock_ns = clock_ns
        self._template = noise_events(round(rate_hz * _TEMPLATE_US / 1e6), _TEMPLATE_US, sensor)
        self._batch_ns = BATCH / rate_hz * 1e9
        self._begin_ns: int | None = None
        self._next = 0
        self._dropped = 0
        self._lock = threading.Lock()

    def read(self) -> EventArray | None:
        now_ns = self._clock_ns()
        if self._begin_ns is None:
            self._begin_ns = now_ns
        ready = int((now_ns - self._begin_ns) / self._batch_ns)
        lost = ready - RING - self._next
        if lost > 0:
            with self._lock:
                self._dropped += lost * BATCH
                self._next += lost
        if self._next >= ready:
            return None
        events = self._events(self._next * BATCH)
        with self._lock:
            self._next += 1
        return events

    def report(self) -> CameraReport:
        return CameraReport(dropped=self._dropped)

    def close(self) -> None:
        """Nothing is held."""

    @property
    def given(self) -> int:
        """Events that were read or dropped so far."""
        with self._lock:
            return self._next * BATCH

    def _events(self, first: int) -> EventArray:
        """``BATCH`` events from the ``first`` on."""
        n = self._template.size
        at, rounds = first % n, first // n
        parts = [self._template[at : at + BATCH]]
        while (have := sum(part.size for part in parts)) < BATCH:
            parts.append(self._template[: BATCH - have])
        events = join_events(parts)
        events["t"] += rounds * _TEMPLATE_US
        place = parts[0].size
        for part in parts[1:]:
            rounds += 1
            events["t"][place : place + part.size] = part["t"] + rounds * _TEMPLATE_US
            place += part.size
        return events
