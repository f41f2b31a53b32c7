"""Packets to events: whole and in part, time that begins anew, and bytes that nobody should send."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recording_files import random_events
from spikebridge.events import EventArray, empty_events, make_events
from spikebridge.recordings.ordering import as_words
from spikebridge.sources.net import decoding
from spikebridge.sources.net.wire import Packer

PACKER = Packer("NONE")
MOST = 1 << 20


def at(*times: int, x: int = 1) -> EventArray:
    return make_events(times, [x] * len(times), [1] * len(times), [1] * len(times))


def packets_of(*parts: EventArray) -> np.ndarray:
    return np.frombuffer(b"".join(bytes(PACKER.events(part)) for part in parts), np.uint8)


def times(buffer: np.ndarray, state: np.ndarray) -> list[list[int]]:
    """The times of each call, as many calls as are needed."""
    found = []
    rows, _ = decoding.find_packets(buffer, MOST)
    rows = rows[:, 1:].copy()
    while len(rows):
        out = empty_events(1000)
        n, done = decoding.decode_packets(buffer, rows, 128, 128, state, as_words(out))
        found.append(out["t"][:n].tolist())
        rows = rows[done:]
    return found


@pytest.mark.parametrize("size", range(125))
def test_only_whole_packets_are_found(size: int) -> None:
    """Two packets of 56 bytes, cut anywhere."""
    buffer = packets_of(at(1), at(2))
    assert buffer.size == 112
    rows, end = decoding.find_packets(buffer[:size], MOST)
    n = min(size // 56, 2)
    assert (rows.tolist(), end) == ([[0, 8, 48], [0, 64, 48]][:n], 56 * n)


@pytest.mark.parametrize("said", [0, -1, MOST + 1, 2**31 - 1, 2**32 - 1])
def test_a_size_that_cannot_be_ends_it(said: int) -> None:
    buffer = packets_of(at(1), at(2)).copy()
    buffer[60:64] = np.frombuffer((said & 0xFFFFFFFF).to_bytes(4, "little"), np.uint8)
    rows, end = decoding.find_packets(buffer, MOST)
    assert (len(rows), end) == (1, -1)


def test_time_goes_on_from_packet_to_packet() -> None:
    state = decoding.new_state()
    assert times(packets_of(at(5, 5, 7), at(), at(7, 9)), state) == [[5, 5, 7, 7, 9]]
    assert (state[decoding.NEWEST], state[decoding.MOVED], state[decoding.EMPTY]) == (9, 0, 1)


def test_a_packet_a_little_back_is_set_to_the_newest_time() -> None:
    state = decoding.new_state()
    assert times(packets_of(at(200_000), at(100_000, 150_000, 200_001)), state) == [
        [200_000, 200_000, 200_000, 200_001]
    ]
    assert (state[decoding.MOVED], state[decoding.RESTARTS]) == (2, 0)


@pytest.mark.parametrize("begin", [99_999, -5, 600_200_001])
def test_a_packet_far_away_begins_another_time_with_a_call_of_its_own(begin: int) -> None:
    """More than 0.1 s back or ten minutes ahead."""
    state = decoding.new_state()
    assert times(packets_of(at(200_000), at(begin, begin + 1), at(begin + 2)), state) == [
        [200_000], [begin, begin + 1, begin + 2],
    ]  # fmt: skip
    assert (state[decoding.MOVED], state[decoding.RESTARTS]) == (0, 1)


def test_ten_minutes_ahead_is_still_the_same_time() -> None:
    assert times(packets_of(at(0), at(600_000_000)), decoding.new_state()) == [[0, 600_000_000]]


def test_one_stray_time_within_a_packet_moves_no_other() -> None:
    state = decoding.new_state()
    assert times(packets_of(at(10, 2**62, 30, -(2**62), 40)), state) == [[10, 10, 30, 30, 40]]
    assert state[decoding.MOVED] == 2


def test_events_outside_are_counted() -> None:
    state = decoding.new_state()
    assert times(packets_of(at(1), at(2, x=128), at(3, x=0xFFFF), at(4, x=127)), state) == [[1, 4]]
    assert state[decoding.OUTSIDE] == 2


def test_missed_events_are_told_once_and_never_fewer() -> None:
    state = decoding.new_state()
    told = b"".join(bytes(PACKER.missed(n)) for n in (5, 9, 7, -4))
    times(np.frombuffer(told, np.uint8), state)
    assert (state[decoding.MISSED], state[decoding.EMPTY]) == (9, 4)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1200), st.integers(0, 255)), min_size=1, max_size=12))
def test_bytes_that_were_changed_do_no_harm(changes: list[tuple[int, int]]) -> None:
    buffer = packets_of(random_events(20), random_events(30, seed=1), at()).copy()
    for place, value in changes:
        buffer[place % buffer.size] = value
    rows, end = decoding.find_packets(buffer, MOST)
    assert -1 <= end <= buffer.size
    out = empty_events(int(rows[:, 2].sum()) // 16)
    n, done = decoding.decode_packets(buffer, rows[:, 1:].copy(), 128, 128, decoding.new_state(), as_words(out))
    assert 0 <= n <= out.size
    assert done <= len(rows)
    assert (out["x"][:n] < 128).all()
    assert (np.diff(out["t"][:n]) >= 0).all()
