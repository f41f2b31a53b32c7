"""How the arms move in each gesture: wrist positions over time in the body frame (see ``body``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spikebridge.simulator.body import OUTWARD, Floats, Person, between
from spikebridge.simulator.ranges import Range, Ranges


@dataclass(frozen=True)
class Posture:
    """N moments of a body. Metres in the body frame.

    wrist, pole, fingers : (2, N, 3), arm 0 = the performer's right. ``pole``: where the elbow points; ``fingers`` is
    added to the direction of the forearm and gives that of the hand. shift : (N, 3) of the whole body.
    """

    wrist: Floats
    pole: Floats
    fingers: Floats
    shift: Floats


#: (N,) seconds since the movement began → posture.
Movement = Callable[[Floats], Posture]
#: (N,) seconds → wrist (N, 3), pole (3,), fingers (N, 3) of one arm.
ArmMovement = Callable[[Floats], tuple[Floats, Floats, Floats]]


@dataclass(frozen=True)
class Performer:
    """Who moves, with which randomness."""

    person: Person
    rng: np.random.Generator
    ranges: Ranges

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def phase(self, bounds: Range) -> Callable[[Floats], Floats]:
        """Radians over time of a rhythm whose tempo wanders."""
        hz = float(np.clip(between(self.rng, bounds) * self.person.tempo, *bounds))
        wander = between(self.rng, self.ranges.tempo_wander)
        slow_hz, start, slow_start = self.between(0.15, 0.5), self.between(0, 2 * np.pi), self.between(0, 2 * np.pi)

        def phase(t: Floats) -> Floats:
            slow = 2 * np.pi * slow_hz
            return start + 2 * np.pi * hz * (t + wander / slow * np.sin(slow * t + slow_start))

        return phase

    def drift(self, amplitude: float) -> Callable[[Floats], Floats]:
        """(N, 3) slow aimless movement around zero, sum of three incommensurable sines per axis."""
        hz = self.rng.uniform((0.2, 0.7, 2.0), (0.6, 1.8, 6.0), (3, 3))
        size = amplitude * self.rng.normal(size=(3, 3)) * (0.8, 0.5, 0.15)
        start = self.rng.uniform(0, 2 * np.pi, (3, 3))
        return lambda t: (size * np.sin(2 * np.pi * hz * t[:, None, None] + start)).sum(2)


def _path(*columns: Floats | float, n: int) -> Floats:
    return np.stack([np.broadcast_to(column, (n,)) for column in columns], axis=1).astype(np.float64)


def rest(performer: Performer, arm: int) -> ArmMovement:
    """An arm that hangs, leans on the hip or lies before the belly, and is never quite still."""
    person, out = performer.person, OUTWARD[arm]
    kind = performer.rng.choice(3, p=(0.75, 0.1, 0.15))
    target = {
        0: (out * performer.between(0.02, 0.1), 0.97 * person.arm_m, performer.between(0.0, 0.08)),
        1: (out * -0.02, 0.42, 0.08),
        2: (-out * performer.between(0.05, 0.15), performer.between(0.28, 0.38), 0.2),
    }[int(kind)]
    wrist = person.shoulder(arm) + np.array(target)
    drift = performer.drift(between(performer.rng, performer.ranges.tremor_m) * 2)
    fingers = np.array([0.0, 0.1, 0.0])

    def move(t: Floats) -> tuple[Floats, Floats, Floats]:
        return wrist + drift(t), np.array([out, 0.3, -0.6]), np.broadcast_to(fingers, (t.size, 3))

    return move


def wave(performer: Performer, arm: int) -> ArmMovement:
    """The forearm stands and swings about the elbow; the hand lags and exaggerates."""
    person, out = performer.person, OUTWARD[arm]
    phase = performer.phase(performer.ranges.wave_hz)
    elbow = person.shoulder(arm) + np.array(
        [out * performer.between(0.02, 0.18), performer.between(0.02, 0.24), performer.between(0.08, 0.2)]
    )
    swing = performer.between(0.22, 0.6) * person.size
    lean, forward = out * performer.between(-0.1, 0.45), performer.between(0.0, 0.4)
    flap, elbow_share = performer.between(0.0, 0.8), performer.between(0.0, 0.35)
    drift = performer.drift(0.006)

    def move(t: Floats) -> tuple[Floats, Floats, Floats]:
        angle = lean + swing * np.sin(phase(t))
        fore = _path(np.sin(angle), -np.cos(angle), forward, n=t.size)
        fore /= np.linalg.norm(fore, axis=1, keepdims=True)
        moved = _path(elbow_share * swing * 0.25 * np.sin(phase(t)), 0.0, 0.0, n=t.size)
        wrist = elbow + moved + person.forearm_m * fore + drift(t)
        fingers = _path(flap * swing * np.sin(phase(t) - 0.6), 0.0, 0.0, n=t.size)
        return wrist, np.array([out * 0.6, 1.0, -0.1]), fingers

    return move


def circle(performer: Performer, arm: int, clockwise: bool) -> ArmMovement:
    """The whole arm swings round before the body. The performer's clockwise is top → image left → bottom."""
    person, out = performer.person, OUTWARD[arm]
    phase = performer.phase(performer.ranges.circle_hz)
    turn = -1.0 if clockwise else 1.0
    large = performer.chance(0.85)
    radius = person.arm_m * (performer.between(0.5, 0.85) if large else performer.between(0.3, 0.5))
    aspect = performer.between(0.75, 1.1)
    centre = np.array([out * performer.between(-0.05, 0.15), performer.between(-0.02, 0.22)])
    stretch, flat = performer.between(0.88, 0.99), performer.between(0.2, 0.4)
    forward_share = performer.between(0.0, 0.5)
    slant = performer.rng.normal(0, 0.08, 2)
    drift = performer.drift(0.01)

    def move(t: Floats) -> tuple[Floats, Floats, Floats]:
        angle = phase(t)
        x = centre[0] + turn * aspect * radius * np.sin(angle)
        y = centre[1] - radius * np.cos(angle)
        free = np.maximum((stretch * person.arm_m) ** 2 - x**2 - y**2, 0.01)
        # A stiff arm sweeps a cone; others keep the hand at one distance and bend the elbow.
        z = (1 - forward_share) * np.sqrt(free) + forward_share * flat + slant[0] * x + slant[1] * y
        wrist = person.shoulder(arm) + np.stack([x, y, z], axis=1) + drift(t)
        return wrist, np.array([out * 0.8, 0.7, -0.2]), np.zeros((t.size, 3))

    return move


