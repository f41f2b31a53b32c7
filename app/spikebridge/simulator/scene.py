"""The picture: a wall, and a person before it who is drawn as shaded capsules in perspective."""

from __future__ import annotations

import numpy as np

from spikebridge.simulator import placing
from spikebridge.simulator.body import Person, between
from spikebridge.simulator.drawing import N_COLUMNS, Image, padded_width, render
from spikebridge.simulator.figure import Softness, draw_figure
from spikebridge.simulator.motion import Posture
from spikebridge.simulator.placing import Numbers
from spikebridge.simulator.ranges import Ranges

#: Where a hand leaves its shoulder alone, and how far it can take it.
_NEAR_HAND = np.array([0.0, 0.25, 0.2])
_MOST_GIVEN_M = 0.03
_GIVEN_SHARES = np.array([1.0, 1.0, 0.3])


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


class Stage:
    """Places one person before the camera: postures in, images out."""

    def __init__(self, person: Person, rng: np.random.Generator, ranges: Ranges, width: int, height: int) -> None:
        self.person = person
        self._wall = np.zeros((height, padded_width(width)), np.float32)
        self._wall[:, :width] = draw_wall(rng, ranges, width, height)
        zoom = min(width, height) / 128.0
        softness = Softness(between(rng, ranges.blur_px) * zoom, zoom)
        self._figure = draw_figure(person, softness, -between(rng, ranges.shadow))
        self._measures = _measure(person, zoom)
        self._measures[placing.MIDDLE_X_PX] = (width - 128 * zoom) / 2
        self._measures[placing.MIDDLE_Y_PX] = (height - 128 * zoom) / 2
        shadow_reach_m = between(rng, ranges.shadow_reach_m)
        self._measures[placing.SHADOW_X_M] = shadow_reach_m * person.light[0]
        self._measures[placing.SHADOW_Y_M] = shadow_reach_m
        self._shoulder_gives = between(rng, ranges.shoulder_gives)
        self._measures[placing.CLOTH_FOLLOWS] = between(rng, ranges.cloth_follows)

    def moments(self, posture: Posture) -> Numbers:
        """(N, N_ROWS, 3) m: the posture, and how far each hand takes its shoulder along, a few centimetres at most."""
        shoulders = np.stack([self.person.shoulder(arm) for arm in (0, 1)])[:, None]
        away = posture.wrist - shoulders - _NEAR_HAND
        given = _MOST_GIVEN_M * np.tanh(self._shoulder_gives / _MOST_GIVEN_M * away) * _GIVEN_SHARES
        moments = np.empty((posture.shift.shape[0], placing.N_ROWS, 3))
        moments[:, placing.SHIFT] = posture.shift
        rows = ((placing.WRIST, posture.wrist), (placing.POLE, posture.pole), (placing.FINGERS, posture.fingers))
        for row, of_arms in (*rows, (placing.GIVEN, given)):
            moments[:, row : row + 2] = of_arms.swapaxes(0, 1)
        return moments

    def capsules(self, moments: Numbers) -> Image:
        """(N, P, N_COLUMNS) in the order of painting: legs, trunk, head, shadows, then the arms, the farther first."""
        figure = self._figure
        capsules = np.empty((moments.shape[0], figure.ends.shape[0], N_COLUMNS), np.float32)
        placing.place(moments, figure.fixed, figure.ends, figure.limbs, self._measures, capsules)
        return capsules

    def render(self, capsules: Image, out: Image) -> None:
        """Paints ``capsules`` (N, P, N_COLUMNS) into ``out`` (N, H, padded W)."""
        render(self._wall, capsules, out, self.person.light)


def _measure(person: Person, zoom: float) -> Numbers:
    """What ``placing`` has to know about a person, but for what the stage draws."""
    measures = np.zeros(placing.N_MEASURES)
    measures[placing.UPPER_ARM_M] = person.upper_arm_m
    measures[placing.FOREARM_M] = person.forearm_m
    measures[placing.HAND_M] = person.hand_m
    measures[placing.ARM_RADIUS_M] = person.arm_radius_m
    measures[placing.FINGER_SPREAD_M] = person.finger_spread_m
    measures[placing.SHOULDER_X_M], measures[placing.SHOULDER_Y_M], _ = person.shoulder(1)
    measures[placing.LEAN_ASIDE] = np.sin(person.lean_rad)
    measures[placing.LEAN_FORWARDS] = np.sin(person.lean_forwards_rad)
    measures[placing.TILT_COS], measures[placing.TILT_SIN] = np.cos(person.tilt_rad), np.sin(person.tilt_rad)
    measures[placing.PX_PER_M] = person.px_per_m
    measures[placing.DISTANCE_M] = person.camera_distance_m
    measures[placing.AXIS_X_M] = (placing.CENTRE_PX - person.centre_x_px) / person.px_per_m
    measures[placing.AXIS_Y_M] = (placing.CENTRE_PX - person.shoulder_y_px) / person.px_per_m
    measures[placing.ZOOM] = zoom
    return measures
