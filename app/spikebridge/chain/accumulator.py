"""The accumulator: turns spikes into numbers that an ordinary network can take.

Spikes of the last T steps are counted over T/I intervals of I steps; the counts become channels of the next ordinary
convolution. (Seekings et al., ICONS 2024, Figure 2, with T = 9 and I = 3.) The window slides: after every step the
features hold the newest T steps, so a decision can be had at any hop.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikebridge.bundle import AccumulatorSpec, Shape
from spikebridge.contracts import Features, Spikes


class Accumulator:
    """Sliding spike counts. Steps before the first one, or before ``reset``, count as silent.

    spec : T, I and hop. spikes_shape : (C, h, w) of each ``push``.
    """

    def __init__(self, spec: AccumulatorSpec, spikes_shape: Shape) -> None:
        self._spec = spec
        self._shape = spikes_shape
        c, h, w = spikes_shape
        self._history = np.zeros((spec.window_steps, c, h, w), np.uint8)
        self._counts: NDArray[np.uint8] = np.zeros((c, spec.intervals, h, w), np.uint8)
        self._newest = 0
        self._since_hop = 0

    def push(self, spikes: Spikes) -> bool:
        """Takes the (C, h, w) uint8 spikes of one step; True when a hop is complete and a decision is due."""
        if spikes.shape != self._shape:
            raise ValueError(f"expected spikes of shape {self._shape}, got {spikes.shape}")
        steps, interval = self._spec.window_steps, self._spec.interval_steps
        slot = self._newest % steps
        # Every interval moves on by one step: the step that leaves interval k enters interval k - 1. uint8 may wrap
        # in between, the sum does not.
        for k in range(self._spec.intervals):
            self._counts[:, k] -= self._history[(slot + k * interval) % steps]
            if k:
                self._counts[:, k - 1] += self._history[(slot + k * interval) % steps]
        self._counts[:, -1] += spikes
        self._history[slot] = spikes
        self._newest += 1
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