def clap(performer: Performer) -> tuple[ArmMovement, ArmMovement]:
    """Forearms swing inwards about quiet elbows until the palms meet. One hand may do most of it."""
    person = performer.person
    phase = performer.phase(performer.ranges.clap_hz)
    share = float(np.clip(performer.rng.normal(0.5, 0.2), 0.1, 0.9))
    swing, sharp = performer.between(0.5, 1.1) * person.size, performer.between(0.0, 0.35)
    height, above = performer.between(-0.1, 0.45), performer.rng.normal(0, 0.35)
    apart, raised = performer.between(0.0, 0.08), performer.between(0.18, 0.27)

    def arm_movement(arm: int) -> ArmMovement:
        out, drift = OUTWARD[arm], performer.drift(0.006)
        elbow = person.shoulder(arm) + np.array([out * apart, raised, 0.1])
        # Palms meet where forearm and half the hand reach the middle line.
        closed = np.arcsin(min((person.shoulder_half_m + apart) / (person.forearm_m + 0.4 * person.hand_m), 0.98))
        part = 2 * swing * (share if arm == 0 else 1 - share)
        tilt = above * (1 if arm == 0 else -1)

        def move(t: Floats) -> tuple[Floats, Floats, Floats]:
            angle = phase(t)
            apart_now = 0.5 * (1 - np.cos(angle + sharp * np.sin(angle)))
            yaw = closed - part * np.cos(tilt) * apart_now
            pitch = height + part * np.sin(tilt) * apart_now
            fore = np.stack([-out * np.sin(yaw), -np.sin(pitch), np.cos(yaw) * np.cos(pitch)], axis=1)
            fore /= np.linalg.norm(fore, axis=1, keepdims=True)
            return elbow + person.forearm_m * fore + drift(t), np.array([out, 0.9, -0.4]), np.zeros((t.size, 3))

        return move

    return arm_movement(0), arm_movement(1)


