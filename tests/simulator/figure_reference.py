"""The geometry of a figure in plain numpy, limb by limb: what ``placing`` and ``figure`` must agree with."""

from __future__ import annotations

import numpy as np

from spikebridge.simulator.body import OUTWARD, between
from spikebridge.simulator.scene import draw_wall

HIPS_M = 0.5
MOST_GIVEN_M = 0.03


def unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def reach(shoulder, wrist, pole, upper_m, fore_m):
    """(N, 3) each, by the law of cosines: elbow and wrist."""
    line = wrist - shoulder
    distance = np.clip(
        np.linalg.norm(line, axis=1, keepdims=True), abs(upper_m - fore_m) + 0.03, 0.995 * (upper_m + fore_m)
    )
    axis = unit(line)
    along = (upper_m**2 - fore_m**2 + distance**2) / (2.0 * distance)
    aside = np.sqrt(np.maximum(upper_m**2 - along**2, 0.0))
    out = unit(pole - axis * np.sum(pole * axis, axis=1, keepdims=True))
    return shoulder + axis * along + out * aside, shoulder + axis * distance


class ReferenceFigure:
    """Draws from ``rng`` what a ``Stage`` draws from it."""

    def __init__(self, person, rng, ranges, width, height):
        self.person = person
        draw_wall(rng, ranges, width, height)
        self.zoom = min(width, height) / 128.0
        self.blur_px = between(rng, ranges.blur_px) * self.zoom
        self.shadow = -between(rng, ranges.shadow)
        self.shadow_reach_m = between(rng, ranges.shadow_reach_m)
        self.shoulder_gives = between(rng, ranges.shoulder_gives)
        self.cloth_follows = between(rng, ranges.cloth_follows)
        self.middle = ((width - 128 * self.zoom) / 2, (height - 128 * self.zoom) / 2)

    def capsules(self, posture):
        """(N, P, 12) float64."""
        arms = [self.arm(posture, arm) for arm in (0, 1)]
        right_is_nearer = (arms[0][2] > arms[1][2])[:, None]
        first = [np.where(right_is_nearer, b, a) for a, b in zip(arms[0][0], arms[1][0], strict=True)]
        second = [np.where(right_is_nearer, a, b) for a, b in zip(arms[0][0], arms[1][0], strict=True)]
        return np.stack([*self.body(posture), arms[0][1], arms[1][1], *first, *second], axis=1)

    def project(self, points):
        person = self.person
        above = np.maximum(HIPS_M - points[:, 1], 0.0)
        aside, forwards = np.sin(person.lean_rad), np.sin(person.lean_forwards_rad)
        down = aside * points[:, 0] * np.minimum(above / HIPS_M, 1.0)
        points = points + np.stack([aside * (above - HIPS_M), down, forwards * (above - HIPS_M)], axis=1)
        scale = person.px_per_m / (1.0 - points[:, 2] / person.camera_distance_m)
        x = (points[:, 0] - (64.0 - person.centre_x_px) / person.px_per_m) * scale
        y = (points[:, 1] - (64.0 - person.shoulder_y_px) / person.px_per_m) * scale
        cos, sin = np.cos(person.tilt_rad), np.sin(person.tilt_rad)
        px = np.stack([64.0 + cos * x - sin * y, 64.0 + sin * x + cos * y], axis=1)
        return px * self.zoom + self.middle, scale * self.zoom

    def capsule(self, a, b, radii_m, value, shade=None, stripes=0.0, amplitude=0.0, soft_px=None, adds=False):
        (start, scale_a), (stop, scale_b) = self.project(a), self.project(b)
        out = np.empty((a.shape[0], 12))
        out[:, 0:2], out[:, 2] = start, np.maximum(radii_m[0] * scale_a, 0.3)
        out[:, 3:5], out[:, 5] = stop, np.maximum(radii_m[1] * scale_b, 0.3)
        out[:, 6:] = (
            value, self.person.shade if shade is None else shade, amplitude, stripes * np.linalg.norm(b[0] - a[0]),
            self.blur_px if soft_px is None else soft_px * self.zoom, adds,
        )  # fmt: skip
        return out

    def given(self, posture, arm):
        away = posture.wrist[arm] - self.person.shoulder(arm) - np.array([0.0, 0.25, 0.2])
        return MOST_GIVEN_M * np.tanh(self.shoulder_gives / MOST_GIVEN_M * away) * (1.0, 1.0, 0.3)

    def body(self, posture):
        person, capsule = self.person, self.capsule
        half, torso = person.shoulder_half_m, person.torso_half_width_m

        def at(x, y, z, share=1.0):
            return posture.shift * share + np.array([x, y, z])

        parts = self.seat(at) if person.sitting else self.legs(at)
        parts.append(capsule(at(-half + 0.03, 0.04, -0.06), at(half - 0.03, 0.04, -0.06), (0.055, 0.055), person.shirt))
        parts.append(
            capsule(at(0, 0.1, -0.06), at(0, 0.5, -0.06, 0.5), (torso, torso * 0.9), person.shirt, None,
                    person.stripes_per_m, person.stripe_amplitude)
        )  # fmt: skip
        for x, y, slant, length, contrast in person.wrinkles:
            drawn = self.cloth_follows * self.given(posture, 0 if x < 0 else 1)
            a, b = at(x, y, -0.05, 1 - y) + drawn, at(x + slant * length, y + length, -0.05, 1 - y) + drawn
            parts.append(capsule(a, b, (0.006, 0.006), contrast, 0.0, soft_px=1.5, adds=True))
        head, crown = person.head_half_width_m, -0.155 - 1.9 * person.head_half_width_m
        hair = at(0, crown + 0.05, -0.02, 1.2), at(0, crown + 0.1, -0.02, 1.2)
        face = at(0, crown + 0.11, 0.05, 1.2), at(0, -0.15, 0.05, 1.2)
        parts.append(capsule(at(0, -0.1, -0.02), at(0, 0.0, -0.02), (0.045, 0.055), person.skin))
        parts.append(capsule(*hair, (1.12 * head, head), person.hair))
        parts.append(capsule(*face, (0.9 * head, 0.72 * head), person.skin))
        for x, y, width in ((-0.03, 0.45, 0.012), (0.03, 0.45, 0.012), (0.0, 0.8, 0.02)):
            height = crown + 0.1 + (y - 0.2) * 0.2
            ends = at(x - width / 2, height, 0.06, 1.2), at(x + width / 2, height, 0.06, 1.2)
            parts.append(capsule(*ends, (0.008, 0.008), -0.3, 0.0, soft_px=1.2, adds=True))
        return parts

    def legs(self, at):
        return [
            self.capsule(at(s * 0.1, 0.55, -0.05, 0.3), at(s * 0.12, 1.3, 0.0, 0.0), (0.09, 0.07), self.person.trousers)
            for s in OUTWARD
        ]

    def seat(self, at):
        person, width = self.person, self.person.torso_half_width_m + 0.04
        tops = [at(side * width, 0.22, -0.18, 0.0) for side in OUTWARD]
        feet = [at(side * width, 0.9, -0.18, 0.0) for side in OUTWARD]
        hips = [at(side * 0.1, 0.5, -0.02, 0.3) for side in OUTWARD]
        knees = [at(side * 0.14, 0.54, 0.38, 0.0) for side in OUTWARD]
        soles = [at(side * 0.14, 1.0, 0.34, 0.0) for side in OUTWARD]
        return [
            self.capsule(*tops, (0.03, 0.03), person.chair),
            *(self.capsule(a, b, (0.025, 0.025), person.chair) for a, b in zip(tops, feet, strict=True)),
            *(self.capsule(a, b, (0.085, 0.065), person.trousers) for a, b in zip(hips, knees, strict=True)),
            *(self.capsule(a, b, (0.06, 0.045), person.trousers) for a, b in zip(knees, soles, strict=True)),
        ]

    def arm(self, posture, arm):
        """Limbs, shadow, and how near the hand is."""
        person, shift, r = self.person, posture.shift, self.person.arm_radius_m
        shoulder = person.shoulder(arm) + self.given(posture, arm)
        elbow, wrist = reach(shoulder, posture.wrist[arm], posture.pole[arm], person.upper_arm_m, person.forearm_m)
        hand = wrist + unit((wrist - elbow) / person.forearm_m + posture.fingers[arm]) * person.hand_m * 0.8
        elbow, wrist, hand, shoulder = elbow + shift, wrist + shift, hand + shift, shift + shoulder
        across, knuckles = unit(np.cross(hand - wrist, (0.3, 0.25, 1.0))), wrist + 0.55 * (hand - wrist)
        folds = {"stripes": person.folds_per_m, "amplitude": person.folds}
        lower = person.sleeve if person.long_sleeves else person.skin
        limbs = [
            self.capsule(shoulder, elbow, (1.35 * r, 1.1 * r), person.sleeve, **folds),
            self.capsule(elbow, wrist, (1.1 * r, 0.75 * r), lower, **folds),
            self.capsule(wrist, knuckles, (0.8 * r, 0.95 * r), person.skin),
        ]
        for side in (-1.0, 0.0, 1.0):
            root, tip = 0.6 * r * side * across, (0.6 * r + person.finger_spread_m) * side * across
            limbs.append(self.capsule(knuckles + root, hand + tip, (0.3 * r, 0.27 * r), person.skin))
        below = np.array([self.shadow_reach_m * person.light[0], self.shadow_reach_m, -0.1])
        dark = self.capsule(elbow + below, hand + below, (1.6 * r, 2.2 * r), self.shadow, 0.0, soft_px=10.0, adds=True)
        return limbs, dark, hand[:, 2]
