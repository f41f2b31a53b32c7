"""Fused forward and backward passes of spiking convolutions, in Loihi's integers.

Forward: Loihi's current-based LIF (Lava ``PyLifModelBitAcc``, ``fixed_pt``) in the scaling of SLAYER: even integer
weights, state scale 4096, ``du + 1 = current_decay``, ``dv = voltage_decay``. Backward: SLAYER's surrogate, that is
linear leaky integrators run backwards in time, the reset left out, and the exponential derivative of the spike.

All convolutions are 3x3, stride 2, padding 1. An input at row y reaches the rows ``(y + 1 - k) / 2`` for the taps k
with matching parity: one for even y (k = 1), two for odd y (k = 0 and 2), so events are scattered, never multiplied
densely. Samples of one batch are independent and run one after the other, which keeps their states in cache; the
channels of a neuron map lie side by side, (S, H, W, C), so that one event meets all of them in one place.

Why not torch: SLAYER steps through time in Python and convolves five-dimensional dense tensors of which 98 % are
zero; on a CPU that is two orders of magnitude slower. Cost of this choice: the gradient is written out by hand. A
test holds both directions equal to SLAYER's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

IntArray: TypeAlias = NDArray[np.int32]
LongArray: TypeAlias = NDArray[np.int64]
FloatArray: TypeAlias = NDArray[np.float32]
Addresses: TypeAlias = NDArray[np.uint16] | IntArray
Whole: TypeAlias = int | np.int32 | np.int64
#: addresses, offsets, bits, weights, drive; see ``event_kernel``.
EventKernel: TypeAlias = Callable[[Addresses, LongArray, Whole, IntArray | FloatArray, IntArray | FloatArray], None]

#: Loihi's fixed point: decays are 12-bit fractions, weights and thresholds are shifted by 6 bits.
DECAY_ONE = 4096
STATE_SCALE = 4096
WEIGHT_SHIFT = 6

_HALF_24 = 1 << 23
_MASK_24 = (1 << 24) - 1
_BLOCK = 16
_LOG2_E = np.float32(math.log2(math.e))


@njit(cache=True, nogil=True)
def update(
    u: IntArray, v: IntArray, a: IntArray, trace: IntArray, keep_u: np.int32, keep_v: np.int32, threshold: np.int32
) -> None:
    """One step of all neurons of a layer, flat; ``a`` is cleared, ``trace`` gets the voltages before the reset.

    keep_u, keep_v : 4096 minus the decay. |x| * keep >> 12 is taken in two halves so that it fits 32 bits exactly.
    """
    # numba widens sums and products to 64 bits; casting each of them back lets the compiler use 32-bit vectors.
    int32 = np.int32
    for i in range(u.size):
        m = int32(abs(u[i]))
        m = int32(int32(int32(m >> int32(12)) * keep_u) + int32(int32(int32(m & int32(4095)) * keep_u) >> int32(12)))
        current = int32((m if u[i] >= 0 else int32(-m)) + int32(a[i] << int32(WEIGHT_SHIFT)))
        current = int32(int32(int32(current + int32(_HALF_24)) & int32(_MASK_24)) - int32(_HALF_24))
        m = int32(abs(v[i]))
        m = int32(int32(int32(m >> int32(12)) * keep_v) + int32(int32(int32(m & int32(4095)) * keep_v) >> int32(12)))
        voltage = int32((m if v[i] >= 0 else int32(-m)) + current)
        voltage = int32(min(max(voltage, int32(1 - _HALF_24)), int32(_HALF_24 - 1)))
        u[i] = current
        trace[i] = voltage
        v[i] = int32(0) if voltage > threshold else voltage
        a[i] = int32(0)


@njit(cache=True, nogil=True)
def forward_layer(
    drive: IntArray, trace: IntArray, first: Whole, keep_u: np.int32, keep_v: np.int32, threshold: np.int32
) -> None:
    """Runs one layer of one sample over time.

    drive : (S, n) synaptic input of each step, cleared while read. trace : (S, n) voltages before the reset, out.
    first : steps before it are silent since the reset and stay zero.
    """
    n = drive.shape[1]
    u = np.zeros(n, np.int32)
    v = np.zeros(n, np.int32)
    trace[:first] = 0
    for s in range(first, drive.shape[0]):
        update(u, v, drive[s], trace[s], keep_u, keep_v, threshold)


@njit(cache=True, nogil=True)
def find_spikes(
    trace: IntArray,
    threshold: Whole,
    channels: Whole,
    bits: Whole,
    first: Whole,
    addresses: IntArray,
    offsets: LongArray,
) -> None:
    """Voltages (S, n) above ``threshold`` as a list of events, see ``event_kernel``; steps before ``first`` are silent.

    addresses : room for all, (S * n,). offsets : (S + 1,), both out.
    """
    steps, n = trace.shape
    found = 0
    for s in range(steps):
        offsets[s] = found
        if s < first:
            continue
        row = trace[s]
        for begin in range(0, n, _BLOCK):
            # Most blocks hold no spike, and whether one does is seen on vectors, if the block's length is known.
            fires = np.int32(0)
            if begin + _BLOCK <= n:
                for k in range(_BLOCK):
                    fires |= np.int32(row[begin + k] > threshold)
                if fires == 0:
                    continue
            for i in range(begin, min(begin + _BLOCK, n)):
                if row[i] > threshold:
                    addresses[found] = (i % channels) << (2 * bits) | i // channels
                    found += 1
    offsets[steps] = found


@cache
def event_kernel(n_out: int, gathers: bool) -> EventKernel:
    """What events do between a layer's weights and its drive, compiled for the number of channels, since the inner
    loop is short, and for the direction.

    gathers : False to add weights to the drive, the forward pass; True to add the drive's gradient to the weights'.
    """

    @njit(cache=True, nogil=True)
    def visit(
        addresses: Addresses,
        offsets: LongArray,
        bits: Whole,
        weights: IntArray | FloatArray,
        drive: IntArray | FloatArray,
    ) -> None:
        """weights : (C, 3, 3, C'), drive : (S, H', W', C'), values or gradients of both.

        addresses : ``channel << 2 * bits | y << bits | x``; those of step s are ``offsets[s]:offsets[s + 1]``.
        """
        steps, height, width, _ = drive.shape
        mask = (1 << bits) - 1
        for s in range(steps):
            for i in range(offsets[s], offsets[s + 1]):
                address = np.int64(addresses[i])
                y, x = (address >> bits) & mask, address & mask
                taps = weights[address >> (2 * bits)]
                for ky in range((y + 1) & 1, 3, 2):
                    row = (y + 1 - ky) >> 1
                    if row >= height:
                        continue
                    for kx in range((x + 1) & 1, 3, 2):
                        column = (x + 1 - kx) >> 1
                        if column >= width:
                            continue
                        there, tap = drive[s, row, column], taps[ky, kx]
                        for o in range(n_out):
                            if gathers:
                                tap[o] += there[o]
                            else:
                                there[o] += tap[o]

    return visit


@njit(cache=True, nogil=True)
def accumulate(addresses: Addresses, offsets: LongArray, bits: Whole, interval: Whole, features: FloatArray) -> None:
    """The accumulator: adds the last layer's spikes to (C, T/I, h, w) counts over the last T steps."""
    steps = offsets.size - 1
    mask = (1 << bits) - 1
    start = steps - interval * features.shape[1]
    for s in range(max(start, 0), steps):
        for i in range(offsets[s], offsets[s + 1]):
            address = np.int64(addresses[i])
            y, x = (address >> bits) & mask, address & mask
            features[address >> (2 * bits), (s - start) // interval, y, x] += np.float32(1)


@njit(cache=True, nogil=True)
def surrogate(
    voltages: IntArray, threshold: Whole, inverse_tau: np.float32, scale: np.float32, bits: IntArray, out: FloatArray
) -> None:
    """``scale * exp(-|v - threshold'| * inverse_tau)`` with v in units of 4096, flat.

    SLAYER compares with a threshold 0.01 of a state step higher, to spike strictly above it. exp is 2**-n * 2**f with
    n an integer written into the exponent bits and a polynomial for f in [-0.5, 0.5]: libm's exp does not vectorise.
    """
    offset = np.float32(threshold + 0.01)
    factor = inverse_tau * _LOG2_E / np.float32(STATE_SCALE)
    powers = bits.view(np.float32)
    for i in range(voltages.size):
        exponent = min(abs(np.float32(voltages[i]) - offset) * factor, np.float32(125.0))
        n = np.int32(exponent + np.float32(0.5))
        f = np.float32(n) - exponent
        p = np.float32(0.000154035304)
        p = p * f + np.float32(0.00133335581)
        p = p * f + np.float32(0.00961812911)
        p = p * f + np.float32(0.0555041087)
        p = p * f + np.float32(0.240226507)
        p = p * f + np.float32(0.69314718)
        p = p * f + np.float32(1.0)
        out[i] = scale * p
        bits[i] = (127 - n) << 23
    for i in range(voltages.size):
        out[i] *= powers[i]


@njit(cache=True, nogil=True, fastmath={"contract"})
def backward_layer(
    trace: IntArray,
    spike_gradient: FloatArray,
    first: Whole,
    keep_u: np.float32,
    keep_v: np.float32,
    threshold: Whole,
    inverse_tau: np.float32,
    scale: np.float32,
) -> None:
    """Gradient of the spikes of one sample to the gradient of the drive, in place in ``spike_gradient`` (S, n)."""
    steps, n = trace.shape
    bits = np.empty(n, np.int32)
    slope = np.empty(n, np.float32)
    gradient_v = np.zeros(n, np.float32)
    gradient_u = np.zeros(n, np.float32)
    for s in range(steps - 1, first - 1, -1):
        surrogate(trace[s], threshold, inverse_tau, scale, bits, slope)
        row = spike_gradient[s]
        for i in range(n):
            gradient_v[i] = keep_v * gradient_v[i] + slope[i] * row[i]
            gradient_u[i] = keep_u * gradient_u[i] + gradient_v[i]
            row[i] = gradient_u[i]


@cache
def fold_kernel(channels: int) -> Callable[[FloatArray, FloatArray], None]:
    """What a layer of ``channels`` gets back of the gradient of its spikes."""

    @njit(cache=True, nogil=True)
    def fold(patches: FloatArray, spike_gradient: FloatArray) -> None:
        """Adds what each tap passed back, (S, h, w, 3, 3C), to ``spike_gradient`` (S, 2h, 2w * C).

        The second half of a transposed convolution, after a matrix product. The three taps of a row lie side by side in
        both arrays; at the left edge the first of them lies outside the picture.
        """
        steps, height, width, _, _ = patches.shape
        for s in range(steps):
            for row in range(height):
                for ky in range(1 if row == 0 else 0, 3):
                    target = spike_gradient[s, 2 * row + ky - 1]
                    first = patches[s, row, 0, ky]
                    for i in range(channels, 3 * channels):
                        target[i - channels] += first[i]
                    for column in range(1, width):
                        place = target[(2 * column - 1) * channels : (2 * column + 2) * channels]
                        passed = patches[s, row, column, ky]
                        for i in range(3 * channels):
                            place[i] += passed[i]

    return fold
