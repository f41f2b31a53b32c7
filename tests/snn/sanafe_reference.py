"""The same network and input on SANA-FE's Loihi: cores filled as ``map_network`` fills them, nothing adjusted.

Input neurons, which cost SANA-FE nothing but their messages, fill the first cores; each layer begins on a core of its
own behind them. The last layer sends its spikes nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from reference import Reference

from spikebridge.snn import Conv, Network
from spikebridge.snn.energy import LOIHI1
from spikebridge.snn.mapping import map_network
from spikebridge.snn.network import Layer, Shape

INPUTS_PER_CORE = 1024
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class SanafeRun:
    """energy_nj : by part. spikes : of each layer. messages : of the input and of each layer. step_us : mean."""

    energy_nj: dict[str, float]
    spikes: list[int]
    messages: list[int]
    step_us: float


def require_sanafe() -> Any:
    return pytest.importorskip("sanafe", reason="COST MODEL NOT CROSS-CHECKED: sanafe (PyPI) is not installed")


def run_on_sanafe(network: Network, counts: NDArray[np.uint8]) -> SanafeRun:
    sanafe = require_sanafe()
    arch, net = sanafe.load_loihi(), sanafe.Network()
    cores = iter([core for tile in arch.tiles for core in tile.cores])
    groups = [_input(net, cores, channel_last(counts))]
    for k, place in enumerate(map_network(network, "loihi1").layers):
        layer = network.layers[k]
        group = net.create_neuron_group(
            f"layer{k}",
            network.neurons[k],
            soma_hw_name="loihi_lif",
            default_synapse_hw_name=f"loihi_{'conv' if isinstance(layer, Conv) else 'dense'}_synapse",
            log_spikes=True,
            model_attributes={
                "threshold": float(layer.neuron.threshold),
                "leak_decay": 1 - layer.neuron.voltage_decay / 4096,
                "input_decay": 1 - layer.neuron.current_decay / 4096,
                "reset_mode": "hard",
            },
        )
        for i in range(network.neurons[k]):
            core = next(cores) if i % place.neurons_per_core == 0 else core  # noqa: F821 - set by the first neuron
            group[i].map_to_core(core)
        pairs, weights = connections(layer, network.shapes[k], network.shapes[k + 1])
        groups[-1].connect_neurons_sparse(group, {"weight": weights.tolist()}, list(map(tuple, pairs.tolist())))
        groups.append(group)
    chip = sanafe.SpikingChip(arch)
    chip.load(net)
    return _read(chip.sim(len(counts), timing_model="simple", spike_trace=True, message_trace=True), len(groups))


def _input(net: Any, cores: Any, trains: NDArray[np.bool_]) -> Any:
    group = net.create_neuron_group("input", trains.shape[1])
    for i, train in enumerate(trains.T):
        core = next(cores) if i % INPUTS_PER_CORE == 0 else core  # noqa: F821 - set by the first neuron
        attributes = {"model_attributes": {"spikes": train.tolist()}} if train.any() else {}
        group[i].set_attributes(soma_hw_name=f"loihi_inputs[{i % INPUTS_PER_CORE}]", **attributes)
        group[i].map_to_core(core)
    return group


def _read(result: dict[str, Any], n_groups: int) -> SanafeRun:
    names = ["input", *(f"layer{k}" for k in range(n_groups - 1))]
    sent = [m["src_neuron_group_id"] for step in result["message_trace"] for m in step if not m["placeholder"]]
    fired = [str(neuron.group_name) for step in result["spike_trace"] for neuron in step]
    return SanafeRun(
        {part: 1e9 * joules for part, joules in result["energy"].items()},
        [fired.count(name) for name in names[1:]],
        [sent.count(name) for name in names],
        1e6 * result["sim_time"] / result["timesteps_executed"],
    )


def connections(layer: Layer, before: Shape, after: Shape) -> tuple[Ints, Ints]:
    """All synapses by their definition: (n, 2) input and neuron, channel last, and (n,) weights."""
    if not isinstance(layer, Conv):
        inputs = channel_last(np.arange(int(np.prod(before))).reshape(1, *before))[0]
        pairs = np.stack(np.meshgrid(np.arange(inputs.size), np.arange(layer.channels), indexing="ij"), -1)
        return pairs.reshape(-1, 2), layer.weight.T[inputs].reshape(-1)
    pairs, weights = [], []
    y, x = np.mgrid[: after[1], : after[2]]
    for o, i, ky, kx in np.ndindex(*layer.weight.shape):
        row = y * layer.stride[0] + ky * layer.dilation[0] - layer.padding[0]
        column = x * layer.stride[1] + kx * layer.dilation[1] - layer.padding[1]
        inside = (row >= 0) & (row < before[1]) & (column >= 0) & (column < before[2])
        sources = (row[inside] * before[2] + column[inside]) * before[0] + i
        pairs.append(np.stack([sources, (y[inside] * after[2] + x[inside]) * after[0] + o], 1))
        weights.append(np.full(len(sources), layer.weight[o, i, ky, kx]))
    return np.concatenate(pairs), np.concatenate(weights)


def channel_last(maps: NDArray[Any]) -> NDArray[Any]:
    """(T, C, H, W) as (T, H·W·C)."""
    return maps.transpose(0, 2, 3, 1).reshape(len(maps), -1)


def step_us_of_each_core(network: Network, counts: NDArray[np.uint8]) -> float:
    """Mean step time at the same prices, but with what each core really does in each step: the busiest sets it."""
    mapping, prices = map_network(network, "loihi1"), LOIHI1
    routes = []
    for k, (layer, place) in enumerate(zip(network.layers, mapping.layers, strict=True)):
        pairs, _ = connections(layer, network.shapes[k], network.shapes[k + 1])
        inputs = int(np.prod(network.shapes[k]))
        codes = pairs[:, 0] * place.cores + pairs[:, 1] // place.neurons_per_core
        routes.append(np.bincount(codes, minlength=inputs * place.cores).reshape(inputs, place.cores))
    reference = Reference(network, True)
    busiest_ns = []
    for step in counts:
        states = zip(reference.u, reference.v, reference.received, strict=True)
        at_work = [channel_last(((u != 0) | (v != 0) | (a != 0))[None])[0] for u, v, a in states]
        reference.step(step)
        spikes = [channel_last(maps[None])[0] for maps in (step, *reference.spikes)]
        loads = []
        for k, (layer, place) in enumerate(zip(network.layers, mapping.layers, strict=True)):
            synapse = prices.conv_synapse if isinstance(layer, Conv) else prices.dense_synapse
            sent = spikes[k].astype(np.int64)
            loads.append(sent @ routes[k] * synapse.ns + sent @ (routes[k] > 0) * prices.message_in.ns)
            first = np.arange(0, network.neurons[k], place.neurons_per_core)
            messages = (routes[k + 1] > 0).sum(1) if k + 1 < len(routes) else 0
            work = at_work[k] * prices.update.ns + spikes[k + 1] * (prices.spike.ns + messages * prices.message_out.ns)
            loads.append(np.add.reduceat(prices.visit.ns + work, first))
        busiest_ns.append(max(float(load.max()) for load in loads))
    tiles = -(-mapping.cores // 4)
    return (float(np.mean(busiest_ns)) + max(ns for n, ns in prices.barrier_ns if n <= tiles)) * 1e-3
