"""What a person is drawn of: places on the body, limbs between them, and how each looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from spikebridge.simulator import placing
from spikebridge.simulator.body import OUTWARD, Person
from spikebridge.simulator.placing import Integers, Numbers


@dataclass(frozen=True, slots=True)
class Figure:
    """The limbs of one person in the order of painting: legs, trunk, head, shadows, arms. Tables as in ``placing``.

    fixed : (F, N_PLACE_COLUMNS) float64. ends : (P, 2) int64. limbs : (P, N_LIMB_COLUMNS) float64. All read-only.
    """

    fixed: Numbers
    ends: Integers
    limbs: Numbers


@dataclass(frozen=True, slots=True)
class Softness:
    """blur_px : of edges on the sensor. zoom : px of the sensor for one of a picture of 128 px."""

    blur_px: float
    zoom: float


class _Place(NamedTuple):
    """On the body, m; ``share`` of the body's shift that it takes part in; ``cloth``: see ``placing``."""

    x: float
    y: float
    z: float
    share: float = 1.0
    cloth: int = -1


class _Look(NamedTuple):
    """What a limb has from ``LOOK`` on, in that order."""

    value: float
    shade: float
    stripe: float
    stripes_per_m: float
    soft_px: float
    adds: bool


def draw_figure(person: Person, softness: Softness, shadow: float) -> Figure:
    """shadow : log intensity that the arms' shadows add to what lies below them."""
    drawing = _Drawing(person, softness)
    if person.sitting:
        _draw_seat(drawing)
    else:
        _draw_legs(drawing)
    _draw_trunk(drawing)
    _draw_head(drawing)
    _draw_arms(drawing, shadow)
    return drawing.finished()


class _Drawing:
    """A figure in the making."""

    def __init__(self, person: Person, softness: Softness) -> None:
        self.person = person
        self._softness = softness
        self._fixed: list[_Place] = []
        self._ends: list[tuple[int, int]] = []
        self._limbs: list[tuple[float, ...]] = []

    def surface(self, value: float, stripe: float = 0.0, stripes_per_m: float = 0.0) -> _Look:
        """Of log intensity ``value``, shaded as everything on this person is."""
        return _Look(value, self.person.shade, stripe, stripes_per_m, self._softness.blur_px, adds=False)

    def crease(self, value: float, soft_px: float) -> _Look:
        """Adds ``value`` to what lies below; ``soft_px`` in a picture of 128 px."""
        return _Look(value, 0.0, 0.0, 0.0, soft_px * self._softness.zoom, adds=True)

    def join(self, a: _Place, b: _Place, radii_m: tuple[float, float], look: _Look) -> None:
        """A limb between two places of its own."""
        self._fixed += (a, b)
        self.join_numbers(len(self._fixed) - 2, len(self._fixed) - 1, radii_m, look)

    def join_numbers(self, a: int, b: int, radii_m: tuple[float, float], look: _Look) -> None:
        """A limb between two places that are there."""
        self._ends.append((a, b))
        self._limbs.append((*radii_m, *look))

    def first_place(self, arm: int) -> int:
        """The number of an arm's first place, once all fixed ones are there."""
        return len(self._fixed) + arm * placing.N_ARM_PLACES

    def finished(self) -> Figure:
        tables = np.array(self._fixed, np.float64), np.array(self._ends, np.int64), np.array(self._limbs, np.float64)
        for table in tables:
            table.setflags(write=False)
        return Figure(*tables)


def _draw_legs(drawing: _Drawing) -> None:
    trousers = drawing.surface(drawing.person.trousers)
    for side in OUTWARD:
        hip, foot = _Place(side * 0.1, 0.55, -0.05, 0.3), _Place(side * 0.12, 1.3, 0.0, 0.0)
        drawing.join(hip, foot, (0.09, 0.07), trousers)


