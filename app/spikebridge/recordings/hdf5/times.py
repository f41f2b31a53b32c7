"""Which unit the times of a file have, and these in µs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.recordings.hdf5.rows import Column, Values
from spikebridge.settings import TimeUnit

_US: dict[TimeUnit, float] = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}
#: Whole numbers from here on are ns: as µs they would be of a year after 5000.
_LEAST_NS = 10**17
#: Fractions are of seconds only where the recording is so long at most: a day and a bit.
_MOST_S = 1e5
#: Rows at each end that are looked at.
_LOOKED_AT = 4096
#: Times further away from 0 are none, µs: what is added to them must not run over.
_MOST_US = 1 << 61


@dataclass(frozen=True, slots=True)
class Clock:
    """How the numbers of a file become µs. start_us : is added."""

    unit: TimeUnit
    start_us: int

    @np.errstate(all="ignore")  # what is no number is told from the result
    def as_us(self, times: Values) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
        """(N,) times in µs, and which of them are times; None for all of them."""
        if times.dtype.kind == "f":
            return self._rounded(times.astype(np.float64) * _US[self.unit])
        unsigned = times.dtype == np.uint64
        # What does not fit is below 0 or far away then, and has no time.
        t_us: NDArray[np.int64] = np.ascontiguousarray(times, np.int64)
        if self.unit == "ns":
            t_us = t_us // 1000
        has_time = (t_us >= 0) & (t_us < _MOST_US) if unsigned else (t_us > -_MOST_US) & (t_us < _MOST_US)
        if self.unit in ("s", "ms"):
            factor = int(_US[self.unit])
            has_time &= np.abs(t_us) < _MOST_US // factor
            t_us = t_us * factor
        return self._placed(t_us, has_time)

    def _rounded(self, times: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
        has_time = np.abs(times) < _MOST_US  # not so for what is no number
        return self._placed(np.rint(np.where(has_time, times, 0)).astype(np.int64), has_time)

    def _placed(
        self, t_us: NDArray[np.int64], has_time: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
        everywhere = bool(has_time.all())
        if not everywhere:
            t_us = np.where(has_time, t_us, 0)
        return (t_us + self.start_us if self.start_us else t_us), None if everywhere else has_time


@np.errstate(all="ignore")  # what is no number is told from the result
def clock_of(
    path: Path, t: Column, pieces: Sequence[tuple[int, int]], unit: TimeUnit | None, start_us: int
) -> tuple[Clock, tuple[str, ...]]:
    """The clock of the times and a note where it had to be told from them; InputError where that is not possible."""
    start_us = start_us if abs(start_us) < _MOST_US else 0
    if unit is not None:
        return Clock(unit, start_us), ()
    seen = _some_of(t, pieces)
    if seen.dtype.kind != "f":
        if seen.size and int(seen[0]) >= _LEAST_NS:
            return Clock("ns", start_us), ("The times are too large for µs and were read as ns.",)
        return Clock("us", start_us), ()
    numbers = seen.astype(np.float64)
    numbers = numbers[np.isfinite(numbers)]
    span = float(numbers.max() - numbers.min()) if numbers.size else 0.0
    fractions = bool((numbers % 1 != 0).any())
    # Times in ms have fractions too, but only three places of them where the camera counts µs.
    finer_than_ms = bool((np.abs(numbers * 1e3 - np.rint(numbers * 1e3)) > 5e-4).any())
    if fractions and finer_than_ms and span < _MOST_S:
        return Clock("s", start_us), ("The times have fractions and were read as seconds.",)
    if not fractions and span >= _MOST_S:
        return Clock("us", start_us), ("The times are whole numbers and were read as µs.",)
    raise InputError(
        f"expected times of {path} that show their unit, found {_first(numbers)} over {span:g}, which may be s, ms or "
        "µs; pass --time-unit."
    )


def _some_of(t: Column, pieces: Sequence[tuple[int, int]]) -> Values:
    if not pieces:
        return np.empty(0, np.int64)
    (first, first_end), (last, last_end) = pieces[0], pieces[-1]
    head = t.read(first, min(first_end, first + _LOOKED_AT))
    return np.concatenate([head, t.read(max(last, last_end - _LOOKED_AT), last_end)])


def _first(numbers: NDArray[np.float64]) -> str:
    return ", ".join(f"{value:g}" for value in numbers[:3].tolist()) or "none"
