"""The cost model: by hand, and against SANA-FE running the same network on its Loihi."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from spikebridge.contracts import LayerActivity, SnnActivity
from spikebridge.snn import Conv, Emulator, Network, Neuron
from spikebridge.snn.energy import LOIHI1, cost_of, energy_of
from spikebridge.snn.mapping import map_network
from spikebridge.snn.synapses import fan_out

ACTIVITY = SnnActivity(
    steps=10,
    input_events=50,
    layers=(LayerActivity("a", 2000, 900, 300, 40), LayerActivity("b", 100, 360, 80, 7)),
)


def test_costs_by_hand() -> None:
    cost = cost_of(ACTIVITY, step_us=10_000, messages_per_spike=(2.0, 1.0))
    first = 900 * 24.0 + 2000 * 10 * 51.2 + 300 * 21.6 + 40 * 69.3 + 80 * (111 + 3.6)
    second = 360 * 24.0 + 100 * 10 * 51.2 + 80 * 21.6 + 7 * 69.3 + 7 * (111 + 3.6)
    assert [layer.dynamic_mj for layer in cost.layers] == pytest.approx([first * 1e-9, second * 1e-9])
    assert cost.dynamic_mj == pytest.approx((first + second) * 1e-9)
    assert cost.static_mj == pytest.approx(LOIHI1.static_w * 0.1 * 1e3)
    # The first layer has two cores and is the busiest; three cores lie on one tile.
    work_ns = 900 * 3.1 + 2000 * 10 * 6.0 + 300 * 3.7 + 40 * (30.0 + 2 * 5.1) + 50 * 16.0
    assert cost.chip_step_us == pytest.approx((work_ns / 2 / 10 + 600) * 1e-3)
    assert "SANA-FE" in cost.info


def test_energy_of_a_decision_keeps_dynamic_and_static_apart() -> None:
    cost, energy = cost_of(ACTIVITY, 10_000), energy_of(ACTIVITY, 10_000, 4)
    assert energy.provenance == "estimated"
    assert energy.dynamic_mj == pytest.approx(cost.dynamic_mj / 4)
    assert energy.static_mj == pytest.approx(cost.static_mj / 4)


def test_no_decision_no_figure() -> None:
    energy = energy_of(ACTIVITY, 10_000, 0)
    assert (energy.dynamic_mj, energy.provenance) == (None, "unavailable")


def test_no_step_costs_nothing() -> None:
    cost = cost_of(SnnActivity(0, 0, (LayerActivity("a", 5, 0, 0, 0),)), 10_000)
    assert (cost.dynamic_mj, cost.static_mj, cost.chip_step_us) == (0, 0, 0)


def sanafe_energy(network: Network, counts: np.ndarray) -> dict[str, Any]:
    """The same network and input on SANA-FE's Loihi: cores filled as ``map_network`` fills them."""
    sanafe = pytest.importorskip("sanafe", reason="COST MODEL NOT CROSS-CHECKED: sanafe (PyPI) is not installed")
    arch = sanafe.load_loihi()
    cores = iter([core for tile in arch.tiles for core in tile.cores])
    net = sanafe.Network()
    report = map_network(network)
    steps = len(counts)
    trains = counts.reshape(steps, counts.shape[1], -1).transpose(0, 2, 1).reshape(steps, -1)
    groups = [net.create_neuron_group("input", trains.shape[1])]
    core = None
    for i in range(trains.shape[1]):
        if i % 1024 == 0:
            core = next(cores)
        groups[0][i].set_attributes(
            soma_hw_name=f"loihi_inputs[{i % 1024}]", model_attributes={"spikes": [bool(s) for s in trains[:, i]]}
        )
        groups[0][i].map_to_core(core)
    for k, (layer, place) in enumerate(zip(network.layers, report.layers, strict=True)):
        assert isinstance(layer, Conv)
        group = net.create_neuron_group(
            f"layer{k}",
            network.neurons[k],
            soma_hw_name="loihi_lif",
            default_synapse_hw_name="loihi_conv_synapse",
            model_attributes={
                "threshold": float(layer.neuron.threshold),
                "leak_decay": 1 - layer.neuron.voltage_decay / 4096,
                "input_decay": 1 - layer.neuron.current_decay / 4096,
                "reset_mode": "hard",
            },
        )
        for i in range(network.neurons[k]):
            if i % place.neurons_per_core == 0:
                core = next(cores)
            group[i].map_to_core(core)
        pairs, weights = connections(layer, network.shapes[k], network.shapes[k + 1])
        groups[-1].connect_neurons_sparse(group, {"weight": weights}, pairs)
        groups.append(group)
    chip = sanafe.SpikingChip(arch)
    chip.load(net)
    result: dict[str, Any] = chip.sim(steps, timing_model="simple")
    return result


