from dataclasses import replace

import numpy as np
import pytest

from spikebridge.simulator.body import draw_person
from spikebridge.simulator.motion import Posture
from spikebridge.simulator.ranges import DEFAULT_RANGES
from spikebridge.simulator.scene import N_COLUMNS, Stage, render


def paint(*capsules, wall=0.0):
    image, canvas = np.full((32, 48), wall, np.float32), np.empty((32, 48), np.float32)
    render(image, np.array(capsules, np.float32).reshape(-1, N_COLUMNS), canvas, 0.0, -1.0)
    return canvas


def test_a_capsule_covers_its_length_and_not_more():
    image = paint([10, 16, 3, 30, 16, 3, 1.0, 0, 0, 0, 1, 0])
    assert image[16, 10:31] == pytest.approx(np.ones(21))
    assert image[16, 20] == 1
    assert image[11, 20] == image[16, 5] == image[16, 35] == 0


def test_the_later_capsule_hides_the_earlier_and_a_shadow_adds():
    over = paint([10, 16, 3, 30, 16, 3, 1.0, 0, 0, 0, 1, 0], [20, 16, 3, 20, 16, 3, -1.0, 0, 0, 0, 1, 0])
    shadow = paint([10, 16, 3, 30, 16, 3, 1.0, 0, 0, 0, 1, 0], [20, 16, 3, 20, 16, 3, -0.25, 0, 0, 0, 1, 1])
    assert over[16, 20] == -1
    assert shadow[16, 20] == pytest.approx(0.75)


def test_capsules_beyond_the_edge_are_cut():
    image = paint([-40, -5, 6, -10, 40, 6, 1.0, 0, 0, 0, 1, 0], [45, 16, 5, 80, 16, 5, 2.0, 0, 0, 0, 1, 0])
    assert image[16, 47] == 2
    assert image[:, :30].max() == 0


def test_light_from_above_brightens_the_upper_side():
    image = paint([10, 16, 6, 30, 16, 6, 1.0, 0.3, 0, 0, 1, 0])
    assert image[12, 20] > image[16, 20] > image[20, 20]


def pictured(**changes):
    """(P, 12) capsules of a person whose arms hang."""
    person = replace(draw_person(np.random.default_rng(3), DEFAULT_RANGES), **{**UPRIGHT, **changes})
    wrist = np.array([[[-0.22, 0.5, 0.02]], [[0.22, 0.5, 0.02]]])
    pole = np.array([[[-1.0, 0.3, -0.6]], [[1.0, 0.3, -0.6]]])
    posture = Posture(wrist, pole, np.zeros((2, 1, 3)), np.zeros((1, 3)))
    return Stage(person, np.random.default_rng(4), DEFAULT_RANGES, 128, 128).capsules(posture)[0]


UPRIGHT = {"lean_rad": 0.0, "lean_forwards_rad": 0.0, "tilt_rad": 0.0, "sitting": False}


def test_who_leans_aside_turns_about_the_hips():
    upright, leaning = pictured(), pictured(lean_rad=0.2)
    moved = leaning[:, 0:2] - upright[:, 0:2]
    legs, shoulders, head = 0, 2, upright[:, 1].argmin()
    assert moved[head, 0] > 3
    assert moved[legs, 0] < -5
    assert np.abs(moved[shoulders]).max() < 4


def test_who_leans_forwards_comes_nearer():
    upright, leaning = pictured(), pictured(lean_forwards_rad=0.4)
    head = upright[:, 1].argmin()
    assert leaning[head, 2] > 1.02 * upright[head, 2]


def test_who_sits_shows_a_chair_and_thighs():
    standing, sitting = pictured(), pictured(sitting=True)
    back, thighs, shins = 3, 2, 2
    assert len(sitting) == len(standing) - 2 + back + thighs + shins
    hip_y, knee_y = sitting[back, [1, 4]]
    assert knee_y > hip_y + 5
