"""The simulated camera as a source, and single clips of it as training data."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator

import numpy as np

from spikebridge.contracts import LABELS, SourceCounters, SourceInfo
from spikebridge.errors import UsageError
from spikebridge.events import EventArray, EventPacket, Sensor
from spikebridge.simulator.body import Person, between, draw_person
from spikebridge.simulator.motion import Performer
from spikebridge.simulator.performance import IDLE, Act, LabelSpan, Performance, movement
from spikebridge.simulator.pixels import PixelArray
from spikebridge.simulator.ranges import DEFAULT_RANGES, Ranges
from spikebridge.simulator.scene import Stage, render

#: Frames are a means to interpolate between: a fast hand moves about one px in this time.
FRAME_US = 2500
#: Frames before the first event, in which the pixels forget how they were initialised.
_SETTLING_FRAMES = 40


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
        self._frame = np.empty((height, width), np.float32)
        flickers = rng.random() < ranges.flicker_share
        self._flicker = between(rng, ranges.flicker_amplitude) if flickers else 0.0
        self._flicker_hz = float(rng.choice((100.0, 120.0)))
        self._pixels: PixelArray | None = None
        self._rng, self._ranges = rng, ranges

    def film(self, t_start_us: int, t_stop_us: int) -> EventArray:
        """Events of ``[t_start_us, t_stop_us)``; call in ascending, gapless order from 0."""
        pixels = self._pixels or self._settle()
        n = max(1, round((t_stop_us - t_start_us) / FRAME_US))
        bounds = np.linspace(t_start_us, t_stop_us, n + 1).round().astype(np.int64)
        self._expose(pixels, bounds)
        return pixels.take(t_start_us, t_stop_us)

    def image(self, t_us: int) -> np.ndarray:
        """(H, W) float32 log intensity of one moment, for looking at it."""
        capsules = self._stage.capsules(self.performance.posture(np.array([t_us * 1e-6])))
        render(self._stage.wall, capsules[0], self._frame, *self._stage.person.light)
        return self._frame.copy()

    def _settle(self) -> PixelArray:
        centre = (self._stage.person.centre_x_px, self._stage.person.shoulder_y_px + 20)
        self._pixels = PixelArray(self.image(-_SETTLING_FRAMES * FRAME_US), self._rng, self._ranges, centre)
        self._expose(self._pixels, FRAME_US * np.arange(-_SETTLING_FRAMES, 1))
        self._pixels.take(-_SETTLING_FRAMES * FRAME_US, 0)
        return self._pixels

    def _expose(self, pixels: PixelArray, bounds_us: np.ndarray) -> None:
        capsules = self._stage.capsules(self.performance.posture(bounds_us[1:] * 1e-6))
        light = self._stage.person.light
        for i in range(bounds_us.size - 1):
            t1 = int(bounds_us[i + 1])
            render(self._stage.wall, capsules[i], self._frame, *light)
            gain = self._flicker * np.sin(2e-6 * np.pi * self._flicker_hz * t1) if self._flicker else 0.0
            pixels.expose(self._frame, gain, int(bounds_us[i]), t1)


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
    draws one. paced : packets come in real time; otherwise as fast as they are taken.
    """

    def __init__(
        self, gesture: str | None = None, seed: int | None = None, width: int = 128, height: int = 128,
        paced: bool = True,
        ranges: Ranges = DEFAULT_RANGES,
    ) -> None:  # fmt: skip
        _check(gesture)
        self.seed = secrets.randbits(32) if seed is None else seed
        self._paced = paced
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
        return SourceCounters(read=self._read)

    def packets(self, step_us: int) -> Iterator[EventPacket]:
        """Packets of ``step_us``, in real time if paced; late ones come at once, none is left out."""
        if step_us <= 0:
            raise ValueError(f"expected a positive step, got {step_us} µs")
        start_ns, sequence = time.monotonic_ns(), 0
        while not self._closed.is_set():
            t0, t1 = sequence * step_us, (sequence + 1) * step_us
            events = self._recorder.film(t0, t1)
            events.setflags(write=False)
            due_ns = start_ns + t1 * 1000 if self._paced else None
            if due_ns is not None and self._closed.wait(max(0.0, (due_ns - time.monotonic_ns()) * 1e-9)):
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
