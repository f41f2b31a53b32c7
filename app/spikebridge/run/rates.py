"""Rates from counters."""

from __future__ import annotations


class Rates:
    """Per second, from monotonic counts, smoothed over about a second."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[int, int]] = {}
        self._rates: dict[str, float] = {}

    def of(self, key: str, count: int, now_ns: int) -> float:
        """The rate of ``count`` (host clock ``now_ns``); 0 until two values are known."""
        before_count, before_ns = self._before.get(key, (count, now_ns))
        elapsed_s = (now_ns - before_ns) / 1e9
        if elapsed_s > 0:
            rate = (count - before_count) / elapsed_s
            weight = min(1.0, elapsed_s)
            smoothed = self._rates.get(key, rate)
            self._rates[key] = smoothed + weight * (rate - smoothed)
        self._before[key] = (count, now_ns)
        return self._rates.get(key, 0.0)
