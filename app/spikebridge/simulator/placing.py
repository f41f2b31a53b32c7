"""Compiled: from the moments of a body to capsules in the picture.

A figure is drawn from places, points in metres in the body frame (see ``body``): fixed ones, which move with the body
alone, then those of either arm, which are found here. A limb is a capsule between two of them.
"""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from spikebridge.simulator.compiling import part
from spikebridge.simulator.drawing import N_COLUMNS, R0, R1, STRIPES, VALUE, X0, X1, Y0, Y1, Image

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]
Point = tuple[float, float, float]

#: Rows of a moment, (x, y, z) m each. Of arm 0 and arm 1 what a posture says and by how much the hand takes its
#: shoulder along; then the shift of the whole body.
WRIST, POLE, FINGERS, GIVEN, SHIFT, N_ROWS = 0, 2, 4, 6, 8, 9

#: Columns of a fixed place: x, y, z in m, how much of the body's shift it takes part in, and the arm whose shoulder
#: draws along the cloth there, or -1.
X, Y, Z, SHARE, CLOTH, N_PLACE_COLUMNS = range(6)

#: Places of an arm: joints, roots and tips of three fingers, ends of the shadow.
SHOULDER, ELBOW, PALM, KNUCKLES, ROOTS, TIPS, SHADOW_ELBOW, SHADOW_HAND, N_ARM_PLACES = 0, 1, 2, 3, 4, 7, 10, 11, 12
N_FINGERS = 3
#: Upper arm, forearm, palm and fingers; a figure ends with those of arm 0, then those of arm 1.
N_ARM_LIMBS = 3 + N_FINGERS

#: Columns of a limb: radii in m at its ends, then what a capsule has from ``VALUE`` on, but stripes per m.
RADIUS_A, RADIUS_B, LOOK = 0, 1, 2
N_LIMB_COLUMNS = LOOK + N_COLUMNS - VALUE

#: What the arms of a person and their picture are measured by. LEAN: sines of the trunk's angles.
(
    UPPER_ARM_M, FOREARM_M, HAND_M, ARM_RADIUS_M, FINGER_SPREAD_M, SHOULDER_X_M, SHOULDER_Y_M, SHADOW_X_M, SHADOW_Y_M,
    CLOTH_FOLLOWS, LEAN_ASIDE, LEAN_FORWARDS, TILT_COS, TILT_SIN, PX_PER_M, DISTANCE_M, AXIS_X_M, AXIS_Y_M, ZOOM,
    MIDDLE_X_PX, MIDDLE_Y_PX, N_MEASURES,
) = range(22)  # fmt: skip

#: From the shoulders down to the hips, about which the trunk leans.
_HIPS_M = 0.5
_SHADOW_Z_M = -0.1
#: The middle of a picture of 128 px, about which the camera rolls.
CENTRE_PX = 64.0
_THINNEST_PX = 0.3
#: Across a hand lies what is at right angles to it and to this direction.
_PALM_FACES = (0.3, 0.25, 1.0)
_PALM_SHARE, _HAND_SHARE, _FINGER_ROOTS = 0.55, 0.8, 0.6
_SHORTEST_M = 1e-6
#: An arm never folds up quite, nor stretches quite.
_FOLDED_M, _STRETCHED = 0.03, 0.995


@part()
def _row(table: Numbers, i: int) -> Point:
    return table[i, 0], table[i, 1], table[i, 2]


@part()
def _sum(a: Point, b: Point) -> Point:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


@part()
def _difference(a: Point, b: Point) -> Point:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


@part()
def _times(a: Point, factor: float) -> Point:
    return a[0] * factor, a[1] * factor, a[2] * factor


@part()
def _over(a: Point, divisor: float) -> Point:
    return a[0] / divisor, a[1] / divisor, a[2] / divisor


@part()
def _dot(a: Point, b: Point) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@part()
def _cross(a: Point, b: Point) -> Point:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@part()
def _length(a: Point) -> float:
    return math.sqrt(_dot(a, a))


