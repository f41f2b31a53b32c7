"""What all compiled decoders share: the state they carry from piece to piece, and the order of time.

Each decoder runs over a piece of a file with an empty ``out`` to count and to find the times of its first and last
event, or with room in ``out`` to write events. Running the same code makes the index and the events agree by
construction.

A decoder goes in blocks. Its own part only rearranges the bits of a block into pairs of int64 words (``as_words``);
``give_block`` does what is the same for all formats. Most blocks are in order, inside the sensor and valid: they are
done once that is seen. In the others ``give_each`` takes event by event through the one state machine, ``_order``.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.events import EventArray

#: Time that jumps back by more is taken for a reset of the camera's clock, less for disorder: µs.
RESET_US = 100_000
#: So is time that jumps forward by more, µs: no sensor is silent for ten minutes, and a damaged time stamp would
#: otherwise make a replay of years of silence.
LEAP_US = 600_000_000

# Slots of the (STATE_SIZE,) int64 state that a decoder carries from piece to piece.
RAW = 0  # last time stamp as in the file
TIME = 1  # the same, unwrapped and shifted past resets
NEWEST = 2  # latest time given out
CLAMPED = 3  # events whose time ran back and was set to NEWEST
RESETS = 4  # resets of the clock
OUTSIDE = 5  # events beyond the sensor, dropped
INVALID = 6  # events marked invalid, dropped
FRAMES = 7  # words of frames
IMU = 8  # words of IMU samples
SPECIAL = 9  # trigger and other special words
DAMAGED = 10  # packets that could not be read
DAMAGED_BYTES = 11  # their bytes in the file
FIRST = 12  # time of the first event of the latest call
STATE_SIZE = 13

_BEFORE = np.iinfo(np.int64).min
#: Events of a block: few enough to stay in the fastest cache.
BLOCK = 1024
#: An event as two numbers: two stores instead of four.
WORDS_DTYPE = np.dtype([("t", "<i8"), ("rest", "<i8")])


def new_state(before_us: int | None = None) -> NDArray[np.int64]:
    """(STATE_SIZE,) int64 before the first event, or after events in order up to ``before_us``."""
    state = np.zeros(STATE_SIZE, np.int64)
    state[RAW] = state[TIME] = state[NEWEST] = _BEFORE if before_us is None else before_us
    return state


def as_words(events: EventArray) -> NDArray[np.void]:
    """(N,) EVENT_DTYPE as (N,) pairs of int64: ``t`` and ``x | y << 16 | polarity << 32`` (little-endian hosts)."""
    words: NDArray[np.void] = events.view(WORDS_DTYPE)
    return words


@njit(cache=True, nogil=True, inline="always")
def _order(time: np.int64, newest: np.int64) -> tuple[np.int64, np.int64, int]:
    """The state machine: the time to go on from, the time to give out and the slot to count in (0 for none).

    time : of an event, unwrapped. newest : latest time given out.
    Clamping keeps order and count without a sort across chunks; the price is a wrong time for the few events that
    ran back. After a reset of the clock the stream goes on from its newest time.
    """
    ahead = time - newest
    if newest == _BEFORE or 0 <= ahead <= LEAP_US:
        return time, time, 0
    if ahead > LEAP_US or ahead < -RESET_US:
        return newest, newest, RESETS
    return time, newest, CLAMPED


@njit(cache=True, nogil=True)
def give_each(state: NDArray[np.int64], block: NDArray[np.void], wraps: bool, n: int, out: NDArray[np.void]) -> int:
    """Gives out the events of a block one by one after ``n`` others of the piece; returns how many there are then.

    block : (N,) WORDS_DTYPE with time stamps as in the file; a second word below zero is no event and counts in the
    slot of that number. May lie in ``out`` from row ``n`` on, as events move only towards its beginning. Where ``out``
    has no room for an event, it only counts. wraps : time stamps have 32 bits.
    """
    before, time, newest = state[RAW], state[TIME], state[NEWEST]
    for i in range(block.shape[0]):
        raw, rest = block[i].t, block[i].rest
        if rest < 0:
            state[-rest] += 1
            continue
        step = raw - before
        if wraps:
            # The difference as a signed 32-bit number: right across the wrap, forward and back.
            step = ((step + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        time, newest, counted = _order(raw if before == _BEFORE else time + step, newest)
        before = raw
        if counted:
            state[counted] += 1
        if n == 0:
            state[FIRST] = newest
        if n < out.shape[0]:
            out[n].t = newest
            out[n].rest = rest
        n += 1
    state[RAW], state[TIME], state[NEWEST] = before, time, newest
    return n


@njit(cache=True, nogil=True)
def give_block(state: NDArray[np.int64], block: NDArray[np.void], wraps: bool, n: int, out: NDArray[np.void]) -> int:
    """The same as ``give_each``, at once where all are events whose time goes on from the one before."""
    size = block.shape[0]
    odd = np.int64(0)  # below zero as soon as one of the numbers is
    for i in range(size):
        odd |= block[i].rest
    for i in range(1, size):
        step = block[i].t - block[i - 1].t
        odd |= step | (LEAP_US - step)
    first, last = block[0].t, block[size - 1].t
    time = first if state[RAW] == _BEFORE else state[TIME] + first - state[RAW]
    if state[NEWEST] != _BEFORE:
        ahead = time - state[NEWEST]
        odd |= ahead | (LEAP_US - ahead)
    if odd < 0:
        return int(give_each(state, block, wraps, n, out))
    shift = time - first
    if shift:
        for i in range(size):
            block[i].t += shift
    if n == 0:
        state[FIRST] = time
    state[RAW] = last
    state[TIME] = state[NEWEST] = last + shift
    return int(n + size)


@njit(cache=True, nogil=True)
def block_for(n: int, size: int, out: NDArray[np.void], spare: NDArray[np.void]) -> NDArray[np.void]:
    """Where a block of ``size`` is rearranged: in its place of ``out``, or in ``spare`` where there is no room."""
    if n + size <= out.shape[0]:
        return out[n : n + size]
    return spare[:size]


@njit(cache=True, nogil=True)
def aligned_records(data: NDArray[np.uint8], at: int, n_bytes: int, alignment: int) -> NDArray[np.uint8]:
    """``n_bytes`` from byte ``at``, moved to where numbers may begin if they do not lie so; ``data`` itself does."""
    records = data[at : at + n_bytes]
    return records.copy() if at % alignment else records
