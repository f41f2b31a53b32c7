from __future__ import annotations

import numpy as np
import pytest

from spikebridge.bundle import list_models, load_model
from spikebridge.errors import UsageError
from spikebridge.snn import Conv, Dense, Emulator, Network, Neuron, load_network
from spikebridge.snn.bench import paper_network
from spikebridge.snn.mapping import bridge_bytes, map_network, mapping_lines

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


def test_the_report_is_told_with_its_limits() -> None:
    network = paper_network(2)
    first, second = mapping_lines(map_network(network, "loihi1", interval_steps=4))[2:4]
    assert "1,024 of 1,024" in first
    assert "2,304 of 4,096" in first
    assert second.split()[:3] == ["conv2", "8,192", "288,800"]
    told = "\n".join(mapping_lines(map_network(network, "loihi2", interval_steps=4)))
    assert "on Loihi 2: fits, 3 of 128 cores" in told
    assert "of –" in told
    assert "2,048 on average: one byte a neuron each 4 steps" in told


def test_what_does_not_fit_is_told() -> None:
    told = mapping_lines(map_network(paper_network(1, 720, 1280), "loihi1"))
    assert "on Loihi 1: DOES NOT FIT, 900 of 128 cores" in told
    assert "  does not fit: 900 cores are needed, a Loihi 1 chip has 128" in told


@pytest.mark.parametrize("chip", ["loihi1", "loihi2"])
@pytest.mark.parametrize("name", [name for name in list_models() if load_model(name).snn])
def test_shipped_networks_fit_their_chips(name: str, chip: str) -> None:
    """Each line by its definition: every neuron placed, no core beyond its limits, every synapse counted once."""
    bundle = load_model(name)
    assert bundle.snn is not None
    network = load_network(bundle.snn.path)
    report = map_network(network, chip, bundle.accumulator.interval_steps)
    assert report.fits
    assert report.cores == sum(layer.cores for layer in report.layers) <= report.chip_cores
    for layer, neurons in zip(report.layers, network.neurons, strict=True):
        assert layer.neurons == neurons
        assert (layer.cores - 1) * layer.neurons_per_core < neurons <= layer.cores * layer.neurons_per_core
        assert layer.memory_bytes == layer.synapses <= layer.cores * layer.memory_bytes_per_core
    emulator = Emulator(network)
    emulator.step(np.ones(network.input_shape, np.uint8))
    assert emulator.activity().layers[0].synaptic_events == report.layers[0].synapses
    assert report.bridge.bitmap == -(-network.neurons[-1] // 8)
