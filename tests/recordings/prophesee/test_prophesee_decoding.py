"""Words by hand: what each kind of word does, at its limits and in the wrong place."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from spikebridge.events import EVENT_DTYPE
from spikebridge.recordings import ordering
from spikebridge.recordings.prophesee import decoding, word_state
from spikebridge.recordings.prophesee.word_state import new_word_state

State = NDArray[np.int64]
Row = tuple[int, int, int, int]


def decode3(*words: int, state: State | None = None, width: int = 1280, height: int = 720) -> tuple[list[Row], State]:
    state = new_word_state() if state is None else state
    out = np.zeros(4000, EVENT_DTYPE)
    n = decoding.decode_evt3(np.array(words, np.uint16), width, height, state, 0, ordering.as_words(out))
    n = finish(state, n, out)
    return out[:n].tolist(), state


def decode2(*words: int, state: State | None = None, width: int = 640, height: int = 480) -> tuple[list[Row], State]:
    state = new_word_state() if state is None else state
    out = np.zeros(4000, EVENT_DTYPE)
    n = decoding.decode_evt2(np.array(words, np.uint32), width, height, state, 0, ordering.as_words(out))
    n = finish(state, n, out)
    return out[:n].tolist(), state


def decode21(*words: int, head: int = 1, width: int = 640, height: int = 480) -> tuple[list[Row], State]:
    state = new_word_state()
    out = np.zeros(4000, EVENT_DTYPE)
    halves = np.array(words, "<u8").view("<u4").reshape(-1, 2)
    halves = halves if head == 1 else np.ascontiguousarray(halves[:, ::-1])
    n = decoding.decode_evt21(halves, head, width, height, state, 0, ordering.as_words(out))
    n = finish(state, n, out)
    return out[:n].tolist(), state


def finish(state: State, n: int, out: NDArray[np.void]) -> int:
    """What ``ordering`` holds back until it has seen what follows, where it does."""
    last = getattr(ordering, "finish", None)
    return n if last is None else last(state, True, n, ordering.as_words(out))


HIGH, LOW = 0x8002, 0x6010
T = 2 << 12 | 0x10


def test_evt3_single_events() -> None:
    rows, _ = decode3(HIGH, LOW, 30, 0x2000 | 1 << 11 | 7, 0x2000 | 1279, 31, 0x2000)
    assert rows == [(T, 7, 30, 1), (T, 1279, 30, 0), (T, 0, 31, 0)]


def test_evt3_an_upper_time_sets_the_lower_to_0_if_it_is_new() -> None:
    rows, _ = decode3(HIGH, LOW, 0, 0x2001, HIGH, 0x2002, 0x8003, 0x2003)
    assert [row[0] for row in rows] == [T, T, 3 << 12]


def test_evt3_vectors_move_their_base_on() -> None:
    rows, _ = decode3(HIGH, LOW, 5, 0x3000 | 1 << 11 | 100, 0x4801, 0x4000, 0x5081, 0x5001)
    assert rows == [(T, x, 5, 1) for x in (100, 111, 124, 131, 132)]


def test_evt3_an_event_between_vectors_does_not_move_the_base() -> None:
    rows, _ = decode3(HIGH, LOW, 5, 0x3000 | 100, 0x4001, 0x2000 | 1 << 11 | 9, 0x4001)
    assert rows == [(T, 100, 5, 0), (T, 9, 5, 1), (T, 112, 5, 0)]


def test_evt3_the_four_high_bits_of_a_vector_of_8_are_none_of_it() -> None:
    assert len(decode3(HIGH, LOW, 5, 0x3000, 0x5F01)[0]) == 1


def test_evt3_vectors_across_the_edge() -> None:
    rows, state = decode3(HIGH, LOW, 5, 0x3000 | 1275, 0x4FFF, 0x50FF)
    assert [row[1] for row in rows] == [1275, 1276, 1277, 1278, 1279]
    assert state[ordering.OUTSIDE] == 7 + 8


def test_evt3_events_outside() -> None:
    rows, state = decode3(HIGH, LOW, 719, 0x2000 | 1280, 720, 0x2001, 0x3001, 0x4003, 719, 0x2002)
    assert rows == [(T, 2, 719, 0)]
    assert state[ordering.OUTSIDE] == 1 + 1 + 2


@pytest.mark.parametrize(
    ("words", "n"),
    [
        ((5, LOW, 0x2001), 1),  # no upper time
        ((HIGH, LOW, 0x2001, 0x2002), 2),  # no row
        ((HIGH, LOW, 5, 0x4003), 2),  # no base
        ((HIGH, LOW, 5, 0x1000, 0x2001), 1),  # a row of something else
    ],
)
def test_evt3_events_without_time_row_or_base(words: tuple[int, ...], n: int) -> None:
    rows, state = decode3(*words)
    assert rows == []
    assert state[word_state.UNPLACED] == n
    assert len(decode3(HIGH, LOW, 5, 0x2001, state=state)[0]) == 1


def test_evt3_a_lost_upper_time() -> None:
    rows, state = decode3(0x8002, 0x6FF0, 1, 0x2001, 0x6002, 0x2002, 0x8003, 0x2003, 0x6004, 0x2004)
    assert [row[0] for row in rows] == [0x2FF0, 0x3002, 0x3002, 0x3004]
    assert state[word_state.LOST_TIME] == 1


def test_evt3_a_lower_time_that_runs_back_a_little() -> None:
    """As Gen4.1 cameras send it each millisecond: a word some µs ahead, with no events."""
    rows, state = decode3(HIGH, 0x6100, 1, 0x2001, 0x610B, 0x6101, 0x2002, 0x3003, 0x4003, 0x610C, 0x2004)
    assert [row[0] - (2 << 12) for row in rows] == [0x100, 0x10B, 0x10B, 0x10B, 0x10C]
    assert state[ordering.CLAMPED] == 3
    rows, state = decode3(HIGH, 0x6100, 1, 0x2001, 0x6000 | 0x100 - 65, 0x6000 | 0x110, 0x2002)
    assert [row[0] - (2 << 12) for row in rows] == [0x100, 0x110]


def test_evt3_time_wraps() -> None:
    rows, _ = decode3(0x8FFF, 0x6FFF, 1, 0x2001, 0x8000, 0x6001, 0x2002)
    assert [row[0] for row in rows] == [(1 << 24) - 1, (1 << 24) + 1]


def test_evt3_lost_seconds_with_a_wrap_among_them() -> None:
    rows, _ = decode3(0x8000 | 3000, 1, 0x2001, 0x8000 | 100, *[word for x in range(9) for word in (2, 0x2000 | x)])
    assert [row[0] >> 12 for row in rows] == [3000, *[4096 + 100] * 9]


def test_evt2_a_clock_that_is_reset_does_not_wrap() -> None:
    _, state = decode2(0x80000000 | 3 << 26, 0, 0x80000010, 0)
    assert state[word_state.HIGH] == 16


def test_evt3_an_offset_is_added() -> None:
    state = new_word_state(1 << 40)
    assert decode3(HIGH, LOW, 5, 0x2001, state=state)[0] == [((1 << 40) + T, 1, 5, 0)]


def test_evt3_triggers_monitoring_and_unknown_words() -> None:
    came, passed = (0xE014, 0xF3E8, 0xF000, 0x7001), (0xE016, 0xF3E8, 0xF000, 0x7000)
    rows, state = decode3(HIGH, LOW, 5, 0xA101, *came, *passed, 0xE123, 0x9000, 0xB000, 0xC000, 0xD000, 0x2001)
    assert rows == [(T, 1, 5, 0)]
    assert state[ordering.SPECIAL] == 1
    assert state[word_state.MONITORING] == 3
    assert state[word_state.UNKNOWN] == 4
    assert state[word_state.RATE_DROPPED] == 1 << 24


def test_evt3_a_cut_number_counts_for_nothing() -> None:
    _, state = decode3(HIGH, 0xE014, 0xF3E8, 0x7001, 0xE016, 0xF000, 0xF000, 0x7000)
    assert state[word_state.RATE_DROPPED] == 0


def test_evt2_events_and_time() -> None:
    rows, _ = decode2(0x80000003, 1 << 28 | 5 << 22 | 639 << 11 | 479, 63 << 22, 0x80000004, 0)
    assert rows == [(3 * 64 + 5, 639, 479, 1), (3 * 64 + 63, 0, 0, 0), (4 * 64, 0, 0, 0)]


def test_evt2_oddities() -> None:
    came, passed = (0xE0000014, 0xFFC00005), (0xE0000016, 0xF0000003)  # numbers have 22 bits
    words = (7, 0x80000001, 640 << 11, 480, 0x70000000, 0xA0000001, 0xD0000000, 0xF0000000, *came, *passed, 0x10000000)
    rows, state = decode2(*words)
    assert rows == [(64, 0, 0, 1)]
    assert state[word_state.UNPLACED] == 1
    assert state[ordering.OUTSIDE] == 2
    assert state[word_state.UNKNOWN] == 1
    assert state[ordering.SPECIAL] == state[ordering.IMU] == 1
    assert state[word_state.MONITORING] == 2
    assert state[word_state.RATE_DROPPED] == 2


def test_evt2_time_wraps_after_hours() -> None:
    rows, _ = decode2(0x8FFFFFFF, 1 << 22, 0x80000000, 1 << 22)
    assert [row[0] for row in rows] == [(1 << 34) - 63, (1 << 34) + 1]


@pytest.mark.parametrize("head", [0, 1])
def test_evt21_masks(head: int) -> None:
    time, event = 0x80000003 << 32, (1 << 28 | 5 << 22 | 64 << 11 | 479) << 32 | 1 | 1 << 31
    assert decode21(time, event, head=head)[0] == [(197, 64, 479, 1), (197, 95, 479, 1)]


def test_evt21_oddities() -> None:
    event = 639 << 43 | 7
    other, came, passed = 480 << 32 | 3, 0xE0000014 << 32 | 0xFFC00009, 0xE0000016 << 32 | 0xF0000002
    rows, state = decode21(event, 0x80000001 << 32, event, other, 0xA << 60, 0xF << 60, 3 << 60, came, passed)
    assert rows == [(64, 639, 0, 0)]
    assert state[word_state.UNPLACED] == 1
    assert state[ordering.OUTSIDE] == 2 + 2 + 2
    assert state[ordering.SPECIAL] == state[word_state.UNKNOWN] == 1
    assert state[word_state.RATE_DROPPED] == 7


def test_a_part_of_only_full_vectors_fits() -> None:
    words = [HIGH, LOW, 5] + [0x3000, *[0x4FFF] * 100] * 15
    out = np.zeros(20_000, EVENT_DTYPE)
    state = new_word_state()
    n = decoding.decode_evt3(np.array(words, np.uint16), 1280, 720, state, 0, ordering.as_words(out))
    assert n == 1200 * 15
    assert out["x"][:n].tolist() == list(range(1200)) * 15
