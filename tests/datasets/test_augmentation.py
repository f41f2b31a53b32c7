"""What is drawn for a window, and labels that follow a mirrored picture."""

from __future__ import annotations

import numpy as np

from spikebridge.contracts import LABELS
from spikebridge.datasets.augmentation import MIRRORED_INDEX, Augmentation, Variation, draw


def test_mirrored_labels_swap_arm_and_sense():
    swapped = {label: LABELS[MIRRORED_INDEX[i]] for i, label in enumerate(LABELS)}
    assert swapped["right_hand_wave"] == "left_hand_wave"
    assert swapped["right_arm_clockwise"] == "left_arm_counter_clockwise"
    assert swapped["left_arm_clockwise"] == "right_arm_counter_clockwise"
    assert swapped["arm_roll"] == "arm_roll"
    assert np.array_equal(MIRRORED_INDEX[MIRRORED_INDEX], np.arange(len(LABELS)))


def drawn(ranges: Augmentation, n: int = 2000) -> list[Variation]:
    random = np.random.default_rng(0)
    return [draw(ranges, random) for _ in range(n)]


def test_draws_have_the_spread_that_was_asked_for():
    still = Augmentation(shift_px=6.0, scale_log=0.0, rotation_deg=0.0, shear=0.0, mirror=0.0, drop=0.4, flip=0.1)
    found = drawn(still)
    assert 5.6 < np.std([v.matrix[0, 2] for v in found]) < 6.4
    assert all(v.matrix[0, 0] == v.matrix[1, 1] == 1 and v.matrix[0, 1] == 0 for v in found)
    whole = [v for v in found if v.certainty]
    assert 0.6 <= min(v.keep for v in whole) < 0.62
    assert max(v.flip for v in found) <= 0.1
    assert 0.04 < 1 - len(whole) / len(found) < 0.08  # sparse and empty windows, 3 % each


def test_half_of_the_windows_are_mirrored_and_turn_left_into_right():
    found = drawn(Augmentation(scale_log=0.0, rotation_deg=0.0, shear=0.0))
    assert 0.45 < np.mean([v.mirrored for v in found]) < 0.55
    assert all(v.matrix[0, 0] == (-1 if v.mirrored else 1) for v in found)


def test_less_variation_is_smaller_but_as_often_mirrored():
    ranges = Augmentation().scaled(0.25)
    assert (ranges.shift_px, ranges.drop, ranges.noise_per_step) == (1.5, 0.0875, 7.5)
    assert (ranges.mirror, ranges.sparse, ranges.empty) == (0.5, 0.03, 0.03)
