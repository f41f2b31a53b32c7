"""The numbers that the emulator's inner loops read for each layer, and the counters that they write.

Each record is a numpy structured type: the loops see its fields by name. All fields are int64.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

#: Neurons that sleep and wake together.
BLOCK = 128
#: Words before and behind the bits of a layer's spikes: a window may begin before them and end behind them.
GUARD = 8


class Neurons(Protocol):
    """Where a layer's state lies, and its arithmetic.

    base, size : first neuron in the state arrays and their number, without padding. keep_u, keep_v : 4096 less the
    decay. threshold : in the state's units. input_left, input_right : shifts that bring the accumulated input into
    range, 0 where it cannot leave it. reach : most that one neuron can receive of either sign from inputs of one.
    largest_input : a bound of the inputs that were sent in the last step. The rest counts since the start.
    """

    base: int
    size: int
    channels: int
    keep_u: int
    keep_v: int
    threshold: int
    input_left: int
    input_right: int
    reach: int
    largest_input: int
    synaptic_events: int
    updates: int
    spikes: int
    overflows: int


class Runs(Protocol):
    """How a spike reaches its neurons: in each row of outputs by ``runs`` pieces of ``length`` weights.

    channels, height, row_bits : of the input; a row has a bit for each pixel and channel. by_row, by_row_shift :
    ``bit * by_row >> by_row_shift`` is its row. rows : in ``places``, for each input row where its rows of outputs
    begin: pairs of a weight's and a neuron's offset. columns : there too, for each bit of a row its runs: offset of the
    weights, of the neurons, outputs reached. vectors : of 8 weights in a piece where it is the only one and they fill
    it, else 0. group_out : outputs of a group at one place.
    """

    channels: int
    height: int
    row_bits: int
    by_row: int
    by_row_shift: int
    rows: int
    columns: int
    runs: int
    length: int
    vectors: int
    group_out: int


class Windows(Protocol):
    """How neurons look up what they receive; see ``windows``.

    spikes_from : so many are looked up, fewer are sent one by one. rows, row_windows : of outputs, and windows in one.
    lanes : outputs of a window. kernel_rows, stride, padding : along y. bit_stride, bit_padding : along a row of input
    bits. parts, part_bits : of the bits that a window has in a row. sums : in ``weights``, (kernel_rows, parts,
    2**part_bits, lanes). masks : in ``masks``, for each window of a row the bits that lie inside the image. fans,
    fan_planes : there too, the outputs that each bit reaches, one bit of that number after the other.
    """

    spikes_from: int
    rows: int
    row_windows: int
    lanes: int
    kernel_rows: int
    stride: int
    padding: int
    bit_stride: int
    bit_padding: int
    parts: int
    part_bits: int
    sums: int
    masks: int
    fans: int
    fan_planes: int


class LayerPlan(Protocol):
    """One layer."""

    neurons: Neurons
    runs: Runs
    windows: Windows


def _record(fields: type) -> np.dtype[np.void]:
    return np.dtype([(name, np.int64) for name in fields.__annotations__])


PLAN = np.dtype([("neurons", _record(Neurons)), ("runs", _record(Runs)), ("windows", _record(Windows))])
