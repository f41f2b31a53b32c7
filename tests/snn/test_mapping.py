from __future__ import annotations

import numpy as np
import pytest

from spikebridge.bundle import list_models, load_model
from spikebridge.errors import UsageError
from spikebridge.snn import Conv, Dense, Emulator, Network, Neuron, load_network
from spikebridge.snn.bench import paper_network
from spikebridge.snn.mapping import bridge_bytes, map_network
from spikebridge.snn.network import Shape

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
    # 128, 64 and 32 rows of inputs, of which all cores but the first see nine.
    assert report.input.messages == (8 + 15 * 9) / 128
    assert [layer.fan.messages for layer in report.layers] == [(8 + 7 * 9) / 64, (8 + 3 * 9) / 32, 1]


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


def reached_cores(layer: Conv, before: Shape, after: Shape, size: int) -> dict[tuple[int, int], set[int]]:
    """Cores reached from each input position, from single synapses."""
    reached: dict[tuple[int, int], set[int]] = {place: set() for place in np.ndindex(before[1], before[2])}
    for o, y, x, ky, kx in np.ndindex(*after, *layer.weight.shape[2:]):
        row = y * layer.stride[0] + ky * layer.dilation[0] - layer.padding[0]
        column = x * layer.stride[1] + kx * layer.dilation[1] - layer.padding[1]
        if 0 <= row < before[1] and 0 <= column < before[2]:
            reached[row, column].add(((y * after[2] + x) * after[0] + o) // size)
    return reached


@pytest.mark.parametrize("geometry", [((2, 2), (0, 0)), ((1, 2), (1, 1)), ((3, 3), (2, 0))])
def test_messages_and_hops_by_brute_force(geometry: tuple[tuple[int, int], tuple[int, int]]) -> None:
    rng = np.random.default_rng(2)
    first = Conv("a", 2 * rng.integers(1, 9, (24, 1, 3, 3)), NEURON, None, (1, 1), (1, 1))
    second = Conv("b", 2 * rng.integers(1, 9, (100, 24, 3, 3)), NEURON, None, *geometry)
    network = Network((1, 24, 24), (first, second))
    report = map_network(network, "loihi1")
    starts = [0, report.layers[0].cores]
    sizes = [layer.neurons_per_core for layer in report.layers]
    into = [
        reached_cores(layer, before, after, size)
        for layer, before, after, size in zip(network.layers, network.shapes, network.shapes[1:], sizes, strict=False)
    ]
    routes: list[list[tuple[int, int]]] = [[(0, core) for cores in into[0].values() for core in cores], [], []]
    for (y, x), cores in into[1].items():
        for channel in range(24):
            source = ((y * 24 + x) * 24 + channel) // sizes[0]
            routes[1] += [(source, starts[1] + core) for core in cores]
    routes[2] = [(starts[1] + neuron // sizes[1], 0) for neuron in range(network.neurons[1])]
    fans = [report.input, *(layer.fan for layer in report.layers)]
    for fan, sent, senders in zip(fans, routes, (24 * 24, *network.neurons), strict=True):
        assert fan.messages == pytest.approx(len(sent) / senders)
        assert fan.hops is not None
        # Four cores a tile, four tiles a column of the mesh.
        assert fan.hops[0] == pytest.approx(np.mean([abs(a // 16 - b // 16) for a, b in sent]))
        assert fan.hops[1] == pytest.approx(np.mean([abs(a // 4 % 4 - b // 4 % 4) for a, b in sent]))
    assert fans[1].hops != (0, 0)


def test_a_dense_layer_hears_each_spike_in_each_core() -> None:
    dense = Dense("d", np.full((100, 3600), 2), NEURON, None)
    assert map_network(Network((4, 30, 30), (dense,)), "loihi1").input.messages == 3


def test_hops_are_not_made_up_where_the_mesh_is_not_known() -> None:
    assert map_network(paper_network(2), "loihi2").layers[0].fan.hops is None


def test_bridge_bytes_by_hand() -> None:
    bridge = bridge_bytes(4096, 8)
    assert (bridge.bitmap, bridge.address_event, bridge.address_event_max) == (512, 2, 8192)
    assert (bridge.break_even_spikes, bridge.counts) == (256, 512)
    assert bridge_bytes(256, 1).address_event == 1
    assert bridge_bytes(70_000, 1).address_event == 4


def test_unknown_chip() -> None:
    with pytest.raises(UsageError, match="loihi1, loihi2, found 'loihi3'"):
        map_network(paper_network(1), "loihi3")


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
