"""The emulator against the plain reference: every current, voltage and spike of random networks."""

from __future__ import annotations

import numpy as np
import pytest
from comparison import emulate, first_divergence
from random_networks import random_case
from reference import refer

from spikebridge.snn import Conv, Dense, Emulator, Network, Neuron
from spikebridge.testing import check_snn

N_NETWORKS = 240


@pytest.mark.parametrize("first", range(0, N_NETWORKS, 20))
def test_random_networks_equal_the_reference(first: int) -> None:
    for seed in range(first, first + 20):
        case = random_case(seed)
        assert first_divergence(refer(case.network, case.counts, case.graded), emulate(case)) is None, f"network {seed}"


def test_the_random_networks_reach_wraps_clips_and_spikes() -> None:
    wrapped = clipped = spiking = deep = 0
    for seed in range(N_NETWORKS):
        case = random_case(seed)
        series = emulate(case)
        steps = [np.abs(np.diff(series[k], axis=0)).max() for k in series if k[0] == "u"]
        wrapped += max(steps) > 2**23
        clipped += any((np.abs(series[k]) == 2**23 - 1).any() for k in series if k[0] == "v")
        spiking += bool(series["spikes"].any())
        deep += len(case.network.layers) > 3
    assert min(wrapped, clipped, spiking, deep) >= 20, (wrapped, clipped, spiking, deep)


def test_it_keeps_the_contract_of_a_stage() -> None:
    case = random_case(8)
    check_snn(Emulator(case.network), case.counts[0])


def network(weight: int = 100, bias: int | None = None, channels: int = 1) -> Network:
    """1×4×4 → channels×4×4, every neuron sees its own pixel, no memory of the current."""
    biases = None if bias is None else np.full(channels, bias)
    return Network((1, 4, 4), (Conv("a", np.full((channels, 1, 1, 1), weight), Neuron(4096, 0, 99), biases),))


def one(value: int = 1) -> np.ndarray:
    counts = np.zeros((1, 4, 4), np.uint8)
    counts[0, 1, 2] = value
    return counts


def test_each_layer_delays_by_one_step() -> None:
    chain = Network((1, 4, 4), network().layers * 3)
    emulator = Emulator(chain)
    outputs = [emulator.step(one() if t == 0 else one(0)).copy() for t in range(6)]
    assert [int(o.sum()) for o in outputs] == [0, 0, 0, 1, 0, 0]
    assert outputs[3][0, 1, 2] == 1


def test_threshold_is_exceeded_strictly() -> None:
    for weight, fires in ((98, 0), (100, 1)):
        emulator = Emulator(network(weight))
        emulator.step(one())
        assert emulator.step(one(0)).sum() == fires
    equal = Emulator(Network((1, 4, 4), (Conv("a", np.full((1, 1, 1, 1), 99), Neuron(4096, 0, 99), None),)))
    equal.step(one())
    assert equal.step(one(0)).sum() == 0
    assert equal.state(0)[1][0, 1, 2] == 99 * 64


def test_graded_counts_multiply_and_binary_ones_do_not() -> None:
    for graded, expected in ((True, 3 * 20 * 64), (False, 20 * 64)):
        emulator = Emulator(network(20), graded=graded)
        emulator.step(one(3))
        emulator.step(one(0))
        assert emulator.state(0)[0][0, 1, 2] == expected


def test_reset_gives_the_first_run_again() -> None:
    case = random_case(8)
    emulator = Emulator(case.network)
    first = [emulator.step(c) for c in case.counts]
    emulator.reset()
    assert all(np.array_equal(emulator.step(c), f) for c, f in zip(case.counts, first, strict=True))


def test_bias_fires_without_input_after_a_reset_too() -> None:
    emulator = Emulator(network(bias=60))
    for _ in range(2):
        emulator.reset()
        assert [int(emulator.step(one(0)).sum()) for _ in range(4)] == [0, 16, 0, 16]


def test_activity_counts_by_hand() -> None:
    emulator = Emulator(network(channels=3))
    emulator.step(one(7))
    emulator.step(one(0))
    emulator.step(one(0))
    activity = emulator.activity()
    (layer,) = activity.layers
    assert (activity.steps, activity.input_events) == (3, 1)
    # Step 1: three neurons receive and fire, u stays at 7 * 100 * 64; step 2: its decay is complete, v was reset.
    assert (layer.neurons, layer.synaptic_events, layer.spikes, layer.neuron_updates) == (48, 3, 3, 6)
    emulator.reset()
    assert emulator.activity() == activity


def test_synaptic_events_are_the_fan_out_at_borders_too() -> None:
    layer = Conv("a", np.full((4, 2, 3, 3), 2), Neuron(1, 0, 1), None, (2, 2), (1, 1))
    for place, outputs in (((0, 0), 1), ((1, 1), 4), ((7, 7), 1), ((2, 3), 2)):
        emulator = Emulator(Network((2, 8, 8), (layer,)))
        counts = np.zeros((2, 8, 8), np.uint8)
        counts[1][place] = 1
        emulator.step(counts)
        assert emulator.activity().layers[0].synaptic_events == 4 * outputs


def test_accumulator_overflow_is_counted() -> None:
    """The chip adds up 16 bits with sign before the alignment by 6: 129 * 254 fits, 130 * 254 does not."""
    for count, overflows in ((129, 0), (130, 1)):
        emulator = Emulator(network(254))
        emulator.step(one(count))
        emulator.step(one(0))
        assert emulator.activity().layers[0].overflows == overflows


def test_input_may_be_read_only_and_strided() -> None:
    counts = np.ones((4, 4, 1), np.uint8).transpose(2, 0, 1)
    counts.setflags(write=False)
    emulator = Emulator(network())
    emulator.step(counts)
    assert emulator.step(one(0)).sum() == 16


@pytest.mark.parametrize("counts", [np.zeros((1, 4, 5), np.uint8), np.zeros((1, 4, 4), np.int32)])
def test_other_input_is_refused(counts: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected"):
        Emulator(network()).step(counts)


def test_dense_layers_follow_channel_order() -> None:
    """Flattened as (C, H, W): the weight of input (c, y, x) stands at (c * H + y) * W + x."""
    weight = np.zeros((1, 2 * 3 * 4), int)
    weight[0, (1 * 3 + 2) * 4 + 1] = 254
    emulator = Emulator(Network((2, 3, 4), (Dense("a", weight, Neuron(4096, 0, 99), None),)))
    counts = np.zeros((2, 3, 4), np.uint8)
    counts[1, 2, 1] = 1
    emulator.step(counts)
    assert emulator.step(np.zeros_like(counts)).tolist() == [[[1]]]