def roll(performer: Performer) -> tuple[ArmMovement, ArmMovement]:
    """Forearms lie level before the chest and turn about each other."""
    person = performer.person
    phase = performer.phase(performer.ranges.roll_hz)
    turn = 1.0 if performer.chance(0.7) else -1.0
    height, depth = performer.between(0.12, 0.28), performer.between(0.24, 0.34)
    radius = performer.between(0.08, 0.15) * person.size
    cross, sideways = performer.between(-0.04, 0.1), performer.between(0.0, 0.05)
    drift = performer.drift(0.006)

    def arm_movement(arm: int) -> ArmMovement:
        out = OUTWARD[arm]

        def move(t: Floats) -> tuple[Floats, Floats, Floats]:
            angle = turn * phase(t) + np.pi * arm
            x = -out * cross + sideways * np.sin(angle)
            wrist = _path(x, height + radius * np.cos(angle), depth + radius * np.sin(angle), n=t.size)
            return wrist + drift(t), np.array([out, 0.55, -0.25]), np.zeros((t.size, 3))

        return move

    return arm_movement(0), arm_movement(1)


def drums(performer: Performer) -> tuple[ArmMovement, ArmMovement]:
    """Forearms beat up and down in turn, from elbows beside the body; the hands come inwards on top."""
    person = performer.person
    phase = performer.phase(performer.ranges.drum_hz)
    lag = np.pi + performer.rng.normal(0, 0.3)
    snap = performer.between(0.0, 0.5)

    def arm_movement(arm: int) -> ArmMovement:
        out = OUTWARD[arm]
        elbow = person.shoulder(arm) + np.array(
            [out * performer.between(0.0, 0.1), performer.between(0.2, 0.27), performer.between(0.06, 0.16)]
        )
        middle, swing = performer.between(-0.2, 0.2), performer.between(0.6, 1.0) * min(person.size, 1.1)
        inward, sweep = performer.between(0.15, 0.55), performer.between(0.1, 0.5)
        lift, drift = performer.between(0.0, 0.08), performer.drift(0.012)

        def move(t: Floats) -> tuple[Floats, Floats, Floats]:
            angle = phase(t) + lag * arm
            beat = np.sin(angle + snap * np.cos(angle))
            pitch = middle + swing * beat
            yaw = inward + sweep * beat
            forward = np.cos(pitch) * np.cos(yaw)
            fore = np.stack([-out * np.cos(pitch) * np.sin(yaw), -np.sin(pitch), forward], axis=1)
            raised = _path(0.0, -lift * beat, 0.0, n=t.size)
            wrist = elbow + raised + person.forearm_m * fore + drift(t)
            return wrist, np.array([out * 0.7, 0.9, -0.4]), _path(0.0, -0.3 * beat, 0.0, n=t.size)

        return move

    return arm_movement(0), arm_movement(1)


def guitar(performer: Performer) -> tuple[ArmMovement, ArmMovement]:
    """The left hand holds the neck out to the side, the right hand strums across the belly."""
    person = performer.person
    phase = performer.phase(performer.ranges.strum_hz)
    belly = np.array([performer.between(-0.1, 0.08), performer.between(0.28, 0.38), performer.between(0.2, 0.28)])
    angle, length = performer.between(0.9, 1.6), performer.between(0.07, 0.16) * person.size
    neck = np.array([performer.between(0.36, 0.52), performer.between(0.02, 0.22), performer.between(0.16, 0.32)])
    shifts, shift_phase = performer.between(0.01, 0.06), performer.phase((0.4, 1.6))
    shake = performer.between(0.0, 0.02)
    stroke = np.array([-np.cos(angle), np.sin(angle), 0.1])
    drift, neck_drift = performer.drift(0.008), performer.drift(0.012)
    along = belly - neck
    along /= np.linalg.norm(along)

    def strum(t: Floats) -> tuple[Floats, Floats, Floats]:
        beat = np.sin(phase(t))
        wrist = belly + stroke * (length * beat)[:, None] + drift(t)
        return wrist, np.array([-1.0, 0.2, -0.35]), _path(0.1, 0.5 * beat, 0.0, n=t.size)

    def fret(t: Floats) -> tuple[Floats, Floats, Floats]:
        slide = shifts * np.tanh(2 * np.sin(shift_phase(t)))
        wrist = neck + along * slide[:, None] + _path(0.0, shake * np.sin(phase(t) + 1.0), 0.0, n=t.size)
        return wrist + neck_drift(t), np.array([0.35, 1.0, -0.2]), _path(-0.3, -0.5, 0.0, n=t.size)

    return strum, fret
