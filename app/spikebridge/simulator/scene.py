"""From postures to images: the body as shaded capsules in perspective, on a wall, in log intensity.

Everything is blended in the logarithm: the pixels see nothing else, and it saves one logarithm per pixel and frame.
"""

from __future__ import annotations

from collections.abc import Callable

import numba
import numpy as np
from numpy.typing import NDArray

from spikebridge.simulator.body import OUTWARD, Floats, Person, between, reach
from spikebridge.simulator.motion import Posture
from spikebridge.simulator.ranges import Ranges

Image = NDArray[np.float32]

#: Columns of a capsule: both ends and radii in px, log intensity, shading across, stripe amplitude, stripes along it,
#: edge softness in px, and whether it adds to what lies below (shadow) or covers it.
COLUMNS = ("x0", "y0", "r0", "x1", "y1", "r1", "value", "shade", "stripe", "stripes", "soft", "adds")
N_COLUMNS = len(COLUMNS)

#: From the shoulders down to the hips, about which the trunk leans.
_HIPS_M = 0.5
#: Where a hand leaves its shoulder alone, and how far it can take it.
_NEAR_HAND = np.array([0.0, 0.25, 0.2])
_MOST_GIVEN_M = 0.03


@numba.njit("void(f4[:,::1], f4[:,::1], f4[:,::1], f4, f4)", cache=True, nogil=True, fastmath=True)
def render(
    wall: Image, capsules: Image, out: Image, light_x: float, light_y: float
) -> None:  # pragma: no cover - compiled
    """Paints ``capsules`` (P, 12) over ``wall`` (H, W) into ``out`` (H, W), in order."""
    height, width = wall.shape
    out[:] = wall
    for i in range(capsules.shape[0]):
        c = capsules[i]
        x0, y0, r0, dx, dy, dr = c[0], c[1], c[2], c[3] - c[0], c[4] - c[1], c[5] - c[2]
        soft, adds = c[10], c[11] > np.float32(0.5)
        edge = max(r0, c[5]) + soft
        left, right = max(int(min(x0, c[3]) - edge), 0), min(int(max(x0, c[3]) + edge) + 2, width)
        top, bottom = max(int(min(y0, c[4]) - edge), 0), min(int(max(y0, c[4]) + edge) + 2, height)
        per_length = np.float32(1.0) / max(dx * dx + dy * dy, np.float32(1e-6))
        for y in range(top, bottom):
            py = np.float32(y) - y0
            for x in range(left, right):
                px = np.float32(x) - x0
                s = min(max((px * dx + py * dy) * per_length, np.float32(0.0)), np.float32(1.0))
                nx, ny = px - s * dx, py - s * dy
                r = r0 + s * dr
                square = nx * nx + ny * ny
                if square >= (r + soft) * (r + soft):
                    continue
                cover = min((r - np.sqrt(square)) / soft * np.float32(0.5) + np.float32(0.5), np.float32(1.0))
                if cover <= np.float32(0.0):
                    continue
                cover = cover * cover * (np.float32(3.0) - np.float32(2.0) * cover)
                if adds:
                    out[y, x] += cover * c[6]
                    continue
                value = c[6] + c[7] * (nx * light_x + ny * light_y) / r
                if c[8] != np.float32(0.0):
                    band = s * c[9]
                    band -= np.floor(band)
                    wave = np.float32(6.0) * (abs(band - np.float32(0.5)) - np.float32(0.25))
                    value += c[8] * min(max(wave, np.float32(-1.0)), np.float32(1.0))
                out[y, x] += cover * (value - out[y, x])


