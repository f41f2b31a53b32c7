"""From spikes to what the neurons of a layer receive.

Spikes are bits, channel last. Few of them are listed, and each adds its weights to the neurons that it reaches; of
many, each neuron looks up what it receives. Unsigned indices spare numba's test for negative ones.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from spikebridge.snn.kernels.vectors import (
    Bytes,
    Ints,
    Load,
    Plus,
    Store,
    load_8,
    load_16,
    ones,
    plus_8,
    plus_16,
    store_8,
    store_16,
    times_8,
    trailing_zeros,
    word_at,
)
from spikebridge.snn.plan import BLOCK, GUARD, LayerPlan, Runs, Windows

_BLOCK_BITS = BLOCK.bit_length() - 1

_i32 = np.int32
_u64 = np.uint64


@nb.njit(nogil=True)
def list_spikes(bits: NDArray[np.uint64], n_bits: int, spikes: Ints) -> None:
    """The numbers of the bits that are set, in order.

    Most words hold few: four places are written without a question, and written again where there were less.
    """
    n = _u64(0)
    for index in range(_u64(n_bits + 63) >> _u64(6)):
        word = bits[_u64(GUARD) + index]
        at = n
        n += ones(word)
        while True:
            for i in range(_u64(4)):
                spikes[at + i] = (index << _u64(6)) + trailing_zeros(word)
                word &= word - _u64(1)
            if not word:
                break
            at += _u64(4)


@nb.njit(inline="always")
def _wake(awake: Bytes, first: np.uint64, n: np.uint64) -> None:
    """The blocks of ``n`` neurons, mostly one or two."""
    start, end = first >> _u64(_BLOCK_BITS), (first + n - _u64(1)) >> _u64(_BLOCK_BITS)
    awake[start] = 1
    awake[end] = 1
    for block in range(start + _u64(1), end):
        awake[block] = 1


@nb.njit(inline="always")
def _send_vectors(
    runs: Runs, received: Ints, awake: Bytes, weights: Ints, places: Ints, spikes: Ints, n_spikes: np.uint64
) -> np.uint64:
    """Adds the weights of each spike to what the neurons receive, in vectors; returns the outputs reached."""
    rows, columns, row_bits, length = _u64(runs.rows), _u64(runs.columns), _u64(runs.row_bits), _u64(runs.length)
    by_row, by_row_shift = _u64(runs.by_row), _u64(runs.by_row_shift)
    one = _u64(1)
    # A bit for each vector: LLVM would unroll a loop that counts, and most of these are over after the second.
    vectors = (one << _u64(runs.vectors)) - one
    reached = _u64(0)
    for i in range(n_spikes):
        spike = _u64(spikes[i])
        y = spike * by_row >> by_row_shift
        column = columns + (spike - y * row_bits) * _u64(3)
        w_column, t_column, outputs = _u64(places[column]), _u64(places[column + one]), _u64(places[column + _u64(2)])
        for row in range(_u64(places[rows + y]), _u64(places[rows + y + one]), _u64(2)):
            w = w_column + _u64(places[row])
            t = t_column + _u64(places[row + one])
            reached += outputs
            _wake(awake, t, length)
            rest = vectors
            while rest:
                store_8(received, t, plus_8(load_8(received, t), load_8(weights, w)))
                t += _u64(8)
                w += _u64(8)
                rest >>= one
    return reached


@nb.njit(inline="always")
def _send_any(
    runs: Runs,
    received: Ints,
    awake: Bytes,
    weights: Ints,
    places: Ints,
    spikes: Ints,
    n_spikes: np.uint64,
    values: Bytes,
    graded: bool,
) -> np.uint64:
    """The same for runs of any number and length, and for spikes with a value."""
    length, of_bit = _u64(runs.length), _u64(runs.runs) * _u64(3)
    rows, columns, row_bits = _u64(runs.rows), _u64(runs.columns), _u64(runs.row_bits)
    whole = length & ~_u64(7)
    one = _u64(1)
    reached = _u64(0)
    for i in range(n_spikes):
        spike = _u64(spikes[i])
        value = _i32(values[spike]) if graded else _i32(1)
        y = spike * _u64(runs.by_row) >> _u64(runs.by_row_shift)
        column = columns + (spike - y * row_bits) * of_bit
        for row in range(_u64(places[rows + y]), _u64(places[rows + y + one]), _u64(2)):
            for run in range(column, column + of_bit, _u64(3)):
                w = _u64(places[run]) + _u64(places[row])
                t = _u64(places[run + one]) + _u64(places[row + one])
                reached += _u64(places[run + _u64(2)])
                _wake(awake, t, length)
                for lane in range(_u64(0), whole, _u64(8)):
                    added = times_8(load_8(weights, w + lane), value)
                    store_8(received, t + lane, plus_8(load_8(received, t + lane), added))
                for lane in range(whole, length):
                    received[t + lane] = _i32(received[t + lane] + _i32(weights[w + lane] * value))
    return reached


@nb.njit(inline="always")
def _look_up(
    layer: LayerPlan,
    received: Ints,
    sums: Ints,
    masks: NDArray[np.uint64],
    bits: Bytes,
    lanes: int,
    load: Load,
    store: Store,
    plus: Plus,
) -> None:
    """Adds to what each window of neurons receives the sums of the weights of its bits."""
    windows, runs = layer.windows, layer.runs
    parts, part_bits = _u64(windows.parts), _u64(windows.part_bits)
    one, part = _u64(1), (_u64(1) << part_bits) - _u64(1)
    # As in ``_send_vectors``: the bits of the parts that are left.
    all_parts = (one << (parts * part_bits)) - one
    table_size = _u64(lanes) << part_bits
    row_bytes = _u64(runs.row_bits >> 3)
    t = _u64(layer.neurons.base)
    for y in range(windows.rows):
        row = y * windows.stride - windows.padding
        first, last = max(0, -row), min(windows.kernel_rows, runs.height - row)
        bit = _u64(64 * GUARD + (row + first) * runs.row_bits - windows.bit_padding)
        first_table = _u64(windows.sums) + _u64(first) * parts * table_size
        for x in range(_u64(windows.row_windows)):
            mask = masks[_u64(windows.masks) + x]
            byte, shift = bit >> _u64(3), bit & _u64(7)
            table = first_table
            added = load(received, t)
            for _ in range(first, last):
                window = (word_at(bits, byte) >> shift) & mask
                rest = all_parts
                while rest:
                    added = plus(added, load(sums, table + (window & part) * _u64(lanes)))
                    window >>= part_bits
                    rest >>= part_bits
                    table += table_size
                byte += row_bytes
            store(received, t, added)
            t += _u64(lanes)
            bit += _u64(windows.bit_stride)


@nb.njit(inline="always")
def _reached(windows: Windows, n_bits: int, masks: NDArray[np.uint64], bits: NDArray[np.uint64]) -> np.uint64:
    """The outputs that all spikes reach, each counted as often as it is reached."""
    words = _u64(n_bits + 63) >> _u64(6)
    reached = _u64(0)
    for plane in range(_u64(windows.fan_planes)):
        of_plane = _u64(0)
        fans = _u64(windows.fans) + plane * words
        for index in range(words):
            of_plane += ones(bits[_u64(GUARD) + index] & masks[fans + index])
        reached += of_plane << plane
    return reached


@nb.njit(nogil=True)
def deliver(
    layer: LayerPlan,
    state: Ints,
    blocks: Bytes,
    weights: Ints,
    places: Ints,
    masks: NDArray[np.uint64],
    bits: NDArray[np.uint64],
    spikes: Ints,
    values: Bytes,
    n_spikes: np.uint64,
    largest: np.int64,
) -> None:
    """Sends the ``n_spikes`` in ``bits`` to ``layer``. largest : a bound of their ``values``; where it is 1, all are.

    The others : see ``step``.
    """
    runs, windows, neurons = layer.runs, layer.windows, layer.neurons
    neurons.largest_input = int(largest)
    received, awake = state[0], blocks[0]
    n_bits = runs.height * runs.row_bits
    if largest == 1 and np.int64(n_spikes) >= windows.spikes_from:
        flags = bits.view(np.uint8)
        if windows.lanes == 8:
            _look_up(layer, received, weights, masks, flags, 8, load_8, store_8, plus_8)
        else:
            _look_up(layer, received, weights, masks, flags, 16, load_16, store_16, plus_16)
        awake[neurons.base >> _BLOCK_BITS : (neurons.base + neurons.size + BLOCK - 1) >> _BLOCK_BITS] = 1
        reached = _reached(windows, n_bits, masks, bits)
    else:
        list_spikes(bits, n_bits, spikes)
        if largest == 1 and runs.vectors:
            reached = _send_vectors(runs, received, awake, weights, places, spikes, n_spikes)
        else:
            reached = _send_any(runs, received, awake, weights, places, spikes, n_spikes, values, bool(largest > 1))
    neurons.synaptic_events += int(reached) * runs.group_out
