"""How the emulator lays a network out in flat arrays: weights in runs, so that a spike adds few long pieces.

An input pixel reaches one to a few outputs of a row, whose channels lie side by side (channel last). The weights are
stored so that they are one contiguous piece too, with zeros where an output of the row is not reached: a spike adds one
piece of weights to one piece of neurons per row. All pieces of a layer are equally long, filled up with zeros: that
costs less than mispredicted ends. A piece may end behind its row; only zeros go there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from spikebridge.snn.network import Conv, Layer, Network, Shape
from spikebridge.snn.plan import BLOCK, PLAN
from spikebridge.snn.synapses import stored_weights, taps
from spikebridge.snn.windows import has_windows, window_plan, window_tables

State: TypeAlias = NDArray[np.int32]
Words: TypeAlias = NDArray[np.uint64]
_Scalar = TypeVar("_Scalar", np.int32, np.uint64)

#: More spikes than any layer has neurons.
_NEVER = 1 << 62


@dataclass(frozen=True, eq=False)
class Layout:
    """What ``kernels.step`` walks. plan : (n_layers,) records of ``plan.PLAN``. weights, places, masks : flat; the plan
    says what lies where. neurons : with the padding of each layer and room for the zeros of a piece that ends behind
    the last; ``blocks`` of them can wake."""

    plan: NDArray[np.void]
    weights: State
    places: State
    masks: Words
    neurons: int
    blocks: int


def padded(size: int) -> int:
    """``size`` rounded up to whole blocks."""
    return -(-size // BLOCK) * BLOCK


def lay_out(network: Network) -> Layout:
    """The tables of a network; what is counted in them starts at zero."""
    plan = np.zeros(len(network.layers), PLAN)
    weights, places, masks = _Array(np.int32), _Array(np.int32), _Array(np.uint64)
    base = longest = 0
    for row, layer, before, after in zip(plan, network.layers, network.shapes, network.shapes[1:], strict=False):
        _fill(row["neurons"], _neurons(layer, base, int(np.prod(after))))
        runs = _runs(layer, before, after, base, weights, places)
        _fill(row["runs"], runs)
        row["windows"]["spikes_from"] = _NEVER
        if isinstance(layer, Conv) and has_windows(layer, before, after):
            sums, inside, fans = window_tables(layer, before, after)
            starts = {"sums": weights.add(sums), "masks": masks.add(inside), "fans": masks.add(fans)}
            _fill(row["windows"], window_plan(layer, before, after) | starts)
        base += padded(int(np.prod(after)))
        longest = max(longest, runs["length"])
    return Layout(plan, weights.join(), places.join(), masks.join(), base + padded(longest), base // BLOCK)


class _Array(Generic[_Scalar]):
    """Grows by parts, which lie one after the other."""

    def __init__(self, scalar: type[_Scalar]) -> None:
        self._parts: list[NDArray[_Scalar]] = [np.zeros(1, scalar)]
        self._size = 1

    def add(self, part: NDArray[np.integer]) -> int:
        """Where it starts."""
        start = self._size
        self._parts.append(part.reshape(-1).astype(self._parts[0].dtype))
        self._size += part.size
        return start

    def join(self) -> NDArray[_Scalar]:
        return np.concatenate(self._parts)


def _fill(record: np.void, values: Mapping[str, int]) -> None:
    for name, value in values.items():
        record[name] = value


def _neurons(layer: Layer, base: int, size: int) -> dict[str, int]:
    stored = stored_weights(layer)[0].reshape(layer.channels, -1).astype(np.int64)
    left, right = _input_shifts(layer)
    return {
        "base": base,
        "size": size,
        "channels": layer.channels,
        "keep_u": 4096 - layer.neuron.current_decay,
        "keep_v": 4096 - layer.neuron.voltage_decay,
        "threshold": layer.neuron.threshold << 6,
        "input_left": left,
        "input_right": right,
        "reach": int(max(np.maximum(stored, 0).sum(1).max(), np.maximum(-stored, 0).sum(1).max())),
        "largest_input": 1,
    }


def _input_shifts(layer: Layer) -> tuple[int, int]:
    """Lava's convolution wraps its sum at 24 bits; a dense sum is shifted back by its weights' exponent."""
    if not isinstance(layer, Conv):
        return 0, stored_weights(layer)[1]
    highest = 255 * int(np.abs(layer.weight).sum((1, 2, 3)).max())
    return (8, 8) if highest >= 1 << 23 else (0, 0)


def _runs(
    layer: Layer, before: Shape, after: Shape, base: int, weights: _Array[np.int32], places: _Array[np.int32]
) -> dict[str, int]:
    groups = layer.groups if isinstance(layer, Conv) else 1
    group_out = layer.channels // groups
    pieces = _pieces(layer, before, after, groups)
    stored, slots = _in_one([columns for at in pieces for _, columns in at])
    # Behind the last column one of zeros, which -1 stands for.
    kernel = np.pad(_kernel(layer, before), ((0, 0), (0, 0), (0, 1), (0, 0)))[:, :, stored]
    first_weight = weights.add(kernel)
    starts, rows = taps(layer, 0, before[1], after[1])
    first_row = places.add(rows * [kernel[0, 0].size, after[2] * after[0]] + [first_weight, base])
    channel = np.arange(before[0])
    of_channel = np.stack([channel * kernel[0].size, channel // (before[0] // groups) * group_out, 0 * channel], 1)
    of_column = np.array(
        [
            [(slots[columns] * group_out, output * after[0], sum(k >= 0 for k in columns)) for output, columns in at]
            for at in pieces
        ]
    )
    length, whole = len(pieces[0][0][1]) * group_out, len(pieces[0]) == 1
    row_bits = before[0] * before[2]
    return {
        "channels": before[0],
        "height": before[1],
        "row_bits": row_bits,
        **_division(row_bits),
        "rows": places.add(first_row + 2 * starts),
        "columns": places.add(of_column[:, None] + of_channel[None, :, None]),
        "runs": len(pieces[0]),
        "length": length,
        "vectors": length // 8 if whole and length % 8 == 0 and length < 512 else 0,
        "group_out": group_out,
    }


def _division(divisor: int) -> dict[str, int]:
    """By a product and a shift; exact for what is below 2**31."""
    shift = 32 + (divisor - 1).bit_length()
    return {"by_row": -(-(1 << shift) // divisor), "by_row_shift": shift}


def _kernel(layer: Layer, before: Shape) -> State:
    """Weights as (I, kh, kw, O/groups): a dense layer is a convolution whose kernel covers its input."""
    weight, _ = stored_weights(layer)
    if not isinstance(layer, Conv):
        return weight.reshape(layer.channels, *before).transpose(1, 2, 3, 0)
    by_group = weight.reshape(layer.groups, -1, *weight.shape[1:]).transpose(0, 2, 3, 4, 1)
    return by_group.reshape(-1, *by_group.shape[2:])


_Columns: TypeAlias = tuple[int, ...]


def _pieces(layer: Layer, before: Shape, after: Shape, groups: int) -> list[list[tuple[int, _Columns]]]:
    """For each position of a row its pieces: first output and kernel columns, -1 for one of zeros.

    One piece with zeros in its gaps where outputs lie side by side, else one for each output. All are equally long, and
    each position has as many.
    """
    starts, pairs = taps(layer, 1, before[2], after[2])
    pieces: list[list[tuple[int, _Columns]]] = []
    for first, last in pairwise(starts):
        reached: dict[int, int] = dict(pairs[first:last, ::-1].tolist())
        if groups > 1 or not reached:
            pieces.append([(output, (column,)) for output, column in reached.items()])
        else:
            side_by_side = range(min(reached), max(reached) + 1)
            pieces.append([(side_by_side[0], tuple(reached.get(output, -1) for output in side_by_side))])
    most = max(1, *map(len, pieces))
    longest = max((len(columns) for at in pieces for _, columns in at), default=1)
    return [
        [(output, columns + (longest - len(columns)) * (-1,)) for output, columns in at]
        + (most - len(at)) * [(0, longest * (-1,))]
        for at in pieces
    ]


def _in_one(runs: list[_Columns]) -> tuple[list[int], dict[_Columns, int]]:
    """Columns in an order that holds each of ``runs`` in one piece, and where each begins."""
    stored: list[int] = []
    slots: dict[_Columns, int] = {}
    for columns in sorted(set(runs), key=len, reverse=True):
        n = len(columns)
        found = [start for start in range(len(stored) - n + 1) if tuple(stored[start : start + n]) == columns]
        slots[columns] = found[0] if found else len(stored)
        stored += [] if found else columns
    return stored, slots
