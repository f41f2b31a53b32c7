from __future__ import annotations

import numpy as np
import pytest

from spikebridge.run.latency import LatencyStatistics
from spikebridge.snapshot import Latency, Percentiles


def filled(values: list[float], window: int = 512) -> LatencyStatistics:
    statistics = LatencyStatistics(window)
    for value in values:
        statistics.add(value)
    return statistics


def test_empty() -> None:
    assert LatencyStatistics().figures() == Latency(Percentiles(), Percentiles(), 0.0)


def test_window_forgets_and_run_remembers() -> None:
    figures = filled([1000.0] * 90 + [10.0] * 10, window=10).figures()
    assert figures.recent == Percentiles(10.0, 10.0, 10.0, 10)
    assert figures.run.p50 == pytest.approx(1000, rel=0.02)
    assert figures.run.n == 100
    assert figures.newest_us == 10.0


def test_a_run_value_is_the_middle_of_its_bucket() -> None:
    """100 µs lie in bucket 232: from 1.02²³² = 98.9 to 1.02²³³ = 100.9; the middle is 1.02^232.5 = 99.89."""
    run = filled([100.0]).run()
    assert run == Percentiles(pytest.approx(1.02**232.5), pytest.approx(1.02**232.5), pytest.approx(1.02**232.5), 1)
    assert run.p50 == pytest.approx(99.894, abs=0.001)


def test_between_one_and_two_microseconds_there_are_buckets_too() -> None:
    """ln 1.5 / ln 1.02 = 20.5."""
    assert filled([1.5]).run().p50 == pytest.approx(1.02**20.5)


def test_the_window_holds_512_samples_where_nothing_else_is_said() -> None:
    """The first of 513, the only one that is not 1, is forgotten."""
    statistics = LatencyStatistics()
    for value in [1e9] + [1.0] * 512:
        statistics.add(value)
    assert statistics.recent() == Percentiles(1.0, 1.0, 1.0, 512)


def test_run_ranks_are_the_smallest_that_hold_their_share() -> None:
    """Of 100 samples the 50th, 95th and 99th: 50 of 1 µs, 45 of 10, 4 of 100 and one of 1000."""
    run = filled([1.0] * 50 + [10.0] * 45 + [100.0] * 4 + [1000.0]).run()
    assert [run.p50, run.p95, run.p99] == pytest.approx([1, 10, 100], rel=0.02)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 512, 700])
def test_the_windows_percentiles_are_numpys(n: int) -> None:
    values = np.random.default_rng(n).lognormal(6, 1, n)
    recent = filled(values.tolist()).recent()
    exact = np.percentile(values[-512:], (50, 95, 99))
    assert [recent.p50, recent.p95, recent.p99] == pytest.approx(exact)
    assert recent.n == min(n, 512)


def test_run_percentiles_are_within_a_bucket() -> None:
    values = np.random.default_rng(0).lognormal(6, 1, 20_000)
    run = filled(values.tolist()).run()
    exact = np.percentile(values, (50, 95, 99))
    assert (run.p50, run.p95, run.p99) == pytest.approx(tuple(exact), rel=0.011)


def test_extremes_stay_inside() -> None:
    run = filled([0.0, 0.4, 1e12]).run()
    assert run.n == 3
    assert run.p50 == pytest.approx(1.02**0.5)
    assert run.p99 == pytest.approx(1.02**1049.5)
