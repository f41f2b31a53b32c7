import math

import numpy as np
import pytest

from spikebridge.bundle import DecisionSpec
from spikebridge.chain.decision import DecisionRule, softmax
from spikebridge.contracts import LABELS


def spec(smoothing_us=0, threshold=0.5, temperature=1.0, other_odds=1.0):
    return DecisionSpec(LABELS, smoothing_us, threshold, temperature, other_odds)


def logits(best, height=10.0):
    values = np.zeros(len(LABELS), np.float32)
    values[best] = height
    return values


def test_names_the_best_above_the_threshold_only():
    rule = DecisionRule(spec())
    index, probabilities = rule(logits(3), 10_000)
    assert index == 3
    assert probabilities.sum() == pytest.approx(1)
    assert rule(np.zeros(11, np.float32), 10_000)[0] is None


def test_smoothing_follows_the_exponential():
    rule = DecisionRule(spec(smoothing_us=100_000))
    target = softmax(logits(2).tolist())
    for n in range(1, 30):
        index, probabilities = rule(logits(2), 10_000)
        expected = target[2] + (1 / 11 - target[2]) * math.exp(-n * 0.1)
        assert probabilities[2] == pytest.approx(expected, rel=1e-5)
        assert index == (2 if expected >= 0.5 else None)


def test_reset_forgets():
    rule = DecisionRule(spec(smoothing_us=100_000))
    first = rule(logits(1), 10_000)[1]
    rule(logits(1), 10_000)
    rule.reset()
    assert np.array_equal(rule(logits(1), 10_000)[1], first)


def test_settings_take_effect_at_once():
    rule = DecisionRule(spec(threshold=0.5))
    weak = logits(0, 1.0)
    assert rule(weak, 10_000)[0] is None
    rule.threshold = 0.1
    assert rule(weak, 10_000)[0] == 0


def test_a_single_window_has_no_threshold_and_the_temperature_softens():
    rule = DecisionRule(spec(threshold=0.99))
    assert rule.single(logits(4, 0.5))[0] == 4
    soft = DecisionRule(spec(temperature=10.0)).single(logits(4))[1]
    assert soft[4] == pytest.approx(math.e / (math.e + 10), rel=1e-6)


def test_odds_of_no_gesture_weigh_while_streaming_only():
    rule = DecisionRule(spec(temperature=2.0, other_odds=12.0))
    even = rule(np.zeros(11, np.float32), 10_000)[1]
    assert even[10] == pytest.approx(12 / 22)
    assert even[:10] == pytest.approx(1 / 22)
    close = np.zeros(11, np.float32)
    close[[3, 10]] = 20.0, 18.0  # e¹ times as likely by the logits
    assert rule(close, 10_000)[0] == 10
    assert rule.single(close)[0] == 3


def test_softmax_survives_large_logits():
    assert softmax([1e4, 0.0]) == [1.0, 0.0]


def certain_rule():
    """Two labels, so that the mean of 1/2 moves to exactly 1 where the logits leave no doubt."""
    return DecisionRule(DecisionSpec(("a", "b"), 0, 0.5, 1.0)), np.array([1e4, 0.0], np.float32)


def test_the_threshold_itself_is_enough():
    rule, certain = certain_rule()
    rule.threshold = 1.0
    index, probabilities = rule(certain, 10_000)
    assert (index, probabilities.tolist()) == (0, [1.0, 0.0])


def test_a_time_constant_of_one_microsecond_is_one():
    """After as long, 1/2 + 1/2 · (1 - 1/e) of the way is gone."""
    rule, certain = certain_rule()
    rule.smoothing_us = 1
    assert rule(certain, 1)[1][0] == pytest.approx(1 - 0.5 / math.e, rel=1e-6)


def test_probabilities_are_as_the_contract_says():
    """float32 that nobody can change, and that the next decision leaves alone."""
    rule, certain = certain_rule()
    rule.smoothing_us = 100_000
    first = rule(certain, 10_000)[1]
    kept = first.copy()
    for probabilities in (first, rule(certain, 10_000)[1], rule.single(certain)[1]):
        assert probabilities.dtype == np.float32
        assert not probabilities.flags.writeable
    assert np.array_equal(first, kept)