@part()
def _direction(a: Point) -> Point:
    """Of length 1; 0 stays 0."""
    return _over(a, max(_length(a), _SHORTEST_M))


@numba.njit(nogil=True)
def reach(shoulder: Point, wrist: Point, pole: Point, upper_m: float, fore_m: float) -> tuple[Point, Point]:
    """Two-bone inverse kinematics by the law of cosines; points in m.

    wrist : wanted. pole : the side to which the elbow points. Returns elbow and wrist; a wrist out of reach is pulled
    to where the arm ends.
    """
    line = _difference(wrist, shoulder)
    axis = _direction(line)
    nearest, farthest = abs(upper_m - fore_m) + _FOLDED_M, _STRETCHED * (upper_m + fore_m)
    distance = min(max(_length(line), nearest), farthest)
    along = (upper_m**2 - fore_m**2 + distance**2) / (2.0 * distance)
    aside = math.sqrt(max(upper_m**2 - along**2, 0.0))
    out = _direction(_difference(pole, _times(axis, _dot(pole, axis))))
    elbow = _sum(_sum(shoulder, _times(axis, along)), _times(out, aside))
    return elbow, _sum(shoulder, _times(axis, distance))


@part()
def _put(place: Point, places: Numbers, i: int) -> None:
    places[i, 0], places[i, 1], places[i, 2] = place


@part()
def _place_arm(moment: Numbers, arm: int, m: Numbers, places: Numbers, first: int) -> float:
    """The places of one arm into ``places`` from ``first`` on; returns how near the hand is to the camera, m."""
    shift, outward = _row(moment, SHIFT), -1.0 if arm == 0 else 1.0
    shoulder = _sum((outward * m[SHOULDER_X_M], m[SHOULDER_Y_M], 0.0), _row(moment, GIVEN + arm))
    wanted, pole, fingers = _row(moment, WRIST + arm), _row(moment, POLE + arm), _row(moment, FINGERS + arm)
    elbow, wrist = reach(shoulder, wanted, pole, m[UPPER_ARM_M], m[FOREARM_M])
    way = _direction(_sum(_over(_difference(wrist, elbow), m[FOREARM_M]), fingers))
    hand = _sum(_sum(wrist, _times(_times(way, m[HAND_M]), _HAND_SHARE)), shift)
    shoulder, elbow, wrist = _sum(shoulder, shift), _sum(elbow, shift), _sum(wrist, shift)
    along = _difference(hand, wrist)
    across, knuckles = _direction(_cross(along, _PALM_FACES)), _sum(wrist, _times(along, _PALM_SHARE))
    _put(shoulder, places, first + SHOULDER)
    _put(elbow, places, first + ELBOW)
    _put(wrist, places, first + PALM)
    _put(knuckles, places, first + KNUCKLES)
    root_m = _FINGER_ROOTS * m[ARM_RADIUS_M]
    for finger in range(N_FINGERS):
        side = finger - 1.0
        _put(_sum(knuckles, _times(across, root_m * side)), places, first + ROOTS + finger)
        _put(_sum(hand, _times(across, (root_m + m[FINGER_SPREAD_M]) * side)), places, first + TIPS + finger)
    below = (m[SHADOW_X_M], m[SHADOW_Y_M], _SHADOW_Z_M)
    _put(_sum(elbow, below), places, first + SHADOW_ELBOW)
    _put(_sum(hand, below), places, first + SHADOW_HAND)
    return hand[2]


@part()
def _place_fixed(moment: Numbers, fixed: Numbers, follows: float, places: Numbers) -> None:
    shift = _row(moment, SHIFT)
    for i in range(fixed.shape[0]):
        place, arm = _sum(_times(shift, fixed[i, SHARE]), _row(fixed, i)), int(fixed[i, CLOTH])
        if arm >= 0:
            place = _sum(place, _times(_row(moment, GIVEN + arm), follows))
        _put(place, places, i)


