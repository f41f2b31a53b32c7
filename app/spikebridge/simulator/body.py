"""The person: sizes, looks, and where they stand.

Body frame, metres: origin between the shoulders, x to the image's right (the performer's left), y down, z towards the
camera. Arms are indexed 0 = the performer's right (image left), 1 = the performer's left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikebridge.simulator.ranges import Range, Ranges

Floats = NDArray[np.float64]

#: x direction in which each arm points away from the body.
OUTWARD = (-1.0, 1.0)


def between(rng: np.random.Generator, bounds: Range) -> float:
    """One uniform draw from ``bounds``."""
    return float(rng.uniform(*bounds))


def between_log(rng: np.random.Generator, bounds: Range) -> float:
    """One draw from ``bounds``, uniform in the logarithm."""
    return float(np.exp(rng.uniform(np.log(bounds[0]), np.log(bounds[1]))))


@dataclass(frozen=True)
class Person:
    """Sizes in m, framing in px, brightness as log intensity against the wall."""

    shoulder_half_m: float
    upper_arm_m: float
    forearm_m: float
    hand_m: float
    arm_radius_m: float
    head_half_width_m: float
    torso_half_width_m: float
    px_per_m: float
    centre_x_px: float
    shoulder_y_px: float
    camera_distance_m: float
    tilt_rad: float
    lean_rad: float
    lean_forwards_rad: float
    sitting: bool
    chair: float
    skin: float
    shirt: float
    sleeve: float
    hair: float
    trousers: float
    long_sleeves: bool
    stripe_amplitude: float
    stripes_per_m: float
    folds: float
    folds_per_m: float
    finger_spread_m: float
    wrinkles: Floats
    shade: float
    light: tuple[float, float]
    tempo: float
    size: float
    left_handed: bool

    @property
    def arm_m(self) -> float:
        """Reach from shoulder to wrist."""
        return self.upper_arm_m + self.forearm_m

    def shoulder(self, arm: int) -> Floats:
        """(3,) joint of one arm in the body frame."""
        return np.array([OUTWARD[arm] * self.shoulder_half_m, 0.02, 0.0])


def draw_person(rng: np.random.Generator, ranges: Ranges) -> Person:
    """A person, and where they stand before the camera."""
    sign = -1.0 if rng.random() < ranges.dark_on_bright_share else 1.0
    shirt = (sign if rng.random() < 0.8 else -sign) * between(rng, ranges.shirt)
    skin = sign * between(rng, ranges.skin)
    if abs(skin - shirt) < ranges.skin_on_shirt:
        shirt = skin - sign * ranges.skin_on_shirt
    long_sleeves = bool(rng.random() < ranges.long_sleeve_share)
    n_wrinkles = int(rng.integers(*ranges.wrinkles))
    wrinkles = rng.uniform((-0.14, 0.04, -0.5, 0.03, -0.25), (0.14, 0.45, 0.5, 0.12, 0.25), (n_wrinkles, 5))
    angle = rng.uniform(-np.pi, 0.0)
    return Person(
        shoulder_half_m=between(rng, ranges.shoulder_half_m),
        upper_arm_m=between(rng, ranges.upper_arm_m),
        forearm_m=between(rng, ranges.forearm_m),
        hand_m=between(rng, ranges.hand_m),
        arm_radius_m=between(rng, ranges.arm_radius_m),
        head_half_width_m=between(rng, ranges.head_half_width_m),
        torso_half_width_m=between(rng, ranges.torso_half_width_m),
        px_per_m=between(rng, ranges.px_per_m),
        centre_x_px=between(rng, ranges.centre_x_px),
        shoulder_y_px=between(rng, ranges.shoulder_y_px),
        camera_distance_m=between(rng, ranges.camera_distance_m),
        tilt_rad=between(rng, ranges.tilt_rad),
        skin=skin,
        shirt=shirt,
        # A sleeve of exactly the shirt's brightness would make the arm vanish before the chest.
        sleeve=shirt + float(rng.choice((-1.0, 1.0))) * between(rng, ranges.sleeve_on_shirt),
        hair=-between(rng, ranges.hair),
        trousers=-between(rng, ranges.hair),
        long_sleeves=long_sleeves,
        stripe_amplitude=between(rng, ranges.stripe_amplitude) if rng.random() < ranges.stripe_share else 0.0,
        stripes_per_m=float(rng.uniform(10.0, 28.0)),
        folds=between(rng, ranges.folds),
        folds_per_m=between(rng, ranges.folds_per_m),
        finger_spread_m=between(rng, ranges.finger_spread_m),
        wrinkles=wrinkles,
        shade=between(rng, ranges.shade),
        light=(float(np.cos(angle)), float(np.sin(angle))),
        tempo=float(rng.uniform(0.8, 1.2)),
        size=float(rng.uniform(0.8, 1.2)),
        left_handed=bool(rng.random() < ranges.left_handed_share),
        lean_rad=between(rng, ranges.lean_rad),
        lean_forwards_rad=between(rng, ranges.lean_forwards_rad),
        sitting=bool(rng.random() < ranges.sitting_share),
        chair=float(rng.choice((-1.0, 1.0))) * between(rng, ranges.chair_contrast),
    )
