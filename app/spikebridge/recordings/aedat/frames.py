"""The frames of DAVIS cameras in AEDAT 2.0, 3.1 and 4."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.recordings.aedat.aedat4_packets import AT, FIRST_US, SIZE
from spikebridge.recordings.aedat.aedat4_unpacking import Unpacker
from spikebridge.recordings.aedat.decoding import ADDRESS_DTYPE
from spikebridge.recordings.aedat.flatbuffer import Table, TableError
from spikebridge.recordings.frames import Frames, Pixels
from spikebridge.recordings.recording_file import RecordingFile, Scratch

#: No sensor of these formats has more pixels in a row or column.
_LARGEST_PX = 4096


# ---------------------------------------------------------------- AEDAT4

#: OpenCV's types of pixels: grey, blue-green-red, and the same with an alpha.
_CHANNELS = {0: 1, 16: 3, 24: 4}
_FORMAT, _WIDTH, _HEIGHT, _PIXELS = 5, 6, 7, 10


def frames_of_aedat4(
    file: RecordingFile, packets: NDArray[np.int64], unpack: Unpacker, width: int, height: int
) -> Frames[NDArray[np.int64]]:
    """packets : rows of ``aedat4_packets`` of the stream of frames."""

    def table_at(row: NDArray[np.int64]) -> Table | None:
        content = unpack.alone(memoryview(file.read(int(row[AT]), int(row[SIZE]))), Scratch())
        try:
            return Table(content[4:].tobytes(), b"FRME")
        except (TableError, struct.error):
            return None

    def places() -> Iterator[tuple[int, NDArray[np.int64]]]:
        for row in packets:
            if row[FIRST_US]:
                yield int(row[FIRST_US]), row
            elif (table := table_at(row)) is not None and (t_us := _time_of(table)):
                yield t_us, row

    def read(row: NDArray[np.int64]) -> Pixels | None:
        table = table_at(row)
        return None if table is None else _grey(table, width, height)

    return Frames(places(), read)


def _time_of(table: Table) -> int:
    try:
        return table.integer(0, "<q", 0)
    except (TableError, struct.error):
        return 0


def _grey(table: Table, width: int, height: int) -> Pixels | None:
    try:
        w, h = table.integer(_WIDTH, "<h", 0), table.integer(_HEIGHT, "<h", 0)
        channels = _CHANNELS.get(table.integer(_FORMAT, "<b", 0), 0)
        pixels = np.frombuffer(table.octets(_PIXELS), np.uint8)
    except (TableError, struct.error):
        return None
    if not channels or w < 1 or h < 1 or pixels.size != w * h * channels:
        return None
    image = pixels.reshape(h, w, channels)
    # Of a colour frame the mean of its channels: a ground under the events, not a photograph.
    grey = image[:, :, 0] if channels == 1 else image[:, :, :3].mean(axis=2).astype(np.uint8)
    return _placed(grey, width, height)


def _placed(grey: Pixels, width: int, height: int) -> Pixels:
    """On the sensor's pixels; what is missing is black."""
    whole = np.zeros((height, width), np.uint8)
    h, w = min(height, grey.shape[0]), min(width, grey.shape[1])
    whole[:h, :w] = grey[:h, :w]
    return whole


# ---------------------------------------------------------------- AEDAT 3.1

#: Before the pixels of a frame: u32 info, i32 start and end of the frame, start and end of its exposure, i32 width,
#: height, x and y of its place. Then u16 pixels, the highest bits first used.
_FRAME_HEADER = struct.Struct("<I8i")


def frames_of_aedat3(
    file: RecordingFile, packets: Iterator[tuple[int, int, int, int]], width: int, height: int
) -> Frames[int]:
    """packets : of the packets of frames: byte of the first one, size of each, overflow of their time, how many."""

    def places() -> Iterator[tuple[int, int]]:
        for first, size, overflow, n in packets:
            for at in range(first, first + n * size, size):
                head = file.read(at, _FRAME_HEADER.size)
                if len(head) == _FRAME_HEADER.size:
                    yield overflow << 31 | _FRAME_HEADER.unpack(head)[4] & 0x7FFFFFFF, at

    def read(at: int) -> Pixels | None:
        head = file.read(at, _FRAME_HEADER.size)
        if len(head) < _FRAME_HEADER.size:
            return None
        info, _, _, _, _, w, h, x0, y0 = _FRAME_HEADER.unpack(head)
        channels = max(1, info >> 1 & 7)
        if not (0 < w <= _LARGEST_PX and 0 < h <= _LARGEST_PX and x0 >= 0 and y0 >= 0 and channels <= 4):
            return None
        content = file.read(at + _FRAME_HEADER.size, 2 * w * h * channels)
        if len(content) < 2 * w * h * channels:
            return None
        image = np.frombuffer(content, "<u2").reshape(h, w, channels)[:, :, : min(channels, 3)]
        whole = np.zeros((height, width), np.uint8)
        part = whole[y0 : y0 + h, x0 : x0 + w]
        part[:] = (image.mean(axis=2) / 256).astype(np.uint8)[: part.shape[0], : part.shape[1]]
        return whole

    return Frames(places(), read)


