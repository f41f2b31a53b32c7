"""Compiled decoders of AEDAT: bytes of a file into events; see ``ordering``."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Compiled into what is kept for this file. numba looks at its time alone: save it after a change of the others.
from spikebridge.recordings.aedat.flatbuffer import find_vector
from spikebridge.recordings.aedat.lz4_frames import unpack_frame
from spikebridge.recordings.ordering import (
    BLOCK,
    DAMAGED,
    DAMAGED_BYTES,
    FRAMES,
    IGNORED,
    IMU,
    INVALID,
    OTHERS,
    OUTSIDE,
    SPECIAL,
    STATE_SIZE,
    WORDS_DTYPE,
    aligned_records,
    block_for,
    give_block,
)

_EVENT_BYTES = 16
#: An event or another word of AEDAT 2.0 (big-endian) and 3.1 (little-endian).
ADDRESS_DTYPE = np.dtype([("address", "<u4"), ("t", "<u4")])
_EVENTS = int.from_bytes(b"EVTS", "little")


class AddressLayout(NamedTuple):
    """Where an AEDAT 2.0 address holds what; all layouts count x from the right and y from the bottom.

    special : any of these bits marks a word that is no event. frames : bit 31 among them marks frames and IMU samples
    (those have bits 10 and 11 set). off : value of the polarity's bit for OFF. other : marks events of another camera.
    """

    special: int
    frames: bool
    x_shift: int
    x_mask: int
    y_shift: int
    y_mask: int
    polarity_shift: int
    off: int
    other: int = 0


DVS128_ADDRESS = AddressLayout(0xFFFF8000, False, 1, 0x7F, 8, 0x7F, 0, 1)
#: Of a pair of them: bit 15 marks the right eye (jAER, DVS128StereoPair).
DVS128_PAIR_ADDRESS = DVS128_ADDRESS._replace(special=0xFFFF0000, other=0x8000)
DAVIS_ADDRESS = AddressLayout(0x80000400, True, 12, 0x3FF, 22, 0x1FF, 11, 0)
#: jAER, DVS640 (for looking at recordings of others); bit 31 marks what is special (jAER, BasicEvent).
DVS640_ADDRESS = AddressLayout(0x80000000, False, 1, 0x3FF, 11, 0x3FF, 0, 0)
#: Number of slots that ``decode_aedat2`` has in the state behind those of ``ordering``: the frames' first sample, or 0.
AEDAT2_SLOTS = 1
_SAMPLE = STATE_SIZE
#: Of an address: which pixel it is, and which of its reads (jAER, DavisChip).
_PIXEL_AND_READ = 0x7FFFFC00


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
    spare = np.empty(BLOCK, WORDS_DTYPE)
    no_event = layout.special | layout.other
    n = 0
    for start in range(0, words.shape[0], BLOCK):
        part = words[start : start + BLOCK]
        block = block_for(state, n, part.shape[0], out, spare)
        odd = np.int64(0)
        for i in range(part.shape[0]):
            address = _swapped(part[i].address)
            x = address >> layout.x_shift & layout.x_mask
            y = address >> layout.y_shift & layout.y_mask
            polarity = address >> layout.polarity_shift & 1 ^ layout.off
            word = (width - 1 - x) | (height - 1 - y) << 16 | polarity << 32
            if x >= width or y >= height or address & no_event:
                word = np.int64(-OUTSIDE)
            block[i].t = _swapped(part[i].t)
            block[i].rest = word
            odd |= word
        if odd < 0:
            _tell_apart(part, layout, block, state)
        n = give_block(state, block, True, n, out)
    return n


@njit(cache=True, nogil=True)
def _tell_apart(
    words: NDArray[np.void], layout: AddressLayout, block: NDArray[np.void], state: NDArray[np.int64]
) -> None:
    """What those words of a block are that are no events: kept out of the loop over all words, which is so faster."""
    for i in range(block.shape[0]):
        if block[i].rest < 0:
            address = _swapped(words[i].address)
            if address & layout.special:
                block[i].rest = _special(address, layout.frames, state)
            elif address & layout.other:
                block[i].rest = -OTHERS


@njit(cache=True, nogil=True)
def _special(address: np.int64, frames: bool, state: NDArray[np.int64]) -> np.int64:
    if frames and address >> 31:
        if address >> 10 & 3 < 3:
            # A frame is some hundred thousand words: as many frames as times that the first of them comes again.
            sample = address & _PIXEL_AND_READ | 1
            if state[_SAMPLE] == 0:
                state[_SAMPLE] = sample
            return np.int64(-FRAMES if sample == state[_SAMPLE] else -IGNORED)
        # Seven words a sample, numbered in bits 28 to 30 (jAER, IMUSample).
        return np.int64(-IGNORED if address >> 28 & 7 else -IMU)
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
    spare = np.empty(BLOCK, WORDS_DTYPE)
    n = 0
    for k in range(packets.shape[0]):
        words = aligned_records(data, packets[k, 0], packets[k, 1] * 8, 4).view(ADDRESS_DTYPE)
        overflow = packets[k, 2] << 31
        for start in range(0, words.shape[0], BLOCK):
            part = words[start : start + BLOCK]
            block = block_for(state, n, part.shape[0], out, spare)
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
            n = give_block(state, block, False, n, out)
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
    spare = np.empty(BLOCK, WORDS_DTYPE)
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
    spare = np.empty(BLOCK, WORDS_DTYPE)
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
    records = aligned_records(data, at + 4 + first, count * _EVENT_BYTES, 8).view(WORDS_DTYPE)
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
    for start in range(0, records.shape[0], BLOCK):
        part = records[start : start + BLOCK]
        block = block_for(state, n, part.shape[0], out, spare)
        for i in range(part.shape[0]):
            rest = part[i].rest
            word = rest & 0xFFFFFFFF | np.int64(rest >> 32 & 0xFF != 0) << 32
            if rest & 0xFFFF >= width or rest >> 16 & 0xFFFF >= height:
                word = np.int64(-OUTSIDE)
            block[i].t = part[i].t
            block[i].rest = word
        n = give_block(state, block, False, n, out)
    return n


@njit(cache=True, nogil=True)
def pack_events(events: NDArray[np.void], out: NDArray[np.void]) -> None:
    """(N,) WORDS_DTYPE to events of AEDAT4; what lies between them in memory does not leave it."""
    for i in range(events.shape[0]):
        out[i].t = events[i].t
        out[i].rest = events[i].rest & 0x1FFFFFFFF
