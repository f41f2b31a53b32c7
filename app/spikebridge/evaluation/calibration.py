"""How sure a decision may be: temperature, threshold and the odds of ``other``, and how well confidence fits truth.

Temperature and threshold are chosen on persons that were not trained on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import LABELS
from spikebridge.evaluation.records import ConfidenceBin

_OTHER = LABELS.index("other")
#: Below this a gesture is named on less than even odds.
_LOWEST_THRESHOLD, _HIGHEST_THRESHOLD = 0.5, 0.9
#: How much likelier ``other`` is while streaming than in training. On 144 simulated persons and 48 quiet minutes, with
#: a mean over 20 ms and a threshold of 0.5, odds of 12 let the shipped hybrid name 0.6 false gestures a minute instead
#: of 2.2 and cost 25 ms from onset to the first right decision; a higher threshold or a longer mean costs more.
OTHER_ODDS = 12.0
_FALSE_SHARE = 0.002
_BINS = 10


def softmax(logits: NDArray[np.float32], temperature: float) -> NDArray[np.float64]:
    """(N, n_labels) probabilities of (N, n_labels) ``logits / temperature``."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(1, keepdims=True))
    result: NDArray[np.float64] = powers / powers.sum(1, keepdims=True)
    return result


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """The temperature between 0.25 and 4 under which ``labels`` are likeliest, by search over its logarithm."""
    candidates = np.exp(np.linspace(np.log(0.25), np.log(4.0), 241))
    costs = [-np.log(softmax(logits, t)[np.arange(len(labels)), labels] + 1e-12).mean() for t in candidates]
    return float(round(candidates[int(np.argmin(costs))], 3))


def choose_threshold(empty_logits: NDArray[np.float32], temperature: float) -> float:
    """The smallest threshold at which at most 0.2 % of the empty windows name a gesture, but at least 0.5.

    empty_logits : (N, n_labels) of windows in which nobody moves, and of noise; ``other`` is no gesture, and has its
    odds.
    """
    chances = softmax(empty_logits, temperature)
    chances[:, _OTHER] *= OTHER_ODDS
    gestures = np.delete(chances, _OTHER, axis=1).max(1) / chances.sum(1)
    smallest = np.ceil(np.quantile(gestures, 1 - _FALSE_SHARE) * 100) / 100
    return float(np.clip(smallest, _LOWEST_THRESHOLD, _HIGHEST_THRESHOLD))


def calibration_error(logits: NDArray[np.float32], labels: NDArray[np.int64], temperature: float) -> float:
    """Expected calibration error over ten bins of confidence (Guo et al., ICML 2017)."""
    return expected_error(confidence_bins(softmax(logits, temperature), labels))


def confidence_bins(
    chances: NDArray[np.float32] | NDArray[np.float64], labels: NDArray[np.int64]
) -> list[ConfidenceBin]:
    """The bins of confidence that are not empty; (N, n_labels) probabilities and (N,) true classes."""
    confidence, right = chances.max(1), chances.argmax(1) == labels
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    return [
        {
            "confidence": float(confidence[bins == b].mean()),
            "right": float(right[bins == b].mean()),
            "share": float((bins == b).mean()),
        }
        for b in np.unique(bins)
    ]


def expected_error(bins: list[ConfidenceBin]) -> float:
    """Mean gap between confidence and truth."""
    return sum(abs(row["confidence"] - row["right"]) * row["share"] for row in bins)
