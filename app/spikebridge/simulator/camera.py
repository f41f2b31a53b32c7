"""The simulated camera as a source, and single clips of it as training data."""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import LABELS, SourceCounters, SourceInfo
from spikebridge.errors import UsageError
from spikebridge.events import EventArray, EventPacket, Sensor
from spikebridge.pace import Pace, wait_until
from spikebridge.simulator.body import Person, between, draw_person
from spikebridge.simulator.drawing import Image, padded_width
from spikebridge.simulator.motion import Performer
from spikebridge.simulator.performance import IDLE, Act, LabelSpan, Performance, movement
from spikebridge.simulator.pixels import PixelArray
from spikebridge.simulator.ranges import DEFAULT_RANGES, Ranges
from spikebridge.simulator.scene import Stage

#: Frames are a means to interpolate between: a fast hand moves about one px in this time.
FRAME_US = 2500
#: Rendered before the pixels see them: they stay in the processor's cache until then.
_FRAMES_AT_ONCE = 8
#: Frames whose postures are worked out together.
_FRAMES_AHEAD = 64
#: Frames before the first event, in which the pixels forget how they were initialised.
_SETTLING_FRAMES = 40


@dataclass(frozen=True, slots=True)
class _Step:
    """What is seen in one step: a frame at the end of each of the intervals between ``bounds_us`` (N + 1,) int64.

    moments : (N, rows, 3), see ``Stage.moments``. gains : (N,) float32, log intensity added by the light's flicker.
    All read-only.
    """

    bounds_us: NDArray[np.int64]
    moments: NDArray[np.float64]
    gains: NDArray[np.float32]


