from __future__ import annotations

import pickle

import numpy as np

from spikebridge.snapshot import Decision, EventAge, Latency, PairFigures, Percentiles


def test_agreement_is_a_share_of_what_was_compared() -> None:
    assert PairFigures("a", "b", compared=8, agreeing=6).agreement == 0.75
    assert PairFigures("a", "b").agreement is None


def test_age_without_a_pace_is_unknown() -> None:
    age = EventAge(10_000, 20_000, 160_000, 0)
    assert (age.newest_us, age.oldest_us) == (None, None)
    assert age.sentence() == (
        "Behind each decision: a window of 160 ms in steps of 10 ms, 20 ms in the spiking layers."
    )


def test_age_adds_up() -> None:
    age = EventAge(10_000, 20_000, 160_000, 0, 450.0)
    assert (age.newest_us, age.oldest_us) == (20_450, 180_450)
    assert age.sentence() == (
        "When a decision is out, the newest events behind it are 20.4 ms old and the oldest 180.4 ms: a window of 160 "
        "ms in steps of 10 ms, 20 ms in the spiking layers."
    )


def test_ages_are_told_to_a_tenth_of_a_millisecond() -> None:
    age = EventAge(10_000, 0, 1_000_000, 0, 2_000_060.0)
    assert "are 2000.1 ms old and the oldest 3000.1 ms: a window of 1000 ms" in age.sentence()


def test_records_can_be_sent_to_another_process() -> None:
    decision = Decision(1, None, None, np.zeros(3, np.float32), {"bin": 1.0}, None)
    sent = pickle.loads(pickle.dumps(decision))
    assert (sent.t_us, sent.latency_us, sent.probabilities.tolist()) == (1, {"bin": 1.0}, [0, 0, 0])
    assert pickle.loads(pickle.dumps(Latency())) == Latency(Percentiles(), Percentiles(), 0.0)
