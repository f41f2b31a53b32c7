from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spikebridge.errors import InputError
from spikebridge.recordings.hdf5.rows import Column, MemoryRows
from spikebridge.recordings.hdf5.times import Clock, clock_of
from spikebridge.settings import TimeUnit

PATH = Path("a.h5")


def told(values: object, unit: TimeUnit | None = None) -> tuple[str, list[int]]:
    times = np.asarray(values)
    clock, _ = clock_of(PATH, Column(MemoryRows(times)), [(0, times.size)], unit, 0)
    return clock.unit, clock.as_us(times)[0].tolist()


def test_whole_numbers_are_us() -> None:
    assert told(np.array([5, 7], "u4")) == ("us", [5, 7])
    assert told(np.array([1.0, 2e5])) == ("us", [1, 200_000])


def test_numbers_too_large_for_us_are_ns() -> None:
    assert told([1_500_000_000_123_456_789, 1_500_000_000_123_457_789]) == (
        "ns",
        [1_500_000_000_123_456, 1_500_000_000_123_457],
    )


def test_fractions_are_seconds() -> None:
    assert told([0.000001, 0.25, 3.5]) == ("s", [1, 250_000, 3_500_000])
    assert told([1504645177.424, 1504645177.4240012]) == ("s", [1504645177424000, 1504645177424001])


@pytest.mark.parametrize("values", [[0.0, 50.0], [0.001, 0.002], [0.5, 2e5], [np.nan, np.nan]])
def test_what_may_be_any_unit_is_asked_for(values: list[float]) -> None:
    with pytest.raises(InputError, match="pass --time-unit"):
        told(values)
    assert told([0.0, 50.0], "ms") == ("ms", [0, 50_000])


@pytest.mark.parametrize(("unit", "expected"), [("s", 3_000_000), ("ms", 3000), ("us", 3), ("ns", 0)])
@pytest.mark.parametrize("kind", ["i8", "u8", "u2", "f8", "f4"])
def test_units_that_are_told(unit: TimeUnit, expected: int, kind: str) -> None:
    assert told(np.array([3], kind), unit) == (unit, [expected])


def test_times_out_of_reach_are_none() -> None:
    far = np.array([5, 1 << 62, -(1 << 62), 1 << 61], np.int64)
    times, has_time = Clock("us", 100).as_us(far)
    assert has_time is not None
    assert has_time.tolist() == [True, False, False, False]
    assert times[0] == 105
    unsigned = np.array([5, 1 << 63], np.uint64)
    assert Clock("us", 0).as_us(unsigned)[1].tolist() == [True, False]  # type: ignore[union-attr]
    numbers = np.array([1.0, np.nan, np.inf, -np.inf, 1e300])
    assert Clock("s", 0).as_us(numbers)[1].tolist() == [True, False, False, False, False]  # type: ignore[union-attr]


def test_all_times_are_times() -> None:
    assert Clock("us", 0).as_us(np.arange(3))[1] is None
