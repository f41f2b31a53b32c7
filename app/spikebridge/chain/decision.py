"""From logits to a named gesture. Plain numbers: a dozen of them takes NumPy longer to address than to add up."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikebridge.bundle import DecisionSpec
from spikebridge.contracts import Logits


class DecisionRule:
    """Exponential mean over time of calibrated probabilities, and a threshold below which no gesture is named.

    ``threshold`` and ``smoothing_us`` may be changed from another thread while running; they take effect with the
    next decision. ``used`` : both as they held for the newest one.
    """

    def __init__(self, spec: DecisionSpec) -> None:
        self._labels = spec.labels
        self._temperature = spec.temperature
        # Bayes: in training every class came as often, before a camera nobody makes a gesture most of the time.
        self._log_odds = [math.log(spec.other_odds) if label == "other" else 0.0 for label in spec.labels]
        self.threshold = spec.threshold
        self.smoothing_us = spec.smoothing_us
        self.used = (self.threshold, self.smoothing_us)
        self._mean: list[float] | None = None

    def __call__(self, logits: Logits, elapsed_us: int) -> tuple[int | None, NDArray[np.float32]]:
        """(index of the gesture or None, (n_labels,) smoothed probabilities).

        elapsed_us : camera time since the decision before. After ``reset`` the mean starts from equal probabilities,
        so that one step of evidence alone names nothing.
        """
        self.used = threshold, smoothing_us = self.threshold, self.smoothing_us
        values = zip(logits.tolist(), self._log_odds, strict=True)
        probabilities = softmax([value / self._temperature + odds for value, odds in values])
        before = self._mean or [1 / len(self._labels)] * len(self._labels)
        weight = 1.0 if smoothing_us <= 0 else -math.expm1(-elapsed_us / smoothing_us)
        mean = [old + weight * (new - old) for old, new in zip(before, probabilities, strict=True)]
        self._mean = mean
        best = _largest(mean)
        return (best if mean[best] >= threshold else None), _published(mean)

    def single(self, logits: Logits) -> tuple[int | None, NDArray[np.float32]]:
        """The same for one window on its own: no smoothing, no threshold, no odds (the paper's protocol)."""
        probabilities = softmax([value / self._temperature for value in logits.tolist()])
        return _largest(probabilities), _published(probabilities)

    def reset(self) -> None:
        """Forgets what was seen."""
        self._mean = None


def softmax(logits: Sequence[float]) -> list[float]:
    """Without overflow."""
    top = max(logits)
    powers = [math.exp(value - top) for value in logits]
    total = sum(powers)
    return [power / total for power in powers]


def _largest(values: Sequence[float]) -> int:
    """Index of the first of the largest."""
    return max(range(len(values)), key=values.__getitem__)


def _published(probabilities: Sequence[float]) -> NDArray[np.float32]:
    result = np.array(probabilities, np.float32)
    result.flags.writeable = False
    return result
