"""Who does what when: gestures put together from arm movements, and a timeline of them with onsets and pauses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from spikebridge.contracts import LABELS
from spikebridge.simulator import motion
from spikebridge.simulator.body import OUTWARD, Floats, between
from spikebridge.simulator.motion import ArmMovement, Movement, Performer, Posture

#: A still person before, between and after gestures.
IDLE = "idle"


@dataclass(frozen=True, slots=True)
class LabelSpan:
    """``label`` holds over ``[t_start_us, t_stop_us)``; None while the person stands or is between gestures."""

    t_start_us: int
    t_stop_us: int
    label: str | None


def _both(performer: Performer, right: ArmMovement, left: ArmMovement, carry: float = 1.0) -> Movement:
    """Two arms on one body, which sways by itself and is carried along by the hands."""
    ranges = performer.ranges
    sway = performer.drift(between(performer.rng, ranges.sway_m))
    follow = between(performer.rng, ranges.follow) * carry

    def move(t: Floats) -> Posture:
        arms = [right(t), left(t)]
        wrist = np.stack([arm[0] for arm in arms])
        pole = np.stack([np.broadcast_to(arm[1], (t.size, 3)) for arm in arms])
        shift = sway(t) + follow * (wrist.sum(0) - np.array([0.0, 0.6, 0.4])) * np.array([1.0, 0.4, 0.0])
        return Posture(wrist, pole, np.stack([arm[2] for arm in arms]), shift)

    return move


def _one(performer: Performer, arm: int, active: ArmMovement) -> Movement:
    passive = motion.rest(performer, 1 - arm)
    return _both(performer, active, passive) if arm == 0 else _both(performer, passive, active)


def _swing(performer: Performer, arm: int) -> ArmMovement:
    """A straight to-and-fro of one hand before the chest or the belly: reaching, punching, pushing, sawing. A raised
    one would wave."""
    person, out = performer.person, OUTWARD[arm]
    centre = person.shoulder(arm) + performer.rng.uniform((-0.05, 0.05, 0.2), (0.3, 0.38, 0.42)) * (out, 1.0, 1.0)
    reach = performer.rng.normal(size=3) * (0.5, 1.0, 1.2)
    reach *= performer.between(0.1, 0.24) / np.linalg.norm(reach)
    phase, drift = performer.phase((0.5, 2.6)), performer.drift(0.02)
    sharp = performer.between(0.0, 1.0)

    def move(t: Floats) -> tuple[Floats, Floats, Floats]:
        angle = phase(t)
        beat = np.sin(angle + sharp * np.sin(angle))
        return centre + reach * beat[:, None] + drift(t), np.array([out * 0.7, 0.8, -0.3]), np.zeros((t.size, 3))

    return move


def _heave(performer: Performer) -> Movement:
    """Both hands to and fro together, each on its side: lifting, pushing, pulling. In turn they would drum, towards
    each other clap."""
    person = performer.person
    middle = performer.rng.uniform((0.0, -0.3, 0.2), (0.3, 0.35, 0.42))
    reach = performer.rng.normal(size=3) * (0.4, 1.0, 1.2)
    reach *= performer.between(0.12, 0.3) / np.linalg.norm(reach)
    phase, sharp = performer.phase((0.5, 2.2)), performer.between(0.0, 1.0)

    def arm_movement(arm: int) -> ArmMovement:
        out, drift, share = np.array([OUTWARD[arm], 1.0, 1.0]), performer.drift(0.02), performer.between(0.75, 1.0)

        def move(t: Floats) -> tuple[Floats, Floats, Floats]:
            angle = phase(t)
            beat = share * np.sin(angle + sharp * np.sin(angle))
            wrist = person.shoulder(arm) + out * (middle + reach * beat[:, None])
            return wrist + drift(t), out * (0.7, 0.8, -0.3), np.zeros((t.size, 3))

        return move

    return _both(performer, arm_movement(0), arm_movement(1))


def _wander(performer: Performer, arm: int) -> ArmMovement:
    """A hand that goes here and there at its side: talking, fiddling. Before the body it would clap, roll or strum."""
    person, out = performer.person, OUTWARD[arm]
    centre = person.shoulder(arm) + performer.rng.uniform((0.06, 0.08, 0.15), (0.28, 0.42, 0.35)) * (out, 1.0, 1.0)
    drift, fine = performer.drift(performer.between(0.03, 0.09)), performer.drift(0.012)
    fingers = performer.drift(0.5)

    def move(t: Floats) -> tuple[Floats, Floats, Floats]:
        return centre + drift(1.6 * t) + fine(2.5 * t), np.array([out * 0.7, 0.8, -0.2]), fingers(t)

    return move


def _flap(performer: Performer) -> Movement:
    """Both arms together: up and down at the sides, jumping-jack fashion, or a shrug of wings."""
    person, phase = performer.person, performer.phase((0.6, 2.0))
    middle, swing, bend = performer.between(-0.3, 0.7), performer.between(0.25, 0.8), performer.between(0.75, 0.97)

    def arm_movement(arm: int) -> ArmMovement:
        out, drift = OUTWARD[arm], performer.drift(0.012)

        def move(t: Floats) -> tuple[Floats, Floats, Floats]:
            angle = middle + swing * np.sin(phase(t))
            way = np.stack([out * np.cos(angle), np.sin(angle), np.full(t.size, 0.25)], axis=1)
            wrist = person.shoulder(arm) + bend * person.arm_m * way / np.linalg.norm(way, axis=1, keepdims=True)
            return wrist + drift(t), np.array([out * 0.2, 1.0, -0.2]), np.zeros((t.size, 3))

        return move

    return _both(performer, arm_movement(0), arm_movement(1))


def walk_in(performer: Performer) -> Movement:
    """Steps before the camera from one side, arms swinging; or sits down there."""
    side, speed = float(performer.rng.choice((-1.0, 1.0))), performer.between(0.35, 0.9)
    start, stride = performer.between(0.3, 0.9), performer.phase((1.4, 2.2))
    still = _both(performer, motion.rest(performer, 0), motion.rest(performer, 1))

    def move(t: Floats) -> Posture:
        posture = still(t)
        left = np.maximum(start - speed * t, 0.0)
        if performer.person.sitting:
            return replace(posture, shift=posture.shift + np.stack([0.3 * side * left, -0.4 * left, 0.0 * t], axis=1))
        walking = np.clip(left / 0.15, 0.0, 1.0)
        step = stride(t)
        swing = np.stack([np.zeros_like(t), np.zeros_like(t), 0.22 * np.sin(step)], axis=1) * walking[:, None]
        bob = np.stack([side * left, 0.02 * np.abs(np.sin(step)) * walking, np.zeros_like(t)], axis=1)
        return Posture(posture.wrist + np.stack([swing, -swing]), posture.pole, posture.fingers, posture.shift + bob)

    return move


def idle(performer: Performer) -> Movement:
    """Standing still with both arms at rest."""
    return _both(performer, motion.rest(performer, 0), motion.rest(performer, 1))


def other(performer: Performer) -> Movement:
    """A movement of no class, of many kinds."""
    arm = int(performer.rng.integers(2))
    kind = performer.rng.choice(6, p=performer.ranges.other_shares)
    if kind == 0:
        return _one(performer, arm, _swing(performer, arm))
    if kind == 1:
        return _heave(performer)
    if kind == 2:
        return _both(performer, _wander(performer, 0), _wander(performer, 1))
    if kind == 3:
        return _one(performer, arm, _wander(performer, arm))
    return _flap(performer) if kind == 4 else walk_in(performer)


def movement(gesture: str, performer: Performer) -> Movement:
    """A fresh draw of ``gesture``: one of the labels, or ``IDLE``."""
    pairs: dict[str, Callable[[Performer], tuple[ArmMovement, ArmMovement]]] = {
        "hand_clap": motion.clap,
        "arm_roll": motion.roll,
        "air_drums": motion.drums,
        "air_guitar": motion.guitar,
    }
    if gesture in pairs:
        arms = pairs[gesture](performer)
        return _both(performer, *(motion.mirrored(arms) if performer.person.left_handed else arms))
    if gesture == "other":
        return other(performer)
    if gesture == IDLE:
        return idle(performer)
    if gesture not in LABELS:
        raise ValueError(f"expected one of {(*LABELS, IDLE)}, got {gesture!r}")
    arm = 0 if gesture.startswith("right") else 1
    if gesture.endswith("wave"):
        return _one(performer, arm, motion.wave(performer, arm))
    return _one(performer, arm, motion.circle(performer, arm, clockwise="counter" not in gesture))


@dataclass(frozen=True)
class Act:
    """``movement`` is taken up from ``start_s`` on, within ``ramp_s``, and lasts until the next act."""

    start_s: float
    ramp_s: float
    label: str | None
    movement: Movement


class Performance:
    """A timeline of acts; extends itself as far as it is asked, after ``next_act``."""

    def __init__(self, first: Act, next_act: Callable[[Act], Act | None]) -> None:
        self._acts = [first]
        self._next_act = next_act
        self._open = True

    def _extend(self, until_s: float) -> None:
        while self._open and self._acts[-1].start_s <= until_s:
            following = self._next_act(self._acts[-1])
            if following is None:
                self._open = False
            else:
                self._acts.append(following)

    def posture(self, t_s: Floats) -> Posture:
        """Posture at (N,) ascending times; may never go back by more than one act."""
        self._extend(float(t_s[-1]))
        while len(self._acts) > 2 and self._acts[2].start_s <= t_s[0]:
            del self._acts[0]
        blended = self._acts[0].movement(t_s - self._acts[0].start_s)
        for act in self._acts[1:]:
            if act.start_s > t_s[-1]:
                break
            weight = np.clip((t_s - act.start_s) / act.ramp_s, 0.0, 1.0)
            weight = (weight * weight * (3.0 - 2.0 * weight))[:, None]
            new = act.movement(np.maximum(t_s - act.start_s, 0.0))
            blended = Posture(
                *(
                    getattr(blended, name) * (1 - weight) + getattr(new, name) * weight
                    for name in ("wrist", "pole", "fingers", "shift")
                )
            )
        return blended

    def spans(self, stop_us: int) -> list[LabelSpan]:
        """Labels in time over ``[0, stop_us)``, complete only if no act was dropped yet.

        A gesture begins when half of its onset is done and ends when the next act is taken up.
        """
        self._extend(stop_us / 1e6)
        marks: list[tuple[int, str | None]] = [(0, self._acts[0].label)]
        for act in self._acts[1:]:
            start = int(1e6 * act.start_s)
            marks.append((start, None))
            marks.append((start + int(5e5 * act.ramp_s), act.label))
        spans = []
        for (start, label), (stop, _) in zip(marks, [*marks[1:], (stop_us, None)], strict=True):
            if start < min(stop, stop_us):
                spans.append(LabelSpan(start, min(stop, stop_us), label))
        return spans

    def label(self, t_s: float) -> str | None:
        """What is being performed at ``t_s``, a time that was lately asked for."""
        for act in reversed(self._acts):
            if t_s >= act.start_s + 0.5 * act.ramp_s or act is self._acts[0]:
                return act.label
            if t_s >= act.start_s:
                return None
        return None
