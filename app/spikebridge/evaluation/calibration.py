"""Temperature, threshold and odds of the decision, chosen on persons that were not trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import LABELS

_OTHER = LABELS.index("other")
#: Below this a gesture is named on less than even odds.
_LOWEST_THRESHOLD = 0.5
#: How much likelier ``other`` is while streaming than in training. On 144 simulated persons and 48 quiet minutes, with
#: a mean over 20 ms and a threshold of 0.5, odds of 12 let the shipped hybrid name 0.6 false gestures a minute instead
#: of 2.2 and cost 25 ms from onset to the first right decision; a higher threshold or a longer mean costs more.
OTHER_ODDS = 12.0
_FALSE_SHARE = 0.002


def probabilities(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """(N, n_labels) softmax of ``logits / temperature``."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(1, keepdims=True))
    result: NDArray[np.float64] = powers / powers.sum(1, keepdims=True)
    return result


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The temperature with the highest likelihood, between 0.25 and 4, by search over its logarithm."""
    candidates = np.exp(np.linspace(np.log(0.25), np.log(4.0), 241))
    costs = [-np.log(probabilities(logits, t)[np.arange(len(labels)), labels] + 1e-12).mean() for t in candidates]
    return float(round(candidates[int(np.argmin(costs))], 3))


def choose_threshold(empty_logits: NDArray[np.float32], temperature: float) -> float:
    """The smallest threshold at which at most 0.2 % of the empty windows name a gesture, at least 0.5.

    empty_logits : of windows in which nobody moves and of noise; ``other`` counts as no gesture and has its odds.
    """
    chances = probabilities(empty_logits, temperature)
    chances[:, _OTHER] *= OTHER_ODDS
    gestures = np.delete(chances, _OTHER, axis=1).max(1) / chances.sum(1)
    return float(np.clip(np.ceil(np.quantile(gestures, 1 - _FALSE_SHARE) * 100) / 100, _LOWEST_THRESHOLD, 0.9))


def calibration_error(logits: NDArray[np.float32], labels: NDArray[np.int64], temperature: float) -> float:
    """Expected calibration error over ten bins of confidence."""
    chances = probabilities(logits, temperature)
    confidence, right = chances.max(1), chances.argmax(1) == labels
    bins = np.minimum((confidence * 10).astype(int), 9)
    gaps = [abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)]
    return float(sum(gaps))
