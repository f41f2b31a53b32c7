"""The compiled decoders against the state machine written out in Python, event by event."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from event_order import order
from spikebridge.events import EventArray, empty_events
from spikebridge.recordings import ordering
from spikebridge.recordings.aedat import decoding

Word = tuple[int, int]
#: Sizes around the borders of the blocks that decoders go in, and small ones.
SIZES = st.sampled_from([1, 2, 7, 1023, 1024, 1025, 2500])
#: Jumps of time around the limits between disorder, a reset and a leap, µs.
JUMPS = st.sampled_from(
    [
        *(-1, -50, -99_000, -100_000, -101_000, -998_999, -(1 << 30), 1, 99_000, 101_000, 60_000_000, 599_999_900),
        *(600_000_100, 1 << 30, 86_400_000_000, 86_400_010_000),
    ]
)


@dataclass
class Expected:
    """What the description of the formats makes of time stamps and of what is no event."""

    wraps: bool = False
    events: list[tuple[int, int, int, int]] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)

    def count(self, slot: int, n: int = 1) -> None:
        self.counts[slot] = self.counts.get(slot, 0) + n

    def give(self, raw: int, x: int, y: int, polarity: int) -> None:
        self.events.append((raw, x, y, polarity))

    def ordered(self) -> tuple[list[tuple[int, int, int, int]], dict[int, int]]:
        """What is given out, and all counts."""
        times, stale, odd = order([event[0] for event in self.events], self.wraps)
        slots = {
            "stale": ordering.STALE,
            "strays": ordering.STRAYS,
            "clamped": ordering.CLAMPED,
            "resets": ordering.RESETS,
        }
        events = [(t, *event[1:]) for t, event in zip(times, self.events[stale:], strict=True)]
        return events, self.counts | {slots[name]: n for name, n in odd.items()}


@st.composite
def odd_times(draw: st.DrawFn) -> list[int]:
    """Ascending times with some single events, some stretches and all that follows moved."""
    n = draw(SIZES)
    random = np.random.default_rng(draw(st.integers(0, 1000)))
    t = draw(st.sampled_from([0, 5_000_000, (1 << 31) - 2000, (1 << 32) - 2000])) + np.cumsum(random.integers(0, 9, n))
    for place, jump, length in draw(
        st.lists(st.tuples(st.floats(0, 1), JUMPS, st.sampled_from([1, 2, 7, 8, 9, 40, n])), max_size=5)
    ):
        start = int(place * (n - 1))
        t[start : start + length] += jump
    return [int(time) for time in t]


def decoded(run: object, n_words: int, cuts: list[float]) -> tuple[list[tuple[int, ...]], NDArray[np.int64]]:
    """Events and last state of ``run(start, stop, state, out)`` over pieces; each is counted first, as for an index."""
    bounds = [0, *sorted(int(cut * n_words) for cut in cuts), n_words]
    state = ordering.new_state(extra=decoding.AEDAT2_SLOTS)
    found: list[tuple[int, ...]] = []
    for start, stop in pairwise(bounds):
        counted, nowhere = state.copy(), ordering.as_words(empty_events())
        n = run(start, stop, counted, nowhere)  # type: ignore[operator]
        if stop == n_words:
            n = ordering.finish(counted, True, n, nowhere)
        events = empty_events(n + 1)
        events[n] = (-1, 7, 7, 7)
        words = ordering.as_words(events[:n])
        n_given = run(start, stop, state, words)  # type: ignore[operator]
        if stop == n_words:
            n_given = ordering.finish(state, True, n_given, words)
        assert n_given == n
        assert np.array_equal(counted, state)
        assert events[n].tolist() == (-1, 7, 7, 7)
        if n:
            assert (state[ordering.FIRST], state[ordering.NEWEST]) == (events["t"][0], events["t"][n - 1])
        found += events[:n].tolist()
    return found, state


def check(expected: Expected, found: list[tuple[int, ...]], state: NDArray[np.int64]) -> None:
    events, counts = expected.ordered()
    assert found == events
    counted = range(ordering.CLAMPED, ordering.OTHERS + 1)
    assert {slot: int(state[slot]) for slot in counted if state[slot]} == counts


@settings(deadline=None, max_examples=60)
@given(odd_times(), st.integers(0, 9), st.floats(0, 0.02), st.booleans(), st.lists(st.floats(0, 1), max_size=3))
def test_aedat2(times: list[int], seed: int, odd: float, davis: bool, cuts: list[float]) -> None:
    random = np.random.default_rng(seed)
    expected = Expected(wraps=True)
    words: list[Word] = []
    for time in times:
        raw = time % (1 << 32)
        if random.random() < odd:
            kind = random.integers(0, 4 if davis else 2)
            address, slot = [
                (250 << 12 | 3 << 22, ordering.OUTSIDE),
                (1 << 10, ordering.SPECIAL),
                (1 << 31 | 3 << 10, ordering.IMU),
                (1 << 31 | 1 << 11, ordering.FRAMES),
            ][kind]
            if not davis:
                address, slot = [(1 << 15, ordering.SPECIAL), (1 << 31 | 77, ordering.SPECIAL)][kind]
            expected.count(slot)
        else:
            width, height = (240, 180) if davis else (128, 128)
            x, y, polarity = int(random.integers(0, width)), int(random.integers(0, height)), int(random.integers(0, 2))
            right, up = width - 1 - x, height - 1 - y
            address = right << 12 | up << 22 | polarity << 11 if davis else right << 1 | up << 8 | (1 - polarity)
            expected.give(raw, x, y, polarity)
        words.append((address, raw))
    data = np.array(words, ">u4").reshape(-1, 2).copy().view(np.uint8).view(decoding.ADDRESS_DTYPE).reshape(-1)
    layout, size = (decoding.DAVIS_ADDRESS, (240, 180)) if davis else (decoding.DVS128_ADDRESS, (128, 128))

    def run(start: int, stop: int, state: NDArray[np.int64], out: EventArray) -> int:
        return int(decoding.decode_aedat2(data[start:stop], layout, *size, state, out))

    check(expected, *decoded(run, len(words), cuts))


@settings(deadline=None, max_examples=60)
@given(odd_times(), st.integers(0, 9), st.floats(0, 0.02), st.integers(1, 4), st.lists(st.floats(0, 1), max_size=3))
def test_aedat3(times: list[int], seed: int, odd: float, n_packets: int, cuts: list[float]) -> None:
    random = np.random.default_rng(seed)
    expected = Expected()
    times = [max(time, 0) for time in times]
    bounds = np.linspace(0, len(times), n_packets + 1).astype(int).tolist()
    rows, words = [], []
    for start, stop in pairwise(bounds):
        overflow = times[start] >> 31 if start < stop else 0
        rows.append((start * 8, stop - start, overflow))
        for time in times[start:stop]:
            x, y, polarity = (int(random.integers(0, limit)) for limit in (128, 100, 2))
            kind = random.choice(3, p=[1 - odd, odd / 2, odd / 2])
            if kind == 1:
                x = 128
                expected.count(ordering.OUTSIDE)
            elif kind == 2:
                expected.count(ordering.INVALID)
            else:
                expected.give(overflow << 31 | time & 0x7FFFFFFF, x, y, polarity)
            words.append((int(kind != 2) | polarity << 1 | y << 2 | x << 17, time & 0x7FFFFFFF | 1 << 31))
    # Three bytes further on than numbers may begin: it is moved there.
    data = np.concatenate((np.zeros(3, np.uint8), np.array(words, "<u4").view(np.uint8).reshape(-1)))
    packets = np.array(rows)
    packets[:, 0] += 3

    def run(start: int, stop: int, state: NDArray[np.int64], out: EventArray) -> int:
        first, last = (round(bound * n_packets / len(words)) for bound in (start, stop))
        return int(decoding.decode_aedat3(data, packets[first:last], 128, 100, state, out))

    check(expected, *decoded(run, len(words), cuts))


def flatbuffer(records: NDArray[np.void], lead: int) -> bytes:
    """A packet of events whose vector begins ``lead`` bytes later than it could."""
    table = np.array([24, 0, 0, 0, 0, 0], "<u4")
    content = bytearray(table.tobytes() + bytes(lead))
    content[4:8] = b"EVTS"
    content[8:14] = np.array([6, 8, 4], "<u2").tobytes()
    content[0:4] = np.uint32(16).tobytes()
    content[16:20] = np.int32(16 - 8).tobytes()
    content[20:24] = np.uint32(4 + lead).tobytes()
    content += np.uint32(records.size).tobytes() + records.tobytes()
    return np.uint32(len(content)).tobytes() + bytes(content)


@settings(deadline=None, max_examples=60)
@given(
    odd_times(),
    st.integers(0, 9),
    st.floats(0, 0.02),
    st.sampled_from([0, 4, 8]),
    st.lists(st.floats(0, 1), max_size=3),
)
@example([0, 5, 3, 1 << 40], 0, 0.5, 4, [0.5])
def test_aedat4(times: list[int], seed: int, odd: float, lead: int, cuts: list[float]) -> None:
    random = np.random.default_rng(seed)
    expected = Expected()
    records = np.zeros(len(times), [("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("on", "u1"), ("rest", "V3")])
    for i, time in enumerate(times):
        x, y, on = int(random.integers(0, 346)), int(random.integers(0, 260)), int(random.integers(0, 256))
        if random.random() < odd:
            x, y = [(346, 0), (0, 260), (-1, 5), (5, -32768)][random.integers(0, 4)]
            expected.count(ordering.OUTSIDE)
        else:
            expected.give(time, x, y, int(on != 0))
        records[i] = (time, x, y, on, bytes(random.integers(0, 256, 3, np.uint8)))

    def run(start: int, stop: int, state: NDArray[np.int64], out: EventArray) -> int:
        packet = flatbuffer(records[start:stop], lead)
        data = np.frombuffer(bytearray(packet), np.uint8)
        return int(decoding.decode_aedat4(data, np.array([[0, data.size, data.size]]), 346, 260, state, 0, out))

    check(expected, *decoded(run, len(times), cuts))


FAR = 1 << 63
FURTHEST = (1 << 62) - (1 << 40)


@pytest.mark.parametrize(
    ("times", "given", "dropped"),
    [
        # across the end of the numbers, where the step is one and yet back
        ([FAR - 1, -FAR], [], 2),
        ([*range(5, 90), FAR - 1, -FAR, 91], [*range(5, 90), 91], 2),
        ([*range(FAR - 100, FAR)], [], 100),
        ([-FAR, *range(5, 90)], [*range(5, 90)], 1),
        ([FURTHEST, FURTHEST + 1], [FURTHEST], 1),
        ([-FURTHEST - 1, -FURTHEST], [-FURTHEST], 1),
    ],
)
def test_times_that_no_clock_shows_are_dropped(times: list[int], given: list[int], dropped: int) -> None:
    records = np.zeros(len(times), [("t", "<i8"), ("rest", "V8")])
    records["t"] = times

    def run(start: int, stop: int, state: NDArray[np.int64], out: EventArray) -> int:
        data = np.frombuffer(bytearray(flatbuffer(records[start:stop], 0)), np.uint8)
        return int(decoding.decode_aedat4(data, np.array([[0, data.size, data.size]]), 346, 260, state, 0, out))

    for cuts in ([], [0.3, 0.98]):
        found, state = decoded(run, len(times), cuts)
        assert [event[0] for event in found] == given
        assert state[ordering.INVALID] == dropped
        assert not state[[ordering.STRAYS, ordering.STALE, ordering.RESETS, ordering.CLAMPED]].any()


@pytest.mark.parametrize("n_cut", [1, 16, 30, 47])
def test_a_packet_that_ends_too_early_is_counted_with_its_bytes(n_cut: int) -> None:
    packet = flatbuffer(np.zeros(2, "V16"), 0)
    data = np.frombuffer(bytearray(packet), np.uint8)
    state = ordering.new_state()
    packets = np.array([[0, data.size - n_cut, 99], [0, 0, 1]])
    assert decoding.decode_aedat4(data, packets, 4, 4, state, 5, ordering.as_words(empty_events())) == 5
    assert (state[ordering.DAMAGED], state[ordering.DAMAGED_BYTES]) == (2, 100)
