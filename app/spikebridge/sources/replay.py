"""A recording as a regular, paced stream of packets, with the controls of the replay bar."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import Frame, Framed, Recording, ReplayStatus, SourceCounters, SourceInfo
from spikebridge.events import EventArray, EventPacket
from spikebridge.pace import Pace, wait_until
from spikebridge.sources.overview import Overview

_LOOK_AHEAD_US = 1_000_000


@runtime_checkable
class Indexed(Protocol):
    """What a recording with an index can do besides; others are read instead."""

    def count(self, t_start_us: int, t_stop_us: int) -> int:
        """How many events ``read`` would give."""
        ...

    def ready_for(self, t_start_us: int, t_stop_us: int) -> bool:
        """Whether a read is quick; works towards it for some 50 ms where it is not."""
        ...

    @property
    def progress(self) -> float:
        """How much of the recording is known, 0 to 1; any thread."""
        ...

    def index_in_background(self) -> None:
        """Starts what makes the rest known, where something is left."""
        ...


class _Moment(NamedTuple):
    """Host time now, and when the step was due; None where no pace is kept."""

    now_ns: int
    due_ns: int | None


class Replay:
    """contracts.Replay over any Recording, which it owns and closes.

    Packets lie on a grid of ``step_us`` that starts at the first event; what is in them depends on position alone,
    never on pace. The end of a large recording may not be known at first: it is played to its true end all the same.
    At the end a looping replay jumps back: the camera clock starts again and the packet has ``gap``.
    Paced packets carry the moment at which the time of their step is over as ``due_ns``.
    """

    def __init__(
        self, recording: Recording, *, speed: float = 1.0, loop: bool = False, max_gap_us: int | None = None
    ) -> None:
        _check_speed(speed)
        if max_gap_us is not None and max_gap_us <= 0:
            raise ValueError(f"expected max_gap_us above 0 or None, got {max_gap_us}")
        self._recording = recording
        # Asked for once: checking for a protocol takes as long as reading a step.
        self._indexed = recording if isinstance(recording, Indexed) else None
        #: The end as far as it was known when something was read or sought last.
        self._first_us, self._last_us = _range_of(recording.info)
        self._max_gap_us = max_gap_us
        self._reading = threading.Lock()
        self._overview: Overview | None = None
        self._changed = threading.Condition()
        # All of these are guarded by _changed.
        self._pace = Pace(speed)
        self._loop = loop
        self._paused = False
        self._steps_asked = 0
        self._closed = False
        self._step_us = 1
        self._position_us = self._first_us
        self._gap = False
        self._silent_us = 0
        self._n_read = 0

    # ------------------------------------------------ Source

    @property
    def info(self) -> SourceInfo:
        return self._recording.info

    def counters(self) -> SourceCounters:
        counters = self._recording.counters()
        with self._changed:
            return replace(counters, read=self._n_read, notes=counters.notes + self._pace.notes("The replay"))

    def packets(self, step_us: int) -> Iterator[EventPacket]:
        if step_us <= 0:
            raise ValueError(f"expected step_us above 0, got {step_us}")
        with self._changed:
            self._step_us = step_us
            self._go_to(self._position_us, gap=self._gap)
        with self._reading:
            if self._indexed is not None and not self._closed:
                self._indexed.index_in_background()
        sequence = 0
        while (packet := self._next_packet(sequence)) is not None:
            yield packet
            sequence += 1

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            overview = self._overview
        if overview is not None:
            overview.close()
        with self._reading:
            self._recording.close()

    # ------------------------------------------------ controls

    def status(self) -> ReplayStatus:
        progress = self._progress()
        with self._changed:
            return ReplayStatus(self._position_us, self._paused, self._pace.speed, self._loop, progress)

    def pause(self, paused: bool) -> None:
        with self._changed:
            self._paused = paused
            self._steps_asked = 0
            self._restart_pace()

    def seek(self, t_us: int) -> None:
        _, known_us = _range_of(self._recording.info)
        with self._changed:
            self._last_us = known_us
            self._go_to(t_us, gap=True)
            self._restart_pace()

    def step(self) -> None:
        with self._changed:
            if self._paused:
                self._steps_asked += 1
                self._changed.notify_all()

    def set_speed(self, speed: float) -> None:
        _check_speed(speed)
        with self._changed:
            self._pace.speed = speed
            self._restart_pace()

    def set_loop(self, loop: bool) -> None:
        with self._changed:
            self._loop = loop

    def frame_at(self, t_us: int) -> Frame | None:
        """The newest frame that the camera took before a time; None where there is none."""
        with self._reading:
            return self._recording.frame_at(t_us) if isinstance(self._recording, Framed) and not self._closed else None

    def overview(self) -> NDArray[np.float32]:
        if self._progress() < 1:
            return np.zeros(0, np.float32)
        with self._changed:
            if self._overview is None:
                self._overview = Overview(self._count, *_range_of(self._recording.info))
            overview = self._overview
            if self._closed:
                overview.close()
        return overview.rates()

    # ------------------------------------------------ the stream; under _changed unless said otherwise

    def _next_packet(self, sequence: int) -> EventPacket | None:
        """Not under the lock: reads ahead, waits for the moment of the step, and starts over if a control moved it."""
        while (position_us := self._wait_until_wanted()) is not None:
            if self._wait_for(position_us, self._pace.begin_ns) is None:
                continue
            start_us = self._skip_silence(position_us)
            events = self._read(start_us, start_us + self._step_us)
            if events is None:
                return None
            moment = self._wait_for(start_us, self._pace.due_ns)
            if moment is None:
                continue
            with self._changed:
                if self._position_us != start_us:
                    continue
                gap, self._gap = self._gap, False
                self._steps_asked = max(0, self._steps_asked - 1)
                self._position_us += self._step_us
                self._silent_us = 0 if events.size else self._silent_us + self._step_us
                self._n_read += events.size
            return EventPacket(events, start_us, start_us + self._step_us, sequence, moment.now_ns, gap, moment.due_ns)
        return None

    def _wait_until_wanted(self) -> int | None:
        """Position of the next step once it may be read; None at the end."""
        with self._changed:
            while not self._closed:
                if self._position_us > self._last_us:
                    if not self._loop:
                        return None
                    self._go_to(self._first_us, gap=True)
                    self._pace.restart()
                if not self._paused or self._steps_asked:
                    return self._position_us
                self._changed.wait()
            return None

    def _skip_silence(self, position_us: int) -> int:
        """Not under the lock: position of the step to read, past a silence that has lasted ``max_gap_us``.

        Looks ahead in windows that double up to a second: few reads over a long silence, few events at its end.
        """
        with self._changed:
            if self._max_gap_us is None or self._silent_us < self._max_gap_us:
                return position_us
        start_us, length_us = position_us, self._step_us
        events = self._read(start_us, start_us + length_us)
        while events is not None and not events.size and start_us <= self._last_us:
            start_us, length_us = start_us + length_us, min(2 * length_us, max(self._step_us, _LOOK_AHEAD_US))
            events = self._read(start_us, start_us + length_us)
        if events is None or not events.size:
            return position_us
        with self._changed:
            if self._position_us == position_us:
                target_us = self._aligned(int(events["t"][0]))
                if target_us > position_us:
                    self._go_to(target_us, gap=True)
                    self._pace.restart()
            return self._position_us

    def _wait_for(self, start_us: int, moment_ns: Callable[[int, int, int], int]) -> _Moment | None:
        """Waits for a moment of the step from ``start_us``, by the pace; None when a control came between."""
        with self._changed:
            while not self._closed and self._position_us == start_us:
                if self._paused and not self._steps_asked:
                    return None
                now_ns = time.monotonic_ns()
                if math.isinf(self._pace.speed):
                    return _Moment(now_ns, None)
                if self._paused:
                    return _Moment(now_ns, now_ns)
                due_ns = moment_ns(start_us, start_us + self._step_us, now_ns)
                if now_ns >= due_ns:
                    return _Moment(now_ns, due_ns)
                wait_until(due_ns, self._changed.wait)
            return None

    def _go_to(self, t_us: int, *, gap: bool) -> None:
        self._position_us = self._aligned(t_us)
        self._gap = gap
        self._silent_us = 0

    def _aligned(self, t_us: int) -> int:
        """Start of the step that holds ``t_us``, inside the recording."""
        inside_us = min(max(t_us, self._first_us), self._last_us)
        return inside_us - (inside_us - self._first_us) % self._step_us

    def _restart_pace(self) -> None:
        self._pace.restart()
        self._changed.notify_all()

    def _read(self, t_start_us: int, t_stop_us: int) -> EventArray | None:
        """Not under ``_changed``: events from the recording, or None once it is closed."""
        while True:
            with self._reading:
                if self._closed:
                    return None
                if self._indexed is None or self._indexed.ready_for(t_start_us, t_stop_us):
                    events = self._recording.read(t_start_us, t_stop_us)
                    # Of a file that is still gone over, or is not as it says of itself. Either lies behind t_stop_us
                    # now, or is the end.
                    self._last_us = _range_of(self._recording.info)[1]
                    return events

    def _progress(self) -> float:
        return 1.0 if self._indexed is None else self._indexed.progress

    def _count(self, t_start_us: int, t_stop_us: int) -> int | None:
        """Not under ``_changed``: how many events the recording holds there, or None once it is closed."""
        with self._reading:
            if self._closed:
                return None
            if self._indexed is not None:
                return self._indexed.count(t_start_us, t_stop_us)
            return int(self._recording.read(t_start_us, t_stop_us).size)


def _range_of(info: SourceInfo) -> tuple[int, int]:
    if info.t_first_us is None or info.t_last_us is None:
        raise ValueError(f"expected a recording with its first and last time, got {info}")
    return info.t_first_us, info.t_last_us


def _check_speed(speed: float) -> None:
    if not speed > 0:
        raise ValueError(f"expected a speed above 0 (math.inf for as fast as possible), got {speed}")
