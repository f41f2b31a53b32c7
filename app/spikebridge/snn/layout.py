"""How the emulator lays a network out in flat arrays: weights in runs, so that a spike adds few long pieces.

An input pixel reaches one to a few outputs of a row. Their channels lie side by side (channel last); where the outputs
do too, the weights are ordered so that one contiguous piece of weights goes to one contiguous piece of neurons. With
the kernels of 3 and strides of 2 of the paper's networks this halves the pieces.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikebridge.snn.network import Conv, Layer, Network, Shape
from spikebridge.snn.synapses import stored_weights, taps

Table = NDArray[np.int64]
State = NDArray[np.int32]


def padded(size: int, block: int) -> int:
    """``size`` rounded up to whole blocks."""
    return -(-size // block) * block


def lay_out(network: Network, kernels: Any) -> tuple[Table, State, State, State]:
    """The tables that ``kernels.step`` walks: plan (n_layers, PLAN_COLUMNS), weights, starts, and runs (n, 3)."""
    plan = np.zeros((len(network.layers), kernels.PLAN_COLUMNS), np.int64)
    weights: list[State] = []
    starts: list[State] = []
    pieces: list[State] = []
    for row, layer, before, after in zip(plan, network.layers, network.shapes, network.shapes[1:], strict=False):
        row[kernels.BASE] = sum(padded(n, kernels.BLOCK) for n in network.neurons[: len(weights)])
        row[kernels.WEIGHTS] = sum(w.size for w in weights)
        order = _column_order(layer, before)
        kernel = _kernel(layer, before)[:, :, order]
        weights.append(kernel.reshape(-1))
        for column, (start, run) in (
            (kernels.ROWS, _rows(layer, before, after, kernel.shape)),
            (kernels.COLUMNS, _columns(layer, before, after, order)),
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
    tables = (np.concatenate(parts).astype(np.int32) for parts in (weights, starts, pieces))
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


def _column_order(layer: Layer, before: Shape) -> list[int]:
    """Kernel columns as they are stored: those that one position uses side by side, their outputs ascending."""
    if not isinstance(layer, Conv):
        return list(range(before[2]))
    phase = [k * layer.dilation[1] % layer.stride[1] for k in range(layer.weight.shape[3])]
    return sorted(range(len(phase)), key=lambda k: (phase[k], -k))


def _rows(layer: Layer, before: Shape, after: Shape, kernel: tuple[int, ...]) -> tuple[State, State]:
    start, pairs = taps(layer, 0, before[1], after[1])
    steps = np.array([kernel[2] * kernel[3], after[2] * after[0]])
    return start, np.concatenate([pairs * steps, np.zeros((len(pairs), 1), int)], 1).astype(np.int32)


def _columns(layer: Layer, before: Shape, after: Shape, order: list[int]) -> tuple[State, State]:
    """For each position the pieces (weight offset, neuron offset, length)."""
    group_out = layer.channels // (layer.groups if isinstance(layer, Conv) else 1)
    slot = {k: i for i, k in enumerate(order)}
    tap_starts, pairs = taps(layer, 1, before[2], after[2])
    starts, runs = [0], []
    for first, last in pairwise(tap_starts):
        here: list[list[int]] = []
        for k, output in sorted(pairs[first:last].tolist(), key=lambda pair: pair[1]):
            piece = [slot[k] * group_out, output * after[0], group_out]
            if here and here[-1][0] + here[-1][2] == piece[0] and here[-1][1] + here[-1][2] == piece[1]:
                here[-1][2] += group_out
            else:
                here.append(piece)
        runs.extend(here)
        starts.append(len(runs))
    return np.array(starts, np.int32), np.array(runs, np.int32).reshape(-1, 3)
