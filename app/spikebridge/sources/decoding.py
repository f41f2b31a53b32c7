"""Compiled decoders: bytes of a file into events.

Each decoder runs over a piece of a file with an empty ``out`` to count and to find the times of its first and last
event, or with room in ``out`` to write events. Running the same code makes the index and the events agree by
construction.

A decoder goes in blocks. Its own part only rearranges the bits of a block into pairs of int64 words (``as_words``);
``_give_block`` does what is the same for all formats. Most blocks are in order, inside the sensor and valid: they are
done once that is seen. In the others ``give_each`` takes event by event through the one state machine, ``_order``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.events import EventArray

# Compiled into what is kept for this file. numba looks at its time alone: save it after a change of the others.
from spikebridge.sources.flatbuffer import find_vector
from spikebridge.sources.lz4_frames import unpack_frame

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
_BLOCK = 1024
_EVENT_BYTES = 16
#: An event as two numbers: two stores instead of four.
WORDS_DTYPE = np.dtype([("t", "<i8"), ("rest", "<i8")])
#: An event or another word of AEDAT 2.0 (big-endian) and 3.1 (little-endian).
ADDRESS_DTYPE = np.dtype([("address", "<u4"), ("t", "<u4")])
_EVENTS = int.from_bytes(b"EVTS", "little")


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
def _give_block(state: NDArray[np.int64], block: NDArray[np.void], wraps: bool, n: int, out: NDArray[np.void]) -> int:
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
def _block_for(n: int, size: int, out: NDArray[np.void], spare: NDArray[np.void]) -> NDArray[np.void]:
    """Where a block of ``size`` is rearranged: in its place of ``out``, or in ``spare`` where there is no room."""
    if n + size <= out.shape[0]:
        return out[n : n + size]
    return spare[:size]


class AddressLayout(NamedTuple):
    """Where an AEDAT 2.0 address holds what; both layouts count x from the right and y from the bottom.

    special : any of these bits marks a word that is no event. frames : bit 31 among them marks frames and IMU samples
    (those have bits 10 and 11 set). off : value of the polarity's bit for OFF.
    """

    special: int
    frames: bool
    x_shift: int
    x_mask: int
    y_shift: int
    y_mask: int
    polarity_shift: int
    off: int


DVS128_ADDRESS = AddressLayout(0xFFFF8000, False, 1, 0x7F, 8, 0x7F, 0, 1)
DAVIS_ADDRESS = AddressLayout(0x80000400, True, 12, 0x3FF, 22, 0x1FF, 11, 0)


@njit(cache=True, nogil=True)
def _records(data: NDArray[np.uint8], at: int, n_bytes: int, alignment: int) -> NDArray[np.uint8]:
    """``n_bytes`` from byte ``at``, moved to where numbers may begin if they do not lie so; ``data`` itself does."""
    records = data[at : at + n_bytes]
    return records.copy() if at % alignment else records


@njit(cache=True, nogil=True)
def _swapped(word: np.uint32) -> np.int64:
    """A big-endian number that was read as a little-endian one."""
    return np.int64((word & 0xFF) << 24 | (word & 0xFF00) << 8 | word >> 8 & 0xFF00 | word >> 24)


@njit(cache=True, nogil=True)
def decode_aedat2(
    words: NDArray[np.void],
    layout: AddressLayout,
    width: int,
    height: int,
    state: NDArray[np.int64],
    out: NDArray[np.void],
) -> int:
    """Decodes (N,) ADDRESS_DTYPE as in the file; returns the events."""
    spare = np.empty(_BLOCK, WORDS_DTYPE)
    n = 0
    for start in range(0, words.shape[0], _BLOCK):
        part = words[start : start + _BLOCK]
        block = _block_for(n, part.shape[0], out, spare)
        for i in range(part.shape[0]):
            address = _swapped(part[i].address)
            x = address >> layout.x_shift & layout.x_mask
            y = address >> layout.y_shift & layout.y_mask
            polarity = address >> layout.polarity_shift & 1 ^ layout.off
            word = (width - 1 - x) | (height - 1 - y) << 16 | polarity << 32
            if x >= width or y >= height:
                word = np.int64(-OUTSIDE)
            if address & layout.special:
                word = _special(address, layout.frames)
            block[i].t = _swapped(part[i].t)
            block[i].rest = word
        n = _give_block(state, block, True, n, out)
    return n


@njit(cache=True, nogil=True)
def _special(address: np.int64, frames: bool) -> np.int64:
    if frames and address >> 31:
        return np.int64(-IMU if address >> 10 & 3 == 3 else -FRAMES)
    return np.int64(-SPECIAL)


@njit(cache=True, nogil=True)
def decode_aedat3(
    data: NDArray[np.uint8],
    packets: NDArray[np.int64],
    width: int,
    height: int,
    state: NDArray[np.int64],
    out: NDArray[np.void],
) -> int:
    """Decodes polarity packets; returns the events.

    packets : (P, 3) int64: byte of ``data`` with the first event, number of events, overflow of the 31-bit time.
    An event is ADDRESS_DTYPE; bit 0 of the address is 1 for valid, bit 1 the polarity, bits 2-16 y, bits 17-31 x.
    """
    spare = np.empty(_BLOCK, WORDS_DTYPE)
    n = 0
    for k in range(packets.shape[0]):
        words = _records(data, packets[k, 0], packets[k, 1] * 8, 4).view(ADDRESS_DTYPE)
        overflow = packets[k, 2] << 31
        for start in range(0, words.shape[0], _BLOCK):
            part = words[start : start + _BLOCK]
            block = _block_for(n, part.shape[0], out, spare)
            for i in range(part.shape[0]):
                event = np.int64(part[i].address)
                x, y = event >> 17, event >> 2 & 0x7FFF
                word = x | y << 16 | (event >> 1 & 1) << 32
                if x >= width or y >= height:
                    word = np.int64(-OUTSIDE)
                if not event & 1:
                    word = np.int64(-INVALID)
                block[i].t = overflow | np.int64(part[i].t & 0x7FFFFFFF)
                block[i].rest = word
            n = _give_block(state, block, False, n, out)
    return n


@njit(cache=True, nogil=True)
def decode_aedat4(
    data: NDArray[np.uint8],
    packets: NDArray[np.int64],
    width: int,
    height: int,
    state: NDArray[np.int64],
    n: int,
    out: NDArray[np.void],
) -> int:
    """Decodes unpacked packets of events after ``n`` events of the same piece; returns the events so far.

    packets : (P, 3) int64: byte of ``data`` where the packet begins, its size (0 where it could not be unpacked), its
    size in the file.
    """
    spare = np.empty(_BLOCK, WORDS_DTYPE)
    for k in range(packets.shape[0]):
        n = _decode_packet(data, packets[k, 0], packets[k, 1], packets[k, 2], width, height, state, n, out, spare)
    return n


@njit(cache=True, nogil=True)
def decode_lz4(
    data: NDArray[np.uint8],
    packets: NDArray[np.int64],
    scratch: NDArray[np.uint8],
    width: int,
    height: int,
    state: NDArray[np.int64],
    n: int,
    out: NDArray[np.void],
) -> tuple[int, int]:
    """The same for packets in LZ4, up to the first that ``unpack_frame`` does not take; also returns how many it took.

    scratch : where packets are unpacked, one after the other.
    """
    spare = np.empty(_BLOCK, WORDS_DTYPE)
    for k in range(packets.shape[0]):
        size = unpack_frame(data[packets[k, 0] : packets[k, 0] + packets[k, 1]], scratch)
        if size < 0:
            return n, k
        n = _decode_packet(scratch, 0, size, packets[k, 2], width, height, state, n, out, spare)
    return n, packets.shape[0]


@njit(cache=True, nogil=True)
def _decode_packet(
    data: NDArray[np.uint8],
    at: int,
    size: int,
    n_packed: int,
    width: int,
    height: int,
    state: NDArray[np.int64],
    n: int,
    out: NDArray[np.void],
    spare: NDArray[np.void],
) -> int:
    # Four bytes of length come before the flatbuffer.
    first, count = find_vector(data[at + 4 : at + size], _EVENTS, _EVENT_BYTES)
    if first < 0:
        state[DAMAGED] += 1
        state[DAMAGED_BYTES] += n_packed
        return n
    records = _records(data, at + 4 + first, count * _EVENT_BYTES, 8).view(WORDS_DTYPE)
    return int(_decode_records(records, width, height, state, n, out, spare))


@njit(cache=True, nogil=True)
def _decode_records(
    records: NDArray[np.void],
    width: int,
    height: int,
    state: NDArray[np.int64],
    n: int,
    out: NDArray[np.void],
    spare: NDArray[np.void],
) -> int:
    """An event is 16 bytes, little-endian: i64 µs, i16 x, i16 y, u8 polarity, 3 unused."""
    for start in range(0, records.shape[0], _BLOCK):
        part = records[start : start + _BLOCK]
        block = _block_for(n, part.shape[0], out, spare)
        for i in range(part.shape[0]):
            rest = part[i].rest
            word = rest & 0xFFFFFFFF | np.int64(rest >> 32 & 0xFF != 0) << 32
            if rest & 0xFFFF >= width or rest >> 16 & 0xFFFF >= height:
                word = np.int64(-OUTSIDE)
            block[i].t = part[i].t
            block[i].rest = word
        n = _give_block(state, block, False, n, out)
    return n
