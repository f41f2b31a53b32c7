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
#: Words of EVT3 that are decoded at once.
_EVT3_PART = 512
_ROW_MASK = 0x7FF << 16
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
        block = block_for(state, n, BLOCK, out, spare)
        k = 0
        for i in range(part.shape[0]):
            word = np.int64(part[i])
            kind = word >> 28
            if kind <= 1:
                x, y = word >> 11 & 0x7FF, word & 0x7FF
                if (width - 1 - x) | (height - 1 - y) | high < 0:
                    state[OUTSIDE if x >= width or y >= height else UNPLACED] += 1
                else:
                    block[np.uint64(k)].t = offset + high + (word >> 22 & 0x3F)
                    block[np.uint64(k)].rest = x | y << 16 | kind << 32
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
        block = block_for(state, n, BLOCK, out, spare)
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
                    block[np.uint64(k)].t = time
                    block[np.uint64(k)].rest = rest
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
    spare = np.empty(12 * _EVT3_PART, WORDS_DTYPE)
    rules = _rules(width, height)
    for start in range(0, words.shape[0], _EVT3_PART):
        block = block_for(state, n, spare.shape[0], out, spare)
        k = _decode_part(words[start : start + _EVT3_PART], rules, width, height, state, block)
        n = give_some(state, block, k, n, out)
    return n


@njit(cache=True, nogil=True)
def _rules(width: int, height: int) -> NDArray[np.int64]:
    """(16, 5) int64 by type: what to keep of row and lower time, how far to shift a word that becomes part of them and
    with which mask, whether it is an event, and the largest coordinate; below zero for types that are no coordinate."""
    rules = np.zeros((16, 5), np.int64)
    rules[:, 0] = rules[:, 4] = -1
    rules[0] = (~_ROW_MASK, 16, _ROW_MASK, 0, height - 1)
    rules[2] = (-1, 0, 0, 1, width - 1)
    rules[6] = (_ROW_MASK, 32, 0xFFF << 32, 0, 0x7FF)
    return rules


@njit(cache=True, nogil=True)
def _decode_part(
    words: NDArray[np.uint16],
    rules: NDArray[np.int64],
    width: int,
    height: int,
    state: NDArray[np.int64],
    block: NDArray[np.void],
) -> int:
    """Writes the events of a few words to ``block``, which has room for 12 each; returns how many.

    Rows, events and lower times follow each other in an order that no processor foresees. They are done without a
    branch: each writes an event, and the next one writes over it unless it was one. Row and lower time are kept in one
    number, as ``y << 16 | time << 32``.
    """
    high, both, base, polarity = _known(state)
    k = np.int64(0)
    for i in range(words.shape[0]):
        word = np.int64(words[i])
        kind = np.uint64(word >> 12)
        after = both & rules[kind, 0] | word << rules[kind, 1] & rules[kind, 2]
        if (rules[kind, 4] - (word & 0x7FF)) | ((after >> 32) - (both >> 32)) | high >= 0:
            both = after
            block[np.uint64(k)].t = high + (both >> 32)
            block[np.uint64(k)].rest = word & 0x7FF | both & _ROW_MASK | (word >> 11 & 1) << 32
            k += rules[kind, 3]
            continue
        size = 12 if kind == 4 else 8
        if high >= 0 and (kind == 4 or kind == 5) and 0 <= base <= width - size:
            bits = word & (1 << size) - 1
            if bits:
                time, rest = high + (both >> 32), base | both & _ROW_MASK | polarity << 32
                for bit in range(size):
                    block[np.uint64(k)].t = time
                    block[np.uint64(k)].rest = rest + bit
                    k += bits >> bit & 1
            base += size
        elif kind == 3:
            base, polarity = int(word & 0x7FF), int(word >> 11 & 1)
        else:
            _keep(state, high, both, base, polarity)
            k = np.int64(_take_word(state, word, width, height, block, k))
            high, both, base, polarity = _known(state)
    _keep(state, high, both, base, polarity)
    return int(k)


@njit(cache=True, nogil=True)
def _known(state: NDArray[np.int64]) -> tuple[int, int, int, int]:
    """What ``_decode_part`` goes by: upper part of the time, row and lower time, base and polarity of vectors.

    While time or row are not known, or events are late, the first is below zero, and no word is taken as it is.
    """
    time = state[HIGH] << 12 | state[LOW]
    if state[HIGH] < 0 or state[ROW] < 0 or time < state[FLOOR]:
        return -1, 0, state[BASE], state[POLARITY]
    return state[OFFSET] + (state[HIGH] << 12), state[ROW] << 16 | state[LOW] << 32, state[BASE], state[POLARITY]


@njit(cache=True, nogil=True)
def _keep(state: NDArray[np.int64], high: Number, both: Number, base: Number, polarity: Number) -> None:
    if high >= 0:
        state[ROW], state[LOW] = (both & _ROW_MASK) >> 16, both >> 32
    state[BASE], state[POLARITY] = base, polarity


@njit(cache=True, nogil=True)
def _take_word(
    state: NDArray[np.int64], word: Number, width: int, height: int, block: NDArray[np.void], k: Number
) -> Number:
    """Any word, with nothing taken for granted; returns ``k`` and the events that it adds to ``block`` there."""
    kind, value = word >> 12, word & 0xFFF
    if kind == 0:
        state[ROW] = value & 0x7FF if value & 0x7FF < height else OUTSIDE_ROW
    elif kind == 2:
        k = _put(state, value & 0x7FF, 1, value >> 11, width, block, k)
    elif kind == 3:
        state[BASE], state[POLARITY] = value & 0x7FF, value >> 11
    elif kind == 4 or kind == 5:
        size = 12 if kind == 4 else 8
        k = _put(state, state[BASE], value & (1 << size) - 1, state[POLARITY], width, block, k)
        if state[BASE] >= 0:
            state[BASE] += size
    elif kind == 6:
        _take_lower_time(state, value)
    elif kind == 8:
        _take_upper_time(state, value)
    else:
        _other_evt3(state, kind, value)
    return k


@njit(cache=True, nogil=True)
def _put(
    state: NDArray[np.int64], x: Number, bits: Number, polarity: Number, width: int, block: NDArray[np.void], k: Number
) -> Number:
    """Adds the events of a vector from ``x`` on, as far as they have a place and time, and counts the others."""
    known = state[HIGH] >= 0 and state[ROW] != NO_ROW and x >= 0
    time, floor = state[HIGH] << 12 | state[LOW], state[FLOOR]
    bits = _inside(state, x, bits, 0 if state[ROW] == OUTSIDE_ROW else width, 0 if known else -1)
    if time < floor:
        state[CLAMPED] += _ones(bits)
    time, rest = state[OFFSET] + max(time, floor), x | state[ROW] << 16 | polarity << 32
    while bits:
        if bits & 1:
            block[k].t = time
            block[k].rest = rest
            k += 1
        rest += 1
        bits >>= 1
    return k


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
        if kind == 1:  # a row of something else than change detections
            state[ROW] = NO_ROW


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
        block = block_for(state, n, part.shape[0], out, spare)
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
