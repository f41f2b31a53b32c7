import numpy as np
import pytest

from spikebridge.latency import LatencyStatistics


def test_empty():
    figures = LatencyStatistics()
    assert figures.recent().n == figures.run().n == 0


def test_window_forgets_and_run_remembers():
    figures = LatencyStatistics(window=10)
    for value in [1000.0] * 90 + [10.0] * 10:
        figures.add(value)
    assert figures.recent().p50 == 10.0
    assert figures.run().p50 == pytest.approx(1000, rel=0.02)
    assert figures.run().n == 100
    assert figures.latest_us == 10.0


def test_run_percentiles_are_within_two_percent():
    values = np.random.default_rng(0).lognormal(6, 1, 20_000)
    figures = LatencyStatistics()
    for value in values:
        figures.add(float(value))
    exact = np.percentile(values, [50, 95, 99])
    run = figures.run()
    assert (run.p50, run.p95, run.p99) == pytest.approx(tuple(exact), rel=0.021)


def test_extremes_stay_inside():
    figures = LatencyStatistics()
    for value in (0.0, 0.4, 1e12):
        figures.add(value)
    assert figures.run().n == 3
