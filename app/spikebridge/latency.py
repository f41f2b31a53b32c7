"""Latency statistics in bounded memory."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import Percentiles

_QUANTILES = (50.0, 95.0, 99.0)
#: Buckets of the run histogram: 2 % wide from 1 µs to 17 minutes.
_GROWTH = math.log(1.02)
_N_BUCKETS = 1050


class LatencyStatistics:
    """p50, p95 and p99 of one latency, over a sliding window and over the whole run.

    The window is exact over the last ``window`` samples; the run comes from a histogram with buckets of 2 %.
    """

    def __init__(self, window: int = 512) -> None:
        self._recent: NDArray[np.float64] = np.zeros(window)
        self._n = 0
        self._histogram = np.zeros(_N_BUCKETS, np.int64)
        self.latest_us = 0.0

    def add(self, latency_us: float) -> None:
        """One sample in µs."""
        self.latest_us = latency_us
        self._recent[self._n % self._recent.size] = latency_us
        self._n += 1
        bucket = int(math.log(latency_us) / _GROWTH) if latency_us > 1 else 0
        self._histogram[min(bucket, _N_BUCKETS - 1)] += 1

    def recent(self) -> Percentiles:
        """Over the sliding window."""
        n = min(self._n, self._recent.size)
        if not n:
            return Percentiles()
        p50, p95, p99 = np.percentile(self._recent[:n], _QUANTILES)
        return Percentiles(float(p50), float(p95), float(p99), n)

    def run(self) -> Percentiles:
        """Over everything since the start; each value is the middle of its bucket."""
        if not self._n:
            return Percentiles()
        cumulative = self._histogram.cumsum()
        p50, p95, p99 = (
            math.exp((int(np.searchsorted(cumulative, math.ceil(q / 100 * self._n))) + 0.5) * _GROWTH)
            for q in _QUANTILES
        )
        return Percentiles(p50, p95, p99, self._n)
