"""A live camera as a regular stream: batches of any size in, one packet for each time step out, silence included."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from spikebridge.contracts import SourceCounters, SourceInfo
from spikebridge.errors import MissingError
from spikebridge.events import EventArray, EventPacket, Sensor, empty_events

#: How much longer than the quickest transfer so far a batch may take before its step is closed without it.
GRACE_NS = 2_000_000
_POLL_S = 0.0005
#: Half of the time over which the clocks are compared.
_DRIFT_US = 5_000_000


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
    """What a camera says of itself; counts are monotonic.

    dropped, out_of_order, skipped_bytes, notes : as in ``contracts.SourceCounters``. interruptions : how often its
    events began anew, after it was gone or its clock was reset: those that ``read`` gives from then on have a time of
    their own. gone : why nothing comes at present; empty while it is there.
    """

    dropped: int = 0
    out_of_order: int = 0
    skipped_bytes: int = 0
    interruptions: int = 0
    gone: str = ""
    notes: tuple[str, ...] = ()


@runtime_checkable
class Reporting(Protocol):
    """A camera that knows more of itself than its events."""

    def report(self) -> CameraReport:
        """On the thread that reads; returns at once."""
        ...


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
    was closed go into the next one; they are counted in the notes. After an interruption time begins anew, with a gap;
    while the camera is gone there are no steps. A step after a loss has a gap too.
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
        self._closed = threading.Event()
        self._read = self._late = self._latest_by_us = self._received_ns = 0
        self._waiting: list[EventArray] = []
        self._anew: EventArray | None = None  # events after an interruption
        self._ask = camera.report if isinstance(camera, Reporting) else CameraReport
        self._report = CameraReport()
        self._interruptions = 0
        self._begun = False
        self._offset = ClockOffset()

    @property
    def info(self) -> SourceInfo:
        return self._info

    def counters(self) -> SourceCounters:
        report = self._report
        notes = report.notes
        if self._late:
            events = "1 event was" if self._late == 1 else f"{self._late:,} events were"
            by_ms = self._latest_by_us / 1000
            notes += (f"{events} too late for the right step: put in a later one, {by_ms:.1f} ms on at most.",)
        return SourceCounters(
            self._read, report.dropped, report.skipped_bytes, notes=notes, out_of_order=report.out_of_order
        )

    def packets(self, step_us: int) -> Iterator[EventPacket]:
        """One packet for each step from the first event on; raises MissingError when the camera is unplugged."""
        start_us: int | None = None
        self._begun = True
        sequence = dropped = 0
        gap = False
        try:
            while not self._closed.is_set():
                came = self._take()
                if not self._waiting and self._anew is not None:
                    start_us, gap = None, gap or start_us is not None
                    self._begin_anew(self._anew)
                if start_us is None and self._waiting:
                    start_us = int(self._waiting[0]["t"][0])
                    continue
                # Of a camera that is gone, what is left is given out, and then nothing: not even silence.
                absent = not self._waiting and self._is_away
                if start_us is None or absent or not self._complete(start_us + step_us):
                    if not came:
                        self._sleep(_POLL_S)
                    continue
                stop_us = start_us + step_us
                due_ns = self._due_ns(stop_us)
                events = self._cut(start_us, stop_us)
                gap, dropped = gap or self._report.dropped > dropped, self._report.dropped
                yield EventPacket(events, start_us, stop_us, sequence, self._received_ns, gap, due_ns)
                start_us, gap = stop_us, False
                sequence += 1
        finally:
            self._camera.close()

    def close(self) -> None:
        self._closed.set()
        if not self._begun:  # else the thread that reads does it
            self._camera.close()

    @property
    def _is_away(self) -> bool:
        """Whether the camera is gone, or back without an event yet."""
        return bool(self._report.gone) or self._report.interruptions != self._interruptions

    def _begin_anew(self, events: EventArray) -> None:
        self._waiting, self._anew = [events], None
        self._offset = ClockOffset()
        self._offset.add(int(events["t"][-1]), self._received_ns // 1000)

    def _take(self) -> bool:
        if self._anew is not None:  # what was before is given out first
            return True
        try:
            events = self._camera.read()
        except OSError as error:
            raise MissingError(
                f"expected events from {self._camera.title}, found the camera gone ({error}); plug it in and open it "
                "again."
            ) from error
        self._report = self._ask()
        if events is None or not events.size:
            return False
        self._received_ns = self._clock_ns()
        self._read += events.size
        if self._report.interruptions != self._interruptions:
            self._interruptions, self._anew = self._report.interruptions, events
            return True
        self._offset.add(int(events["t"][-1]), self._received_ns // 1000)
        self._waiting.append(events)
        return True

    def _complete(self, stop_us: int) -> bool:
        if self._anew is not None or (self._waiting and int(self._waiting[-1]["t"][-1]) >= stop_us):
            return True
        now_ns = self._clock_ns()
        if now_ns < self._due_ns(stop_us) + GRACE_NS:
            return False
        self._received_ns = now_ns
        return True

    def _due_ns(self, stop_us: int) -> int:
        """Host clock at the camera's time ``stop_us``."""
        return (stop_us + self._offset.us) * 1000

    def _cut(self, start_us: int, stop_us: int) -> EventArray:
        events = np.concatenate(self._waiting) if self._waiting else empty_events()
        n = int(np.searchsorted(events["t"], stop_us))
        step, rest = events[:n].copy(), events[n:]
        self._waiting = [rest] if rest.size else []
        late = int(np.searchsorted(step["t"], start_us))
        if late:
            self._late += late
            self._latest_by_us = max(self._latest_by_us, start_us - int(step["t"][0]))
            step["t"][:late] = start_us
        step.setflags(write=False)
        return step
