"""Noise filters against events counted by hand, and against slow ones written from their description."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recording_files import same
from spikebridge.errors import UsageError
from spikebridge.events import EventArray, Sensor, empty_events, make_events
from spikebridge.settings import FilterSettings
from spikebridge.sources.filters import FilterChain

SENSOR = Sensor(12, 9)
BACKGROUND = FilterSettings("background", 2000)
REFRACTORY = FilterSettings("refractory", 1000)
HOT = FilterSettings("hot", 1_000_000)
EVERY = (BACKGROUND, REFRACTORY, HOT, FilterSettings("rate", rate_hz=20_000))


def events_of(*rows: tuple[int, int, int]) -> EventArray:
    t, x, y = zip(*rows, strict=True)
    return make_events(t, x, y, np.arange(len(rows)) % 2)


def passing(filters: FilterSettings | tuple[FilterSettings, ...], *rows: tuple[int, int, int]) -> list[int]:
    """Which rows pass, by number."""
    chosen = filters if isinstance(filters, tuple) else (filters,)
    events = events_of(*rows)
    kept = FilterChain(chosen, SENSOR)(events)
    at = {tuple(event): i for i, event in enumerate(events.tolist())}
    return [at[tuple(event)] for event in kept.tolist()]


# ---------------------------------------------------------------- background activity


def test_an_event_passes_when_a_neighbour_had_one_within_the_window() -> None:
    # 2 000 µs later is within, 2 001 µs is not; the very first has nothing before it.
    assert passing(BACKGROUND, (0, 5, 5), (2000, 6, 6), (4001, 5, 6)) == [1]


@pytest.mark.parametrize(("dx", "dy"), [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0)])
def test_each_of_the_eight_pixels_around_counts(dx: int, dy: int) -> None:
    assert passing(BACKGROUND, (0, 5 + dx, 5 + dy), (10, 5, 5)) == [1]


def test_a_pixel_does_not_support_itself_nor_one_two_pixels_away() -> None:
    assert passing(BACKGROUND, (0, 5, 5), (10, 5, 5), (20, 7, 5), (30, 3, 5), (40, 9, 5)) == []


def test_the_border_of_the_sensor_has_no_neighbours_on_the_other_side() -> None:
    corners = [(0, 0, 0), (1, 11, 0), (2, 0, 8), (3, 11, 8), (4, 11, 4), (5, 0, 5), (6, 0, 4), (7, 11, 5)]
    assert passing(BACKGROUND, *corners) == [6, 7]


def test_events_that_do_not_pass_support_others_all_the_same() -> None:
    assert passing(BACKGROUND, (0, 5, 5), (1500, 6, 5), (3500, 7, 5)) == [1, 2]


# ---------------------------------------------------------------- refractory period


def test_a_pixel_rests_from_the_last_event_that_passed() -> None:
    # At 1 500 the one at 999 has not passed: it is 1 500 after the first.
    assert passing(REFRACTORY, (0, 5, 5), (999, 5, 5), (1500, 5, 5), (2499, 5, 5), (2500, 5, 5)) == [0, 2, 4]


def test_other_pixels_do_not_rest() -> None:
    assert passing(REFRACTORY, (0, 5, 5), (0, 6, 5), (0, 5, 6), (1, 5, 5)) == [0, 1, 2]


# ---------------------------------------------------------------- rate


def test_a_rate_lets_a_burst_of_a_millisecond_pass_and_then_as_many_as_come_due() -> None:
    """2 000 per second: the bucket holds two, and one more every 500 µs."""
    rate = FilterSettings("rate", rate_hz=2000)
    rows = [(t, 1, 1) for t in (0, 1, 2, 3, 500, 501, 999, 1000, 1001, 90_000, 90_001, 90_002)]
    assert passing(rate, *rows) == [0, 1, 4, 7, 9, 10]


def test_a_slow_rate_lets_one_event_pass_at_once() -> None:
    rate = FilterSettings("rate", rate_hz=1)
    assert passing(rate, (0, 1, 1), (999_999, 1, 1), (1_000_000, 1, 1), (9_000_000, 1, 1), (9_000_001, 1, 1)) == [
        0,
        2,
        3,
    ]


def test_what_is_too_much_goes_evenly() -> None:
    """A million a second for a tenth of it, of which a quarter may pass, and the 250 of the full bucket."""
    events = make_events(np.arange(100_000), np.zeros(100_000), np.zeros(100_000), np.zeros(100_000))
    kept = FilterChain((FilterSettings("rate", rate_hz=250_000),), SENSOR)(events)
    assert kept.size == 25_000 + 250 - 1
    assert np.array_equal(np.unique(np.diff(kept["t"][1000:])), [4])


# ---------------------------------------------------------------- order, resets, pieces


def test_filters_work_in_the_order_given() -> None:
    """The pixel at 5,5 sends three times; its neighbour rests behind it when the refractory period comes first."""
    rows = ((0, 5, 5), (100, 6, 5), (200, 5, 5), (1150, 6, 5))
    # Refractory first leaves 0, 1, 3; of these 1 has 0 beside it, and 3 too.
    assert passing((REFRACTORY, BACKGROUND), *rows) == [1, 3]
    # Background first leaves 1, 2, 3; the pixel of 2 has had none that passed.
    assert passing((BACKGROUND, REFRACTORY), *rows) == [1, 2, 3]


def test_filtered_counts_what_did_not_pass_and_the_input_stays() -> None:
    chain = FilterChain((BACKGROUND, REFRACTORY), SENSOR)
    events = events_of((0, 5, 5), (10, 6, 5), (20, 5, 5), (30, 5, 5))
    before = events.copy()
    assert chain(events).size == 2
    assert chain.filtered == 2
    assert same(events, before)
    assert not chain(events[:0]).size
    assert chain.filtered == 2


def test_after_a_reset_nothing_is_remembered() -> None:
    chain = FilterChain((BACKGROUND, REFRACTORY), SENSOR)
    pair = events_of((0, 5, 5), (10, 6, 5))
    assert chain(pair).size == 1
    chain.reset()
    assert chain(pair).size == 1
    assert chain.filtered == 2


def test_time_may_begin_again_after_a_reset() -> None:
    chain = FilterChain(EVERY, SENSOR)
    late = events_of((5_000_000_000, 5, 5), (5_000_000_010, 6, 5))
    early = events_of((7, 5, 5), (17, 6, 5))
    assert [chain(late)["x"].tolist(), chain.reset(), chain(early)["t"].tolist()] == [[6], None, [17]]


@pytest.mark.parametrize("pause_us", [(1 << 30) - 1, 1 << 30, (1 << 30) + 1, (1 << 31) + 5, 1 << 40])
def test_times_that_need_more_than_32_bits(pause_us: int) -> None:
    """Half an hour of silence, in one piece and between two; what was before it counts no more."""
    rows = ((-4, 1, 1), (0, 5, 5), (10, 6, 5), (10 + pause_us, 5, 5), (15 + pause_us, 6, 6), (16 + pause_us, 6, 6))
    assert passing((BACKGROUND, REFRACTORY), *rows) == [2, 4]
    chain = FilterChain((BACKGROUND, REFRACTORY), SENSOR)
    assert [chain(events_of(row)).size for row in rows] == [0, 0, 1, 0, 1, 0]


def random_scene(seed: int, n: int = 4000) -> EventArray:
    """Two seconds with a pixel that sends a lot."""
    random = np.random.default_rng(seed)
    t = np.sort(random.integers(0, 2_000_000, n))
    x, y = random.integers(0, SENSOR.width, n), random.integers(0, SENSOR.height, n)
    hot = random.random(n) < 0.3
    x[hot], y[hot] = 4, 3
    return make_events(t + 10**12, x, y, random.integers(0, 2, n))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 4000), max_size=30), st.permutations(EVERY), st.integers(0, 99))
def test_whole_and_in_pieces_the_same_events_pass(cuts: list[int], filters: list[FilterSettings], seed: int) -> None:
    events = random_scene(seed)
    whole = FilterChain(filters, SENSOR)
    expected = whole(events)
    pieces = FilterChain(filters, SENSOR)
    edges = [0, *sorted(cuts), events.size]
    found = [pieces(events[start:stop]) for start, stop in pairwise(edges)]
    assert same(np.concatenate([empty_events(), *found]), expected)
    assert pieces.filtered == whole.filtered == events.size - expected.size
    assert pieces.notes() == whole.notes()


def slow_background(events: EventArray, window_us: int) -> list[int]:
    latest: dict[tuple[int, int], int] = {}
    kept = []
    for i, (t, x, y, _) in enumerate(events.tolist()):
        around = [latest.get((x + dx, y + dy)) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy]
        if any(before is not None and t - before <= window_us for before in around):
            kept.append(i)
        latest[x, y] = t
    return kept


def slow_refractory(events: EventArray, period_us: int) -> list[int]:
    passed: dict[tuple[int, int], int] = {}
    kept = []
    for i, (t, x, y, _) in enumerate(events.tolist()):
        if (x, y) not in passed or t - passed[x, y] >= period_us:
            kept.append(i)
            passed[x, y] = t
    return kept


@pytest.mark.parametrize("time_us", [1, 500, 20_000])
def test_the_compiled_filters_are_the_slow_ones(time_us: int) -> None:
    events = random_scene(3)
    for kind, slow in (("background", slow_background), ("refractory", slow_refractory)):
        kept = FilterChain((FilterSettings(kind, time_us),), SENSOR)(events)
        assert same(kept, events[slow(events, time_us)])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"kind": "background"}, "expected a time of 1 µs to 60 s"),
        ({"kind": "refractory", "time_us": 60_000_001}, "found 60000001 µs"),
        ({"kind": "rate"}, "expected a rate of 1 to 1,000,000,000"),
        ({"kind": "median"}, "expected a filter among background, refractory, hot, rate"),
    ],
)
def test_settings_that_mean_nothing(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        FilterSettings(**wrong)  # type: ignore[arg-type]
