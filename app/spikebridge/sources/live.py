"""A live camera as a regular stream: batches of any size in, one packet for each time step out, silence included."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from spikebridge.contracts import SourceCounters, SourceInfo
from spikebridge.errors import MissingError
from spikebridge.events import EventArray, EventPacket, Sensor, join_events

#: How much longer than the quickest transfer so far a batch may take before its step is closed without it.
GRACE_NS = 2_000_000
#: So long a step waits while batches come that bring its end no nearer, as of a camera whose clock stands still.
_FLOOD_NS = 1_000_000_000
_POLL_S = 0.0005
#: While the camera is gone nothing is urgent.
_GONE_POLL_S = 0.01
#: Half of the time over which the clocks are compared.
_DRIFT_US = 5_000_000
#: Events further than this from the host's clock after an interruption are of a clock that began anew.
_NEW_CLOCK_US = 1_000_000


class Camera(Protocol):
    """What a driver has to offer. ``read`` returns at once."""

    uri: str
    title: str
    sensor: Sensor

    def read(self) -> EventArray | None:
        """Events that came since the last call, sorted by ``t``; None for none. Raises OSError when it is gone."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class CameraReport:
    """What a camera knows of its stream beside the events. Counts are monotonic.

    dropped : events lost before ``read`` could give them; a note says where the figure is an estimate. out_of_order,
    skipped_bytes : as of ``SourceCounters``. interruptions : how often the stream broke off and went on; time is
    missing there. gone : what is waited for while there is no camera, empty while there is one.
    """

    dropped: int = 0
    out_of_order: int = 0
    skipped_bytes: int = 0
    interruptions: int = 0
    gone: str = ""
    notes: tuple[str, ...] = ()


@runtime_checkable
class Reporting(Protocol):
    """A camera that says what it lost."""

    def report(self) -> CameraReport:
        """From any thread, at once."""
        ...


@runtime_checkable
class Detailed(Protocol):
    """A camera that says what it is set to.

    details : a sentence or name and value each: driver, connection, settings as the device gives them back.
    counts_losses : whether its driver tells what it throws away.
    """

    details: tuple[str, ...]
    counts_losses: bool


class ClockOffset:
    """How far the host's clock is ahead of the camera's, µs: the least seen over the last five to ten seconds of the
    camera's time, since the quickest transfer tells it best and the two clocks drift apart (100 ppm are 1 ms in 10 s).
    """

    def __init__(self) -> None:
        self._before: int | None = None
        self._present: int | None = None
        self._since_us: int | None = None

    def add(self, camera_us: int, host_us: int) -> None:
        """An event of the camera's time ``camera_us`` was received at ``host_us``."""
        ahead_us = host_us - camera_us
        if self._since_us is None or not 0 <= camera_us - self._since_us < _DRIFT_US:
            self._before, self._present, self._since_us = self._present, None, camera_us
        self._present = ahead_us if self._present is None else min(self._present, ahead_us)

    @property
    def us(self) -> int:
        """0 before the first event."""
        known = [ahead_us for ahead_us in (self._before, self._present) if ahead_us is not None]
        return min(known, default=0)