def _draw_seat(drawing: _Drawing) -> None:
    """A chair's back, thighs towards the camera, shins."""
    width = drawing.person.torso_half_width_m + 0.04
    chair, trousers = drawing.surface(drawing.person.chair), drawing.surface(drawing.person.trousers)
    left, right = (_Place(side * width, 0.22, -0.18, 0.0) for side in OUTWARD)
    drawing.join(left, right, (0.03, 0.03), chair)
    for corner in (left, right):
        drawing.join(corner, corner._replace(y=0.9), (0.025, 0.025), chair)
    knees = [_Place(side * 0.14, 0.54, 0.38, 0.0) for side in OUTWARD]
    for side, knee in zip(OUTWARD, knees, strict=True):
        drawing.join(_Place(side * 0.1, 0.5, -0.02, 0.3), knee, (0.085, 0.065), trousers)
    for knee in knees:
        drawing.join(knee, knee._replace(y=1.0, z=0.34), (0.06, 0.045), trousers)


def _draw_trunk(drawing: _Drawing) -> None:
    person = drawing.person
    half, torso = person.shoulder_half_m, person.torso_half_width_m
    left, right = _Place(-half + 0.03, 0.04, -0.06), _Place(half - 0.03, 0.04, -0.06)
    drawing.join(left, right, (0.055, 0.055), drawing.surface(person.shirt))
    striped = drawing.surface(person.shirt, person.stripe_amplitude, person.stripes_per_m)
    drawing.join(_Place(0.0, 0.1, -0.06), _Place(0.0, 0.5, -0.06, 0.5), (torso, torso * 0.9), striped)
    for x, y, slant, length, contrast in person.wrinkles.tolist():
        upper = _Place(x, y, -0.05, 1.0 - y, cloth=0 if x < 0 else 1)
        lower = upper._replace(x=x + slant * length, y=y + length)
        drawing.join(upper, lower, (0.006, 0.006), drawing.crease(contrast, 1.5))


def _draw_head(drawing: _Drawing) -> None:
    person, skin = drawing.person, drawing.surface(drawing.person.skin)
    half, crown = person.head_half_width_m, -0.155 - 1.9 * person.head_half_width_m
    drawing.join(_Place(0.0, -0.1, -0.02), _Place(0.0, 0.0, -0.02), (0.045, 0.055), skin)
    hair = _Place(0.0, crown + 0.05, -0.02, 1.2)
    drawing.join(hair, hair._replace(y=crown + 0.1), (1.12 * half, half), drawing.surface(person.hair))
    brow = _Place(0.0, crown + 0.11, 0.05, 1.2)
    drawing.join(brow, brow._replace(y=-0.15), (0.9 * half, 0.72 * half), skin)
    dark = drawing.crease(-0.3, 1.2)
    for x, y, width in ((-0.03, 0.45, 0.012), (0.03, 0.45, 0.012), (0.0, 0.8, 0.02)):
        left = _Place(x - width / 2, crown + 0.1 + (y - 0.2) * 0.2, 0.06, 1.2)
        drawing.join(left, left._replace(x=x + width / 2), (0.008, 0.008), dark)


def _draw_arms(drawing: _Drawing, shadow: float) -> None:
    """Shadows, then either arm with a palm and three fingers."""
    person, r = drawing.person, drawing.person.arm_radius_m
    dark, skin = drawing.crease(shadow, 10.0), drawing.surface(person.skin)
    covering = person.sleeve if person.long_sleeves else person.skin
    upper = drawing.surface(person.sleeve, person.folds, person.folds_per_m)
    lower = drawing.surface(covering, person.folds, person.folds_per_m)
    firsts = [drawing.first_place(arm) for arm in (0, 1)]
    for first in firsts:
        drawing.join_numbers(first + placing.SHADOW_ELBOW, first + placing.SHADOW_HAND, (1.6 * r, 2.2 * r), dark)
    for first in firsts:
        shoulder, elbow, palm = first + placing.SHOULDER, first + placing.ELBOW, first + placing.PALM
        drawing.join_numbers(shoulder, elbow, (1.35 * r, 1.1 * r), upper)
        drawing.join_numbers(elbow, palm, (1.1 * r, 0.75 * r), lower)
        drawing.join_numbers(palm, first + placing.KNUCKLES, (0.8 * r, 0.95 * r), skin)
        for finger in range(placing.N_FINGERS):
            root, tip = first + placing.ROOTS + finger, first + placing.TIPS + finger
            drawing.join_numbers(root, tip, (0.3 * r, 0.27 * r), skin)
