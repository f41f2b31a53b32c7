"""Compiled decoder of tables of text: lines into events; see ``ordering``."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.recordings.ordering import (
    BLOCK,
    DAMAGED_BYTES,
    OUTSIDE,
    STATE_SIZE,
    WORDS_DTYPE,
    block_for,
    give_block,
)

# Compiled into what is kept for this file. numba looks at its time alone: save it after a change of the others.
from spikebridge.recordings.tables.cells import (
    BAD,
    BLANK,
    CR,
    LF,
    MINUS,
    OTHER,
    TAB,
    P,
    T,
    X,
    Y,
    ends_line,
    read_closely,
    skip_blanks,
)
from spikebridge.recordings.tables.digits import PADDING, POWERS, Number, read_digits, read_fraction

#: Slots of the state behind those of ``ordering``: lines that are no event, and that are one; whether one of the first
#: goes on into the next piece.
BAD_LINES, GOOD_LINES, OPEN_LINE = STATE_SIZE, STATE_SIZE + 1, STATE_SIZE + 2
EXTRA_SLOTS = 3
#: A line of more bytes is none of a table of events.
LONGEST_LINE = 4096

_HASH, _PERCENT, _SLASH = 35, 37, 47


@njit(cache=True, nogil=True)
def decode_text(
    data: NDArray[np.uint8],
    start: int,
    stop: int,
    columns: NDArray[np.int64],
    style: tuple[int, int, int],
    size: tuple[int, int],
    state: NDArray[np.int64],
    out: NDArray[np.void],
) -> int:
    """Decodes the lines that begin in bytes ``start`` to ``stop``, which the one before ends where byte ``start - 1``
    ends a line; returns the events.

    data : with LONGEST_LINE bytes of the file after ``stop`` where there are so many, then ``digits.PADDING`` ends of
    lines. columns : what each holds. style : the byte between columns, a blank for any of blanks and
    tabs; the one before a fraction; by which power of ten time is multiplied to be µs. size : of the sensor.
    """
    spare = np.empty(BLOCK, WORDS_DTYPE)
    values = np.empty(OTHER + 1, np.int64)
    width, height = size
    at: Number = start
    if start > 0 and not ends_line(data[start - 1]):
        at = _skip_line(data, start, stop)
        if state[OPEN_LINE]:
            state[DAMAGED_BYTES] += at - start
        state[OPEN_LINE] &= not ends_line(data[at - 1])
    whole = columns.size == 4 and style[2] == 0
    seconds = columns.size == 4 and style[2] > 0 and columns[0] == T
    n, k = 0, 0
    while at < stop:
        begin = at
        if whole:
            at = _read_plain(data, at, columns, style[0], values)
        elif seconds:
            at = _read_seconds(data, at, columns, style, values)
        if at == begin:
            at = _read_line(data, at, columns, style, values)
        if at > begin + LONGEST_LINE or at < 0:
            at = _count_bad(data, begin, stop, state)
            continue
        if at == begin:  # a comment or an empty line
            at = _skip_line(data, begin, data.size)
            continue
        x, y, polarity = values[X], values[Y], values[P]
        word = x | y << 16 | polarity << 32
        if x < 0 or x >= width or y < 0 or y >= height:
            word = np.int64(-OUTSIDE)
        spare[k].t = values[T]
        spare[k].rest = word
        k += 1
        if k == BLOCK:
            state[GOOD_LINES] += k
            n, k = give_some(state, spare, k, n, out), 0
    state[GOOD_LINES] += k
    return int(give_some(state, spare, k, n, out))


@njit(cache=True, nogil=True)
def give_some(state: NDArray[np.int64], spare: NDArray[np.void], size: int, n: int, out: NDArray[np.void]) -> int:
    """``ordering.give_block`` for the first ``size`` rows of ``spare``, which lies outside of ``out``."""
    if size == 0:
        return n
    block = block_for(state, n, size, out, spare)
    for i in range(size):
        block[i].t = spare[i].t
        block[i].rest = spare[i].rest
    return int(give_block(state, block, False, n, out))


@njit(cache=True, nogil=True)
def _read_plain(
    data: NDArray[np.uint8], at: Number, columns: NDArray[np.int64], separator: int, values: NDArray[np.int64]
) -> Number:
    """Reads a line of four whole numbers without signs, words and blanks; returns where the next line begins, or ``at``
    where it is not such a line. Written out four times and without a branch, which is what makes it fast."""
    value0, after0 = _read_column(data, at)
    value1, after1 = _read_column(data, after0 + 1)
    value2, after2 = _read_column(data, after1 + 1)
    value3, after3 = _read_last(data, after2 + 1, columns[3])
    values[columns[0]] = value0
    values[columns[1]] = value1
    values[columns[2]] = value2
    values[columns[3]] = value3
    odd = (data[np.uint64(after0)] ^ separator) | (data[np.uint64(after1)] ^ separator)
    after3 += data[np.uint64(after3)] == CR
    odd |= (data[np.uint64(after2)] ^ separator) | (data[np.uint64(after3)] ^ LF)
    odd |= (value0 | value1 | value2 | value3) >> 63
    return int(at if odd or values[P] >> 1 else after3 + 1)


@njit(cache=True, nogil=True)
def _read_seconds(
    data: NDArray[np.uint8],
    at: Number,
    columns: NDArray[np.int64],
    style: tuple[int, int, int],
    values: NDArray[np.int64],
) -> int:
    """The same for lines that begin with a time with a fraction, in seconds or milliseconds."""
    separator, point, power = style
    whole, n = read_digits(data, at)
    fraction, after0 = read_fraction(data, at + n + 1)
    value1, after1 = _read_column(data, after0 + 1)
    value2, after2 = _read_column(data, after1 + 1)
    value3, after3 = _read_last(data, after2 + 1, columns[3])
    values[T] = whole * POWERS[power] + _rounded(fraction, power)
    values[columns[1]] = value1
    values[columns[2]] = value2
    values[columns[3]] = value3
    odd = (data[np.uint64(at + n)] ^ point) | (data[np.uint64(after0)] ^ separator)
    odd |= (data[np.uint64(after1)] ^ separator) | (data[np.uint64(after2)] ^ separator)
    after3 += data[np.uint64(after3)] == CR
    odd |= (data[np.uint64(after3)] ^ LF) | ((value1 | value2 | value3) >> 63)
    return int(at if odd or values[P] >> 1 or n == 0 or n > 12 else after3 + 1)


@njit(cache=True, nogil=True, inline="always")
def _read_column(data: NDArray[np.uint8], at: Number) -> tuple[Number, Number]:
    """A number, -1 where there is none, and the byte after it."""
    value, n = read_digits(data, at)
    return (value if n else BAD), at + n


@njit(cache=True, nogil=True, inline="always")
def _read_last(data: NDArray[np.uint8], at: Number, kind: np.int64) -> tuple[Number, Number]:
    """The same for the last column, which may be a polarity of -1 or 1, as jAER writes it."""
    minus = np.int64(data[np.uint64(at)] == MINUS)
    value, n = read_digits(data, at + minus)
    value -= (minus << 1) * value
    value += np.int64((kind == P) & (value == -1))
    return (value if n else BAD), at + minus + n


@njit(cache=True, nogil=True)
def _read_line(
    data: NDArray[np.uint8],
    at: Number,
    columns: NDArray[np.int64],
    style: tuple[int, int, int],
    values: NDArray[np.int64],
) -> Number:
    """Reads the columns of the line at byte ``at``; returns where the next line begins, -1 where the line is no event,
    ``at`` itself where it is not meant to be one."""
    separator, _, power = style
    first = data[at]
    if first in (_HASH, _PERCENT) or ends_line(first) or (first == _SLASH and data[at + 1] == _SLASH):
        return at
    if first in (BLANK, TAB):
        at = skip_blanks(data, at)
    last = columns.size - 1
    for i in range(columns.size):
        kind = columns[i]
        value, n = read_digits(data, at)
        after = at + n
        byte = data[after]
        if n == 0 or (kind == T and power) or (byte != separator and byte != LF):
            value, after = read_closely(data, at, kind, style)
            if after < 0:
                return -1
            byte = data[after]
        values[kind] = value
        if i == last:
            break
        if byte != separator and not (separator == BLANK and byte == TAB):
            return -1
        at = after + 1
        if data[at] <= BLANK:
            at = skip_blanks(data, at)
    if values[P] >> 1:
        return -1
    if byte == LF:
        return after + 1
    return _end_of(data, after, separator)


@njit(cache=True, nogil=True, inline="always")
def _rounded(hundred_millionths: Number, power: int) -> Number:
    """In units of 10**-power, half of one is rounded up. Divisions by a constant are multiplications."""
    if power == 6:
        return (hundred_millionths + 50) // 100
    return (hundred_millionths + 50_000) // 100_000


@njit(cache=True, nogil=True)
def _skip_line(data: NDArray[np.uint8], at: Number, stop: Number) -> Number:
    """The byte after the line, ``stop`` where it does not end before."""
    while at < stop:
        at += 1
        if ends_line(data[at - 1]):
            break
    return at


@njit(cache=True, nogil=True)
def _end_of(data: NDArray[np.uint8], at: Number, separator: int) -> Number:
    """The byte after a line whose columns ended at byte ``at``, -1 where they did not; more columns may follow."""
    at = skip_blanks(data, at)
    if not ends_line(data[at]) and separator != BLANK and data[at] != separator:
        return -1
    after = _skip_line(data, at, data.size)
    return after + (data[after - 1] == CR and after < data.size and data[after] == LF)


@njit(cache=True, nogil=True)
def _count_bad(data: NDArray[np.uint8], begin: Number, stop: int, state: NDArray[np.int64]) -> Number:
    """Counts the line at byte ``begin``; returns where the next one begins. One without end goes on after ``stop``."""
    after = _skip_line(data, begin, min(begin + LONGEST_LINE, data.size))
    state[BAD_LINES] += 1
    if not ends_line(data[after - 1]):
        after = _skip_line(data, begin, stop)
        state[OPEN_LINE] = not ends_line(data[after - 1])
    state[DAMAGED_BYTES] += min(after, data.size - PADDING) - begin
    return after
