"""What all compiled decoders share: the state they carry from piece to piece, and the order of time.

Each decoder runs over a piece of a file with an empty ``out`` to count and to find the times of its first and last
event, or with room in ``out`` to write events. Running the same code makes the index and the events agree by
construction.

A decoder goes in blocks. Its own part only rearranges the bits of a block into pairs of int64 words (``as_words``);
``give_block`` does what is the same for all formats. Most blocks are in order, inside the sensor and valid: they are
done once that is seen. The others go event by event.

Time that jumps is either a stray event or a clock that was set, and which of both only the events after it tell. So an
event whose time is far from the one before is *held*, with those that follow, until ``_CONFIRMED`` of them have gone on
from there in order (then the clock is there now) or one is back at the old place (then the held ones are strays, and
get the time of their neighbour). What is held is a part of the state and goes with it from piece to piece.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.events import EventArray

#: Time that jumps by more is looked at twice, in µs; what runs back by less is disorder.
JUMP_US = 100_000
#: A clock that jumps ahead by more was set: no recording is silent for so long, and its replay would be of silence.
DAY_US = 86_400_000_000
#: A single event at the end of a file that lies ahead by more is a stray.
_LONGEST_END_US = 600_000_000
#: No clock shows more, 140 000 years; beyond that, differences of two time stamps would not fit into 64 bits.
_FURTHEST_US = (1 << 62) - (1 << 40)
#: Events that have to go on in order at a new place. Fewer would take a damaged packet for a new clock.
_CONFIRMED = 8
#: At most so many events at the beginning may be left over from before the recording: what a driver's buffer held.
_MOST_STALE = 64
_START = _MOST_STALE + _CONFIRMED

# Slots of the (STATE_SIZE,) int64 state that a decoder carries from piece to piece. What a decoder itself has to
# remember comes behind them.
RAW = 0  # last time stamp as in the file
TIME = 1  # the same, unwrapped and shifted past resets
NEWEST = 2  # latest time given out
CLAMPED = 3  # events whose time ran back a little and was set to NEWEST
STRAYS = 4  # events whose time was far from their neighbours' and was set to theirs
STALE = 5  # events at the beginning that were left over from before, dropped
RESETS = 6  # resets of the clock
OUTSIDE = 7  # events beyond the sensor, dropped
INVALID = 8  # events marked invalid, or whose time no clock shows, dropped
FRAMES = 9  # frames
IMU = 10  # IMU samples
SPECIAL = 11  # trigger and other special words
DAMAGED = 12  # packets that could not be read
DAMAGED_BYTES = 13  # their bytes in the file
OTHERS = 14  # events of other cameras in the file, dropped
IGNORED = 15  # words that belong to a sample that is counted
FIRST = 16  # time of the first event of the latest call
WRAPS = 17  # whether time stamps have 32 bits
HELD = 18  # events that are held
CANDIDATE = 19  # of these, the first that is at the newest place
_BUFFER = 20
STATE_SIZE = _BUFFER + 2 * _START
#: Slots that mean nothing while no event is held.
ROOM = slice(_BUFFER, STATE_SIZE)

#: Time stamps before the first event.
BEFORE = np.iinfo(np.int64).min
#: Events of a block: few enough to stay in the fastest cache.
BLOCK = 1024
#: An event as two numbers: two stores instead of four.
WORDS_DTYPE = np.dtype([("t", "<i8"), ("rest", "<i8")])


def new_state(before_us: int | None = None, extra: int = 0) -> NDArray[np.int64]:
    """(STATE_SIZE + extra,) int64 before the first event, or after events in order up to ``before_us``."""
    state = np.zeros(STATE_SIZE + extra, np.int64)
    state[RAW] = state[TIME] = state[NEWEST] = BEFORE if before_us is None else before_us
    return state


def as_words(events: EventArray) -> NDArray[np.void]:
    """(N,) EVENT_DTYPE as (N,) pairs of int64: ``t`` and ``x | y << 16 | polarity << 32`` (little-endian hosts)."""
    words: NDArray[np.void] = events.view(WORDS_DTYPE)
    return words


@njit(cache=True, nogil=True)
def give_block(state: NDArray[np.int64], block: NDArray[np.void], wraps: bool, n: int, out: NDArray[np.void]) -> int:
    """Gives out the events of a block after ``n`` others of the piece; returns how many there are then.

    block : (N,) WORDS_DTYPE with time stamps as in the file; a second word below zero is no event and counts in the
    slot of that number. May lie where ``block_for`` says. Where ``out`` has no room for an event, it only counts.
    wraps : time stamps have 32 bits.
    """
    size = block.shape[0]
    odd = np.int64(0)  # below zero as soon as one of the numbers is
    for i in range(size):
        odd |= block[i].rest
    for i in range(1, size):
        step = block[i].t - block[i - 1].t
        odd |= step | (JUMP_US - step)
    first, last = block[0].t, block[size - 1].t
    odd |= (_FURTHEST_US + first) | (_FURTHEST_US - first)
    time = first
    if state[NEWEST] != BEFORE:
        time = state[TIME] + first - state[RAW]
        ahead = time - state[NEWEST]
        odd |= ahead | (JUMP_US - ahead)
    elif size < _START:
        odd = np.int64(-1)
    if odd < 0 or state[HELD]:
        state[WRAPS] = wraps
        return int(_give_each(state, block, n, out))
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
def block_for(
    state: NDArray[np.int64], n: int, size: int, out: NDArray[np.void], spare: NDArray[np.void]
) -> NDArray[np.void]:
    """Where a block of ``size`` is rearranged: in its place of ``out``, or in ``spare`` where there is no room or
    where events that are held will come before it."""
    if n + size <= out.shape[0] and not state[HELD]:
        return out[n : n + size]
    return spare[:size]


@njit(cache=True, nogil=True)
def finish(state: NDArray[np.int64], last: bool, n: int, out: NDArray[np.void]) -> int:
    """Gives out what is still held after a piece; returns how many events there are then.

    last : whether the file ends here; else what follows is known to go on from there in order.
    """
    if state[NEWEST] == BEFORE and state[HELD]:
        n = _settle_start(state, n, out)
    held = state[HELD]
    if held:
        ahead = _ahead(state, state[_BUFFER + 2 * state[CANDIDATE]])
        forward = JUMP_US < ahead <= DAY_US
        if forward and (not last or ahead <= _LONGEST_END_US or held - state[CANDIDATE] > 1):
            n = _confirm(state, n, out)
        else:
            n = _give_strays(state, held, n, out)
    return int(n)


@njit(cache=True, nogil=True)
def _give_each(state: NDArray[np.int64], block: NDArray[np.void], n: int, out: NDArray[np.void]) -> int:
    before, time, newest, wraps = state[RAW], state[TIME], state[NEWEST], state[WRAPS]
    for i in range(block.shape[0]):
        raw, rest = block[i].t, block[i].rest
        if rest >= 0 and not -_FURTHEST_US <= raw <= _FURTHEST_US:
            rest = np.int64(-INVALID)
        if rest < 0:
            state[-rest] += 1
            continue
        if state[HELD] == 0 and newest != BEFORE:
            moved = time + _step(raw, before, wraps)
            ahead = moved - newest
            if -JUMP_US <= ahead <= JUMP_US:
                before, time = raw, moved
                if ahead < 0:
                    state[CLAMPED] += 1
                else:
                    newest = moved
                n = _put(state, newest, rest, n, out)
                continue
        state[RAW], state[TIME], state[NEWEST] = before, time, newest
        if newest == BEFORE:
            _hold(state, raw, rest)
            if state[HELD] == _START:
                n = _settle_start(state, n, out)
        else:
            n = _look_twice(state, raw, rest, n, out)
        before, time, newest = state[RAW], state[TIME], state[NEWEST]
    state[RAW], state[TIME], state[NEWEST] = before, time, newest
    return int(n)


@njit(cache=True, nogil=True, inline="always")
def _step(raw: np.int64, before: np.int64, wraps: np.int64) -> np.int64:
    """From one time stamp to another; of 32 bits as a signed number: right across the wrap, forward and back."""
    step = np.int64(raw - before)
    return np.int64(((step + 0x80000000) & 0xFFFFFFFF) - 0x80000000) if wraps else step


@njit(cache=True, nogil=True, inline="always")
def _put(state: NDArray[np.int64], t: np.int64, rest: np.int64, n: int, out: NDArray[np.void]) -> int:
    if n == 0:
        state[FIRST] = t
    if n < out.shape[0]:
        out[n].t = t
        out[n].rest = rest
    return n + 1


@njit(cache=True, nogil=True)
def _ahead(state: NDArray[np.int64], raw: np.int64) -> np.int64:
    """How far a time stamp lies ahead of the newest time."""
    return np.int64(state[TIME] + _step(raw, state[RAW], state[WRAPS]) - state[NEWEST])


@njit(cache=True, nogil=True)
def _look_twice(state: NDArray[np.int64], raw: np.int64, rest: np.int64, n: int, out: NDArray[np.void]) -> int:
    """An event whose time is far from the one before, or one after such."""
    ahead, held, candidate = _ahead(state, raw), state[HELD], state[CANDIDATE]
    if held:
        last = state[_BUFFER + 2 * (held - 1)]
        on = _step(raw, last, state[WRAPS])
        place = _ahead(state, state[_BUFFER + 2 * candidate])
        # Back at the old place, or between it and a place ahead where the clock can then not have been.
        if abs(ahead) <= JUMP_US or (ahead > 0 and (place < 0 or on < -JUMP_US)):
            n = _give_strays(state, held, n, out)
            held = 0
        elif not -JUMP_US <= on <= DAY_US:
            state[CANDIDATE] = held
    if abs(ahead) <= JUMP_US:
        return _go_on(state, raw, rest, n, out)
    _hold(state, raw, rest)
    if state[HELD] - state[CANDIDATE] >= _CONFIRMED:
        return _confirm(state, n, out)
    if state[HELD] == _START:
        return _give_strays(state, state[CANDIDATE], n, out)
    return n


@njit(cache=True, nogil=True)
def _hold(state: NDArray[np.int64], raw: np.int64, rest: np.int64) -> None:
    at = _BUFFER + 2 * state[HELD]
    state[at], state[at + 1] = raw, rest
    state[HELD] += 1


@njit(cache=True, nogil=True)
def _give_strays(state: NDArray[np.int64], n_strays: int, n: int, out: NDArray[np.void]) -> int:
    """The first of those held, at the newest time; the others stay."""
    for i in range(n_strays):
        n = _put(state, state[NEWEST], state[_BUFFER + 2 * i + 1], n, out)
    state[STRAYS] += n_strays
    rest = 2 * (state[HELD] - n_strays)
    state[_BUFFER : _BUFFER + rest] = state[_BUFFER + 2 * n_strays : _BUFFER + 2 * n_strays + rest].copy()
    state[HELD] -= n_strays
    state[CANDIDATE] = 0
    return n


@njit(cache=True, nogil=True)
def _confirm(state: NDArray[np.int64], n: int, out: NDArray[np.void]) -> int:
    """The clock is where the candidate says: ahead after a pause, or it was set and time goes on from the newest."""
    n = _give_strays(state, state[CANDIDATE], n, out)
    for i in range(state[HELD]):
        raw, rest = state[_BUFFER + 2 * i], state[_BUFFER + 2 * i + 1]
        moved = state[TIME] + _step(raw, state[RAW], state[WRAPS])
        ahead = moved - state[NEWEST]
        if i == 0 and not 0 <= ahead <= DAY_US:
            state[RESETS] += 1
            moved = state[NEWEST]
        elif ahead < 0:
            state[CLAMPED] += 1
        state[RAW], state[TIME], state[NEWEST] = raw, moved, max(moved, state[NEWEST])
        n = _put(state, state[NEWEST], rest, n, out)
    state[HELD] = 0
    return n


@njit(cache=True, nogil=True)
def _settle_start(state: NDArray[np.int64], n: int, out: NDArray[np.void]) -> int:
    """The first events of all: those left over from before are dropped, the others go their way."""
    held = state[HELD]
    buffer = state[_BUFFER : _BUFFER + 2 * held].copy().reshape(held, 2)
    times = np.zeros(held, np.int64)
    for i in range(1, held):
        times[i] = times[i - 1] + _step(buffer[i, 0], buffer[i - 1, 0], state[WRAPS])
    stale = _count_stale(times)
    state[STALE] += stale
    state[HELD] = state[CANDIDATE] = 0
    raw = buffer[stale, 0]
    state[RAW] = state[TIME] = state[NEWEST] = raw
    n = _put(state, raw, buffer[stale, 1], n, out)
    for i in range(stale + 1, held):
        n = _look_twice(state, buffer[i, 0], buffer[i, 1], n, out)
    return n


@njit(cache=True, nogil=True)
def _go_on(state: NDArray[np.int64], raw: np.int64, rest: np.int64, n: int, out: NDArray[np.void]) -> int:
    """An event whose time is near the newest."""
    ahead = _ahead(state, raw)
    state[RAW], state[TIME] = raw, state[NEWEST] + ahead
    if ahead < 0:
        state[CLAMPED] += 1
    else:
        state[NEWEST] += ahead
    return _put(state, state[NEWEST], rest, n, out)


@njit(cache=True, nogil=True)
def _count_stale(times: NDArray[np.int64]) -> int:
    """How many of the first events lie behind all that follow, or more than a day before them."""
    for i in range(1, min(times.size, _MOST_STALE + 1)):
        step = times[i] - times[i - 1]
        if not -JUMP_US <= step <= DAY_US:
            before, after = times[:i], times[i:]
            apart = after.max() < before.min() - JUMP_US or after.min() > before.max() + DAY_US
            return i if apart and after.size >= _CONFIRMED else 0
    return 0


@njit(cache=True, nogil=True)
def aligned_records(data: NDArray[np.uint8], at: int, n_bytes: int, alignment: int) -> NDArray[np.uint8]:
    """``n_bytes`` from byte ``at``, moved to where numbers may begin if they do not lie so; ``data`` itself does."""
    records = data[at : at + n_bytes]
    return records.copy() if at % alignment else records
