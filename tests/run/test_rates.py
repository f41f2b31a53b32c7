from __future__ import annotations

import pytest

from spikebridge.run.rates import Rates


def test_the_first_two_counts_make_the_rate() -> None:
    rates = Rates()
    assert rates.of("events", 100, 0) == 0
    assert rates.of("events", 200, 500_000_000) == 200


def test_later_ones_are_smoothed_over_a_second() -> None:
    """200/s so far, 600/s over half a second: half of the way."""
    rates = Rates()
    rates.of("events", 0, 0)
    rates.of("events", 100, 500_000_000)
    assert rates.of("events", 400, 1_000_000_000) == pytest.approx(400)


def test_after_a_second_or_more_only_the_newest_counts() -> None:
    rates = Rates()
    rates.of("events", 0, 0)
    rates.of("events", 100, 1_000_000_000)
    assert rates.of("events", 700, 3_000_000_000) == pytest.approx(300)


def test_each_key_is_its_own_and_no_time_changes_nothing() -> None:
    rates = Rates()
    rates.of("events", 0, 0)
    rates.of("spikes", 0, 0)
    rates.of("events", 10, 1_000_000_000)
    assert rates.of("spikes", 30, 1_000_000_000) == 30
    assert rates.of("events", 99, 1_000_000_000) == 10
