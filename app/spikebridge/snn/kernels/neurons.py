"""One time step of the neurons of a layer.

Arithmetic of Lava's ``PyLifModelBitAcc`` with its bit offset of the current's decay; the current wraps once at 24 bits,
the voltage is clipped. Loops without branches that LLVM turns into vector code; hence the explicit int32 around every
operation, without which numba computes in int64 at half the width or less.
"""

from __future__ import annotations

import numba as nb
import numpy as np
from numpy.typing import NDArray

from spikebridge.snn.kernels.vectors import Bytes, Ints, bits_of, ones
from spikebridge.snn.plan import BLOCK, GUARD, Neurons

_BLOCK_BITS = BLOCK.bit_length() - 1

_i32 = np.int32
_u64 = np.uint64
_V_MAX = np.int32((1 << 23) - 1)
_V_MIN = np.int32(1 - (1 << 23))
_U_MAX = np.int32(1 << 23)
_U_MIN = np.int32(-(1 << 23))
_FULL = np.int32(1 << 24)
#: The chip's accumulator has 21 bits and a sign after the alignment by 6 bits (Lava declares it as 16 bits before it).
_ACCUMULATOR = np.int32(1 << 15)
#: A state below it times a decay of 12 bits fits int32; with an input that fits the accumulator it stays below 24 bits.
_CALM = np.int32(1 << 19)


@nb.njit(inline="always")
def _decay(state: np.int32, keep: np.int32) -> np.int32:
    """``state * keep / 4096`` rounded toward zero; in two halves, so that no product leaves int32."""
    toward_zero = _i32(_i32(state >> _i32(31)) & _i32(4095))
    high = _i32(_i32(state >> _i32(12)) * keep)
    low = _i32(_i32(state & _i32(4095)) * keep)
    return _i32(high + _i32(_i32(low + toward_zero) >> _i32(12)))


@nb.njit(inline="always")
def _decay_calm(state: np.int32, keep: np.int32) -> np.int32:
    """The same for a state below ``_CALM``."""
    toward_zero = _i32(_i32(state >> _i32(31)) & _i32(4095))
    return _i32(_i32(_i32(state * keep) + toward_zero) >> _i32(12))


@nb.njit(inline="always")
def _update_calm(
    neurons: Neurons, first: np.uint64, received: Ints, current: Ints, voltage: Ints, fired: Bytes
) -> tuple[np.int32, np.int32]:
    """One block without bias of which no state can wrap or clip: how many of its neurons do not rest, and a bound of
    their new states."""
    keep_u, keep_v, threshold = _i32(neurons.keep_u), _i32(neurons.keep_v), _i32(neurons.threshold)
    updates = _i32(0)
    bound = _i32(0)
    for i in range(_u64(BLOCK)):
        a = received[first + i]
        u = current[first + i]
        v = voltage[first + i]
        updates = _i32(updates + _i32(_i32(_i32(a | u) | v) != _i32(0)))
        u = _i32(_decay_calm(u, keep_u) + _i32(a << _i32(6)))
        v = _i32(_decay_calm(v, keep_v) + u)
        spike = v > threshold
        v = _i32(0) if spike else v
        fired[i] = spike
        received[first + i] = _i32(0)
        current[first + i] = u
        voltage[first + i] = v
        bound = _i32(bound | _i32(max(u, _i32(-u)) | max(v, _i32(-v))))
    return updates, bound


@nb.njit(inline="always")
def _update_any(
    neurons: Neurons, first: np.uint64, received: Ints, current: Ints, voltage: Ints, bias: Ints, fired: Bytes
) -> tuple[np.int32, np.int32, np.int32]:
    """``_update_calm`` for any block, and how many neurons received more than the chip's accumulator holds."""
    keep_u, keep_v, threshold = _i32(neurons.keep_u), _i32(neurons.keep_v), _i32(neurons.threshold)
    left, right = _i32(neurons.input_left), _i32(neurons.input_right)
    updates = _i32(0)
    bound = _i32(0)
    overflows = _i32(0)
    for i in range(_u64(BLOCK)):
        a = _i32(_i32(received[first + i] << left) >> right)
        u = current[first + i]
        v = voltage[first + i]
        b = bias[first + i]
        updates = _i32(updates + _i32(_i32(_i32(a | u) | _i32(v | b)) != _i32(0)))
        overflows = _i32(overflows + _i32(_i32(_i32(a + _ACCUMULATOR) >> _i32(16)) != _i32(0)))
        u = _i32(_decay(u, keep_u) + _i32(a << _i32(6)))
        u = _i32(u - _FULL) if u > _U_MAX else _i32(u + _FULL) if u <= _U_MIN else u
        v = _i32(_i32(_decay(v, keep_v) + u) + b)
        v = min(max(v, _V_MIN), _V_MAX)
        spike = v > threshold
        v = _i32(0) if spike else v
        fired[i] = spike
        received[first + i] = _i32(0)
        current[first + i] = u
        voltage[first + i] = v
        bound = _i32(bound | _i32(max(u, _i32(-u)) | max(v, _i32(-v))))
    return updates, bound, overflows


@nb.njit(inline="always")
def _overflow(first: np.uint64, received: Ints) -> bool:
    """Whether a neuron of a block received more than the chip's accumulator holds."""
    beyond = _i32(0)
    for i in range(_u64(BLOCK)):
        beyond = _i32(beyond | _i32(_i32(received[first + i] + _ACCUMULATOR) >> _i32(16)))
    return bool(beyond != _i32(0))


@nb.njit(nogil=True)
def update(neurons: Neurons, state: Ints, blocks: Bytes, fired: Bytes, bits: NDArray[np.uint64]) -> np.uint64:
    """One time step of a layer; which of its neurons fire goes to ``bits``, how many is returned.

    state, blocks, fired, bits : see ``step``.
    """
    awake, loud, biased = blocks[0], blocks[1], blocks[2]
    received, current, voltage, bias = state[0], state[1], state[2], state[3]
    shifts = (neurons.input_left | neurons.input_right) != 0
    may_overflow = neurons.reach * neurons.largest_input >= _ACCUMULATOR
    n_spikes = _u64(0)
    updates = np.int64(0)
    at = _u64(GUARD)
    first = _u64(neurons.base)
    for block in range(first >> _u64(_BLOCK_BITS), (first + _u64(neurons.size + BLOCK - 1)) >> _u64(_BLOCK_BITS)):
        low = high = _u64(0)
        if awake[block]:
            if shifts or loud[block] or biased[block] or (may_overflow and _overflow(first, received)):
                more, bound, overflows = _update_any(neurons, first, received, current, voltage, bias, fired)
                neurons.overflows += int(overflows)
            else:
                more, bound = _update_calm(neurons, first, received, current, voltage, fired)
            updates += more
            awake[block] = (bound != 0) | (biased[block] != 0)
            loud[block] = bound >= _CALM
            low, high = bits_of(fired, _u64(0)), bits_of(fired, _u64(64))
            n_spikes += ones(low) + ones(high)
        bits[at] = low
        bits[at + _u64(1)] = high
        at += _u64(2)
        first += _u64(BLOCK)
    neurons.updates += int(updates)
    neurons.spikes += int(n_spikes)
    return n_spikes