class Recorder:
    """Films a performance: rendering and pixels for one person in one scene before one sensor."""

    def __init__(
        self,
        person: Person,
        performance: Performance,
        rng: np.random.Generator,
        ranges: Ranges,
        width: int,
        height: int,
    ) -> None:
        self.performance = performance
        self._stage = Stage(person, rng, ranges, width, height)
        self._width = width
        self._frames = np.empty((_FRAMES_AT_ONCE, height, padded_width(width)), np.float32)
        flickers = rng.random() < ranges.flicker_share
        self._flicker = between(rng, ranges.flicker_amplitude) if flickers else 0.0
        self._flicker_hz = float(rng.choice((100.0, 120.0)))
        self._pixels: PixelArray | None = None
        self._rng, self._ranges = rng, ranges
        self._ahead: deque[_Step] = deque()

    def film(self, t_start_us: int, t_stop_us: int) -> EventArray:
        """Events of ``[t_start_us, t_stop_us)``; call in ascending, gapless order from 0."""
        pixels = self._pixels or self._settle()
        self._expose(pixels, self._next_step(t_start_us, t_stop_us))
        return pixels.take(t_start_us, t_stop_us)

    def image(self, t_us: int) -> Image:
        """(H, W) float32 log intensity of one moment, for looking at it."""
        capsules = self._stage.capsules(self._stage.moments(self.performance.posture(np.array([t_us * 1e-6]))))
        self._stage.render(capsules, self._frames[:1])
        return self._frames[0, :, : self._width].copy()

    def _settle(self) -> PixelArray:
        bounds_us = FRAME_US * np.arange(-_SETTLING_FRAMES, 1, dtype=np.int64)
        person = self._stage.person
        centre = (person.centre_x_px, person.shoulder_y_px + 20)
        self._pixels = PixelArray(self.image(int(bounds_us[0])), self._rng, self._ranges, centre)
        self._expose(self._pixels, *self._steps(bounds_us[None]))
        self._pixels.take(int(bounds_us[0]), 0)
        return self._pixels

    def _next_step(self, t_start_us: int, t_stop_us: int) -> _Step:
        """Postures are numpy on few numbers: for many short steps of one length they cost as much as for one."""
        if not self._ahead or (self._ahead[0].bounds_us[0], self._ahead[0].bounds_us[-1]) != (t_start_us, t_stop_us):
            step_us = t_stop_us - t_start_us
            n_frames = max(1, round(step_us / FRAME_US))
            starts_us = t_start_us + step_us * np.arange(max(1, _FRAMES_AHEAD // n_frames))
            bounds_us = np.linspace(starts_us, starts_us + step_us, n_frames + 1, axis=1).round().astype(np.int64)
            self._ahead = deque(self._steps(np.ascontiguousarray(bounds_us)))
        return self._ahead.popleft()

    def _steps(self, bounds_us: NDArray[np.int64]) -> Iterator[_Step]:
        """Of ``bounds_us`` (S, N + 1)."""
        seen_us = bounds_us[:, 1:]
        moments = self._stage.moments(self.performance.posture(seen_us.ravel().astype(np.float64) * 1e-6))
        moments = moments.reshape(*seen_us.shape, *moments.shape[1:])
        gains = (self._flicker * np.sin(2e-6 * np.pi * self._flicker_hz * seen_us)).astype(np.float32)
        for array in (bounds_us, moments, gains):
            array.setflags(write=False)
        return map(_Step, bounds_us, moments, gains)

    def _expose(self, pixels: PixelArray, step: _Step) -> None:
        capsules = self._stage.capsules(step.moments)
        for begin in range(0, len(capsules), _FRAMES_AT_ONCE):
            stop = min(begin + _FRAMES_AT_ONCE, len(capsules))
            frames = self._frames[: stop - begin]
            self._stage.render(capsules[begin:stop], frames)
            pixels.expose(frames, step.gains[begin:stop], step.bounds_us[begin : stop + 1])


def _endless(gesture: str | None, performer: Performer) -> Performance:
    """Gesture, pause, gesture …: always the same one, or all of them in shuffled rounds."""
    rng, ranges = performer.rng, performer.ranges
    queue: list[str] = []

    def following(act: Act) -> Act:
        start = act.start_s + act.ramp_s
        if act.label is not None:
            start += between(rng, ranges.hold_s)
            return Act(start, between(rng, ranges.ramp_s), None, movement(IDLE, performer))
        start += between(rng, ranges.pause_s)
        if not queue:
            queue.extend([gesture] if gesture else [LABELS[i] for i in rng.permutation(len(LABELS))])
        label = queue.pop()
        return Act(start, between(rng, ranges.ramp_s), label, movement(label, performer))

    return Performance(Act(-1.0, 0.5, None, movement(IDLE, performer)), following)


def _check(gesture: str | None) -> None:
    if gesture is not None and gesture not in LABELS:
        raise UsageError(f"Expected one of {', '.join(LABELS)} after 'sim:', found {gesture!r}; choose one of these.")


class SimulatedCamera:
    """A DVS camera before which somebody performs the gestures, without end; a ``contracts.Source``.

    gesture : one label, repeated with pauses, or None for all of them in turn. seed : same seed, same events; None
    draws one. paced : packets come in real time, with the moment at which the time of their step is over as ``due_ns``;
    otherwise as fast as they are taken.
    """

    def __init__(
        self, gesture: str | None = None, seed: int | None = None, width: int = 128, height: int = 128,
        paced: bool = True,
        ranges: Ranges = DEFAULT_RANGES,
    ) -> None:  # fmt: skip
        _check(gesture)
        self.seed = secrets.randbits(32) if seed is None else seed
        self._pace = Pace() if paced else None
        self._closed = threading.Event()
        self._read = 0
        self._label: str | None = None
        title = "Simulated camera" if gesture is None else f"Simulated camera: {gesture.replace('_', ' ')}"
        self._info = SourceInfo(f"sim:{gesture or ''}", title, "simulated", Sensor(width, height, "Simulated DVS"))
        rng = np.random.default_rng([self.seed, 1])
        person = draw_person(rng, ranges)
        performance = _endless(gesture, Performer(person, np.random.default_rng([self.seed, 2]), ranges))
        self._recorder = Recorder(person, performance, np.random.default_rng([self.seed, 3]), ranges, width, height)

    @property
    def info(self) -> SourceInfo:
        return self._info

    @property
    def current_label(self) -> str | None:
        """What is being performed in the newest packet; None in pauses."""
        return self._label

    def counters(self) -> SourceCounters:
        notes = self._pace.notes("The simulated camera") if self._pace else ()
        return SourceCounters(read=self._read, notes=notes)

    def packets(self, step_us: int) -> Iterator[EventPacket]:
        """Packets of ``step_us`` until ``close``. Late ones come at once, and none is left out."""
        if step_us <= 0:
            raise ValueError(f"expected a positive step, got {step_us} µs")
        if self._pace:
            self._pace.restart()
        sequence = 0
        while not self._closed.is_set():
            t0, t1 = sequence * step_us, (sequence + 1) * step_us
            # Settling before the first step is no lateness.
            if (
                self._pace
                and sequence
                and wait_until(self._pace.begin_ns(t0, t1, time.monotonic_ns()), self._closed.wait)
            ):
                return
            events = self._recorder.film(t0, t1)
            events.setflags(write=False)
            due_ns = self._pace.due_ns(t0, t1, time.monotonic_ns()) if self._pace else None
            if due_ns is not None and wait_until(due_ns, self._closed.wait):
                return
            self._read += events.size
            self._label = self._recorder.performance.label(t1 * 1e-6)
            yield EventPacket(events, t0, t1, sequence, time.monotonic_ns(), due_ns=due_ns)
            sequence += 1

    def close(self) -> None:
        self._closed.set()


def simulate_clip(
    gesture: str, seed: int, duration_us: int, person_seed: int | None = None, onset_us: int | None = None,
    ranges: Ranges = DEFAULT_RANGES, width: int = 128, height: int = 128,
) -> tuple[EventArray, tuple[LabelSpan, ...]]:  # fmt: skip
    """One clip for training: sorted events of ``[0, duration_us)`` and the labels in time.

    person_seed : the same person, look and place for all clips with it; None takes ``seed``. onset_us : the person
    stands still until then; None means that the gesture is under way when the clip begins. ``gesture`` may be ``idle``.
    """
    person = draw_person(np.random.default_rng([seed if person_seed is None else person_seed, 1]), ranges)
    performer = Performer(person, np.random.default_rng([seed, 2]), ranges)
    label = None if gesture == IDLE else gesture
    act = Act(0.0, between(performer.rng, ranges.ramp_s), label, movement(gesture, performer))
    if onset_us is None:
        under_way = -between(performer.rng, (1.0, 3.0)) if gesture != "other" else -0.2
        performance = Performance(Act(under_way, act.ramp_s, label, act.movement), lambda _: None)
    else:
        act = Act(onset_us * 1e-6, act.ramp_s, label, act.movement)
        pending = [act]
        performance = Performance(
            Act(-1.0, 0.5, None, movement(IDLE, performer)), lambda _: pending.pop() if pending else None
        )
    recorder = Recorder(person, performance, np.random.default_rng([seed, 3]), ranges, width, height)
    return recorder.film(0, duration_us), tuple(performance.spans(duration_us))
