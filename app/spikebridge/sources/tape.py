"""Records packets while they go elsewhere: on a thread of its own, from a queue that is bounded, to files that stand a
crash.

What was written is handed to the system four times a second, where it outlives this process, and brought to the disk
once a second, where it outlives the power.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from spikebridge.contracts import LABELS, RecordingStatus
from spikebridge.errors import InputError, UsageError
from spikebridge.events import EventArray, EventPacket, Sensor
from spikebridge.recordings.aedat.aedat4_live import LiveAedat4Writer
from spikebridge.recordings.labels import LiveLabels, labels_path
from spikebridge.snapshot import Decision

_FLUSH_S, _SYNC_S, _LOOK_S = 0.25, 1.0, 0.05
#: What may wait while the disk is busy: a minute of steps, 64 MB of events.
_MOST_WAITING, _MOST_WAITING_EVENTS = 6000, 4 << 20
#: Of one packet in the file; fewer where the flush comes first.
_PACKET_EVENTS = 65_536


class _Part(NamedTuple):
    """A step to be written, its times those of the file. events : still on the camera's clock, ``shift_us`` behind."""

    events: EventArray
    shift_us: int
    start_us: int
    stop_us: int
    label: str | None


@dataclass(frozen=True, slots=True)
class Worked:
    """A step that a lane worked through. rule : threshold and smoothing (µs) that held for ``decision``.
    shift_us : how far the step lies ahead in the file of the camera's clock."""

    lane: int
    packet: EventPacket
    decision: Decision | None
    rule: tuple[float, int]
    shift_us: int


class Companion(Protocol):
    """Another file beside the recording, written on its thread and never ahead of it; OSError where it can't be."""

    def add(self, worked: Worked) -> None:
        """Is written with the next ``flush``."""
        ...

    def flush(self) -> None: ...

    def sync(self) -> None: ...

    def close(self, status: RecordingStatus) -> None: ...


