"""Tables from which neurons look up what they receive, where so many spike that sending them one by one takes longer.

Spikes are bits, channel last: what a neuron sees in one row of its kernel's inputs is a window of bits, and what they
amount to is one of a few sums for each output channel, all computed before. A window of many bits is looked up in
parts; narrow ones see the inputs of two neighbouring neurons. Exact: sums of int32 do not depend on their order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikebridge.snn.network import Conv, Shape
from spikebridge.snn.plan import GUARD
from spikebridge.snn.synapses import fan_out

#: A part of so many bits has the largest table that stays in a core's cache; parts of the other are small and quick.
_WIDE, _NARROW = 10, 6
#: A word holds this many bits of a window, wherever within a byte it begins.
_WORD = 57
#: Look-ups that take the time of one spike that is sent.
_PER_SPIKE = 5


def has_windows(layer: Conv, before: Shape, after: Shape) -> bool:
    """Whether the loops can look up this layer's inputs."""
    neighbours = _neighbours(layer, before, after)
    return (
        layer.groups == 1
        and layer.dilation == (1, 1)
        and before[0] * before[2] % 8 == 0
        and before[0] * layer.padding[1] <= 64 * (GUARD - 1)
        and neighbours * layer.channels in (8, 16)
        and _bits(layer, before, neighbours) <= _WORD
    )


def window_plan(layer: Conv, before: Shape, after: Shape) -> dict[str, int]:
    """Fields of ``plan.Windows`` but for the places of the tables."""
    neighbours = _neighbours(layer, before, after)
    parts, part_bits = _parts(layer, before, neighbours)
    row_windows, kernel_rows = after[2] // neighbours, layer.weight.shape[2]
    return {
        "spikes_from": after[1] * row_windows * kernel_rows * parts // _PER_SPIKE,
        "rows": after[1],
        "row_windows": row_windows,
        "lanes": neighbours * layer.channels,
        "kernel_rows": kernel_rows,
        "stride": layer.stride[0],
        "padding": layer.padding[0],
        "bit_stride": neighbours * layer.stride[1] * before[0],
        "bit_padding": layer.padding[1] * before[0],
        "parts": parts,
        "part_bits": part_bits,
        "fan_planes": int(_fans(layer, before).max()).bit_length(),
    }


def window_tables(
    layer: Conv, before: Shape, after: Shape
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint64]]:
    """Sums (kernel rows, parts, 2**part_bits, lanes), masks (windows of a row,), and the bits of the fans
    (planes, words)."""
    neighbours = _neighbours(layer, before, after)
    parts, part_bits = _parts(layer, before, neighbours)
    kernel_rows, channels = layer.weight.shape[2], layer.channels
    weight = layer.weight.transpose(2, 3, 1, 0).reshape(kernel_rows, -1, channels)
    seen = np.zeros((kernel_rows, parts * part_bits, neighbours, channels), np.int64)
    for k in range(neighbours):
        first = k * layer.stride[1] * before[0]
        seen[:, first : first + weight.shape[1], k] = weight
    chosen = np.arange(1 << part_bits)[:, None] >> np.arange(part_bits) & 1
    sums = np.einsum("wb,kpbo->kpwo", chosen, seen.reshape(kernel_rows, parts, part_bits, neighbours * channels))
    bit = np.arange(_bits(layer, before, neighbours))
    first_bit = np.arange(after[2] // neighbours) * neighbours * layer.stride[1] - layer.padding[1]
    place = first_bit[:, None] * before[0] + bit
    masks = _packed((place >= 0) & (place < before[0] * before[2]))
    fans = _fans(layer, before)
    planes = range(int(fans.max()).bit_length())
    words = [_packed(np.pad(fans >> plane & 1, (0, -fans.size % 64)).reshape(-1, 64)) for plane in planes]
    return sums, masks, np.array(words, np.uint64)


def _neighbours(layer: Conv, before: Shape, after: Shape) -> int:
    """Neurons of a row that share a window."""
    pair = after[2] % 2 == 0 and 2 * layer.channels in (8, 16) and _bits(layer, before, 2) <= _WIDE
    return 2 if pair else 1


def _bits(layer: Conv, before: Shape, neighbours: int) -> int:
    """Of a window in one row."""
    width: int = layer.weight.shape[3]
    return ((neighbours - 1) * layer.stride[1] + width) * before[0]


def _parts(layer: Conv, before: Shape, neighbours: int) -> tuple[int, int]:
    """Parts of a window and the bits of each."""
    n = _bits(layer, before, neighbours)
    return (1, n) if n <= _WIDE else (-(-n // _NARROW), _NARROW)


def _fans(layer: Conv, before: Shape) -> NDArray[np.int32]:
    """Outputs that each input reaches, channel last, flat."""
    return np.repeat(fan_out(layer, before).reshape(-1) // layer.channels, before[0])


def _packed(flags: NDArray[np.integer] | NDArray[np.bool_]) -> NDArray[np.uint64]:
    """(n, up to 64) of 0 and 1 as (n,) words, the first in the lowest bit."""
    places = np.arange(flags.shape[1], dtype=np.uint64)
    words: NDArray[np.uint64] = (flags.astype(np.uint64) << places).sum(1, dtype=np.uint64)
    return words
