"""Packets of events to and from memory, in compiled code.

Not through the decoders of recordings: those may look ahead before they give an event out, and here nothing may wait.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.recordings.aedat.flatbuffer import find_field, find_vector, number_at
from spikebridge.recordings.ordering import WORDS_DTYPE

#: A packet that begins further back than this, or further ahead, begins another time: a recording that is played in a
#: loop, a camera whose clock was set, µs.
RESET_US, LEAP_US = 100_000, 600_000_000

# Slots of the (STATE_SIZE,) int64 state of one connection.
NEWEST = 0  # latest time given out
OUTSIDE = 1  # events beyond the sensor, dropped
MOVED = 2  # events whose time ran back or leapt ahead, set to NEWEST
DAMAGED_BYTES = 3  # of packets that could not be read
MISSED = 4  # events that the server says were not sent
EMPTY = 5  # packets without events
RESTARTS = 6  # packets from which on time began anew
STATE_SIZE = 7

BEFORE = np.iinfo(np.int64).min
_EVENTS = int.from_bytes(b"EVTS", "little")
_EVENT_BYTES = 16


def new_state() -> NDArray[np.int64]:
    """(STATE_SIZE,) int64 before the first packet."""
    state = np.zeros(STATE_SIZE, np.int64)
    state[NEWEST] = BEFORE
    return state


@njit(cache=True, nogil=True)
def find_packets(buffer: NDArray[np.uint8], most_bytes: int) -> tuple[NDArray[np.int64], int]:
    """(P, 3) stream, byte of the content and its size, of all whole packets; the byte after them, -1 after nonsense."""
    rows = np.empty((buffer.size // 8 + 1, 3), np.int64)
    n, at = 0, 0
    while at + 8 <= buffer.size:
        size = number_at(buffer, at + 4, 4)
        if not 0 < size <= most_bytes:
            return rows[:n].copy(), -1
        if at + 8 + size > buffer.size:
            break
        rows[n, 0], rows[n, 1], rows[n, 2] = number_at(buffer, at, 4), at + 8, size
        n += 1
        at += 8 + size
    return rows[:n].copy(), at


@njit(cache=True, nogil=True)
def decode_packets(
    data: NDArray[np.uint8],
    packets: NDArray[np.int64],
    width: int,
    height: int,
    state: NDArray[np.int64],
    out: NDArray[np.void],
) -> tuple[int, int]:
    """Decodes unpacked packets; returns how many events are in ``out``, (N,) WORDS_DTYPE, and how many packets are
    done.

    packets : (P, 2) byte and size. Stops before a packet that begins another time when there are events before it:
    those of one call belong together.
    """
    n = 0
    for k in range(packets.shape[0]):
        at, size = packets[k, 0], packets[k, 1]
        content = data[at + 4 : at + size]
        first, count = find_vector(content, _EVENTS, _EVENT_BYTES)
        if first < 0:
            state[DAMAGED_BYTES] += size
            continue
        field = find_field(content, number_at(content, 0, 4), 1)
        if field > 0:
            state[MISSED] = max(state[MISSED], number_at(content, field, 8))
        if count == 0:
            state[EMPTY] += 1
            continue
        ahead = number_at(content, first, 8) - state[NEWEST]
        if state[NEWEST] != BEFORE and not -RESET_US <= ahead <= LEAP_US:
            if n:
                return n, k
            state[RESTARTS] += 1
            state[NEWEST] = BEFORE
        n = _decode_events(content[first : first + count * _EVENT_BYTES], width, height, state, n, out)
    return n, packets.shape[0]


@njit(cache=True, nogil=True)
def _decode_events(
    content: NDArray[np.uint8], width: int, height: int, state: NDArray[np.int64], n: int, out: NDArray[np.void]
) -> int:
    """An event is 16 bytes, little-endian: i64 µs, i16 x, i16 y, u8 polarity, 3 unused."""
    records = content.copy().view(WORDS_DTYPE)  # to where numbers may begin
    newest = state[NEWEST]
    for i in range(records.shape[0]):
        time, rest = records[i].t, records[i].rest
        if rest & 0xFFFF >= width or rest >> 16 & 0xFFFF >= height:
            state[OUTSIDE] += 1
            continue
        if newest != BEFORE and not 0 <= time - newest <= LEAP_US:
            state[MOVED] += 1
            time = newest
        newest = time
        out[n].t = time
        out[n].rest = rest & 0xFFFFFFFF | np.int64(rest >> 32 & 0xFF != 0) << 32
        n += 1
    state[NEWEST] = newest
    return n
