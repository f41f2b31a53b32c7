"""Compiled decoders of Prophesee's words: bytes of a file into events; see ``ordering``.

Words as in the vendor's pages on encoding formats (docs.prophesee.ai, "EVT 2.0", "EVT 2.1", "EVT 3.0" and "DAT file
format") and in the decoders of OpenEB 5.1.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Compiled into what is kept for this file. numba looks at its time alone: save it after a change of the others.
from spikebridge.recordings.ordering import BLOCK, CLAMPED, IMU, OUTSIDE, SPECIAL, WORDS_DTYPE, block_for, give_block
from spikebridge.recordings.partial_blocks import give_some
from spikebridge.recordings.prophesee.word_state import (
    BASE,
    FLOOR,
    HIGH,
    LOST_TIME,
    LOW,
    MASTER,
    MONITORING,
    NO_ROW,
    OFFSET,
    OUTSIDE_ROW,
    PAYLOAD,
    POLARITY,
    ROW,
    SHIFT,
    UNKNOWN,
    UNPLACED,
    Number,
    count_monitored,
    step_time,
)

#: Bits of the upper part of the time, and the drop from which on it has wrapped: EVT2 after 4.8 hours, EVT3 after 16.8
#: seconds. The clock of a camera may be reset within hours; half of 16.8 seconds may be lost.
_EVT2_BITS, _EVT2_WRAP = 28, (1 << 28) - (1 << 24)
_EVT3_BITS, _EVT3_WRAP = 12, 1 << 11
#: Most by which the lower part of EVT3's time runs back in a stream that is whole, µs.
_DISORDER_US = 64
#: Numbers of the event rate control in EVT2 and EVT2.1.
_RATE_MASK = (1 << 22) - 1


@njit(cache=True, nogil=True)
def decode_evt2(
    words: NDArray[np.uint32], width: int, height: int, state: NDArray[np.int64], n: int, out: NDArray[np.void]
) -> int:
    """Decodes (N,) EVT2 words after ``n`` events of the same piece; returns the events so far.

    Bits 28-31 are the type: 0 OFF, 1 ON with bits 22-27 lower time, 11-21 x, 0-10 y; 8 upper time.
    """
    spare = np.empty(BLOCK, WORDS_DTYPE)
    offset, high = state[OFFSET], state[HIGH] << 6
    for start in range(0, words.shape[0], BLOCK):
        part = words[start : start + BLOCK]
        block = block_for(n, BLOCK, out, spare)
        k = 0
        for i in range(part.shape[0]):
            word = np.int64(part[i])
            kind = word >> 28
            if kind <= 1:
                x, y = word >> 11 & 0x7FF, word & 0x7FF
                if x >= width or y >= height:
                    state[OUTSIDE] += 1
                elif high < 0:
                    state[UNPLACED] += 1
                else:
                    block[k].t = offset + high + (word >> 22 & 0x3F)
                    block[k].rest = x | y << 16 | kind << 32
                    k += 1
            elif kind == 8:
                high = step_time(state, word & 0xFFFFFFF, _EVT2_BITS, _EVT2_WRAP) << 6
            else:
                _other_evt2(state, kind, word)
        n = give_some(state, block, k, n, out)
    return n


@njit(cache=True, nogil=True)
def _other_evt2(state: NDArray[np.int64], kind: Number, word: Number) -> None:
    """A trigger (10), IMU sample (13), monitoring word (14) or what goes on from it (15)."""
    if kind == 10:
        state[SPECIAL] += 1
    elif kind == 13:
        state[IMU] += 1
    elif kind == 14:
        state[MONITORING] += 1
        state[MASTER] = word & 0xFFFF
    elif kind == 15:
        count_monitored(state, state[MASTER], word & _RATE_MASK)
    else:
        state[UNKNOWN] += 1
    if kind != 14:
        state[MASTER] = -1


@njit(cache=True, nogil=True)
def decode_evt21(
    words: NDArray[np.uint32],
    head: int,
    width: int,
    height: int,
    state: NDArray[np.int64],
    n: int,
    out: NDArray[np.void],
) -> int:
    """Decodes (N, 2) halves of EVT2.1 words after ``n`` events of the same piece; returns the events so far.

    head : column of the half that is as a word of EVT2; the other has a bit for each of the 32 pixels from x on.
    """
    spare = np.empty(BLOCK, WORDS_DTYPE)
    offset, high = state[OFFSET], state[HIGH] << 6
    per_block = BLOCK // 32
    for start in range(0, words.shape[0], per_block):
        block = block_for(n, BLOCK, out, spare)
        k = 0
        for i in range(start, min(start + per_block, words.shape[0])):
            word, mask = np.int64(words[i, head]), np.int64(words[i, 1 - head])
            kind = word >> 28
            if kind <= 1:
                x, y = word >> 11 & 0x7FF, word & 0x7FF
                if high < 0 or y >= height or x + 32 > width:
                    mask = np.int64(_inside(state, x, mask, width if y < height else 0, high))
                time, rest = offset + high + (word >> 22 & 0x3F), x | y << 16 | kind << 32
                while mask:
                    block[k].t = time
                    block[k].rest = rest
                    k += int(mask & 1)
                    rest += 1
                    mask >>= 1
            elif kind == 8:
                high = step_time(state, word & 0xFFFFFFF, _EVT2_BITS, _EVT2_WRAP) << 6
            elif kind == 14:
                state[MONITORING] += 1
                count_monitored(state, word & 0xFFFF, mask & _RATE_MASK)
            elif kind != 15:
                _other_evt2(state, kind, word)
        n = give_some(state, block, k, n, out)
    return n


@njit(cache=True, nogil=True)
def _inside(state: NDArray[np.int64], x: Number, mask: Number, width: int, time: Number) -> Number:
    """The bits of a vector at ``x`` that are events of known time on a sensor of ``width``; counts the others.

    time : below zero where it, or the row, is not known.
    """
    inside = mask & (1 << max(0, min(32, int(width - x)))) - 1
    state[OUTSIDE] += _ones(mask ^ inside)
    if time < 0:
        state[UNPLACED] += _ones(inside)
        return 0
    return inside


@njit(cache=True, nogil=True)
def _ones(bits: Number) -> int:
    n = 0
    while bits:
        bits &= bits - 1
        n += 1
    return n


@njit(cache=True, nogil=True)
def decode_evt3(
    words: NDArray[np.uint16], width: int, height: int, state: NDArray[np.int64], n: int, out: NDArray[np.void]
) -> int:
    """Decodes (N,) EVT3 words after ``n`` events of the same piece; returns the events so far.

    state : ``word_state.new_word_state()`` before the first word of a stream, which may come in any parts.
    Bits 12-15 are the type: 0 row; 2 an event, with bit 11 polarity and bits 0-10 x; 3 the same as the base of vectors;
    4 and 5 vectors of 12 and 8 pixels from the base, which moves on; 6 lower and 8 upper part of the time.
    """
    spare = np.empty(BLOCK, WORDS_DTYPE)
    most = BLOCK - 12
    block = block_for(n, BLOCK, out, spare)
    row, base, polarity = state[ROW], state[BASE], state[POLARITY]
    time, late = _time_now(state)
    row_bits = row << 16
    k, n_late = 0, 0
    for i in range(words.shape[0]):
        word = np.int64(words[i])
        kind = word >> 12
        if kind == 2:
            x = word & 0x7FF
            if row < 0 or time < 0 or x >= width:
                state[OUTSIDE if x >= width or row == OUTSIDE_ROW else UNPLACED] += 1
                continue
            block[k].t = time
            block[k].rest = x | row_bits | (word >> 11 & 1) << 32
            k += 1
            n_late += late
        elif kind == 0:
            row = word & 0x7FF
            if row >= height:
                row = np.int64(OUTSIDE_ROW)
            row_bits = row << 16
            continue
        elif kind == 4 or kind == 5:
            size = 12 if kind == 4 else 8
            bits = word & (1 << size) - 1
            if bits:
                if row < 0 or time < 0 or base < 0 or base + size > width:
                    known = time if base >= 0 and row != NO_ROW else np.int64(-1)
                    bits = np.int64(_inside(state, base, bits, 0 if row == OUTSIDE_ROW else width, known))
                rest = base | row_bits | polarity << 32
                n_late -= late * k
                while bits:
                    block[k].t = time
                    block[k].rest = rest
                    k += int(bits & 1)
                    rest += 1
                    bits >>= 1
                n_late += late * k
            base = base + size if base >= 0 else base
        elif kind == 6:
            _take_lower_time(state, word & 0xFFF)
            time, late = _time_now(state)
            continue
        elif kind == 8:
            _take_upper_time(state, word & 0xFFF)
            time, late = _time_now(state)
            continue
        elif kind == 3:
            base, polarity = word & 0x7FF, word >> 11 & 1
            continue
        else:
            _other_evt3(state, kind, word & 0xFFF)
            if kind == 1:
                row = np.int64(NO_ROW)
            continue
        if k > most:
            n = give_some(state, block, k, n, out)
            block = block_for(n, BLOCK, out, spare)
            k = 0
    state[ROW], state[BASE], state[POLARITY] = row, base, polarity
    state[CLAMPED] += n_late
    return int(give_some(state, block, k, n, out))


@njit(cache=True, nogil=True)
def _time_now(state: NDArray[np.int64]) -> tuple[int, int]:
    """The time of the events that follow, below zero where it is not known, and 1 where they come too late for it."""
    if state[HIGH] < 0:
        return -1, 0
    time = state[HIGH] << 12 | state[LOW]
    late = time < state[FLOOR]
    return state[OFFSET] + (state[FLOOR] if late else time), int(late)


@njit(cache=True, nogil=True)
def _take_lower_time(state: NDArray[np.int64], value: Number) -> None:
    """Takes the lower part of the time.

    A fall by half of its range means that the word for the next upper part was lost. Cameras with a Gen4.1 put in a
    word that is some µs ahead each millisecond: as time does not run back, events until then get the time of that
    word, as faery 0.7.1 reads them, and are counted as late.
    """
    fall = state[LOW] - value
    if state[HIGH] >= 0 and fall > 1 << 11:
        state[HIGH] += 1
        state[LOST_TIME] += 1
    elif 0 < fall <= _DISORDER_US:
        state[FLOOR] = max(state[FLOOR], state[HIGH] << 12 | state[LOW])
    elif fall > 0:
        state[FLOOR] = 0
    state[LOW] = value


@njit(cache=True, nogil=True)
def _take_upper_time(state: NDArray[np.int64], value: Number) -> None:
    before = state[HIGH]
    high = step_time(state, value, _EVT3_BITS, _EVT3_WRAP)
    if high != before:
        state[LOW] = 0
    if high < before:
        state[FLOOR] = 0


@njit(cache=True, nogil=True)
def _other_evt3(state: NDArray[np.int64], kind: Number, content: Number) -> None:
    """A trigger (10), monitoring word (14), or 12 (15) or the last 4 bits (7) of its number."""
    if kind == 10:
        state[SPECIAL] += 1
    elif kind == 14:
        state[MONITORING] += 1
        state[MASTER], state[PAYLOAD], state[SHIFT] = content, 0, 0
    elif kind == 15 and state[SHIFT] < 24:
        state[PAYLOAD] |= content << state[SHIFT]
        state[SHIFT] += 12
    elif kind == 7 or kind == 15:
        if state[MASTER] >= 0 and state[SHIFT] == 24:
            count_monitored(state, state[MASTER], state[PAYLOAD] | (content & 0xF) << 24)
        state[MASTER] = -1
    else:
        state[UNKNOWN] += 1


@njit(cache=True, nogil=True)
def decode_dat(
    events: NDArray[np.void],
    x_bits: int,
    y_bits: int,
    width: int,
    height: int,
    offset_us: int,
    state: NDArray[np.int64],
    out: NDArray[np.void],
) -> int:
    """Decodes (N,) records of DAT, which are µs, to which ``offset_us`` is added, and address; returns the events.

    An address has ``x_bits`` of x, then ``y_bits`` of y, then the polarity: 14 and 14, 9 and 8 in version 1.
    """
    spare = np.empty(BLOCK, WORDS_DTYPE)
    x_mask, y_mask, polarity_shift = (1 << x_bits) - 1, (1 << y_bits) - 1, x_bits + y_bits
    n = 0
    for start in range(0, events.shape[0], BLOCK):
        part = events[start : start + BLOCK]
        block = block_for(n, part.shape[0], out, spare)
        for i in range(part.shape[0]):
            address = np.int64(part[i].address)
            x, y = address & x_mask, address >> x_bits & y_mask
            word = x | y << 16 | (address >> polarity_shift & 1) << 32
            if x >= width or y >= height:
                word = np.int64(-OUTSIDE)
            block[i].t = np.int64(part[i].t) + offset_us
            block[i].rest = word
        n = give_block(state, block, True, n, out)
    return n
