from __future__ import annotations

import numpy as np
import pytest

from spikebridge.errors import UsageError
from spikebridge.snn import Conv, Dense, Network, Neuron
from spikebridge.snn.bench import paper_network
from spikebridge.snn.mapping import bridge_bytes, map_network

NEURON = Neuron(1229, 1024, 64)


def test_the_papers_network_fits_on_loihi1() -> None:
    report = map_network(paper_network(3), "loihi1", interval_steps=8)
    assert [layer.neurons for layer in report.layers] == [16384, 8192, 4096]
    assert [layer.cores for layer in report.layers] == [16, 8, 4]
    # Along an axis 64 outputs see 3 * 64 - 1 positions, the first one lacking the padded one; the same for 32 and 16.
    assert [layer.synapses for layer in report.layers] == [191**2 * 8, 95**2 * 32, 47**2 * 128]
    # 1024 neurons are four rows of outputs, which see nine rows of inputs.
    assert report.layers[0].axons_in_per_core == 9 * 128 * 2
    assert report.layers[2].memory_bytes_per_core == 1024 * 9 * 8
    assert report.fits
    assert report.cores == 28
    assert 1 < report.messages_per_spike[0] < 2
    assert report.messages_per_spike[-1] == 1


def test_limits_are_named() -> None:
    wide = Network((1, 80, 80), (Dense("wide", np.full((3, 6400), 2), NEURON, None),))
    report = map_network(wide, "loihi1")
    assert not report.fits
    assert report.problems == ("wide: 6400 input axons in a core of 1 neurons, Loihi 1 has 4096",)


def test_a_network_larger_than_the_chip() -> None:
    report = map_network(paper_network(1, 720, 1280), "loihi1")
    assert report.cores == 900
    assert report.problems == ("900 cores are needed, a Loihi 1 chip has 128",)
    assert map_network(paper_network(1, 720, 1280), "loihi2").cores == 113


def test_memory_limits_the_neurons_of_a_core() -> None:
    report = map_network(Network((4, 30, 30), (Dense("d", np.full((100, 3600), 2), NEURON, None),)), "loihi1")
    (layer,) = report.layers
    assert layer.neurons_per_core == 128 * 1024 // 3600
    assert layer.cores == 3
    assert layer.synapses == 360_000


def test_messages_by_brute_force() -> None:
    """Cores reached by each spike of the first layer, counted from single synapses."""
    rng = np.random.default_rng(2)
    first = Conv("a", 2 * rng.integers(1, 9, (3, 1, 3, 3)), NEURON, None, (1, 1), (1, 1))
    second = Conv("b", 2 * rng.integers(1, 9, (64, 3, 3, 3)), NEURON, None, (2, 2), (0, 0))
    network = Network((1, 12, 12), (first, second))
    size = map_network(network, "loihi1").layers[1].neurons_per_core
    _, height, width = network.shapes[2]
    reached: dict[tuple[int, int], set[int]] = {(y, x): set() for y in range(12) for x in range(12)}
    for o, y, x, ky, kx in np.ndindex(64, height, width, 3, 3):
        reached[2 * y + ky, 2 * x + kx].add(((y * width + x) * 64 + o) // size)
    expected = np.mean([len(cores) for cores in reached.values()])
    assert map_network(network, "loihi1").messages_per_spike[0] == pytest.approx(expected)


def test_bridge_bytes_by_hand() -> None:
    bridge = bridge_bytes(4096, 8)
    assert (bridge.bitmap, bridge.address_event, bridge.address_event_max) == (512, 2, 8192)
    assert (bridge.break_even_spikes, bridge.counts) == (256, 512)
    assert bridge_bytes(256, 1).address_event == 1
    assert bridge_bytes(70_000, 1).address_event == 4


def test_unknown_chip() -> None:
    with pytest.raises(UsageError, match="loihi1, loihi2, found 'loihi3'"):
        map_network(paper_network(1), "loihi3")
