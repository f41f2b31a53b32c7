from dataclasses import replace

import numpy as np

from spikebridge.simulator.body import draw_person
from spikebridge.simulator.motion import Posture
from spikebridge.simulator.ranges import DEFAULT_RANGES
from spikebridge.simulator.scene import Stage


def pictured(**changes):
    """(P, 12) capsules of a person whose arms hang."""
    person = replace(draw_person(np.random.default_rng(3), DEFAULT_RANGES), **{**UPRIGHT, **changes})
    wrist = np.array([[[-0.22, 0.5, 0.02]], [[0.22, 0.5, 0.02]]])
    pole = np.array([[[-1.0, 0.3, -0.6]], [[1.0, 0.3, -0.6]]])
    posture = Posture(wrist, pole, np.zeros((2, 1, 3)), np.zeros((1, 3)))
    stage = Stage(person, np.random.default_rng(4), DEFAULT_RANGES, 128, 128)
    return stage.capsules(stage.moments(posture))[0]


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