def connections(layer: Conv, before: tuple[int, ...], after: tuple[int, ...]) -> tuple[list[Any], list[float]]:
    """All synapses as (input, neuron) channel last, by definition of the convolution."""
    pairs, weights = [], []
    for o, i, ky, kx in np.ndindex(*layer.weight.shape):
        for y, x in np.ndindex(after[1], after[2]):
            row = y * layer.stride[0] + ky * layer.dilation[0] - layer.padding[0]
            column = x * layer.stride[1] + kx * layer.dilation[1] - layer.padding[1]
            if 0 <= row < before[1] and 0 <= column < before[2]:
                pairs.append(((row * before[2] + column) * before[0] + i, (y * after[2] + x) * after[0] + o))
                weights.append(float(layer.weight[o, i, ky, kx]))
    return pairs, weights


@pytest.mark.parametrize(
    ("title", "decays", "size", "tolerance"),
    [("no memory of the current", (4096, 1024), 24, 0.02), ("the paper's neuron", (1229, 1024), 32, 0.05)],
)
def test_against_sanafe(title: str, decays: tuple[int, int], size: int, tolerance: float) -> None:
    rng = np.random.default_rng(5)
    network = Network(
        (2, size, size),
        tuple(
            Conv(f"{k}", 2 * rng.integers(-20, 22, (o, i, 3, 3)), Neuron(*decays, 64), None, (2, 2), (1, 1))
            for k, (i, o) in enumerate(((2, 4), (4, 8)))
        ),
    )
    counts = (rng.random((30, *network.input_shape)) < 0.05).astype(np.uint8)
    theirs = sanafe_energy(network, counts)["energy"]
    emulator = Emulator(network)
    for step in counts:
        emulator.step(step)
    activity = emulator.activity()
    cost = cost_of(activity, 10_000, map_network(network).messages_per_spike)
    # SANA-FE lets input neurons send messages too and the last layer none.
    messages = sum(layer.messages for layer in cost.layers[:-1]) + counts.sum() * input_fan_out(network)
    ours = {
        "synapse": sum(layer.synapses_mj for layer in cost.layers) * 1e-3,
        "soma": sum(layer.neurons_mj + layer.spikes_mj for layer in cost.layers) * 1e-3,
        "network": messages * (LOIHI1.message_pj + LOIHI1.hop_pj) * 1e-12,
    }
    for part, value in [*ours.items(), ("total", sum(ours.values()))]:
        deviation = value / theirs[part] - 1
        print(f"{title}: {part} {value * 1e9:.3f} nJ, SANA-FE {theirs[part] * 1e9:.3f} nJ, deviation {deviation:+.2%}")
        assert abs(deviation) < (0.2 if part == "network" else tolerance)


def input_fan_out(network: Network) -> float:
    """Cores that an input event goes to: one where the first layer lies on one core."""
    assert map_network(network).layers[0].cores == 1
    return float((fan_out(network.layers[0], network.input_shape) > 0).mean())
