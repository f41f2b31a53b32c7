"""The accumulator against hand-computed numbers and against a direct sum."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikebridge.bundle import AccumulatorSpec
from spikebridge.chain.accumulator import Accumulator


def test_figure_2_of_the_paper():
    """T = 9 steps, I = 3: three counts. Spikes of one neuron, counted by hand: 110 | 101 | 001 → 2, 2, 1."""
    accumulator = Accumulator(AccumulatorSpec(9, 3, 9), (1, 1, 1))
    due = [accumulator.push(np.full((1, 1, 1), s, np.uint8)) for s in (1, 1, 0, 1, 0, 1, 0, 0, 1)]
    assert due == [False] * 8 + [True]
    assert accumulator.features().ravel().tolist() == [2, 2, 1]


def test_window_slides_by_one_step():
    """The same train with one more silent step: 101 | 010 | 010 → 2, 1, 1."""
    accumulator = Accumulator(AccumulatorSpec(9, 3, 1), (1, 1, 1))
    for s in (1, 1, 0, 1, 0, 1, 0, 0, 1, 0):
        assert accumulator.push(np.full((1, 1, 1), s, np.uint8))
    assert accumulator.features().ravel().tolist() == [2, 1, 1]


def test_channel_order_is_channel_then_interval_oldest_first():
    accumulator = Accumulator(AccumulatorSpec(4, 2, 4), (2, 1, 1))
    for first, second in ((1, 0), (1, 0), (0, 1), (0, 0)):
        accumulator.push(np.array([first, second], np.uint8).reshape(2, 1, 1))
    assert accumulator.features().ravel().tolist() == [2, 0, 0, 1]


@given(
    intervals=st.integers(1, 4),
    interval=st.integers(1, 4),
    n=st.integers(0, 40),
    seed=st.integers(0, 2**16),
)
def test_equals_a_direct_sum(intervals, interval, n, seed):
    spec = AccumulatorSpec(intervals * interval, interval, 1)
    spikes = np.random.default_rng(seed).integers(0, 2, (n, 2, 3, 2)).astype(np.uint8)
    accumulator = Accumulator(spec, (2, 3, 2))
    for s in spikes:
        accumulator.push(s)
    window = np.concatenate([np.zeros((spec.window_steps, 2, 3, 2), np.uint8), spikes])[-spec.window_steps :]
    expected = window.reshape(intervals, interval, 2, 3, 2).sum(1).swapaxes(0, 1).reshape(2 * intervals, 3, 2)
    assert np.array_equal(accumulator.features(), expected)


def test_hop_and_reset():
    accumulator = Accumulator(AccumulatorSpec(4, 2, 3), (1, 1, 1))
    one = np.ones((1, 1, 1), np.uint8)
    assert [accumulator.push(one) for _ in range(6)] == [False, False, True] * 2
    accumulator.push(one)
    accumulator.reset()
    assert not accumulator.features().any()
    assert [accumulator.push(one) for _ in range(3)] == [False, False, True]


def test_published_features_do_not_change_and_wrong_shapes_are_refused():
    accumulator = Accumulator(AccumulatorSpec(2, 1, 1), (1, 1, 1))
    accumulator.push(np.ones((1, 1, 1), np.uint8))
    features = accumulator.features()
    accumulator.push(np.ones((1, 1, 1), np.uint8))
    assert features.ravel().tolist() == [0, 1]
    assert not features.flags.writeable
    with pytest.raises(ValueError, match=r"expected spikes of shape \(1, 1, 1\), got \(2, 1, 1\)"):
        accumulator.push(np.ones((2, 1, 1), np.uint8))