def draw_wall(rng: np.random.Generator, ranges: Ranges, width: int, height: int) -> Image:
    """(H, W) log intensity of what is behind the person: a gradient and a few straight edges."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    slope = between(rng, ranges.gradient) / width
    wall = slope * ((x - width / 2) * np.cos(angle) + (y - height / 2) * np.sin(angle))
    for _ in range(int(rng.integers(*ranges.edges))):
        across = x if rng.random() < 0.6 else y
        lean = rng.normal(0, 0.05)
        offset = across + lean * (y if across is x else x) - rng.uniform(0, width)
        thickness = rng.uniform(2, 40)
        contrast = between(rng, ranges.edge_contrast) * rng.choice((-1, 1))
        wall += contrast * (np.clip(offset + 0.5, 0, 1) - np.clip(offset - thickness + 0.5, 0, 1))
    return np.ascontiguousarray(wall, np.float32)


#: (x, y, z) m in the body frame and how much of the body's shift it takes part in → (N, 3) places.
_Place = Callable[..., Floats]


class Stage:
    """Places one person before the camera: postures in, capsules out."""

    def __init__(self, person: Person, rng: np.random.Generator, ranges: Ranges, width: int, height: int) -> None:
        self.person = person
        self.wall = draw_wall(rng, ranges, width, height)
        self._zoom = min(width, height) / 128.0
        self._blur = between(rng, ranges.blur_px) * self._zoom
        self._shadow = -between(rng, ranges.shadow)
        self._shadow_reach = between(rng, ranges.shadow_reach_m)
        self._shoulder_gives = between(rng, ranges.shoulder_gives)
        self._cloth_follows = between(rng, ranges.cloth_follows)
        self._middle = ((width - 128 * self._zoom) / 2, (height - 128 * self._zoom) / 2)
        self._eye_y = 64.0 - person.shoulder_y_px

    def _project(self, points: Floats) -> tuple[Floats, Floats]:
        """(N, 3) m → (N, 2) px and (N,) px per metre. The trunk leans, perspective around the optical axis, camera
        roll."""
        person = self.person
        points = self._leaned(points)
        scale = person.px_per_m / (1.0 - points[:, 2] / person.camera_distance_m)
        axis_x, axis_y = (64.0 - person.centre_x_px) / person.px_per_m, self._eye_y / person.px_per_m
        x, y = (points[:, 0] - axis_x) * scale, (points[:, 1] - axis_y) * scale
        cos, sin = np.cos(person.tilt_rad), np.sin(person.tilt_rad)
        px = np.stack([64.0 + cos * x - sin * y, 64.0 + sin * x + cos * y], axis=1)
        return px * self._zoom + self._middle, scale * self._zoom

    def _leaned(self, points: Floats) -> Floats:
        """What is above the hips, turned about them; the shoulders stay where the picture was framed."""
        above = np.maximum(_HIPS_M - points[:, 1], 0.0)
        aside, forwards = np.sin(self.person.lean_rad), np.sin(self.person.lean_forwards_rad)
        down = aside * points[:, 0] * np.minimum(above / _HIPS_M, 1.0)
        moved: Floats = np.stack([aside * (above - _HIPS_M), down, forwards * (above - _HIPS_M)], axis=1)
        return points + moved

    def _capsule(
        self, a: Floats, b: Floats, radii_m: tuple[float, float], value: float, shade: float | None = None,
        stripes: float = 0.0, amplitude: float = 0.0, soft_px: float | None = None, adds: bool = False,
    ) -> Image:  # fmt: skip
        """(N, 12) one capsule between (N, 3) points over N frames."""
        person = self.person
        (start, scale_a), (stop, scale_b) = self._project(a), self._project(b)
        out = np.empty((a.shape[0], N_COLUMNS), np.float32)
        out[:, 0:2], out[:, 2] = start, np.maximum(radii_m[0] * scale_a, 0.3)
        out[:, 3:5], out[:, 5] = stop, np.maximum(radii_m[1] * scale_b, 0.3)
        length_m = float(np.linalg.norm(b[0] - a[0]))
        out[:, 6:] = (
            value, person.shade if shade is None else shade,
            amplitude, stripes * length_m,
            self._blur if soft_px is None else soft_px * self._zoom, adds,
        )  # fmt: skip
        return out

    def capsules(self, posture: Posture) -> Image:
        """(N, P, 12) in the order of painting: shadows, legs, trunk, head, then the arms, the farther one first."""
        body = self._body(posture)
        arms = [self._arm(posture, arm) for arm in (0, 1)]
        shadows = [shadow for _, shadow, _ in arms]
        near = arms[0][2] > arms[1][2]
        first = [np.where(near[:, None], b, a) for a, b in zip(arms[0][0], arms[1][0], strict=True)]
        second = [np.where(near[:, None], a, b) for a, b in zip(arms[0][0], arms[1][0], strict=True)]
        return np.ascontiguousarray(np.stack([*body, *shadows, *first, *second], axis=1), np.float32)

    def _given(self, posture: Posture, arm: int) -> Floats:
        """(N, 3) m by which a hand takes its shoulder along, a few centimetres at most."""
        away = posture.wrist[arm] - self.person.shoulder(arm) - _NEAR_HAND
        given: Floats = _MOST_GIVEN_M * np.tanh(self._shoulder_gives / _MOST_GIVEN_M * away)
        return given * (1.0, 1.0, 0.3)

    def _body(self, posture: Posture) -> list[Image]:
        person, shift = self.person, posture.shift
        cloth = [self._cloth_follows * self._given(posture, arm) for arm in (0, 1)]
        half, torso = person.shoulder_half_m, person.torso_half_width_m

        def at(x: float, y: float, z: float, share: float = 1.0) -> Floats:
            place: Floats = shift * share + np.array([x, y, z])
            return place

        parts = self._seat(at) if person.sitting else self._legs(at)
        parts += [
            self._capsule(at(-half + 0.03, 0.04, -0.06), at(half - 0.03, 0.04, -0.06), (0.055, 0.055), person.shirt),
            self._capsule(at(0, 0.1, -0.06), at(0, 0.5, -0.06, 0.5), (torso, torso * 0.9), person.shirt,
                          stripes=person.stripes_per_m, amplitude=person.stripe_amplitude),
        ]  # fmt: skip
        for x, y, slant, length, contrast in person.wrinkles:
            a, b = at(x, y, -0.05, 1 - y), at(x + slant * length, y + length, -0.05, 1 - y)
            drawn = cloth[0 if x < 0 else 1]
            parts.append(self._capsule(a + drawn, b + drawn, (0.006, 0.006), contrast, 0.0, soft_px=1.5, adds=True))
        head, crown = person.head_half_width_m, -0.155 - 1.9 * person.head_half_width_m
        parts += [
            self._capsule(at(0, -0.1, -0.02), at(0, 0.0, -0.02), (0.045, 0.055), person.skin),
            self._capsule(at(0, crown + 0.05, -0.02, 1.2), at(0, crown + 0.1, -0.02, 1.2),
                          (1.12 * head, head), person.hair),
            self._capsule(at(0, crown + 0.11, 0.05, 1.2), at(0, -0.15, 0.05, 1.2),
                          (0.9 * head, 0.72 * head), person.skin),
        ]  # fmt: skip
        dot = (0.008, 0.008)
        for x, y, width in ((-0.03, 0.45, 0.012), (0.03, 0.45, 0.012), (0.0, 0.8, 0.02)):
            height = crown + 0.1 + (y - 0.2) * 0.2
            parts.append(
                self._capsule(at(x - width / 2, height, 0.06, 1.2), at(x + width / 2, height, 0.06, 1.2), dot,
                              -0.3, 0.0, soft_px=1.2, adds=True)
            )  # fmt: skip
        return parts

    def _legs(self, at: _Place) -> list[Image]:
        return [
            self._capsule(
                at(side * 0.1, 0.55, -0.05, 0.3), at(side * 0.12, 1.3, 0.0, 0.0), (0.09, 0.07), self.person.trousers
            )
            for side in OUTWARD
        ]

    def _seat(self, at: _Place) -> list[Image]:
        """A chair's back, thighs towards the camera, shins."""
        person, width = self.person, self.person.torso_half_width_m + 0.04
        back = [
            self._capsule(at(-width, 0.22, -0.18, 0.0), at(width, 0.22, -0.18, 0.0), (0.03, 0.03), person.chair),
            *(
                self._capsule(at(side * width, 0.22, -0.18, 0.0), at(side * width, 0.9, -0.18, 0.0), (0.025, 0.025),
                              person.chair)
                for side in OUTWARD
            ),
        ]  # fmt: skip
        legs = [
            (at(side * 0.1, 0.5, -0.02, 0.3), at(side * 0.14, 0.54, 0.38, 0.0), at(side * 0.14, 1.0, 0.34, 0.0))
            for side in OUTWARD
        ]
        thighs = [self._capsule(hip, knee, (0.085, 0.065), person.trousers) for hip, knee, _ in legs]
        return back + thighs + [self._capsule(knee, foot, (0.06, 0.045), person.trousers) for _, knee, foot in legs]

    def _arm(self, posture: Posture, arm: int) -> tuple[list[Image], Image, Floats]:
        """Capsules of one arm, of its shadow, and how near the hand is."""
        person, shift = self.person, posture.shift
        shoulder = person.shoulder(arm) + self._given(posture, arm)
        elbow, wrist = reach(shoulder, posture.wrist[arm], posture.pole[arm], person.upper_arm_m, person.forearm_m)
        way = (wrist - elbow) / person.forearm_m + posture.fingers[arm]
        way /= np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-6)
        hand = wrist + way * person.hand_m * 0.8
        elbow, wrist, hand, shoulder = elbow + shift, wrist + shift, hand + shift, shift + shoulder
        r, sleeve = person.arm_radius_m, person.sleeve if person.long_sleeves else person.skin
        limbs = [
            self._capsule(
                shoulder, elbow, (1.35 * r, 1.1 * r), person.sleeve, stripes=person.folds_per_m, amplitude=person.folds
            ),
            self._capsule(
                elbow, wrist, (1.1 * r, 0.75 * r), sleeve, stripes=person.folds_per_m, amplitude=person.folds
            ),
            *self._hand(wrist, hand),
        ]
        below = np.array([self._shadow_reach * person.light[0], self._shadow_reach, -0.1])
        shadow = self._capsule(
            elbow + below, hand + below, (1.6 * r, 2.2 * r), self._shadow, 0.0, soft_px=10.0, adds=True
        )
        return limbs, shadow, hand[:, 2]

    def _hand(self, wrist: Floats, tip: Floats) -> list[Image]:
        """A palm and three fingers, spread as the person does."""
        person, r = self.person, self.person.arm_radius_m
        across = np.cross(tip - wrist, (0.3, 0.25, 1.0))
        across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
        knuckles = wrist + 0.55 * (tip - wrist)
        parts = [self._capsule(wrist, knuckles, (0.8 * r, 0.95 * r), person.skin)]
        for side in (-1.0, 0.0, 1.0):
            root, end = 0.6 * r * side * across, (0.6 * r + person.finger_spread_m) * side * across
            parts.append(self._capsule(knuckles + root, tip + end, (0.3 * r, 0.27 * r), person.skin))
        return parts
