"""Fused forward and backward passes of a stack of spiking convolutions, in Loihi's integers.

Forward: Loihi's current-based LIF (Lava ``PyLifModelBitAcc``, ``fixed_pt``) in the scaling of SLAYER: even integer
weights, state scale 4096, ``du + 1 = current_decay``, ``dv = voltage_decay``. Backward: SLAYER's surrogate, that is
linear leaky integrators run backwards in time, the reset left out, and the exponential derivative of the spike.

All convolutions are 3x3, stride 2, padding 1. An input at row y reaches the rows ``(y + 1 - k) / 2`` for the taps k
with matching parity: one for even y (k = 1), two for odd y (k = 0 and 2), so events are scattered, never multiplied
densely. Samples of one batch are independent and run one after the other, which keeps their states in cache.

Why not torch: SLAYER steps through time in Python and convolves five-dimensional dense tensors of which 98 % are
zero; on a CPU that is two orders of magnitude slower. Cost of this choice: the gradient is written out by hand. A
test holds both directions equal to SLAYER's.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

IntArray: TypeAlias = NDArray[np.int32]
FloatArray: TypeAlias = NDArray[np.float32]
Whole: TypeAlias = int | np.integer[Any]

#: Loihi's fixed point: decays are 12-bit fractions, weights and thresholds are shifted by 6 bits.
DECAY_ONE = 4096
STATE_SCALE = 4096
WEIGHT_SHIFT = 6

_HALF_24 = 1 << 23
_MASK_24 = (1 << 24) - 1
_LOG2_E = np.float32(math.log2(math.e))


@njit(cache=True, nogil=True)
def scatter(currents: IntArray, weights: IntArray, channel: Whole, y: Whole, x: Whole) -> None:
    """Adds one spike at (channel, y, x) to ``currents`` (C', H', W') through ``weights`` (C', C, 3, 3)."""
    n_out, height, width = currents.shape
    for ky in range((y + 1) & 1, 3, 2):
        row = (y + 1 - ky) >> 1
        if row >= height:
            continue
        for kx in range((x + 1) & 1, 3, 2):
            column = (x + 1 - kx) >> 1
            if column >= width:
                continue
            for o in range(n_out):
                currents[o, row, column] += weights[o, channel, ky, kx]


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
def highest(row: IntArray) -> int:
    """Of a row: most rows hold no spike, and this runs on vectors where looking for one does not."""
    result = row[0]
    for i in range(row.size):
        result = max(result, row[i])
    return result


@njit(cache=True, nogil=True)
def drive_from_events(
    addresses: NDArray[np.uint16], offsets: NDArray[np.int64], weights: IntArray, drive: IntArray, bits: Whole
) -> None:
    """Input events of one sample to the first layer's drive (S, C', H', W').

    addresses : ``channel << 2 * bits | y << bits | x`` of the active inputs; those of
    step s are ``offsets[s]:offsets[s + 1]``.
    """
    mask = (1 << bits) - 1
    for s in range(drive.shape[0]):
        for i in range(offsets[s], offsets[s + 1]):
            address = np.int64(addresses[i])
            scatter(drive[s], weights, address >> (2 * bits), (address >> bits) & mask, address & mask)


@njit(cache=True, nogil=True)
def drive_from_spikes(trace: IntArray, threshold: Whole, weights: IntArray, drive: IntArray, first: Whole) -> None:
    """Spikes of one sample, (S, C, H, W) voltages above ``threshold``, to the next layer's drive (S, C', H', W')."""
    steps, channels, height, width = trace.shape
    for s in range(first, steps):
        for c in range(channels):
            for y in range(height):
                if highest(trace[s, c, y]) <= threshold:
                    continue
                for x in range(width):
                    if trace[s, c, y, x] > threshold:
                        scatter(drive[s], weights, c, y, x)


@njit(cache=True, nogil=True)
def count_spikes(trace: IntArray, threshold: Whole, interval: Whole, features: FloatArray, first: Whole) -> int:
    """The accumulator: (C, T/I, h, w) spike counts over the last steps of a (S, C, h, w) trace; returns all spikes."""
    steps, channels, height, width = trace.shape
    start = steps - interval * features.shape[1]
    total = 0
    for s in range(first, steps):
        for c in range(channels):
            for y in range(height):
                if highest(trace[s, c, y]) <= threshold:
                    continue
                for x in range(width):
                    if trace[s, c, y, x] > threshold:
                        total += 1
                        if s >= start:
                            features[c, (s - start) // interval, y, x] += np.float32(1)
    return total


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


@njit(cache=True, nogil=True)
def gather(gradient: FloatArray, weight_gradient: FloatArray, channel: Whole, y: Whole, x: Whole) -> None:
    """Adds to ``weight_gradient`` (C', C, 3, 3) what one spike at (channel, y, x) passed on; twin of ``scatter``."""
    n_out, height, width = gradient.shape
    for ky in range((y + 1) & 1, 3, 2):
        row = (y + 1 - ky) >> 1
        if row >= height:
            continue
        for kx in range((x + 1) & 1, 3, 2):
            column = (x + 1 - kx) >> 1
            if column >= width:
                continue
            for o in range(n_out):
                weight_gradient[o, channel, ky, kx] += gradient[o, row, column]


@njit(cache=True, nogil=True)
def weights_from_events(
    addresses: NDArray[np.uint16],
    offsets: NDArray[np.int64],
    gradient: FloatArray,
    weight_gradient: FloatArray,
    bits: Whole,
) -> None:
    """Weight gradient of the first layer for one sample; ``gradient`` (S, C', H', W') of its drive."""
    mask = (1 << bits) - 1
    for s in range(gradient.shape[0]):
        for i in range(offsets[s], offsets[s + 1]):
            address = np.int64(addresses[i])
            gather(gradient[s], weight_gradient, address >> (2 * bits), (address >> bits) & mask, address & mask)


@njit(cache=True, nogil=True)
def weights_from_spikes(
    trace: IntArray, threshold: Whole, gradient: FloatArray, weight_gradient: FloatArray, first: Whole
) -> None:
    """Weight gradient of a later layer for one sample; ``trace`` (S, C, H, W) of the layer before it, ``gradient``
    (S - first, C', H', W')."""
    steps, channels, height, width = trace.shape
    for s in range(first, steps):
        for c in range(channels):
            for y in range(height):
                if highest(trace[s, c, y]) <= threshold:
                    continue
                for x in range(width):
                    if trace[s, c, y, x] > threshold:
                        gather(gradient[s - first], weight_gradient, c, y, x)


@njit(cache=True, nogil=True)
def fold(patches: FloatArray, spike_gradient: FloatArray, first: Whole) -> None:
    """Adds what each tap passed back, (C, 3, 3, S - first, h, w), to ``spike_gradient`` (S, C, 2h, 2w).

    The second half of a transposed convolution; a matrix product makes the first. Even and odd columns are summed
    apart, so that the inner loops run along rows.
    """
    channels, _, _, steps, height, width = patches.shape
    even = np.empty(width, np.float32)
    odd = np.empty(width, np.float32)
    for s in range(steps):
        for c in range(channels):
            for y in range(2 * height):
                even[:] = 0
                odd[:] = 0
                for ky in range((y + 1) & 1, 3, 2):
                    row = (y + 1 - ky) >> 1
                    if row >= height:
                        continue
                    left, middle, right = (
                        patches[c, ky, 0, s, row],
                        patches[c, ky, 1, s, row],
                        patches[c, ky, 2, s, row],
                    )
                    for x in range(width):
                        even[x] += middle[x]
                        odd[x] += right[x]
                    for x in range(width - 1):
                        odd[x] += left[x + 1]
                target = spike_gradient[first + s, c, y]
                for x in range(width):
                    target[2 * x] += even[x]
                    target[2 * x + 1] += odd[x]
