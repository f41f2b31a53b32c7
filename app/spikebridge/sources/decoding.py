"""Compiled decoders: bytes of a file into events.

Each decoder runs twice over a file: first with an empty ``out`` to count and to find the time at every chunk's start,
then chunk by chunk to write events. Running the same code makes the index and the events agree by construction.

Events are written as pairs of int64 words (see ``as_words``): two stores for an event instead of four.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.events import EVENT_DTYPE, EventArray

#: Time that jumps back by more is taken for a reset of the camera's clock, less for disorder: µs.
RESET_US = 100_000
#: So is time that jumps forward by more, µs: no sensor is silent for ten minutes, and a damaged time stamp would
#: otherwise make a replay of years of silence.
LEAP_US = 600_000_000

# Slots of the (STATE_SIZE,) int64 state that a decoder carries from chunk to chunk.
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
FIRST = 10  # time of the first event of the latest call
STATE_SIZE = 11

_BEFORE = np.iinfo(np.int64).min


def new_state() -> NDArray[np.int64]:
    """(STATE_SIZE,) int64 before the first event."""
    state = np.zeros(STATE_SIZE, np.int64)
    state[RAW] = state[NEWEST] = _BEFORE
    return state


def as_words(events: EventArray) -> NDArray[np.int64]:
    """(N,) EVENT_DTYPE as (N, 2) int64: ``t`` and ``x | y << 16 | polarity << 32`` (little-endian hosts)."""
    words: NDArray[np.int64] = events.view(np.int64).reshape(-1, EVENT_DTYPE.itemsize // 8)
    return words


@njit(cache=True, nogil=True)
def _order(state: NDArray[np.int64]) -> np.int64:
    """The time to give out for ``state[TIME]``, never earlier than the one before.

    Clamping keeps order and count without a sort across chunks; the price is a wrong time for the few events that
    ran back. After a reset of the clock the stream goes on from its newest time.
    """
    ahead = np.int64(0) if state[NEWEST] == _BEFORE else state[TIME] - state[NEWEST]
    if state[NEWEST] == _BEFORE or 0 <= ahead <= LEAP_US:
        state[NEWEST] = state[TIME]
    elif ahead > LEAP_US or ahead < -RESET_US:
        state[RESETS] += 1
        state[TIME] = state[NEWEST]
    else:
        state[CLAMPED] += 1
    newest: np.int64 = state[NEWEST]
    return newest


@njit(cache=True, nogil=True)
def decode_aedat2(
    data: NDArray[np.uint8],
    start: int,
    n_words: int,
    davis: bool,
    width: int,
    height: int,
    state: NDArray[np.int64],
    out: NDArray[np.int64],
) -> int:
    """Decodes ``n_words`` pairs of big-endian (u32 address, u32 µs) from byte ``start``; returns the events.

    Addresses. DVS128: bit 0 is 0 for ON, bits 1-7 x, 8-14 y, any higher bit marks a special word. DAVIS: bit 31 marks
    frames and IMU samples (those have bits 10 and 11 set), bit 10 a trigger; bit 11 is 1 for ON, bits 12-21 x, 22-30
    y. Both count x from the right and y from the bottom.
    """
    n = 0
    for i in range(n_words):
        p = start + 8 * i
        a = np.int64(data[p]) << 24 | np.int64(data[p + 1]) << 16 | np.int64(data[p + 2]) << 8 | np.int64(data[p + 3])
        if davis:
            if a >> 31:
                state[IMU if a >> 10 & 3 == 3 else FRAMES] += 1
                continue
            if a >> 10 & 1:
                state[SPECIAL] += 1
                continue
            x, y, polarity = a >> 12 & 0x3FF, a >> 22 & 0x1FF, a >> 11 & 1
        else:
            if a >> 15:
                state[SPECIAL] += 1
                continue
            x, y, polarity = a >> 1 & 0x7F, a >> 8 & 0x7F, 1 - (a & 1)
        if x >= width or y >= height:
            state[OUTSIDE] += 1
            continue
        t = (
            np.int64(data[p + 4]) << 24
            | np.int64(data[p + 5]) << 16
            | np.int64(data[p + 6]) << 8
            | np.int64(data[p + 7])
        )
        if state[RAW] == _BEFORE:
            state[TIME] = t
        else:
            # The difference as a signed 32-bit number: right across the wrap, forward and back.
            state[TIME] += ((t - state[RAW] + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        state[RAW] = t
        t = _order(state)
        if n == 0:
            state[FIRST] = t
        if out.shape[0] > 0:
            out[n, 0] = t
            out[n, 1] = (width - 1 - x) | (height - 1 - y) << 16 | polarity << 32
        n += 1
    return n


@njit(cache=True, nogil=True)
def decode_aedat3(
    data: NDArray[np.uint8],
    packets: NDArray[np.int64],
    width: int,
    height: int,
    state: NDArray[np.int64],
    out: NDArray[np.int64],
) -> int:
    """Decodes polarity packets; returns the events.

    packets : (P, 3) int64: byte of the first event, number of events, overflow of the 31-bit time.
    An event is little-endian (u32, i32 µs): bit 0 valid, bit 1 polarity, bits 2-16 y, bits 17-31 x.
    """
    n = 0
    for k in range(packets.shape[0]):
        start = packets[k, 0]
        overflow = packets[k, 2] << 31
        for i in range(packets[k, 1]):
            p = start + 8 * i
            d = (
                np.int64(data[p])
                | np.int64(data[p + 1]) << 8
                | np.int64(data[p + 2]) << 16
                | np.int64(data[p + 3]) << 24
            )
            if not d & 1:
                state[INVALID] += 1
                continue
            x, y, polarity = d >> 17 & 0x7FFF, d >> 2 & 0x7FFF, d >> 1 & 1
            if x >= width or y >= height:
                state[OUTSIDE] += 1
                continue
            t = overflow | (
                np.int64(data[p + 4])
                | np.int64(data[p + 5]) << 8
                | np.int64(data[p + 6]) << 16
                | np.int64(data[p + 7] & 0x7F) << 24
            )
            state[TIME] = t if state[RAW] == _BEFORE else state[TIME] + t - state[RAW]
            state[RAW] = t
            t = _order(state)
            if n == 0:
                state[FIRST] = t
            if out.shape[0] > 0:
                out[n, 0] = t
                out[n, 1] = x | y << 16 | polarity << 32
            n += 1
    return n


@njit(cache=True, nogil=True)
def decode_aedat4(
    data: NDArray[np.uint8], width: int, height: int, n: int, state: NDArray[np.int64], out: NDArray[np.int64]
) -> int:
    """Decodes one packet after ``n`` events of the same chunk; returns the events of the chunk so far.

    An event is 16 bytes, little-endian: i64 µs, i16 x, i16 y, u8 polarity, 3 unused.
    """
    for p in range(0, data.size, 16):
        t = np.int64(0)
        for byte in range(8):
            t |= np.int64(data[p + byte]) << (8 * byte)
        x = np.int64(data[p + 8]) | np.int64(data[p + 9]) << 8
        y = np.int64(data[p + 10]) | np.int64(data[p + 11]) << 8
        if x >= width or y >= height:
            state[OUTSIDE] += 1
            continue
        state[TIME] = t if state[RAW] == _BEFORE else state[TIME] + t - state[RAW]
        state[RAW] = t
        t = _order(state)
        if n == 0:
            state[FIRST] = t
        if out.shape[0] > 0:
            out[n, 0] = t
            out[n, 1] = x | y << 16 | np.int64(data[p + 12] != 0) << 32
        n += 1
    return n