# ---------------------------------------------------------------- AEDAT 2.0

_BLOCK_WORDS = 1 << 16
_APS, _IMU = 0x80000000, 0xC00
#: Of the state of ``_find_frames``: the first pixel's address, the word at which the frame begins, time of its last
#: sample, and how many signal reads it has.
_FIRST, _BEGIN, _LAST_US, _SIGNALS, _RAW, _TIME = range(6)


def frames_of_aedat2(file: RecordingFile, start: int, end: int, width: int, height: int) -> Frames[tuple[int, int]]:
    """Of DAVIS cameras: each pixel is read after its reset and again after the exposure; light lowers it in between."""

    def words_of(at: int, n_bytes: int) -> NDArray[np.void]:
        return np.frombuffer(file.read(at, n_bytes), ADDRESS_DTYPE)

    def places() -> Iterator[tuple[int, tuple[int, int]]]:
        state = np.array([-1, -1, 0, 0, -1, 0])
        found = np.empty((_BLOCK_WORDS, 3), np.int64)
        for at in range(start, end, 8 * _BLOCK_WORDS):
            n = _find_frames(words_of(at, min(8 * _BLOCK_WORDS, end - at)), (at - start) // 8, state, found)
            for begin, stop, t_us in found[:n].tolist():
                yield t_us, (begin, stop)
        if state[_SIGNALS]:
            yield int(state[_LAST_US]), (int(state[_BEGIN]), (end - start) // 8)

    def read(place: tuple[int, int]) -> Pixels | None:
        begin, stop = place
        reads = np.zeros((2, height, width), np.int16)
        for at in range(begin, stop, _BLOCK_WORDS):
            _take_samples(words_of(start + 8 * at, 8 * min(_BLOCK_WORDS, stop - at)), reads)
        light = np.clip(reads[0] - reads[1], 0, None)
        # The converter's range is hardly ever used to its end; the floor keeps a dark frame dark.
        white = max(64.0, float(np.percentile(light, 99.5)))
        shown: Pixels = np.clip(light * (255 / white), 0, 255).astype(np.uint8)
        return shown

    return Frames(places(), read)


@njit(cache=True, nogil=True)
def _swapped(word: np.uint32) -> np.int64:
    return np.int64((word & 0xFF) << 24 | (word & 0xFF00) << 8 | word >> 8 & 0xFF00 | word >> 24)


@njit(cache=True, nogil=True)
def _find_frames(words: NDArray[np.void], offset: int, state: NDArray[np.int64], found: NDArray[np.int64]) -> int:
    """Rows (first word, word after the last, time of the last sample) of the frames that end in a block.

    A frame begins with the reset read of the pixel with which the frame before began.
    """
    n = 0
    for i in range(words.shape[0]):
        raw = _swapped(words[i].t)
        if state[_RAW] < 0:
            state[_TIME] = raw
        else:
            state[_TIME] += ((raw - state[_RAW] + 0x80000000) & 0xFFFFFFFF) - 0x80000000
        state[_RAW] = raw
        address = _swapped(words[i].address)
        if not address & _APS or address & _IMU == _IMU:
            continue
        pixel = address & 0x7FFFF000
        if address & _IMU == 0:
            if state[_FIRST] < 0:
                state[_FIRST] = pixel
            if pixel == state[_FIRST]:
                if state[_SIGNALS] and n < found.shape[0]:
                    found[n, 0], found[n, 1], found[n, 2] = state[_BEGIN], offset + i, state[_LAST_US]
                    n += 1
                state[_BEGIN], state[_SIGNALS] = offset + i, 0
        elif state[_BEGIN] >= 0:
            state[_SIGNALS] += 1
            state[_LAST_US] = state[_TIME]
    return n


@njit(cache=True, nogil=True)
def _take_samples(words: NDArray[np.void], reads: NDArray[np.int16]) -> None:
    """Reset reads into ``reads[0]``, signal reads into ``reads[1]``. Unlike events, columns count from the left
    (jAER, DavisBaseCamera)."""
    height, width = reads.shape[1:]
    for i in range(words.shape[0]):
        address = _swapped(words[i].address)
        kind = address >> 10 & 3
        x, y = address >> 12 & 0x3FF, height - 1 - (address >> 22 & 0x1FF)
        if address & _APS and kind < 2 and x < width and y >= 0:
            reads[kind, y, x] = address & 0x3FF
