"""From logits to a named gesture."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from spikebridge.bundle import DecisionSpec
from spikebridge.contracts import Logits


class DecisionRule:
    """Exponential mean over time of calibrated probabilities, and a threshold below which no gesture is named.

    ``threshold`` and ``smoothing_us`` may be changed from another thread while running; they take effect with the
    next decision.
    """

    def __init__(self, spec: DecisionSpec) -> None:
        self._labels = spec.labels
        self._temperature = spec.temperature
        # Bayes: in training every class came as often, before a camera nobody makes a gesture most of the time.
        self._log_odds = np.log([spec.other_odds if label == "other" else 1.0 for label in spec.labels])
        self.threshold = spec.threshold
        self.smoothing_us = spec.smoothing_us
        self._mean: NDArray[np.float64] | None = None

    def __call__(self, logits: Logits, elapsed_us: int) -> tuple[int | None, NDArray[np.float32]]:
        """(index of the gesture or None, (n_labels,) smoothed probabilities).

        elapsed_us : camera time since the decision before. After ``reset`` the mean starts from equal probabilities,
        so that one step of evidence alone names nothing.
        """
        probabilities = softmax(logits.astype(np.float64) / self._temperature + self._log_odds)
        if self._mean is None:
            self._mean = np.full(len(self._labels), 1 / len(self._labels))
        weight = 1.0 if self.smoothing_us <= 0 else -math.expm1(-elapsed_us / self.smoothing_us)
        probabilities -= self._mean
        probabilities *= weight
        self._mean += probabilities
        best = int(self._mean.argmax())
        return (best if self._mean[best] >= self.threshold else None), _published(self._mean)

    def single(self, logits: Logits) -> tuple[int | None, NDArray[np.float32]]:
        """The same for one window on its own: no smoothing, no threshold, no odds (the paper's protocol)."""
        probabilities = softmax(logits.astype(np.float64) / self._temperature)
        return int(probabilities.argmax()), _published(probabilities)

    def reset(self) -> None:
        """Forgets what was seen."""
        self._mean = None


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Over a 1-D array, without overflow."""
    powers: NDArray[np.float64] = np.exp(logits - logits.max())
    powers /= powers.sum()
    return powers


def _published(probabilities: NDArray[np.float64]) -> NDArray[np.float32]:
    result = probabilities.astype(np.float32)
    result.flags.writeable = False
    return result
