"""Where a network would lie on a chip: cores, synapse memory, axons per layer, and what does not fit.

Neurons are placed channel last, row by row, so that a core holds a strip of the map and few cores see the same input.
Each synapse is stored with 8 bits; a chip or compiler that shares kernels needs less.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import UsageError
from spikebridge.snn.network import Conv, Layer, Network, Shape
from spikebridge.snn.synapses import fan_out, taps

Pair: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Chip:
    """Limits of one core and the cores of a chip; None where no figure is published that could be checked.

    tile_cores, mesh_rows : cores are numbered tile by tile, tiles down the columns of the mesh.
    """

    name: str
    neurons_per_core: int
    cores: int
    axons_in: int | None
    axons_out: int | None
    synapse_bytes: int | None
    tile_cores: int | None
    mesh_rows: int | None


CHIPS = {
    "loihi1": Chip("Loihi 1", 1024, 128, 4096, 4096, 128 * 1024, 4, 4),
    "loihi2": Chip("Loihi 2", 8192, 128, None, None, None, None, None),
}


@dataclass(frozen=True, slots=True)
class Fan:
    """Where the spikes of a layer, or the input events, go.

    messages : mean number of cores that one goes to; means are over the positions of the map. hops : mean number of
    routers that a message passes, along the mesh's rows and along its columns; None where the mesh is not known.
    """

    messages: float
    hops: Pair | None


@dataclass(frozen=True, slots=True)
class LayerMapping:
    """One layer on the chip. ``…_per_core``: of its fullest core. fan : to the next layer; of the last one to the host,
    one message each. problems : sentences on what exceeds a limit."""

    name: str
    neurons: int
    synapses: int
    memory_bytes: int
    cores: int
    neurons_per_core: int
    axons_in_per_core: int
    axons_out_per_core: int
    memory_bytes_per_core: int
    fan: Fan
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
    """input : of the events to the first layer. problems : of all layers and of the chip."""

    chip: str
    limits: Chip
    input: Fan
    layers: tuple[LayerMapping, ...]
    cores: int
    chip_cores: int
    bridge: BridgeBytes
    problems: tuple[str, ...]

    @property
    def fits(self) -> bool:
        return not self.problems


def map_network(network: Network, chip: str, interval_steps: int = 1) -> MappingReport:
    """The report for ``loihi1`` or ``loihi2``; the accumulator sends its counts each ``interval_steps``."""
    if chip not in CHIPS:
        raise UsageError(f"expected --chip to be one of {', '.join(CHIPS)}, found '{chip}'.")
    limits = CHIPS[chip]
    places = _place(network, limits)
    routes = [_Routes(places, k) for k in range(-1, len(places))]
    layers = tuple(_map_layer(place, route, limits) for place, route in zip(places, routes[1:], strict=True))
    cores = sum(layer.cores for layer in layers)
    problems = [f"{layer.name}: {problem}" for layer in layers for problem in layer.problems]
    if cores > limits.cores:
        problems.append(f"{cores} cores are needed, a {limits.name} chip has {limits.cores}")
    return MappingReport(
        limits.name,
        limits,
        routes[0].fan(limits),
        layers,
        cores,
        limits.cores,
        bridge_bytes(network.neurons[-1], interval_steps),
        tuple(problems),
    )


def bridge_bytes(neurons: int, interval_steps: int) -> BridgeBytes:
    """Cost of one step across the bridge for an output layer of ``neurons``."""
    if interval_steps < 1:
        raise ValueError(f"expected interval_steps of at least 1, got {interval_steps}")
    bitmap = -(-neurons // 8)
    address = 1 if neurons <= 1 << 8 else 2 if neurons <= 1 << 16 else 4
    return BridgeBytes(bitmap, address, neurons * address, bitmap // address, neurons / interval_steps, interval_steps)


@dataclass(frozen=True)
class _Place:
    """A layer on the chip: ``size`` neurons in each core from ``first_core`` on, the last one filled with the rest."""

    layer: Layer
    before: Shape
    after: Shape
    size: int
    first_core: int

    @property
    def neurons(self) -> int:
        return int(np.prod(self.after))

    @property
    def cores(self) -> int:
        return -(-self.neurons // self.size)


def _place(network: Network, chip: Chip) -> list[_Place]:
    places: list[_Place] = []
    core = 0
    for layer, before, after in zip(network.layers, network.shapes, network.shapes[1:], strict=False):
        places.append(_Place(layer, before, after, _neurons_per_core(layer, before, after, chip), core))
        core += places[-1].cores
    return places


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


def _map_layer(place: _Place, routes: _Routes, chip: Chip) -> LayerMapping:
    layer = place.layer
    synapses = int(fan_out(layer, place.before).sum()) * place.before[0]
    axons_out = int(np.add.reduceat(routes.messages, np.arange(0, place.neurons, place.size)).max())
    axons_in = int(_axons_in(layer, place.before, place.after, place.size).max())
    memory = place.size * layer.weight[0].size
    problems = [
        f"{found} {what} in a core of {place.size} neurons, {chip.name} has {limit}"
        for what, found, limit in (
            ("input axons", axons_in, chip.axons_in),
            ("output axons", axons_out, chip.axons_out),
            ("bytes of synapses", memory, chip.synapse_bytes),
        )
        if limit is not None and found > limit
    ]
    return LayerMapping(
        name=layer.name,
        neurons=place.neurons,
        synapses=synapses,
        memory_bytes=synapses,
        cores=place.cores,
        neurons_per_core=place.size,
        axons_in_per_core=axons_in,
        axons_out_per_core=axons_out,
        memory_bytes_per_core=memory,
        fan=routes.fan(chip),
        problems=tuple(problems),
    )


class _Routes:
    """From the neurons of layer ``k``, channel last, to the cores that their spikes go to; -1 stands for the input.

    The host sits at the first tile: input comes from there, and the last layer's spikes go there.
    """

    def __init__(self, places: list[_Place], k: int) -> None:
        self._source = places[k] if k >= 0 else None
        channels = places[k].after[0] if k >= 0 else 1
        if k + 1 < len(places):
            self._targets = np.repeat(_target_cores(places[k + 1]), channels, axis=0)
        else:
            self._targets = np.zeros((places[k].neurons, 1), np.int64)

    @property
    def messages(self) -> NDArray[np.int64]:
        """Of each neuron's spike, or of each position's event."""
        messages: NDArray[np.int64] = (self._targets >= 0).sum(1)
        return messages

    def fan(self, chip: Chip) -> Fan:
        n = int(self.messages.sum())
        if chip.tile_cores is None or chip.mesh_rows is None:
            return Fan(n / len(self._targets), None)
        source = np.zeros(len(self._targets), np.int64)
        if self._source is not None:
            source = self._source.first_core + np.arange(len(source)) // self._source.size
        tiles = [cores // chip.tile_cores for cores in (source[:, None], self._targets)]
        hops = [
            abs(along[0] - along[1])[self._targets >= 0].sum() / max(n, 1)
            for along in ([tile // chip.mesh_rows for tile in tiles], [tile % chip.mesh_rows for tile in tiles])
        ]
        return Fan(n / len(self._targets), (float(hops[0]), float(hops[1])))


def _target_cores(place: _Place) -> NDArray[np.int64]:
    """For each input position (H * W, n) the cores that see it, each once, -1 where there are fewer."""
    layer, before, after, size = place.layer, place.before, place.after, place.size
    if not isinstance(layer, Conv):
        return np.tile(place.first_core + np.arange(place.cores), (before[1] * before[2], 1))
    rows, columns = (_outputs_of(layer, axis, before, after) for axis in (0, 1))
    # (H, W, rows reached, columns reached), -1 where one is not reached.
    outputs = rows[:, None, :, None] * after[2] + columns[None, :, None, :]
    reached = (rows[:, None, :, None] >= 0) & (columns[None, :, None, :] >= 0)
    first, last = outputs * after[0] // size, ((outputs + 1) * after[0] - 1) // size
    spans = np.arange((after[0] + size - 2) // size + 1)
    seen = np.where(reached[..., None], np.minimum(first[..., None] + spans, last[..., None]) + place.first_core, -1)
    cores: NDArray[np.int64] = np.sort(seen.reshape(before[1] * before[2], -1), axis=1)
    cores[:, 1:][cores[:, 1:] == cores[:, :-1]] = -1
    return cores


def _outputs_of(layer: Conv, axis: int, before: Shape, after: Shape) -> NDArray[np.int64]:
    """(inputs, most) along one axis: the outputs that an input reaches, -1 where there are fewer."""
    starts, pairs = taps(layer, axis, before[1 + axis], after[1 + axis])
    outputs = np.full((len(starts) - 1, max(1, int(np.diff(starts).max()))), -1)
    for position, (first, last) in enumerate(pairwise(starts)):
        outputs[position, : last - first] = pairs[first:last, 1]
    return outputs