class LiveSource:
    """``camera`` as contracts.Source.

    A step is complete when an event after it arrives, or, so that a still scene ticks on, when the host's clock says
    so: the camera's clock runs behind the host's by the shortest transfer lately, which counts as none. Until then from
    the end of its time (``due_ns``) a step waits, and that is part of the latency. Events that come after their step
    was closed go into the next one; they are counted in the notes.

    While a camera is gone there are no steps: what nobody sees is not silence. When it is back, the next packet has
    ``gap`` set, and time has gone on as the host's clock did, also where the camera's began anew. A step after a loss
    in the driver has a gap too.
    """

    def __init__(
        self,
        camera: Camera,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._camera = camera
        self._clock_ns, self._sleep = clock_ns, sleep
        self._info = SourceInfo(camera.uri, camera.title, "live", camera.sensor)
        if isinstance(camera, Detailed):
            self._info = replace(self._info, details=camera.details, counts_losses=camera.counts_losses)
        self._report: Callable[[], CameraReport] = camera.report if isinstance(camera, Reporting) else CameraReport
        self._closed = threading.Event()
        # What reads the packets closes the camera; where nothing ever does, ``close`` has to.
        self._in_use = False
        self._lock = threading.Lock()
        self._read = self._late = self._latest_by_us = self._received_ns = self._sequence = self._dropped = 0
        self._waiting: list[EventArray] = []
        self._offset = ClockOffset()
        self._interruptions = self._shift_us = 0
        self._shift_known = True

    @property
    def info(self) -> SourceInfo:
        return self._info

    def counters(self) -> SourceCounters:
        report = self._report()
        notes = report.notes
        if self._late:
            events = "1 event was" if self._late == 1 else f"{self._late:,} events were"
            latest_ms = self._latest_by_us / 1000
            notes += (f"{events} too late for the right step: put in a later one, {latest_ms:.1f} ms on at most.",)
        return SourceCounters(
            self._read,
            report.dropped,
            report.skipped_bytes,
            notes=notes,
            out_of_order=report.out_of_order,
            waiting_for=report.gone,
        )

    def packets(self, step_us: int) -> Iterator[EventPacket]:
        """One packet for each step from the first event on; raises MissingError when the camera is unplugged and nobody
        waits for it."""
        with self._lock:
            if self._closed.is_set():
                return
            self._in_use = True
        start_us: int | None = None
        stopped_us: int | None = None
        try:
            while not self._closed.is_set():
                while start_us is not None and self._reaches(start_us + step_us) and not self._closed.is_set():
                    yield self._packet(start_us, start_us + step_us, gap=stopped_us is not None)
                    start_us, stopped_us = start_us + step_us, None
                batch, lost = self._read_batch()
                gone = self._broke_off()
                if gone is not None or lost is not None:
                    for packet in self._finish(start_us, step_us):
                        yield packet
                        start_us = packet.t_stop_us
                    stopped_us = stopped_us if start_us is None else start_us
                    start_us = None
                if lost is not None:
                    raise lost
                self._receive(batch)
                if start_us is None:
                    if not self._waiting:
                        self._sleep(_GONE_POLL_S if gone else _POLL_S)
                        continue
                    start_us = _step_of(int(self._waiting[0]["t"][0]), stopped_us, step_us)
                # What lies ready comes first: where this thread was held up, the events of the step lie there.
                if self._is_over(start_us + step_us, GRACE_NS if batch is None else _FLOOD_NS):
                    yield self._packet(start_us, start_us + step_us, gap=stopped_us is not None)
                    start_us, stopped_us = start_us + step_us, None
                elif batch is None:
                    self._sleep(_POLL_S)
        finally:
            self._camera.close()

    def close(self) -> None:
        with self._lock:
            self._closed.set()
            unused, self._in_use = not self._in_use, True
        if unused:
            self._camera.close()

    def _read_batch(self) -> tuple[EventArray | None, MissingError | None]:
        """What came, and what ends the stream."""
        try:
            events = self._camera.read()
        except OSError as error:
            lost = MissingError(
                f"expected events from {self._camera.title}, found the camera gone ({error}); plug it in and open it "
                "again."
            )
            lost.__cause__ = error
            return None, lost
        return (events if events is not None and events.size else None), None

    def _finish(self, start_us: int | None, step_us: int) -> Iterator[EventPacket]:
        """The steps of all that waits, without waiting for them to be complete."""
        self._received_ns = self._clock_ns()
        while self._waiting:
            start_us = int(self._waiting[0]["t"][0]) if start_us is None else start_us
            yield self._packet(start_us, start_us + step_us)
            start_us += step_us

    def _broke_off(self) -> str | None:
        """What is waited for, empty where the stream goes on after an interruption; None while it runs."""
        report = self._report()
        interrupted = report.interruptions != self._interruptions
        self._interruptions = report.interruptions
        if not interrupted and not report.gone:
            return None
        self._shift_known = False
        return report.gone

    def _receive(self, events: EventArray | None) -> None:
        if events is None:
            return
        self._received_ns = self._clock_ns()
        host_us = self._received_ns // 1000
        if not self._shift_known:
            self._shift_known = True
            self._shift_us = 0
            behind_us = host_us - self._offset.us - int(events["t"][-1])
            if self._sequence and abs(behind_us) > _NEW_CLOCK_US:
                self._shift_us = behind_us
        if self._shift_us:
            events = events.copy()
            events["t"] += self._shift_us
        self._offset.add(int(events["t"][-1]), host_us)
        self._read += events.size
        self._waiting.append(events)

    def _reaches(self, stop_us: int) -> bool:
        """Whether an event after a step's end has come."""
        return bool(self._waiting) and int(self._waiting[-1]["t"][-1]) >= stop_us

    def _is_over(self, stop_us: int, grace_ns: int) -> bool:
        """Whether a step's end lies so far behind by the host's clock, the clocks' distance taken off."""
        now_ns = self._clock_ns()
        if now_ns < self._due_ns(stop_us) + grace_ns:
            return False
        self._received_ns = now_ns
        return True

    def _due_ns(self, stop_us: int) -> int:
        """Host clock at the camera's time ``stop_us``."""
        return (stop_us + self._offset.us) * 1000

    def _packet(self, start_us: int, stop_us: int, *, gap: bool = False) -> EventPacket:
        # A step that an interruption ends is given out before its time was over.
        due_ns = min(self._due_ns(stop_us), self._received_ns)
        events = self._cut(start_us, stop_us)
        dropped = self._report().dropped
        gap = gap or dropped > self._dropped
        self._dropped = dropped
        packet = EventPacket(events, start_us, stop_us, self._sequence, self._received_ns, gap, due_ns)
        self._sequence += 1
        return packet

    def _cut(self, start_us: int, stop_us: int) -> EventArray:
        """Takes what is before ``stop_us`` out of the batches that wait; each event is copied once at most."""
        parts: list[EventArray] = []
        while self._waiting:
            batch = self._waiting[0]
            if int(batch["t"][-1]) < stop_us:
                parts.append(self._waiting.pop(0))
                continue
            n = int(np.searchsorted(batch["t"], stop_us))
            if n:
                parts.append(batch[:n])
                self._waiting[0] = batch[n:]
            break
        step = join_events(parts)
        late = int(np.searchsorted(step["t"], start_us))
        if late:
            self._late += late
            self._latest_by_us = max(self._latest_by_us, start_us - int(step["t"][0]))
            step["t"][:late] = start_us
        step.setflags(write=False)
        return step


def _step_of(t_us: int, stopped_us: int | None, step_us: int) -> int:
    """Start of the step that holds ``t_us``; after an interruption steps lie as they did before."""
    if stopped_us is None:
        return t_us
    return stopped_us + max(0, t_us - stopped_us) // step_us * step_us
