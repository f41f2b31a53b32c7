"""Compiled decoder of ECF, the codec of the events in Prophesee's HDF5 files (filter 0x8ECF).

The format as the codec of its maker reads it (prophesee-ai/hdf5_ecf, ``ecf_codec.cpp``, Apache-2.0). All numbers are
little-endian. A chunk is a header of 32 bit (number of events << 2 | y, x and p are packed << 1 | x and p are packed),
the first time stamp in 64 bit, then:

- times, bytes ``step << 4 | run``: the time goes on by ``step`` and is that of the next ``run`` events. A run of 15
  stands in the next 16 bit. A step of 15 is none: the low four bits are four bits of a longer step, the lowest first.
- either all of y, x and p, packed: four events in three words of 32 bit, ``y << 12 | x << 1 | p`` in 24 bit each;
- or y, words of 16 bit ``y << 5 | run`` (a run of 31 stands in the next word), then either x and p, packed: four events
  in three words of 16 bit, ``x << 1 | p`` in 12 bit each; or x, words of 16 bit ``x << 5 | mask``: a bit for each of
  x + 1 (the highest bit) to x + 5 that is the next event, and p, bytes ``p << 7 | run`` (a run of 127 stands in the
  next 16 bit).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

#: An event as Prophesee stores it.
RECORD_DTYPE = np.dtype(
    {"names": ["x", "y", "p", "t"], "formats": ["<u2", "<u2", "<i2", "<i8"], "offsets": [0, 2, 4, 8], "itemsize": 16}
)
_HEADER_BYTES = 12
_DAMAGED = -1


@njit(cache=True, nogil=True)
def unpack_ecf(data: NDArray[np.uint8], out: NDArray[np.void]) -> int:
    """Decodes a chunk into ``out``, (N,) RECORD_DTYPE; returns how many events there are, or -1 for a damaged chunk.

    A chunk is whole when its parts have as many events as its header says and it ends with the last one.
    """
    if data.shape[0] < _HEADER_BYTES:
        return _DAMAGED
    header = _word(data, 0) | _word(data, 2) << 16
    n = int(header >> 2)
    if n > out.shape[0]:
        return _DAMAGED
    at = _unpack_t(data, n, out)
    if header & 2:
        at = _unpack_yxp(data, at, n, out)
    else:
        at = _unpack_y(data, at, n, out)
        if header & 1:
            at = _unpack_xp(data, at, n, out)
        else:
            at = _unpack_x(data, at, n, out)
            at = _unpack_p(data, at, n, out)
    return n if at == data.shape[0] else _DAMAGED


@njit(cache=True, nogil=True, inline="always")
def _word(data: NDArray[np.uint8], at: int) -> np.int64:
    return np.int64(data[at]) | np.int64(data[at + 1]) << 8


@njit(cache=True, nogil=True)
def _unpack_t(data: NDArray[np.uint8], n: int, out: NDArray[np.void]) -> int:
    size = data.shape[0]
    time = _word(data, 4) | _word(data, 6) << 16 | _word(data, 8) << 32 | _word(data, 10) << 48
    at, i = _HEADER_BYTES, 0
    while i < n:
        if at >= size:
            return _DAMAGED
        step, run = np.int64(data[at]) >> 4, np.int64(data[at]) & 15
        at += 1
        shift = 0
        while step == 15:
            if shift > 60 or at >= size:
                return _DAMAGED
            time += run << shift
            shift += 4
            step, run = np.int64(data[at]) >> 4, np.int64(data[at]) & 15
            at += 1
        if run == 15:
            if at + 2 > size:
                return _DAMAGED
            run = _word(data, at)
            at += 2
        if i + run > n:
            return _DAMAGED
        time += step
        for j in range(i, i + run):
            out[j].t = time
        i += int(run)
    return at


@njit(cache=True, nogil=True)
def _unpack_y(data: NDArray[np.uint8], at: int, n: int, out: NDArray[np.void]) -> int:
    size, i = data.shape[0], 0
    if at < 0:
        return _DAMAGED
    while i < n:
        if at + 4 > size:  # a word of x or of a longer run always follows
            return _DAMAGED
        y, run = _word(data, at) >> 5, _word(data, at) & 31
        at += 2
        if run == 31:
            run = _word(data, at)
            at += 2
        if i + run > n:
            return _DAMAGED
        for j in range(i, i + run):
            out[j].y = y
        i += int(run)
    return at


@njit(cache=True, nogil=True)
def _unpack_x(data: NDArray[np.uint8], at: int, n: int, out: NDArray[np.void]) -> int:
    size, i = data.shape[0], 0
    if at < 0:
        return _DAMAGED
    while i < n:
        if at + 2 > size:
            return _DAMAGED
        x, mask = _word(data, at) >> 5, _word(data, at) & 31
        at += 2
        out[i].x = x
        i += 1
        for j in range(1, 6):
            # The encoder looks beyond the last event: what it finds there is in the mask and means nothing.
            if mask >> (5 - j) & 1 and i < n:
                out[i].x = x + j
                i += 1
    return at


@njit(cache=True, nogil=True)
def _unpack_p(data: NDArray[np.uint8], at: int, n: int, out: NDArray[np.void]) -> int:
    size, i = data.shape[0], 0
    if at < 0:
        return _DAMAGED
    while i < n:
        if at >= size:
            return _DAMAGED
        p, run = np.int64(data[at]) >> 7, np.int64(data[at]) & 127
        at += 1
        if run == 127:
            if at + 2 > size:
                return _DAMAGED
            run = _word(data, at)
            at += 2
        if i + run > n:
            return _DAMAGED
        for j in range(i, i + run):
            out[j].p = p
        i += int(run)
    return at


@njit(cache=True, nogil=True)
def _unpack_xp(data: NDArray[np.uint8], at: int, n: int, out: NDArray[np.void]) -> int:
    end = at + (n + 3) // 4 * 6
    if at < 0 or end > data.shape[0]:
        return _DAMAGED
    for i in range(0, n, 4):
        a, b, c = _word(data, at), _word(data, at + 2), _word(data, at + 4)
        _put_xp(out, i, n, a >> 4)
        _put_xp(out, i + 1, n, a & 0xF | b >> 8 << 4)
        _put_xp(out, i + 2, n, b & 0xFF | c >> 12 << 8)
        _put_xp(out, i + 3, n, c & 0xFFF)
        at += 6
    return end


@njit(cache=True, nogil=True, inline="always")
def _put_xp(out: NDArray[np.void], i: int, n: int, packed: np.int64) -> None:
    if i < n:
        out[i].x = packed >> 1
        out[i].p = packed & 1


@njit(cache=True, nogil=True)
def _unpack_yxp(data: NDArray[np.uint8], at: int, n: int, out: NDArray[np.void]) -> int:
    end = at + (n + 3) // 4 * 12
    if at < 0 or end > data.shape[0]:
        return _DAMAGED
    for i in range(0, n, 4):
        a = _word(data, at) | _word(data, at + 2) << 16
        b = _word(data, at + 4) | _word(data, at + 6) << 16
        c = _word(data, at + 8) | _word(data, at + 10) << 16
        _put_yxp(out, i, n, a >> 8)
        _put_yxp(out, i + 1, n, a & 0xFF | b >> 16 << 8)
        _put_yxp(out, i + 2, n, b & 0xFFFF | c >> 24 << 16)
        _put_yxp(out, i + 3, n, c & 0xFFFFFF)
        at += 12
    return end


@njit(cache=True, nogil=True, inline="always")
def _put_yxp(out: NDArray[np.void], i: int, n: int, packed: np.int64) -> None:
    if i < n:
        out[i].y = packed >> 12 & 0x7FF
        out[i].x = packed >> 1 & 0x7FF
        out[i].p = packed & 1
