import numpy as np
import pytest

from spikebridge.simulator.body import draw_person, reach
from spikebridge.simulator.ranges import DEFAULT_RANGES


def test_bones_keep_their_length_and_the_hand_arrives():
    rng = np.random.default_rng(0)
    wrist, pole = rng.uniform(-0.25, 0.25, (200, 3)) + np.array([0.0, 0.2, 0.2]), rng.normal(size=(200, 3))
    shoulder = np.zeros(3)
    elbow, hand = reach(shoulder, wrist, pole, 0.29, 0.26)
    assert np.linalg.norm(elbow, axis=1) == pytest.approx(0.29)
    assert np.linalg.norm(hand - elbow, axis=1) == pytest.approx(0.26)
    reachable = np.abs(np.linalg.norm(wrist, axis=1) - 0.3) < 0.2
    assert hand[reachable] == pytest.approx(wrist[reachable])


def test_a_wrist_out_of_reach_ends_on_the_way_there():
    _, hand = reach(np.zeros(3), np.array([[0.0, 2.0, 0.0]]), np.array([[1.0, 0.0, 0.0]]), 0.3, 0.25)
    assert hand[0] == pytest.approx([0.0, 0.995 * 0.55, 0.0])


def test_the_elbow_points_to_its_pole():
    elbow, _ = reach(np.zeros(3), np.array([[0.0, 0.4, 0.0]]), np.array([[-1.0, 0.3, 0.0]]), 0.29, 0.26)
    assert elbow[0, 0] < -0.05


def test_persons_differ_and_come_from_their_seed():
    people = [draw_person(np.random.default_rng(seed), DEFAULT_RANGES) for seed in (1, 1, 2)]
    assert people[0].px_per_m == people[1].px_per_m != people[2].px_per_m
