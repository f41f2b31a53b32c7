"""The accumulator: turns spikes into numbers that an ordinary network can take.

Spikes of the last T steps are counted over T/I intervals of I steps; the counts become channels of the next ordinary
convolution. (Seekings et al., ICONS 2024, Figure 2, with T = 9 and I = 3.) The window slides: after every step the
features hold the newest T steps, so a decision can be had at any hop.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.bundle import AccumulatorSpec, Shape
from spikebridge.contracts import Features, Spikes


class Accumulator:
    """Sliding spike counts. Steps before the first one, or before ``reset``, count as silent; ready when it is built.

    spec : T, I and hop. spikes_shape : (C, h, w) of each ``push``.
    """

    def __init__(self, spec: AccumulatorSpec, spikes_shape: Shape) -> None:
        self._spec = spec
        self._shape = spikes_shape
        c, h, w = spikes_shape
        self._history = np.zeros((spec.window_steps, c, h * w), np.uint8)
        self._counts = np.zeros((c, spec.intervals, h * w), np.uint8)
        self._newest = 0
        self._since_hop = 0
        # Compiles before the first real step.
        self.push(np.zeros(spikes_shape, np.uint8))
        self.reset()

    def push(self, spikes: Spikes) -> bool:
        """Takes the (C, h, w) uint8 spikes of one step; True when a hop is complete and a decision is due."""
        if spikes.shape != self._shape:
            raise ValueError(f"expected spikes of shape {self._shape}, got {spikes.shape}")
        came = np.ascontiguousarray(spikes).reshape(self._history.shape[1:])
        came.flags.writeable = False
        _slide(came, self._history, self._counts, self._newest, self._spec.interval_steps)
        self._newest = (self._newest + 1) % self._spec.window_steps
        self._since_hop += 1
        if self._since_hop < self._spec.hop_steps:
            return False
        self._since_hop = 0
        return True

    def features(self) -> Features:
        """(C·T/I, h, w) uint8 counts, read-only; channel ``c * T/I + k``: channel c, interval k, oldest first."""
        c, h, w = self._shape
        features = self._counts.reshape(c * self._spec.intervals, h, w).copy()
        features.flags.writeable = False
        return features

    def reset(self) -> None:
        """Forgets all steps."""
        self._history[:] = 0
        self._counts[:] = 0
        self._newest = 0
        self._since_hop = 0


@njit(cache=True, nogil=True)
def _slide(
    came: NDArray[np.uint8], history: NDArray[np.uint8], counts: NDArray[np.uint8], slot: int, interval: int
) -> None:
    """Moves every interval on by one step: the step that leaves interval k enters interval k - 1.

    came : (C, n). history : (T, C, n), the oldest step in ``slot``, which ``came`` takes. counts : (C, T/I, n). uint8
    may wrap in between, the sum does not.
    """
    steps, channels, pixels = history.shape
    intervals = counts.shape[1]
    for c in range(channels):
        for k in range(intervals):
            leaving = history[(slot + k * interval) % steps, c]
            entering = history[(slot + (k + 1) * interval) % steps, c] if k + 1 < intervals else came[c]
            count = counts[c, k]
            for i in range(pixels):
                count[i] += entering[i] - leaving[i]
    for c in range(channels):
        for i in range(pixels):
            history[slot, c, i] = came[c, i]
