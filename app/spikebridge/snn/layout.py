"""How the emulator lays a network out in flat arrays: weights in runs, so that a spike adds few long pieces.

An input pixel reaches one to a few outputs of a row, whose channels lie side by side (channel last). The weights are
stored so that they are one contiguous piece too, with zeros where an output of the row is not reached: a spike adds one
piece of weights to one piece of neurons per row. A piece may end behind its row; only zeros go there.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikebridge.snn.network import Conv, Layer, Network, Shape
from spikebridge.snn.synapses import stored_weights, taps

#: Pieces up to this many weights are made equally long with zeros: a loop of the same length each time costs less than
#: a mispredicted end.
_NARROW = 32

Table = NDArray[np.int64]
State = NDArray[np.int32]


def padded(size: int, block: int) -> int:
    """``size`` rounded up to whole blocks."""
    return -(-size // block) * block


def lay_out(network: Network, kernels: Any) -> tuple[Table, State, State, State]:
    """The tables that ``kernels.step`` walks: plan (n_layers, PLAN_COLUMNS), weights, starts, and runs of four columns
    (weight offset, neuron offset, length, synapses; of rows only the offsets), flat."""
    plan = np.zeros((len(network.layers), kernels.PLAN_COLUMNS), np.int64)
    weights: list[State] = []
    starts: list[State] = []
    pieces: list[State] = []
    for row, layer, before, after in zip(plan, network.layers, network.shapes, network.shapes[1:], strict=False):
        row[kernels.BASE] = sum(padded(n, kernels.BLOCK) for n in network.neurons[: len(weights)])
        row[kernels.WEIGHTS] = sum(w.size for w in weights)
        columns, column_runs, order = _columns(layer, before, after)
        kernel = np.pad(_kernel(layer, before), ((0, 0), (0, 0), (0, 1), (0, 0)))[:, :, order]
        weights.append(kernel.reshape(-1))
        for column, (start, run) in (
            (kernels.ROWS, _rows(layer, before, after, kernel.shape)),
            (kernels.COLUMNS, (columns, column_runs)),
        ):
            row[column] = sum(s.size for s in starts)
            starts.append(start + sum(len(p) for p in pieces))
            pieces.append(run)
        groups = layer.groups if isinstance(layer, Conv) else 1
        row[kernels.SIZE] = int(np.prod(after))
        row[kernels.GROUP_OUT], row[kernels.GROUP_IN] = layer.channels // groups, before[0] // groups
        row[kernels.IN_CHANNELS], _, row[kernels.IN_WIDTH] = before
        row[kernels.KERNEL] = kernel[0].size
        row[kernels.KEEP_U] = 4096 - layer.neuron.current_decay
        row[kernels.KEEP_V] = 4096 - layer.neuron.voltage_decay
        row[kernels.THRESHOLD] = layer.neuron.threshold << 6
        row[kernels.INPUT_LEFT], row[kernels.INPUT_RIGHT] = _input_shifts(layer)
    tables = (np.concatenate(parts).astype(np.int32).reshape(-1) for parts in (weights, starts, pieces))
    return (plan, *tables)  # type: ignore[return-value]


def _kernel(layer: Layer, before: Shape) -> State:
    """Weights as (I, kh, kw, O/groups): a dense layer is a convolution whose kernel covers its input."""
    weight, _ = stored_weights(layer)
    if not isinstance(layer, Conv):
        return weight.reshape(layer.channels, *before).transpose(1, 2, 3, 0)
    by_group = weight.reshape(layer.groups, -1, *weight.shape[1:]).transpose(0, 2, 3, 4, 1)
    return by_group.reshape(-1, *by_group.shape[2:])


def _input_shifts(layer: Layer) -> tuple[int, int]:
    """Lava's convolution wraps its sum at 24 bits; a dense sum is shifted back by its weights' exponent."""
    if not isinstance(layer, Conv):
        return 0, stored_weights(layer)[1]
    highest = 255 * int(np.abs(layer.weight).sum((1, 2, 3)).max())
    return (8, 8) if highest >= 1 << 23 else (0, 0)


def _rows(layer: Layer, before: Shape, after: Shape, kernel: tuple[int, ...]) -> tuple[State, State]:
    start, pairs = taps(layer, 0, before[1], after[1])
    steps = np.array([kernel[2] * kernel[3], after[2] * after[0]])
    return start, np.concatenate([pairs * steps, np.zeros((len(pairs), 2), int)], 1).astype(np.int32)


def _columns(layer: Layer, before: Shape, after: Shape) -> tuple[State, State, list[int]]:
    """For each position its runs (weight offset, neuron offset, length, synapses), and the kernel columns in the order
    in which their weights are stored, -1 for one of zeros."""
    tap_starts, pairs = taps(layer, 1, before[2], after[2])
    taps_of = [dict(pairs[first:last, ::-1].tolist()) for first, last in pairwise(tap_starts)]
    group_out = layer.channels // (layer.groups if isinstance(layer, Conv) else 1)
    pieces = [_pieces(at, group_out == layer.channels) for at in taps_of]
    longest = max((len(columns) for here in pieces for _, columns in here), default=0)
    if longest * group_out <= _NARROW:
        pieces = [[(first, (*columns, *(longest - len(columns)) * (-1,))) for first, columns in at] for at in pieces]
    stored: list[int] = []
    slots: dict[tuple[int, ...], int] = {}
    for columns in sorted({columns for at in pieces for _, columns in at}, key=len, reverse=True):
        slots[columns] = _store(stored, columns)
    runs = [
        (slots[columns], first * layer.channels // group_out, len(columns), sum(k >= 0 for k in columns))
        for at in pieces
        for first, columns in at
    ]
    starts = np.cumsum([0, *map(len, pieces)])
    return starts.astype(np.int32), np.array(runs, np.int32).reshape(-1, 4) * group_out, stored


def _pieces(taps_of: dict[int, int], contiguous: bool) -> list[tuple[int, tuple[int, ...]]]:
    """First output and kernel columns of each piece: one with zeros in its gaps, where outputs lie side by side."""
    if not taps_of:
        return []
    if not contiguous:
        return [(output, (k,)) for output, k in taps_of.items()]
    first = min(taps_of)
    return [(first, tuple(taps_of.get(output, -1) for output in range(first, max(taps_of) + 1)))]


def _store(stored: list[int], columns: tuple[int, ...]) -> int:
    """Where ``columns`` stand in ``stored``; they are added where they do not."""
    n = len(columns)
    for start in range(len(stored) - n + 1):
        if tuple(stored[start : start + n]) == columns:
            return start
    stored.extend(columns)
    return len(stored) - n