@part()
def _project(place: Point, m: Numbers) -> Point:
    """Place in px, and px per m there: the trunk leans, perspective around the optical axis, camera roll.

    What is above the hips turns about them; the shoulders stay where the picture was framed.
    """
    x, y, z = place
    above = max(_HIPS_M - y, 0.0)
    down = m[LEAN_ASIDE] * x * min(above / _HIPS_M, 1.0)
    x += m[LEAN_ASIDE] * (above - _HIPS_M)
    y += down
    z += m[LEAN_FORWARDS] * (above - _HIPS_M)
    scale = m[PX_PER_M] / (1.0 - z / m[DISTANCE_M])
    x, y = (x - m[AXIS_X_M]) * scale, (y - m[AXIS_Y_M]) * scale
    right = CENTRE_PX + m[TILT_COS] * x - m[TILT_SIN] * y
    down = CENTRE_PX + m[TILT_SIN] * x + m[TILT_COS] * y
    return right * m[ZOOM] + m[MIDDLE_X_PX], down * m[ZOOM] + m[MIDDLE_Y_PX], scale * m[ZOOM]


@part()
def _draw_limb(limb: Numbers, a: Point, b: Point, stripes: float, capsule: Image) -> None:
    capsule[X0], capsule[Y0], capsule[R0] = a[0], a[1], max(limb[RADIUS_A] * a[2], _THINNEST_PX)
    capsule[X1], capsule[Y1], capsule[R1] = b[0], b[1], max(limb[RADIUS_B] * b[2], _THINNEST_PX)
    for column in range(VALUE, N_COLUMNS):
        capsule[column] = limb[LOOK + column - VALUE]
    capsule[STRIPES] = stripes


_Moments = numba.types.Array(numba.float64, 3, "C", readonly=True)
_Table = numba.types.Array(numba.float64, 2, "C", readonly=True)
_Pairs = numba.types.Array(numba.int64, 2, "C", readonly=True)
_Measures = numba.types.Array(numba.float64, 1, "C", readonly=True)


@numba.njit(
    numba.void(_Moments, _Table, _Pairs, _Table, _Measures, numba.float32[:, :, ::1]),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def place(moments: Numbers, fixed: Numbers, ends: Integers, limbs: Numbers, measures: Numbers, capsules: Image) -> None:
    """The figure at N moments (N, N_ROWS, 3) as ``capsules`` (N, P, N_COLUMNS), the farther arm before the nearer one.

    fixed : (F, N_PLACE_COLUMNS). ends : (P, 2), two places of each limb; those of arm 0 are numbered from F on, those
    of arm 1 after them. limbs : (P, N_LIMB_COLUMNS). measures : (N_MEASURES,). A limb keeps the number of stripes that
    it has at the first moment.
    """
    n_fixed, n_limbs = fixed.shape[0], ends.shape[0]
    arms = n_limbs - 2 * N_ARM_LIMBS
    places = np.empty((n_fixed + 2 * N_ARM_PLACES, 3))
    stripes = np.empty(n_limbs)
    for frame in range(moments.shape[0]):
        moment = moments[frame]
        _place_fixed(moment, fixed, measures[CLOTH_FOLLOWS], places)
        nearer_m = 0.0
        for arm in range(2):
            nearer_m = _place_arm(moment, arm, measures, places, n_fixed + arm * N_ARM_PLACES) - nearer_m
        if frame == 0:
            for p in range(n_limbs):
                length_m = _length(_difference(_row(places, ends[p, 1]), _row(places, ends[p, 0])))
                stripes[p] = limbs[p, LOOK + STRIPES - VALUE] * length_m
        for i in range(places.shape[0]):
            _put(_project(_row(places, i), measures), places, i)
        for p in range(n_limbs):
            to = p
            if p >= arms and nearer_m < 0.0:
                to = p + N_ARM_LIMBS if p < arms + N_ARM_LIMBS else p - N_ARM_LIMBS
            _draw_limb(limbs[p], _row(places, ends[p, 0]), _row(places, ends[p, 1]), stripes[p], capsules[frame, to])
