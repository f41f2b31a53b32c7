"""Lists of active inputs against dense arrays."""

from __future__ import annotations

import numpy as np

from spikebridge.datasets.event_batch import EventBatch
from standin_clips import random_batch


def small() -> EventBatch:
    """Two samples of three steps on two channels of 1x2 pixels."""
    addresses = np.array([0, 3, 1, 2, 2], np.uint16)
    return EventBatch(addresses, np.array([[0, 2, 3, 3], [3, 3, 4, 5]]))


def test_the_same_as_a_dense_array():
    dense = small().counts((2, 1, 2)).reshape(2, 3, 4)
    assert dense.tolist() == [[[1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0]], [[0, 0, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0]]]
    assert small().first_steps().tolist() == [0, 1]


def test_nothing_at_all_begins_with_the_last_step():
    assert EventBatch(np.zeros(0, np.uint16), np.zeros((1, 5), np.int64)).first_steps().tolist() == [3]


def test_the_accumulator_counts_each_interval_of_the_last_steps():
    found = small().accumulate(2, 1, (2, 1, 2))
    assert found.shape == (2, 4, 1, 2)
    assert found.reshape(2, 2, 2, 2)[0].tolist() == [[[0, 1], [0, 0]], [[0, 0], [0, 0]]]  # channel, interval, pixel
    assert found.reshape(2, 2, 2, 2)[1].tolist() == [[[0, 0], [0, 0]], [[1, 0], [1, 0]]]
    assert small().accumulate(2, 2, (2, 1, 2)).reshape(2, 4)[1].tolist() == [0, 0, 2, 0]


def test_controls_keep_the_inputs_and_lose_the_time():
    events = random_batch(2, 11, 60)
    dense = events.counts((2, 128, 128))
    shuffled = events.shuffled(8, np.random.default_rng(0)).counts((2, 128, 128))
    assert not np.array_equal(shuffled, dense)
    assert np.array_equal(shuffled[:, 3:].sum(1), dense[:, 3:].sum(1))
    assert np.array_equal(shuffled[:, :3].sum(1), dense[:, :3].sum(1))
    again, other = (events.shuffled(8, np.random.default_rng(seed)).counts((2, 128, 128)) for seed in (0, 1))
    assert np.array_equal(again, shuffled)
    assert not np.array_equal(other, shuffled)
    held = events.accumulated(4).counts((2, 128, 128))
    for first, stop in ((0, 3), (3, 7), (7, 11)):
        union = dense[:, first:stop].max(1)
        assert all(np.array_equal(held[:, step], union) for step in range(first, stop))
