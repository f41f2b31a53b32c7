"""Temperature and threshold on numbers whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from spikebridge.evaluation.calibration import (
    calibration_error,
    choose_threshold,
    confidence_bins,
    expected_error,
    fit_temperature,
    softmax,
)


def drawn(temperature: float, n: int = 4000):
    """Logits that are ``temperature`` times too sure for the labels drawn from them."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, (n, 11))
    chances = softmax(logits.astype(np.float32), 1.0)
    labels = (chances.cumsum(1) > random.random((n, 1))).argmax(1)
    return (logits * temperature).astype(np.float32), labels


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_the_temperature_is_found(temperature):
    logits, labels = drawn(temperature)
    found = fit_temperature(logits, labels)
    assert found == pytest.approx(temperature, rel=0.1)
    assert calibration_error(logits, labels, found) < 0.03


def test_overconfidence_is_an_error():
    logits, labels = drawn(4.0)
    assert calibration_error(logits, labels, 1.0) > 0.1


def test_the_threshold_is_above_what_noise_gives():
    quiet = np.zeros((500, 11), np.float32)
    assert choose_threshold(quiet, 1.0) == 0.5
    quiet[:5, 3] = 4.0  # 1 % of the windows believe e⁴ / (e⁴ + 9 + 12) = 0.72 in a gesture
    assert choose_threshold(quiet, 1.0) == pytest.approx(0.73, abs=0.01)
    quiet[:5] = 0
    quiet[:5, 10] = 9.0  # "other" names no gesture
    assert choose_threshold(quiet, 1.0) == 0.5


def test_bins_by_hand():
    """Three windows at a confidence of 0.95, two of them right; one at 0.55 that is wrong."""
    chances = np.zeros((4, 11))
    chances[:3, 0], chances[3, 1] = 0.95, 0.55
    bins = confidence_bins(chances, np.array([0, 0, 5, 5]))
    assert [row["confidence"] for row in bins] == pytest.approx([0.55, 0.95])
    assert [row["right"] for row in bins] == pytest.approx([0, 2 / 3])
    assert [row["share"] for row in bins] == [0.25, 0.75]
    assert expected_error(bins) == pytest.approx(0.25 * 0.55 + 0.75 * (0.95 - 2 / 3))