class Tape:
    """A recording being made; its file is there from the beginning.

    label : what the stream is marked as at first. lossless : ``put`` waits where the disk is slower than the stream,
    as for recordings; else what finds no room is counted as lost. companion : see there; with one, a loss ends the
    recording, since a session with a hole proves nothing.

    Times in the file only grow: where the stream goes back in time, as after a seek, the file goes on behind its
    latest step. Raises UsageError or InputError where the file cannot be begun; later problems are in ``status``.
    """

    def __init__(
        self,
        path: Path,
        sensor: Sensor,
        *,
        label: str | None = None,
        lossless: bool = False,
        companion: Companion | None = None,
        name: str = "",
    ) -> None:
        check_target(path)
        self._path = path
        self._name = name or str(path)
        self._lossless, self._companion = lossless, companion
        self._writer = LiveAedat4Writer(path, sensor)
        self._labels = LiveLabels(labels_path(path))
        # All of these are guarded by _changed.
        self._changed = threading.Condition()
        self._queue: deque[_Part | Worked] = deque()
        self._waiting_events = 0
        self._label = label
        self._ending = False
        self._lost = 0
        self._problem: tuple[str, str] | None = None  # what was found, what to do
        self._begin_us: int | None = None
        self._end_us = 0
        #: (host ns, shift µs): from which received packet on the file is how far ahead of the camera's clock.
        self._shifts: list[tuple[int, int]] = [(0, 0)]
        # These belong to the thread.
        self._taken: deque[_Part | Worked] = deque()
        self._pending: list[_Part] = []
        self._pending_events = 0
        self._thread = threading.Thread(target=self._run, name="spikebridge-tape", daemon=True)
        self._thread.start()

    # ------------------------------------------------ what others call, from any thread

    def put(self, packet: EventPacket, performed: str | None = None) -> None:
        """Takes the next packet of the stream. performed : its label where the user has given none."""
        with self._changed:
            if self._lossless:
                self._changed.wait_for(lambda: self._ending or not self._full)
            if self._ending:
                return
            if self._begin_us is None:
                self._begin_us = self._end_us = packet.t_start_us
            shift_us = self._shift(packet)
            start_us, self._end_us = packet.t_start_us + shift_us, packet.t_stop_us + shift_us
            if self._full:
                self._lose(packet.events.size)
                return
            self._queue.append(_Part(packet.events, shift_us, start_us, self._end_us, self._label or performed))
            self._waiting_events += packet.events.size

    def step(self, lane: int, packet: EventPacket, decision: Decision | None, rule: tuple[float, int]) -> None:
        """What a lane made of a packet that was put; only a companion keeps it. See ``Worked``."""
        with self._changed:
            if self._ending or self._companion is None:
                return
            if self._full and not self._lossless:
                self._lose(0)
                return
            # A packet that several were joined to was received with the last of them.
            shift_us = next(us for since_ns, us in reversed(self._shifts) if since_ns <= packet.received_ns)
            self._queue.append(Worked(lane, packet, decision, rule, shift_us))

    def mark(self, label: str | None) -> None:
        """``label`` holds from the next step on; None ends it."""
        if label is not None and label not in LABELS:
            raise ValueError(f"expected one of {LABELS} or None, got {label!r}")
        with self._changed:
            self._label = label

    def status(self) -> RecordingStatus:
        with self._changed:
            return RecordingStatus(
                path=self._name,
                running=not self._ending,
                duration_us=self._end_us - (self._begin_us or 0),
                events=self._writer.n_events,
                lost=self._lost,
                label=self._label,
                labels=len(self._labels.spans),
                problem=self._sentence(),
            )

    def finish(self) -> None:
        """Takes no more; what waits is still written, and the files become whole. Does not wait for that."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()

    def close(self) -> None:
        """``finish``, and waits for it; may be called twice."""
        self.finish()
        self._thread.join()

    # ------------------------------------------------ under _changed

    @property
    def _full(self) -> bool:
        return len(self._queue) >= _MOST_WAITING or self._waiting_events >= _MOST_WAITING_EVENTS

    def _shift(self, packet: EventPacket) -> int:
        shift_us = self._shifts[-1][1]
        if packet.t_start_us + shift_us < self._end_us:
            shift_us = self._end_us - packet.t_start_us
            self._shifts.append((packet.received_ns, shift_us))
        return shift_us

    def _lose(self, n_events: int) -> None:
        self._lost += n_events
        if self._companion is not None:
            self._end_early("the disk too slow for the stream", "take a faster one")

    def _end_early(self, found: str, fix: str) -> None:
        self._problem = self._problem or (found, fix)
        self._ending = True
        self._changed.notify_all()

    def _sentence(self) -> str:
        if self._problem is None:
            return ""
        found, fix = self._problem
        lasted_s = (self._end_us - (self._begin_us or 0)) / 1e6
        kept = f"the {self._writer.n_events:,} events in it can be read" if self._writer.n_events else "nothing is left"
        return (
            f"expected to go on recording to {self._name}, found: {found}; it ended after {lasted_s:.1f} s and {kept}, "
            f"{fix} and begin another."
        )

    # ------------------------------------------------ the thread

    def _run(self) -> None:
        flushed_s = synced_s = time.monotonic()
        try:
            while True:
                over = self._take()
                while self._taken:
                    self._work(self._taken.popleft())
                now_s = time.monotonic()
                if over or now_s - flushed_s >= _FLUSH_S:
                    self._flush()
                    flushed_s = now_s
                if over:
                    break
                if now_s - synced_s >= _SYNC_S:
                    self._sync()
                    synced_s = time.monotonic()
        except (OSError, InputError) as error:
            self._give_up(error)
        finally:
            self._finish_files()

    def _take(self) -> bool:
        """Takes what waits, so that there is room again; whether nothing will follow."""
        with self._changed:
            self._changed.wait_for(lambda: self._ending or self._full, _LOOK_S)
            self._taken, self._queue = self._queue, self._taken
            self._waiting_events = 0
            self._changed.notify_all()
            return self._ending

    def _work(self, item: _Part | Worked) -> None:
        if isinstance(item, Worked):
            if self._companion is not None:
                self._companion.add(item)
            return
        self._pending.append(item)
        self._pending_events += item.events.size
        if item.label is not None:
            self._labels.extend(LABELS.index(item.label), item.start_us, item.stop_us)
        if self._pending_events >= _PACKET_EVENTS:
            self._write()

    def _write(self) -> None:
        """What is pending becomes one packet of the file."""
        if self._pending_events:
            events = np.concatenate([part.events for part in self._pending])
            sizes = [part.events.size for part in self._pending]
            events["t"] += np.repeat([part.shift_us for part in self._pending], sizes)
            self._writer.write(events)
        self._pending.clear()
        self._pending_events = 0

    def _flush(self) -> None:
        self._write()
        self._labels.flush()
        if self._companion is not None:
            self._companion.flush()

    def _sync(self) -> None:
        self._writer.sync()
        self._labels.sync()
        if self._companion is not None:
            self._companion.sync()

    def _give_up(self, error: OSError | InputError) -> None:
        """The demo goes on, the recording does not."""
        cause = error if isinstance(error, OSError) else error.__cause__
        found = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(error)
        with self._changed:
            waiting = [item for item in (*self._taken, *self._queue) if isinstance(item, _Part)]
            self._lost += self._pending_events + sum(part.events.size for part in waiting)
            self._queue.clear()
            self._end_early(found, "free some space")

    def _finish_files(self) -> None:
        try:
            if self._writer.n_events:
                self._writer.close()
            else:
                self._writer.remove()
                self._labels.path.unlink(missing_ok=True)
            self._labels.sync()
        except (OSError, InputError) as error:
            self._give_up(error)
        self._labels.close()
        with self._changed:
            self._ending = True
            self._lost += self._writer.n_lost
        if self._companion is not None:
            try:
                self._companion.close(self.status())
            except (OSError, InputError) as error:
                self._give_up(error)


def check_target(path: Path) -> None:
    """Raises UsageError where ``path`` can't become a new recording."""
    if path.suffix != ".aedat4":
        raise UsageError(f"expected a recording named *.aedat4, found '{path}'; only AEDAT4 is written.")
    for taken in (path, labels_path(path)):
        if taken.exists():
            raise UsageError(f"expected a name that is free, found {taken}; choose another or remove it.")
