"""Windows: binning edges, geometry, and what is left when events are dropped."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from spikebridge.datasets.augmentation import IDENTITY, Augmentation, draw
from spikebridge.datasets.window_binning import bin_window


def address(p, x, y):
    return np.uint16((p << 14) | (y << 7) | x)


def window(events, start=0.0, steps=4, variation=IDENTITY, seed=0):
    """events : (ticks, p, x, y); the active inputs of each step as sets."""
    ticks = np.array([event[0] for event in events], np.uint16)
    addresses = np.array([address(*event[1:]) for event in events], np.uint16)
    active, offsets = bin_window(ticks, addresses, start, steps, 100, variation, seed)
    return [set(active[a:b].tolist()) for a, b in itertools.pairwise(offsets)]


def test_steps_are_half_open_and_active_once():
    steps = window([(0, 1, 5, 6), (50, 1, 5, 6), (99, 0, 5, 6), (100, 1, 5, 6), (399, 0, 1, 2), (400, 0, 9, 9)])
    assert steps == [{address(1, 5, 6), address(0, 5, 6)}, {address(1, 5, 6)}, set(), {address(0, 1, 2)}]


def test_a_start_before_the_clip_is_silent():
    assert window([(0, 1, 1, 1), (120, 1, 2, 2)], start=-200.0) == [
        set(),
        set(),
        {address(1, 1, 1)},
        {address(1, 2, 2)},
    ]


def test_speed_stretches_the_clock():
    fast = dataclasses.replace(IDENTITY, speed=2.0)
    assert window([(150, 1, 1, 1), (250, 1, 2, 2)], steps=2, variation=fast) == [{address(1, 1, 1)}, {address(1, 2, 2)}]


def test_shift_moves_and_drops_what_leaves_the_picture():
    moved = dataclasses.replace(IDENTITY, matrix=np.array([[1, 0, 3], [0, 1, -2]], np.float32))
    assert window([(0, 0, 10, 10), (0, 0, 126, 10), (0, 0, 10, 1)], variation=moved)[0] == {address(0, 13, 8)}


def test_mirror_turns_left_into_right():
    mirror = dataclasses.replace(IDENTITY, matrix=np.array([[-1, 0, 0], [0, 1, 0]], np.float32))
    assert window([(0, 1, 0, 40), (0, 1, 20, 41)], variation=mirror)[0] == {address(1, 127, 40), address(1, 107, 41)}


def test_a_mirrored_circle_turns_the_other_way():
    """Top → image left → bottom is the performer's clockwise; mirrored it runs top → image right → bottom."""
    mirror = dataclasses.replace(IDENTITY, matrix=np.array([[-1, 0, 0], [0, 1, 0]], np.float32))
    path = [(0, 1, 40, 20), (100, 1, 20, 40), (200, 1, 40, 60)]
    columns = [next(iter(step)) & 127 for step in window(path, steps=3, variation=mirror)]
    assert columns == [87, 107, 87]


def test_nothing_kept_leaves_noise_alone_and_undecided():
    ranges = Augmentation(empty=1.0)
    variation = draw(ranges, np.random.default_rng(0))
    assert variation.certainty == 0
    quiet = dataclasses.replace(variation, noise_per_step=0.0, haze=np.zeros(5, np.float32), hot=np.zeros(0, np.int64))
    assert not any(window([(i, 1, 60, 60) for i in range(400)], variation=quiet))


def test_same_seed_same_window():
    variation = draw(Augmentation(), np.random.default_rng(4))
    events = [(i, i % 2, 40 + i % 40, 50) for i in range(400)]
    assert window(events, variation=variation, seed=7) == window(events, variation=variation, seed=7)
    assert window(events, variation=variation, seed=7) != window(events, variation=variation, seed=8)
