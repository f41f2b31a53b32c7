from __future__ import annotations

import numpy as np
import pytest

from spikebridge.recordings.prophesee import word_state
from spikebridge.recordings.prophesee.word_state import (
    JUMPS,
    RATE_DROPPED,
    count_monitored,
    new_word_state,
    step_time,
)

HALF = 1 << 11


def times(*values: int, bits: int = 12, wrap_from: int = HALF) -> list[int]:
    state = new_word_state()
    return [step_time(state, value, bits, wrap_from) for value in values]


@pytest.mark.parametrize(
    ("values", "unwrapped"),
    [
        ((7, 7, 8), [7, 7, 8]),
        ((4094, 4095, 0, 1), [4094, 4095, 4096, 4097]),
        ((0, 4095, 0), [0, 0, 0]),  # back across the start of the clock
        ((5, 4095, 5), [5, 0, 5]),
        ((4096 - 3, 2, 4096 - 1, 4), [4093, 4098, 4095, 4100]),  # two words in the wrong order across the wrap
        ((100, 1900, 1901), [100, 1900, 1901]),  # a silence of seconds
        ((100, 3000, 3001), [100, 3000, 3001]),
        ((3000, 100, 101), [3000, 4196, 4197]),  # lost, with the wrap
        ((1900, 100, 101), [1900, 100, 101]),  # back by less than half
        ((100, 3000, 101, 102), [100, 3000, 101, 102]),  # a flipped bit
        ((3000, 100, 3001, 3002), [3000, 4196, 3001, 3002]),
    ],
)
def test_upper_times_are_unwrapped(values: tuple[int, ...], unwrapped: list[int]) -> None:
    assert times(*values) == unwrapped


def test_jumps_that_do_not_last_are_counted() -> None:
    state = new_word_state()
    for value in (100, 3000, 101, 102, 2000, 2001, 2002):
        step_time(state, value, 12, HALF)
    assert state[JUMPS] == 1


def test_a_clock_of_28_bits_wraps_near_its_end_only() -> None:
    size = 1 << 28
    assert times(size - 2, 5, bits=28, wrap_from=size) == [size - 2, size + 5]
    assert times(size * 3 // 4, 5, bits=28, wrap_from=size) == [size * 3 // 4, 5]


def test_hours_of_wraps_add_up() -> None:
    state = new_word_state()
    after = [step_time(state, value & 0xFFF, 12, HALF) for value in range(0, 3 << 12, 7)]
    assert after == list(range(0, 3 << 12, 7))


def test_what_the_rate_control_dropped_is_what_came_less_what_passed() -> None:
    state = new_word_state()
    for kind, number in ((0x14, 500), (0x16, 480), (0x15, 9999), (0x16, 100), (0x14, 250), (0x14, 77)):
        count_monitored(state, kind, number)
    assert state[RATE_DROPPED] == 20 + 150


def test_slots_do_not_overlap() -> None:
    names = [name for name in vars(word_state) if name.isupper() and name[0] != "_" and name[-5:] != "_SIZE"]
    slots = [getattr(word_state, name) for name in names if isinstance(getattr(word_state, name), int)]
    slots = [slot for slot in slots if slot >= 0]
    assert sorted(slots) == list(range(word_state.STATE_SIZE, word_state.WORD_STATE_SIZE))
    assert new_word_state(5).size == word_state.WORD_STATE_SIZE
    assert np.count_nonzero(new_word_state(5) == 5) == 1
