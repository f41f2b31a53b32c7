"""Events without a device."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

import numpy as np

from spikebridge.contracts import SourceCounters, SourceInfo
from spikebridge.events import EventArray, EventPacket, Sensor
from spikebridge.sources.live import LiveSource
from spikebridge.testing.clock import HandClock


class ArrayRecording:
    """Events in memory as a ``contracts.Recording``; ``sources.replay.Replay`` makes a source of it."""

    def __init__(self, events: EventArray, sensor: Sensor) -> None:
        self._events = events.copy()
        self._events.setflags(write=False)
        self._times = np.ascontiguousarray(events["t"])
        self._read = 0
        first, last = (int(self._times[0]), int(self._times[-1])) if events.size else (0, 0)
        self._info = SourceInfo("memory:", "events in memory", "recording", sensor, first, last)

    @property
    def info(self) -> SourceInfo:
        return self._info

    def counters(self) -> SourceCounters:
        return SourceCounters(read=self._read)

    def read(self, t_start_us: int, t_stop_us: int) -> EventArray:
        start, stop = np.searchsorted(self._times, (t_start_us, t_stop_us))
        self._read += int(stop - start)
        return self._events[start:stop]

    def close(self) -> None:
        """Nothing is held."""


class PacketSource:
    """The packets given, one after the other, then the end or ``error``. dropped : as a driver would have counted."""

    def __init__(
        self,
        packets: Iterable[EventPacket],
        sensor: Sensor,
        kind: Literal["live", "simulated"] = "live",
        dropped: int = 0,
        error: Exception | None = None,
    ) -> None:
        self._packets = packets
        self._dropped = dropped
        self._error = error
        self._read = 0
        self._closed = threading.Event()
        self._info = SourceInfo("packets:", "packets in memory", kind, sensor)

    @property
    def info(self) -> SourceInfo:
        return self._info

    def counters(self) -> SourceCounters:
        return SourceCounters(read=self._read, dropped=self._dropped)

    def packets(self, step_us: int) -> Iterator[EventPacket]:
        for packet in self._packets:
            if self._closed.is_set():
                return
            self._read += packet.events.size
            yield packet
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        self._closed.set()


class ScriptedCamera:
    """A driver as ``sources.live.Camera``, whose batches come when a hand-wound clock reaches them.

    batches : (host time µs, the events or the error that ``read`` gives then).
    """

    def __init__(self, batches: Sequence[tuple[int, EventArray | Exception]], sensor: Sensor | None = None) -> None:
        self.uri, self.title, self.sensor = "camera:scripted", "Scripted camera", sensor or Sensor(128, 128)
        self.clock = HandClock(0)
        self.closed = False
        self._batches = list(batches)

    def read(self) -> EventArray | None:
        if not self._batches or self.clock.now_ns < self._batches[0][0] * 1000:
            return None
        _, batch = self._batches.pop(0)
        if isinstance(batch, Exception):
            raise batch
        return batch

    def close(self) -> None:
        self.closed = True

    def source(self) -> LiveSource:
        """The camera as a source whose waiting moves the clock."""
        return LiveSource(self, self.clock, self.clock.pass_s)
