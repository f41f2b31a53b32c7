"""The compiled kernels on a few numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from spikebridge.training import spiking_kernels as kernels

INT = np.int32


def test_a_neuron_leaks_wraps_and_fires():
    """u = (u * keep_u >> 12) + a * 64, wrapped to 24 bits; v = (v * keep_v >> 12) + u; it fires above the threshold."""
    u, v = np.array([-4097, 0, 2**23 - 1], INT), np.array([1000, 64, 0], INT)
    a, trace = np.array([10, 1, 2**16], INT), np.zeros(3, INT)
    kernels.update(u, v, a, trace, INT(4096 - 2048), INT(4096 - 1024), INT(64 * 64))
    # Rounded toward zero: -4097 / 2 = -2048. The third current: (2^23 - 1) / 2 + 2^22 = 2^23 - 1, still within 24 bits.
    assert u.tolist() == [-2048 + 640, 64, 4194303 + 4194304]
    assert trace.tolist() == [750 - 1408, 48 + 64, 2**23 - 1]
    assert v.tolist() == [750 - 1408, 112, 0]
    assert a.tolist() == [0, 0, 0]


def test_spikes_are_listed_by_channel_row_and_column():
    """Two channels on 2 x 2 pixels, stored (y, x, channel), addressed channel << 2 | y << 1 | x."""
    trace = np.zeros((3, 8), INT)
    trace[1, 3], trace[2, 0], trace[2, 7] = 9, 9, 9
    addresses, offsets = np.zeros(24, INT), np.zeros(4, np.int64)
    kernels.find_spikes(trace, 8, 2, 1, 1, addresses, offsets)
    assert offsets.tolist() == [0, 0, 1, 3]
    # Flat 3 is pixel 1 (y 0, x 1), channel 1; flat 0 is pixel 0, channel 0; flat 7 is pixel 3 (y 1, x 1), channel 1.
    assert addresses[:3].tolist() == [4 | 1, 0, 4 | 3]


def test_one_event_meets_the_taps_of_its_parity():
    """At (1, 2) of 4 x 4 inputs: two rows of outputs, 0 by tap 2 and 1 by tap 0; one column, 1 by tap 1."""
    weights = np.arange(9, dtype=INT).reshape(1, 3, 3, 1) + 1
    drive = np.zeros((1, 2, 2, 1), INT)
    scatter = kernels.event_kernel(1, gathers=False)
    scatter(np.array([1 << 2 | 2], np.uint16), np.array([0, 1]), 2, weights, drive)
    assert drive[0, :, :, 0].tolist() == [[0, weights[0, 2, 1, 0]], [0, weights[0, 0, 1, 0]]]
    gradient = np.zeros((1, 3, 3, 1), np.float32)
    gather = kernels.event_kernel(1, gathers=True)
    gather(np.array([1 << 2 | 2], np.uint16), np.array([0, 1]), 2, gradient, drive.astype(np.float32))
    assert gradient[0, :, 1, 0].tolist() == [weights[0, 0, 1, 0], 0, weights[0, 2, 1, 0]]


def test_the_accumulator_counts_the_last_steps():
    features = np.zeros((1, 2, 1, 1), np.float32)
    kernels.accumulate(np.zeros(5, INT), np.array([0, 1, 2, 3, 5, 5]), 0, 2, features)
    assert features.ravel().tolist() == [2, 2]  # steps 1 and 2; steps 3 and 4


def test_the_surrogate_is_an_exponential():
    voltages = np.array([0, 4096, 8192, -40960], INT)
    out, bits = np.zeros(4, np.float32), np.zeros(4, INT)
    kernels.surrogate(voltages, 4096, np.float32(2.0), np.float32(5.0), bits, out)
    expected = [5 * math.exp(-abs(v - 4096 - 0.01) / 4096 * 2) for v in voltages.tolist()]
    assert out.tolist() == pytest.approx(expected, rel=1e-5)
