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

    def draw(self, bounds: Range) -> float:
        return between(self.rng, bounds)

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
    """An arm that hangs, leans on the hip or lies before the belly or on the thigh, and is never quite still."""
    person, out = performer.person, OUTWARD[arm]
    kind = performer.rng.choice(3, p=(0.75, 0.1, 0.15))
    lowest = (-0.06, 0.42, 0.26) if person.sitting else (0.02, 0.97 * person.arm_m, 0.0)
    target = {
        0: (out * (lowest[0] + performer.between(0.0, 0.08)), lowest[1], lowest[2] + performer.between(0.0, 0.08)),
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
    person, out, ranges, draw = performer.person, OUTWARD[arm], performer.ranges.wave, performer.draw
    phase = performer.phase(ranges.hz)
    elbow = person.shoulder(arm) + np.array(
        [out * draw(ranges.elbow_out_m), draw(ranges.elbow_below_m), draw(ranges.elbow_forward_m)]
    )
    swing = draw(ranges.swing) * person.size
    lean, forward = out * draw(ranges.lean), draw(ranges.forward)
    flap, elbow_share = draw(ranges.hand_flap), draw(ranges.elbow_share)
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
    person, out, ranges, draw = performer.person, OUTWARD[arm], performer.ranges.circle, performer.draw
    phase = performer.phase(ranges.hz)
    turn = -1.0 if clockwise else 1.0
    large = performer.chance(ranges.large_share)
    radius = person.arm_m * draw(ranges.large_radius if large else ranges.small_radius)
    width = draw(ranges.width)
    centre = np.array([out * draw(ranges.centre_out_m), draw(ranges.centre_below_m)])
    stretch, flat, flat_share = draw(ranges.stretch), draw(ranges.flat_z_m), draw(ranges.flat_share)
    slant = performer.rng.normal(0, ranges.slant_sigma, 2)
    drift = performer.drift(0.01)

    def move(t: Floats) -> tuple[Floats, Floats, Floats]:
        angle = phase(t)
        x = centre[0] + turn * width * radius * np.sin(angle)
        y = centre[1] - radius * np.cos(angle)
        free = np.maximum((stretch * person.arm_m) ** 2 - x**2 - y**2, 0.01)
        # A stiff arm sweeps a cone; others keep the hand at one distance and bend the elbow.
        z = (1 - flat_share) * np.sqrt(free) + flat_share * flat + slant[0] * x + slant[1] * y
        wrist = person.shoulder(arm) + np.stack([x, y, z], axis=1) + drift(t)
        return wrist, np.array([out * 0.8, 0.7, -0.2]), np.zeros((t.size, 3))

    return move


def clap(performer: Performer) -> tuple[ArmMovement, ArmMovement]:
    """The palms part and meet before the chest; or the right one claps from above onto a lying left one."""
    if performer.chance(performer.ranges.clap.lying_share):
        return _clap_down(performer)
    ranges, draw = performer.ranges.clap, performer.draw
    apart = _parting(performer)
    meet = np.array([draw(ranges.meet_x_m), draw(ranges.meet_below_m), draw(ranges.meet_z_m)])
    opening, right_share = draw(ranges.opening_m), draw(ranges.right_share)
    slant, elbow_out = draw(ranges.slant), draw(ranges.elbow_out)
    arc, gap = draw(ranges.arc), draw(ranges.gap_m)
    up, forward = draw(ranges.fingers_up) * np.cos(slant), draw(ranges.fingers_forward)
    # Raised fingers take the palms, which meet, above the wrists.
    meet[1] += 0.05 * up

    def arm_movement(arm: int) -> ArmMovement:
        out, drift = OUTWARD[arm], performer.drift(0.006)
        part = opening * (right_share if arm == 0 else 1 - right_share)
        way = np.array([out * np.cos(slant), (1 if arm == 0 else -1) * np.sin(slant), 0.0])

        def move(t: Floats) -> tuple[Floats, Floats, Floats]:
            opened = apart(t)
            wrist = meet + gap * way + part * opened[:, None] * way
            wrist[:, 2] -= arc * part * opened**2
            fingers = _path(-out * 0.3, -up, forward, n=t.size)
            return wrist + drift(t), np.array([out * elbow_out, 0.9, -0.3]), fingers

        return move

    return arm_movement(0), arm_movement(1)


def _parting(performer: Performer) -> Callable[[Floats], Floats]:
    """0 where the palms meet to 1 where they are farthest apart, over time."""
    ranges = performer.ranges.clap
    phase, sharp = performer.phase(ranges.hz), performer.draw(ranges.sharpness)

    def parting(t: Floats) -> Floats:
        angle = phase(t)
        return 0.5 * (1 - np.cos(angle + sharp * np.sin(angle)))

    return parting


def _clap_down(performer: Performer) -> tuple[ArmMovement, ArmMovement]:
    person, ranges, draw = performer.person, performer.ranges.clap, performer.draw
    apart = _parting(performer)
    bounds = (ranges.lying_elbow_out_m, ranges.lying_elbow_below_m, ranges.lying_elbow_forward_m)
    elbows = [person.shoulder(arm) + np.array([draw(b) for b in bounds]) * (OUTWARD[arm], 1, 1) for arm in (0, 1)]
    inwards, up, gives = draw(ranges.lying_in), draw(ranges.lying_up), draw(ranges.lying_gives)
    swing, forward = draw(ranges.swing), draw(ranges.swing_forward)
    elbow_gives = [draw(ranges.elbow_gives_m), draw(ranges.elbow_gives_m)]
    left = np.array([-np.sin(inwards) * np.cos(up), -np.sin(up), np.cos(inwards) * np.cos(up)])
    palm = elbows[1] + (person.forearm_m + 0.5 * person.hand_m) * left - (0, 0.03, 0)
    right = (palm - elbows[0]) / np.linalg.norm(palm - elbows[0])
    drifts = [performer.drift(0.006), performer.drift(0.006)]

    def elbow_at(arm: int, t: Floats) -> Floats:
        rising = elbow_gives[arm] * (apart(t) - 0.5)
        return elbows[arm] + _path(0.5 * OUTWARD[arm] * rising, -rising, 0.0, n=t.size)

    def beat(t: Floats) -> tuple[Floats, Floats, Floats]:
        angle, elbow = (swing * apart(t))[:, None], elbow_at(0, t)
        risen = np.cos(angle) * right + np.sin(angle) * _upwards(right, forward)
        wrist = elbow + person.forearm_m * risen + drifts[0](t)
        return wrist, elbow - person.shoulder(0), np.zeros((t.size, 3))

    def lie(t: Floats) -> tuple[Floats, Floats, Floats]:
        # Struck, the lying forearm gives way; between the strokes it comes to meet the other.
        angle, elbow = (gives * swing * (apart(t) - 0.5))[:, None], elbow_at(1, t)
        raised = np.cos(angle) * left + np.sin(angle) * _upwards(left, 0.0)
        wrist = elbow + person.forearm_m * raised + drifts[1](t)
        return wrist, elbow - person.shoulder(1), np.zeros((t.size, 3))

    return beat, lie


def _upwards(along: Floats, forward: float) -> Floats:
    """(3,) unit vector at right angles to ``along`` that points up, and as much forwards as said."""
    up = np.array([0.0, -1.0, forward])
    up -= along * (up @ along)
    return np.asarray(up / np.linalg.norm(up))


def roll(performer: Performer) -> tuple[ArmMovement, ArmMovement]:
    """Forearms lie level before the chest and turn about each other."""
    ranges, draw = performer.ranges.roll, performer.draw
    phase = performer.phase(ranges.hz)
    turn = 1.0 if performer.chance(ranges.forwards_share) else -1.0
    middle, height, depth = draw(ranges.centre_x_m), draw(ranges.below_m), draw(ranges.z_m)
    radius, depth_share = draw(ranges.radius_m) * performer.person.size, draw(ranges.depth_share)
    crossing, sideways = draw(ranges.crossing_m), draw(ranges.sideways_m)
    elbow_out, fingers_in = draw(ranges.elbow_out), draw(ranges.fingers_in)
    drift = performer.drift(0.006)

    def arm_movement(arm: int) -> ArmMovement:
        out = OUTWARD[arm]

        def move(t: Floats) -> tuple[Floats, Floats, Floats]:
            angle = turn * phase(t) + np.pi * arm
            x = middle + out * crossing + sideways * np.sin(angle)
            y, z = height + radius * np.cos(angle), depth + depth_share * radius * np.sin(angle)
            fingers = _path(-out * fingers_in, 0.0, 0.0, n=t.size)
            return _path(x, y, z, n=t.size) + drift(t), np.array([out * elbow_out, 0.6, -0.25]), fingers

        return move

    return arm_movement(0), arm_movement(1)


def drums(performer: Performer) -> tuple[ArmMovement, ArmMovement]:
    """Forearms that point inwards beat up and down in turn, about elbows beside the body."""
    person, ranges, draw = performer.person, performer.ranges.drum, performer.draw
    phase = performer.phase(ranges.hz)
    lag = np.pi + performer.rng.normal(0, ranges.lag_sigma)
    snap, flap = draw(ranges.snap), draw(ranges.wrist_flap)
    place = np.array([draw(ranges.elbow_out_m), draw(ranges.elbow_below_m), draw(ranges.elbow_forward_m)])
    middle, swing = draw(ranges.middle), draw(ranges.swing) * min(person.size, 1.1)
    inward, sweep, lift = draw(ranges.inward), draw(ranges.sweep), draw(ranges.elbow_lift_m)

    def arm_movement(arm: int) -> ArmMovement:
        out, drift = OUTWARD[arm], performer.drift(0.012)
        elbow = person.shoulder(arm) + place * (out, 1.0, 1.0) + performer.rng.normal(0, 0.01, 3)

        def move(t: Floats) -> tuple[Floats, Floats, Floats]:
            angle = phase(t) + lag * arm
            beat = np.sin(angle + snap * np.cos(angle))
            pitch, yaw = middle + swing * beat, inward + sweep * beat
            forward = np.cos(pitch) * np.cos(yaw)
            fore = np.stack([-out * np.cos(pitch) * np.sin(yaw), -np.sin(pitch), forward], axis=1)
            lifted = elbow + lift * _path(0.3 * out * beat, -beat, 0.0, n=t.size)
            wrist = lifted + person.forearm_m * fore + drift(t)
            return wrist, np.array([out * 0.7, 0.9, -0.4]), _path(0.0, -flap * beat, 0.0, n=t.size)

        return move

    return arm_movement(0), arm_movement(1)


def guitar(performer: Performer) -> tuple[ArmMovement, ArmMovement]:
    """The left hand holds the neck out to the side, the right hand strums across the belly."""
    ranges, draw = performer.ranges.guitar, performer.draw
    phase, shift_phase = performer.phase(ranges.hz), performer.phase((0.4, 1.6))
    belly = np.array([draw(ranges.strum_x_m), draw(ranges.strum_below_m), draw(ranges.strum_z_m)])
    neck = np.array([draw(ranges.neck_x_m), draw(ranges.neck_below_m), draw(ranges.neck_z_m)])
    angle, length, flap = draw(ranges.stroke_angle), draw(ranges.stroke_m), draw(ranges.wrist_flap)
    slides, shake = draw(ranges.slides_m), draw(ranges.shake_m)
    strum_pole = np.array([-draw(ranges.strum_elbow_out), 0.6, -0.35])
    neck_pole = np.array([draw(ranges.neck_elbow_out), 1.0, -0.2])
    stroke = length * np.array([-np.cos(angle), np.sin(angle), 0.1])
    drift, neck_drift = performer.drift(0.008), performer.drift(0.012)
    along = (belly - neck) / np.linalg.norm(belly - neck)

    def strum(t: Floats) -> tuple[Floats, Floats, Floats]:
        beat = np.sin(phase(t))
        return belly + stroke * beat[:, None] + drift(t), strum_pole, _path(0.1, flap * beat, 0.0, n=t.size)

    def fret(t: Floats) -> tuple[Floats, Floats, Floats]:
        slide = slides * np.tanh(2 * np.sin(shift_phase(t)))
        wrist = neck + along * slide[:, None] + _path(0.0, shake * np.sin(phase(t) + 1.0), 0.0, n=t.size)
        return wrist + neck_drift(t), neck_pole, _path(-0.3, -0.5, 0.0, n=t.size)

    return strum, fret


def mirrored(arms: tuple[ArmMovement, ArmMovement]) -> tuple[ArmMovement, ArmMovement]:
    """The same by a left-handed person."""

    def turn(move: ArmMovement) -> ArmMovement:
        def mirror(t: Floats) -> tuple[Floats, Floats, Floats]:
            wrist, pole, fingers = move(t)
            sign = np.array([-1.0, 1.0, 1.0])
            return wrist * sign, pole * sign, fingers * sign

        return mirror

    return turn(arms[1]), turn(arms[0])
