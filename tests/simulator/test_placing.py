from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator import figure_reference
from simulator.figure_reference import ReferenceFigure
from spikebridge.simulator.body import draw_person
from spikebridge.simulator.drawing import N_COLUMNS, STRIPES
from spikebridge.simulator.motion import Posture
from spikebridge.simulator.placing import N_ARM_LIMBS, reach
from spikebridge.simulator.ranges import DEFAULT_RANGES
from spikebridge.simulator.scene import Stage


def random_posture(rng, n):
    """Hands anywhere before, beside and behind the body, within reach and beyond."""
    return Posture(
        rng.uniform((-0.9, -0.8, -0.5), (0.9, 0.9, 0.8), (2, n, 3)), rng.normal(size=(2, n, 3)),
        rng.normal(size=(2, n, 3)), rng.normal(0.0, 0.1, (n, 3)),
    )  # fmt: skip


def both(seed, posture, width=128, height=128, ranges=DEFAULT_RANGES, **changes):
    """Capsules from the compiled code and from the reference."""
    person = replace(draw_person(np.random.default_rng(seed), ranges), **changes)
    stage = Stage(person, np.random.default_rng(seed), ranges, width, height)
    reference = ReferenceFigure(person, np.random.default_rng(seed), ranges, width, height)
    return stage.capsules(stage.moments(posture)), reference.capsules(posture)


def assert_same(found, expected):
    assert found.shape == expected.shape == (found.shape[0], found.shape[1], N_COLUMNS)
    assert np.all(np.isfinite(found))
    # Single precision, of places at most some hundred px from the origin.
    np.testing.assert_allclose(found, expected, rtol=3e-7, atol=1e-9)


@pytest.mark.parametrize("sitting", [False, True])
def test_figures_are_those_of_the_reference(sitting):
    for seed in range(25):
        assert_same(*both(seed, random_posture(np.random.default_rng(seed), 40), sitting=sitting))


@pytest.mark.parametrize(("width", "height"), [(240, 180), (64, 48), (8, 8)])
def test_figures_on_other_sensors(width, height):
    assert_same(*both(3, random_posture(np.random.default_rng(3), 20), width, height))


def posture_of(wrist, pole=(0.3, 1.0, -0.2), fingers=(0.0, 0.0, 0.0)):
    """One moment, the same for both arms."""
    rows = (np.broadcast_to(np.array(row, float), (2, 1, 3)).copy() for row in (wrist, pole, fingers))
    return Posture(*rows, np.zeros((1, 3)))


def test_a_hand_at_its_own_shoulder_and_an_elbow_that_points_nowhere():
    person = draw_person(np.random.default_rng(1), DEFAULT_RANGES)
    for wrist in (person.shoulder(0), person.shoulder(1)):
        assert_same(*both(1, posture_of(wrist, pole=(0.0, 0.0, 0.0))))


def test_fingers_that_undo_the_forearm_leave_a_hand_that_is_a_point():
    person = draw_person(np.random.default_rng(2), DEFAULT_RANGES)
    posture = posture_of((0.0, 0.3, 0.3))
    for arm in (0, 1):
        elbow, wrist = figure_reference.reach(
            person.shoulder(arm), posture.wrist[arm], posture.pole[arm], person.upper_arm_m, person.forearm_m
        )
        posture.fingers[arm] = -(wrist - elbow) / person.forearm_m
    found, expected = both(2, posture, ranges=replace(DEFAULT_RANGES, shoulder_gives=(0.0, 0.0)))
    assert_same(found, expected)
    palm = found[0, -N_ARM_LIMBS + 2]
    assert palm[:2] == pytest.approx(palm[3:5], abs=1e-3)


def test_nobody_moves_and_nothing_changes():
    one = random_posture(np.random.default_rng(5), 1)
    still = Posture(*(np.repeat(rows, 7, axis=-2) for rows in (one.wrist, one.pole, one.fingers, one.shift)))
    found, _ = both(5, still)
    assert np.all(found == found[:1])


def test_the_nearer_arm_is_painted_last():
    posture = posture_of((0.0, 0.3, 0.2))
    for nearer in (0, 1):
        posture.wrist[:, 0, 2] = 0.2
        posture.wrist[nearer, 0, 2] = 0.4
        found, expected = both(4, posture)
        assert_same(found, expected)
        last, before = found[0, -N_ARM_LIMBS], found[0, -2 * N_ARM_LIMBS]
        assert (last[0] < before[0]) == (nearer == 0)  # The performer's right arm begins at the image's left.


def test_a_limb_keeps_its_stripes():
    found, _ = both(6, random_posture(np.random.default_rng(6), 9), stripe_amplitude=0.2)
    counts = np.sort(found[:, :, STRIPES], axis=1)
    assert counts.max() > 2
    assert np.all(counts == counts[:1])


def reached(shoulder, wrist, pole, upper_m, fore_m):
    """``reach`` row by row, (N, 3) each."""
    rows = [reach(tuple(shoulder), tuple(w), tuple(p), upper_m, fore_m) for w, p in zip(wrist, pole, strict=True)]
    return np.array([elbow for elbow, _ in rows]), np.array([hand for _, hand in rows])


def test_bones_keep_their_length_and_the_hand_arrives():
    rng = np.random.default_rng(0)
    wrist, pole = rng.uniform(-0.25, 0.25, (200, 3)) + np.array([0.0, 0.2, 0.2]), rng.normal(size=(200, 3))
    elbow, hand = reached(np.zeros(3), wrist, pole, 0.29, 0.26)
    assert np.linalg.norm(elbow, axis=1) == pytest.approx(0.29)
    assert np.linalg.norm(hand - elbow, axis=1) == pytest.approx(0.26)
    reachable = np.abs(np.linalg.norm(wrist, axis=1) - 0.3) < 0.2
    assert hand[reachable] == pytest.approx(wrist[reachable])
    expected = figure_reference.reach(np.zeros(3), wrist, pole, 0.29, 0.26)
    assert elbow == pytest.approx(expected[0], abs=1e-12)
    assert hand == pytest.approx(expected[1], abs=1e-12)


def test_a_wrist_out_of_reach_ends_on_the_way_there():
    _, hand = reach((0.0, 0.0, 0.0), (0.0, 2.0, 0.0), (1.0, 0.0, 0.0), 0.3, 0.25)
    assert hand == pytest.approx([0.0, 0.995 * 0.55, 0.0])


def test_the_elbow_points_to_its_pole():
    elbow, _ = reach((0.0, 0.0, 0.0), (0.0, 0.4, 0.0), (-1.0, 0.3, 0.0), 0.29, 0.26)
    assert elbow[0] < -0.05
