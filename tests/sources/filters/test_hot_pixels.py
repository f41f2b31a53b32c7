"""Hot pixels: found by watching, or named in a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.settings import FilterSettings
from spikebridge.sources.filters import FilterChain
from spikebridge.sources.filters.hot_pixels import find_hot, read_mask

SENSOR = Sensor(12, 9)
SECOND = FilterSettings("hot", 1_000_000)


def sending(pixel: tuple[int, int], per_s: int, seconds: float = 2.0, first_us: int = 0) -> EventArray:
    t = first_us + np.arange(round(per_s * seconds)) * (1_000_000 // per_s)
    return make_events(t, np.full(t.size, pixel[0]), np.full(t.size, pixel[1]), np.ones(t.size))


def test_a_pixel_that_sends_alone_is_left_out_after_the_first_second() -> None:
    chain = FilterChain((SECOND,), SENSOR)
    kept = chain(sending((4, 3), 100))
    # All of the first second, none of the second one, which begins at 1 000 000.
    assert kept["t"].tolist() == [10_000 * n for n in range(100)]
    assert chain.filtered == 100
    assert chain.notes() == ("1 hot pixel is left out (x,y): 4,3.",)


def test_it_is_said_when_none_is_found() -> None:
    chain = FilterChain((SECOND,), SENSOR)
    assert chain(sending((4, 3), 10)).size == 20
    assert chain.notes() == ("No hot pixel was found.",)


def test_nothing_is_said_before_the_watching_is_over() -> None:
    chain = FilterChain((SECOND,), SENSOR)
    assert chain(sending((4, 3), 100, seconds=1.0)).size == 100
    assert chain.notes() == ()


@pytest.mark.parametrize(("watched_us", "count", "hot"), [
    (1_000_000, 19, 0), (1_000_000, 20, 1), (500_000, 9, 0), (500_000, 10, 1), (100_000, 7, 0), (100_000, 8, 1),
])  # fmt: skip
def test_at_least_twenty_a_second_and_eight(watched_us: int, count: int, hot: int) -> None:
    counts = np.zeros((9, 12), np.uint32)
    counts[3, 4] = count
    assert find_hot(counts, watched_us).sum() == hot


@pytest.mark.parametrize(("count", "hot"), [(87, False), (88, True)])
def test_eight_times_the_median_of_those_around_and_one(count: int, hot: bool) -> None:
    """Twelve of 25 pixels have 500, the middle has ``count``, twelve have 10: the median is 10 or more, 88 = 8 · 11."""
    counts = np.full((9, 12), 500, np.uint32)
    block = np.full(25, 10)
    block[:11] = 500
    block[12] = count
    block[11] = 10
    counts[2:7, 3:8] = block.reshape(5, 5)
    assert np.sort(block)[12] == 10
    assert bool(find_hot(counts, 1_000_000)[4, 5]) is hot


def test_a_busy_place_is_not_hot_and_a_corner_can_be() -> None:
    counts = np.full((9, 12), 300, np.uint32)
    assert not find_hot(counts, 1_000_000).any()
    counts[0, 0] = counts[8, 11] = 300 * 8 + 8
    assert np.argwhere(find_hot(counts, 1_000_000)).tolist() == [[0, 0], [8, 11]]


def test_many_are_named_in_short() -> None:
    """Ten pixels along a wide sensor, each alone."""
    chain = FilterChain((SECOND,), Sensor(100, 9))
    pixels = [sending((10 * n, 4), 50) for n in range(10)]
    events = np.concatenate(pixels)
    chain(events[np.argsort(events["t"], kind="stable")])
    assert chain.notes() == (
        "10 hot pixels are left out (x,y): 0,4, 10,4, 20,4, 30,4, 40,4, 50,4, 60,4, 70,4 and 2 more.",
    )


def test_a_reset_watches_anew_or_keeps_what_was_learnt() -> None:
    chain = FilterChain((SECOND,), SENSOR)
    chain(sending((4, 3), 100))
    chain.reset(keep_learnt=True)
    assert chain(sending((4, 3), 100)).size == 0
    chain.reset()
    assert chain(sending((4, 3), 100)).size == 100
    # What was watched in part begins anew in either case.
    other = FilterChain((SECOND,), SENSOR)
    other(sending((4, 3), 100, seconds=0.9))
    other.reset(keep_learnt=True)
    assert other(sending((4, 3), 10, first_us=5_000_000)).size == 20


def test_a_mask_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mask.csv"
    path.write_text("\ufeffx,y\r\n4,3\r\n\r\n 11 , 8 \r\n", encoding="utf-8")
    mask = read_mask(path, SENSOR).reshape(9, 12)
    assert np.argwhere(mask).tolist() == [[3, 4], [8, 11]]
    chain = FilterChain((FilterSettings("hot", mask=path),), SENSOR)
    assert chain(sending((4, 3), 100)).size == 0
    chain.reset()
    assert chain(sending((11, 8), 100)).size == 0
    assert chain(sending((3, 4), 100)).size == 200
    assert chain.notes() == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("12,0\n", "line 1 of .*, found 12,0"), ("4,3\n0,9\n", "sensor of 12×9 in line 2"), ("4\n", "as x,y in line 1"),
        ("4,3,1\n", "found '4,3,1'"), ("-1,3\n", "found '-1,3'"), ("x,y\na,b\n", "line 2"), ("²,1\n", "line 1"),
        ("123456,1\n", "line 1"),
    ],
)  # fmt: skip
def test_a_mask_that_cannot_be_one(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "mask.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read_mask(path, SENSOR)


def test_a_mask_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "mask.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="no UTF-8"):
        read_mask(path, SENSOR)
