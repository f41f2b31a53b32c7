"""What the compiled decoders of EVT words share: the state that they carry on, time words, the rate control."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Compiled into what is kept for this file. numba looks at its time alone: save it after a change of the other.
from spikebridge.recordings.ordering import STATE_SIZE, new_state

#: A number in compiled code.
Number: TypeAlias = int | np.int64

# Slots after those of ``ordering``.
HIGH = STATE_SIZE  # upper part of the time, unwrapped; below zero before the first time word
LOW = STATE_SIZE + 1  # lower part (EVT3)
ANCHOR = STATE_SIZE + 2  # HIGH before it jumped; below zero where it did not
ROW = STATE_SIZE + 3  # y of the events that follow (EVT3): NO_ROW, or OUTSIDE_ROW
BASE = STATE_SIZE + 4  # x of the next vector (EVT3); below zero where none was given
POLARITY = STATE_SIZE + 5  # of the next vector (EVT3)
MASTER = STATE_SIZE + 6  # kind of the monitoring word that is being read; below zero between them
PAYLOAD = STATE_SIZE + 7  # its number so far
SHIFT = STATE_SIZE + 8  # bits of it that were read
UNPLACED = STATE_SIZE + 9  # events before the first word that says their time or row, dropped
UNKNOWN = STATE_SIZE + 10  # words of an unknown type
LOST_TIME = STATE_SIZE + 11  # time words that must have been there
JUMPS = STATE_SIZE + 12  # time words that led away for a moment
MONITORING = STATE_SIZE + 13  # words about the camera itself
RATE_IN = STATE_SIZE + 14  # events that came to the rate control in its latest period; below zero until known
RATE_OUT = STATE_SIZE + 15  # events that it let pass in the same; below zero until known
RATE_DROPPED = STATE_SIZE + 16  # events that it dropped
OFFSET = STATE_SIZE + 17  # added to all times, µs
FLOOR = STATE_SIZE + 18  # time, without OFFSET, that events are not given out before (EVT3)
WORD_STATE_SIZE = STATE_SIZE + 19

NO_ROW = -1
OUTSIDE_ROW = -2

#: Monitoring words (OpenEB 5.1, ``evt3_event_types.h``): events that came to the sensor's event rate control since the
#: last such word, and events that it let pass.
_CAME, _PASSED = 0x0014, 0x0016


def new_word_state(offset_us: int = 0) -> NDArray[np.int64]:
    """(WORD_STATE_SIZE,) int64 before the first word. offset_us : added to the times of all events."""
    state = np.zeros(WORD_STATE_SIZE, np.int64)
    state[:STATE_SIZE] = new_state()
    state[[HIGH, ANCHOR, ROW, BASE, MASTER, RATE_IN, RATE_OUT]] = -1
    state[OFFSET] = offset_us
    return state


@njit(cache=True, nogil=True)
def step_time(state: NDArray[np.int64], value: Number, bits: int, wrap_from: int) -> int:
    """Takes the upper part of the time from a time word of ``bits``; returns it unwrapped.

    A step of less than 1/16 of the range, forward or back, is taken as it is, also across the wrap. A larger one is
    forward or back as the numbers are, but a drop of ``wrap_from`` or more is a wrap. If the next word goes on from
    before such a jump, the jump was damage: otherwise a single flipped bit could add a wrap for ever.
    """
    before, anchor = state[HIGH], state[ANCHOR]
    size = 1 << bits
    near = size >> 4
    state[ANCHOR] = -1
    if before < 0:
        after = value
    elif anchor >= 0 and ((value - anchor) & (size - 1)) < near:
        after = anchor + ((value - anchor) & (size - 1))
        state[JUMPS] += 1
    else:
        step = (value - before) & (size - 1)
        after = before + step
        if step > size - near:
            after -= size
        elif step >= near:
            state[ANCHOR] = before
            drop = (before & (size - 1)) - value
            if 0 < drop < wrap_from:
                after -= size
        after = max(after, 0)
    state[HIGH] = after
    return int(after)


@njit(cache=True, nogil=True)
def count_monitored(state: NDArray[np.int64], kind: Number, number: Number) -> None:
    """Counts what the event rate control dropped: what came less what passed, in periods that both are known of.

    The sums of both kinds of numbers over a recording, and that what passed is what the file holds, are checked in
    OpenEB 5.1 (``psee_raw_file_decoder_gtest.cpp``: 18 158 913 came, 18 095 375 passed, 18 094 969 are in the file).
    """
    if kind == _CAME:
        state[RATE_IN] = number
    elif kind == _PASSED:
        state[RATE_OUT] = number
    if state[RATE_IN] >= 0 and state[RATE_OUT] >= 0:
        state[RATE_DROPPED] += state[RATE_IN] - state[RATE_OUT]
        state[RATE_IN] = state[RATE_OUT] = -1
