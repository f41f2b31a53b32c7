"""Where a network would lie on a chip: cores, synapse memory, axons per layer, and what does not fit.

Neurons are placed channel last, row by row, so that a core holds a strip of the map and few cores see the same input.
Each synapse is stored with 8 bits; a chip or compiler that shares kernels needs less.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import UsageError
from spikebridge.snn.network import Conv, Layer, Network, Shape
from spikebridge.snn.synapses import fan_out, taps
from spikebridge.snn.tables import table


@dataclass(frozen=True, slots=True)
class Chip:
    """Limits of one core and the cores of a chip; None where no figure is published that could be checked."""

    name: str
    neurons_per_core: int
    cores: int
    axons_in: int | None
    axons_out: int | None
    synapse_bytes: int | None


CHIPS = {
    "loihi1": Chip("Loihi 1", 1024, 128, 4096, 4096, 128 * 1024),
    "loihi2": Chip("Loihi 2", 8192, 128, None, None, None),
}


@dataclass(frozen=True, slots=True)
class LayerMapping:
    """One layer on the chip. ``…_per_core``: of its fullest core. messages_per_spike: mean number of cores that one of
    its spikes goes to. problems : sentences on what exceeds a limit."""

    name: str
    neurons: int
    synapses: int
    memory_bytes: int
    cores: int
    neurons_per_core: int
    axons_in_per_core: int
    axons_out_per_core: int
    memory_bytes_per_core: int
    messages_per_spike: float
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BridgeBytes:
    """Bytes that one step sends from the last spiking layer to the host, by encoding.

    bitmap : one bit a neuron. address_event : bytes of one spike; ``address_event_max`` if all fire.
    break_even_spikes : above this many spikes a step the bitmap is smaller.
    counts : one byte a neuron each ``interval_steps``, as a mean over the steps.
    """

    bitmap: int
    address_event: int
    address_event_max: int
    break_even_spikes: int
    counts: float
    interval_steps: int


@dataclass(frozen=True, slots=True)
class MappingReport:
    chip: str
    limits: Chip
    layers: tuple[LayerMapping, ...]
    cores: int
    chip_cores: int
    bridge: BridgeBytes
    problems: tuple[str, ...]

    @property
    def fits(self) -> bool:
        return not self.problems

    @property
    def messages_per_spike(self) -> tuple[float, ...]:
        """For ``energy.cost_of``."""
        return tuple(layer.messages_per_spike for layer in self.layers)


def map_network(network: Network, chip: str = "loihi1", interval_steps: int = 1) -> MappingReport:
    """The report for ``loihi1`` or ``loihi2``; the accumulator sends its counts each ``interval_steps``."""
    if chip not in CHIPS:
        raise UsageError(f"expected --chip to be one of {', '.join(CHIPS)}, found '{chip}'.")
    limits = CHIPS[chip]
    sizes = [
        _neurons_per_core(layer, before, after, limits)
        for layer, before, after in zip(network.layers, network.shapes, network.shapes[1:], strict=False)
    ]
    layers = tuple(_map_layer(network, k, sizes, limits) for k in range(len(network.layers)))
    cores = sum(layer.cores for layer in layers)
    problems = [f"{layer.name}: {problem}" for layer in layers for problem in layer.problems]
    if cores > limits.cores:
        problems.append(f"{cores} cores are needed, a {limits.name} chip has {limits.cores}")
    return MappingReport(
        limits.name,
        limits,
        layers,
        cores,
        limits.cores,
        bridge_bytes(network.neurons[-1], interval_steps),
        tuple(problems),
    )


def mapping_lines(report: MappingReport) -> list[str]:
    """The report for people: each layer's fullest core beside the chip's limits."""
    chip = report.limits

    def of(found: int, limit: int | None) -> str:
        return f"{found:,} of {'–' if limit is None else format(limit, ',')}"

    rows = [
        [
            f"  {layer.name}", f"{layer.neurons:,}", f"{layer.synapses:,}", kib(layer.memory_bytes), f"{layer.cores}",
            of(layer.neurons_per_core, chip.neurons_per_core), of(layer.axons_in_per_core, chip.axons_in),
            of(layer.axons_out_per_core, chip.axons_out), of(layer.memory_bytes_per_core, chip.synapse_bytes),
        ]
        for layer in report.layers
    ]  # fmt: skip
    head = ["  layer", "neurons", "synapses", "memory", "cores", "neurons", "axons in", "axons out", "synapse bytes"]
    verdict = "fits" if report.fits else "DOES NOT FIT"
    bridge = report.bridge
    return [
        f"on {report.chip}: {verdict}, {report.cores} of {report.chip_cores} cores",
        *table(head, *rows),
        "  right of cores: in the layer's fullest core, of the chip's limit (–: no figure that could be checked)",
        "  memory: of the synapses, one byte each",
        *(f"  does not fit: {problem}" for problem in report.problems),
        "across the bridge, bytes a step:",
        f"  bitmap         {bridge.bitmap:,}",
        f"  address-event  {bridge.address_event} a spike, at most {bridge.address_event_max:,}; "
        f"more than the bitmap above {bridge.break_even_spikes:,} spikes a step",
        f"  counts         {bridge.counts:,.0f} on average: one byte a neuron each {bridge.interval_steps} steps",
    ]


def kib(size: int) -> str:
    return f"{size / 1024:,.1f} KiB"


def bridge_bytes(neurons: int, interval_steps: int) -> BridgeBytes:
    """Cost of one step across the bridge for an output layer of ``neurons``."""
    if interval_steps < 1:
        raise ValueError(f"expected interval_steps of at least 1, got {interval_steps}")
    bitmap = -(-neurons // 8)
    address = 1 if neurons <= 1 << 8 else 2 if neurons <= 1 << 16 else 4
    return BridgeBytes(bitmap, address, neurons * address, bitmap // address, neurons / interval_steps, interval_steps)


def _neurons_per_core(layer: Layer, before: Shape, after: Shape, chip: Chip) -> int:
    """As many as all limits on the input side allow, at least one."""
    size = min(chip.neurons_per_core, int(np.prod(after)))
    if chip.synapse_bytes:
        size = max(1, min(size, chip.synapse_bytes // layer.weight[0].size))
    while chip.axons_in and size > 1 and _axons_in(layer, before, after, size).max() > chip.axons_in:
        size = max(1, size // 2)
    return size


def _axons_in(layer: Layer, before: Shape, after: Shape, size: int) -> NDArray[np.int64]:
    """Distinct inputs of each core of ``size`` neurons; of a group's channels all are counted."""
    if not isinstance(layer, Conv):
        return np.full(-(-int(np.prod(after)) // size), int(np.prod(before)))
    rows, columns = (_windows(layer, axis, before, after) for axis in (0, 1))
    channels, n = after[0], int(np.prod(after))
    axons = []
    for first in range(0, n, size):
        places = np.arange(first // channels, (min(first + size, n) - 1) // channels + 1)
        outputs_y = places // after[2]
        window = np.flatnonzero(rows[outputs_y[0] : outputs_y[-1] + 1].any(0))
        seen = np.zeros((window.size, before[2]), bool)
        for y in np.unique(outputs_y):
            x = places[outputs_y == y] % after[2]
            seen[np.ix_(rows[y][window], columns[x].any(0))] = True
        axons.append(int(seen.sum()) * before[0])
    return np.array(axons)


def _windows(layer: Conv, axis: int, before: Shape, after: Shape) -> NDArray[np.bool_]:
    """(outputs, inputs) along one axis: which inputs an output sees."""
    starts, pairs = taps(layer, axis, before[1 + axis], after[1 + axis])
    windows = np.zeros((after[1 + axis], before[1 + axis]), bool)
    for position in range(before[1 + axis]):
        windows[pairs[starts[position] : starts[position + 1], 1], position] = True
    return windows


def _map_layer(network: Network, k: int, sizes: list[int], chip: Chip) -> LayerMapping:
    layer, before, after = network.layers[k], network.shapes[k], network.shapes[k + 1]
    neurons, size = network.neurons[k], sizes[k]
    synapses = int(fan_out(layer, before).sum()) * before[0]
    targets = _target_cores(network, k, sizes)
    axons_out = np.add.reduceat(targets, np.arange(0, neurons, size))
    axons_in = int(_axons_in(layer, before, after, size).max())
    memory = size * layer.weight[0].size
    problems = [
        f"{found} {what} in a core of {size} neurons, {chip.name} has {limit}"
        for what, found, limit in (
            ("input axons", axons_in, chip.axons_in),
            ("output axons", int(axons_out.max()), chip.axons_out),
            ("bytes of synapses", memory, chip.synapse_bytes),
        )
        if limit is not None and found > limit
    ]
    return LayerMapping(
        name=layer.name,
        neurons=neurons,
        synapses=synapses,
        memory_bytes=synapses,
        cores=-(-neurons // size),
        neurons_per_core=size,
        axons_in_per_core=axons_in,
        axons_out_per_core=int(axons_out.max()),
        memory_bytes_per_core=memory,
        messages_per_spike=float(targets.mean()),
        problems=tuple(problems),
    )


def _target_cores(network: Network, k: int, sizes: list[int]) -> NDArray[np.int64]:
    """For each neuron of layer k, channel last: the cores its spike goes to; one, the host, for the last layer."""
    neurons = network.neurons[k]
    if k + 1 == len(network.layers):
        return np.ones(neurons, np.int64)
    layer, before, after = network.layers[k + 1], network.shapes[k + 1], network.shapes[k + 2]
    size = sizes[k + 1]
    if not isinstance(layer, Conv):
        return np.full(neurons, -(-network.neurons[k + 1] // size))
    rows, columns = (taps(layer, axis, before[1 + axis], after[1 + axis]) for axis in (0, 1))
    per_place = np.zeros(before[1:], np.int64)
    columns_of = [columns[1][a:b, 1] for a, b in pairwise(columns[0])]
    widest = max(len(outputs) for outputs in columns_of)
    # (W, widest), the shorter ones filled up with their last: it is not counted twice.
    outputs_x = np.array([np.resize(o, widest) if len(o) else np.full(widest, -1) for o in columns_of])
    for y in range(before[1]):
        outputs_y = rows[1][rows[0][y] : rows[0][y + 1], 1]
        first = (outputs_y[:, None, None] * after[2] + outputs_x) * after[0]
        spans = range((after[0] + size - 2) // size + 1)
        cores = np.stack([np.minimum(first // size + n, (first + after[0] - 1) // size) for n in spans])
        cores = np.sort(np.moveaxis(cores, 2, 0).reshape(before[2], -1), axis=1)
        reached = (outputs_x[:, 0] >= 0) & (len(outputs_y) > 0)
        per_place[y] = np.where(reached, 1 + (np.diff(cores, axis=1) > 0).sum(1), 0)
    return np.repeat(per_place.ravel(), before[0])
