from dataclasses import replace

import numpy as np
import pytest

from spikebridge.contracts import LABELS
from spikebridge.simulator.body import draw_person
from spikebridge.simulator.motion import Performer
from spikebridge.simulator.performance import IDLE, Act, Performance, movement
from spikebridge.simulator.ranges import DEFAULT_RANGES

T = np.linspace(0, 4, 801)


def performer(seed):
    return Performer(
        draw_person(np.random.default_rng(seed), DEFAULT_RANGES), np.random.default_rng(seed), DEFAULT_RANGES
    )


@pytest.mark.parametrize("label", [*LABELS, IDLE])
def test_movements_are_smooth_and_near_the_body(label):
    for seed in range(8):
        posture = movement(label, performer(seed))(T)
        assert posture.wrist.shape == posture.pole.shape == posture.fingers.shape == (2, T.size, 3)
        assert posture.shift.shape == (T.size, 3)
        assert np.abs(posture.wrist).max() < 1.5
        speed = np.linalg.norm(np.diff(posture.wrist, axis=1), axis=2) / np.diff(T)
        assert speed.max() < 15


def travel(label, seed):
    """Path length per second of both wrists, m."""
    wrist = movement(label, performer(seed))(T).wrist
    return np.linalg.norm(np.diff(wrist, axis=1), axis=2).sum(1) / 4


@pytest.mark.parametrize(
    ("label", "active"), [("right_hand_wave", 0), ("left_hand_wave", 1), ("left_arm_clockwise", 1)]
)
def test_only_the_named_arm_works(label, active):
    for seed in range(8):
        length = travel(label, seed)
        assert length[active] > 4 * length[1 - active]


def test_clapping_hands_meet_and_part():
    for seed in range(8):
        wrist = movement("hand_clap", performer(seed))(T).wrist
        distance = np.linalg.norm(wrist[0] - wrist[1], axis=1)
        assert distance.min() < 0.12
        assert distance.max() > distance.min() + 0.07


def test_a_clap_from_above_comes_down_on_a_lying_forearm():
    ranges = replace(DEFAULT_RANGES, clap=replace(DEFAULT_RANGES.clap, lying_share=1.0), left_handed_share=0.0)
    for seed in range(8):
        who = Performer(draw_person(np.random.default_rng(seed), ranges), np.random.default_rng(seed), ranges)
        wrist = movement("hand_clap", who)(T).wrist
        moved = np.ptp(wrist, axis=1)[:, 1]
        assert moved[0] > 1.2 * moved[1]
        assert wrist[0, :, 1].mean() < wrist[1, :, 1].mean() + 0.03


def test_drumming_hands_alternate():
    correlation = []
    for seed in range(8):
        height = movement("air_drums", performer(seed))(T).wrist[:, :, 1]
        correlation.append(np.corrcoef(height)[0, 1])
    assert max(correlation) < -0.3


def test_an_act_is_taken_up_within_its_ramp():
    acts = [Act(1.0, 0.5, "hand_clap", movement("hand_clap", performer(1)))]
    first = Act(-1.0, 0.5, None, movement(IDLE, performer(2)))
    performance = Performance(first, lambda _: acts.pop() if acts else None)
    clap, still = acts[0], first
    t = np.array([0.5, 0.9, 1.6, 2.0])
    wrist = performance.posture(t).wrist
    assert wrist[:, :2] == pytest.approx(still.movement(t[:2] + 1.0).wrist)
    assert wrist[:, 2:] == pytest.approx(clap.movement(t[2:] - 1.0).wrist)
    assert [(s.t_start_us, s.t_stop_us, s.label) for s in performance.spans(2_000_000)] == [
        (0, 1_000_000, None), (1_000_000, 1_250_000, None), (1_250_000, 2_000_000, "hand_clap"),
    ]  # fmt: skip
