"""Compiled: one cell of a table of text, whatever is in it: signs, words, exponents, blanks."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Compiled into what is kept for this file. numba looks at its time alone: save it after a change of the other.
from spikebridge.recordings.tables.digits import MOST_DIGITS, POWERS, Number, read_digits

#: What a column holds.
T, X, Y, P, OTHER = range(5)
LF, CR, TAB, BLANK, PLUS, MINUS = 10, 13, 9, 32, 43, 45
#: In place of a byte or a number where there is none.
BAD = np.int64(-1)


@njit(cache=True, nogil=True)
def read_closely(data: NDArray[np.uint8], at: Number, kind: int, style: tuple[int, int, int]) -> tuple[Number, Number]:
    """What the fast ways of ``decoding`` do not read: signs, words, exponents, blanks behind a number.

    Returns the value and the byte of the separator or the end of the line; -1 where the column can't be read.
    """
    separator, point, power = style
    if kind == OTHER:
        while data[at] != separator and not ends_line(data[at]) and not (separator == BLANK and data[at] == TAB):
            at += 1
        return np.int64(0), np.int64(at)
    if kind == P and data[at] >= 65:
        value, after = _read_word(data, at)
    else:
        value, after = _read_number(data, at, point, power if kind == T else 0, kind == T)
        if kind == P and value == -1:
            value = np.int64(0)
    if after < 0:
        return value, BAD
    if separator != BLANK:
        after = skip_blanks(data, after)
    byte = data[after]
    good = byte == separator or ends_line(byte) or (separator == BLANK and byte == TAB)
    return value, np.int64(after) if good else BAD


@njit(cache=True, nogil=True)
def _read_number(data: NDArray[np.uint8], at: Number, point: int, power: Number, rounds: bool) -> tuple[Number, Number]:
    """A decimal number times ten to the ``power``, rounded to a whole one, half of it up, and the byte after it.

    -1 for the byte where there is no number, or one that is too large, or no whole one though it may not be rounded.
    """
    negative = data[at] == MINUS
    if negative or data[at] == PLUS:
        at += 1
    mantissa: Number = np.int64(0)
    n_digits: Number = 0
    exponent = power
    behind_point, any_digit = False, False
    while True:
        digit = np.int64(data[at]) - 48
        if 0 <= digit <= 9:
            any_digit = True
            if n_digits < MOST_DIGITS:
                mantissa = mantissa * 10 + digit
                n_digits += mantissa > 0
                exponent -= behind_point
            else:
                exponent += not behind_point
        elif data[at] == point and not behind_point:
            behind_point = True
        else:
            break
        at += 1
    if not any_digit:
        return np.int64(0), BAD
    if data[at] | 32 == 101:  # e
        sign = data[at + 1]
        at += 2 if sign in (MINUS, PLUS) else 1
        more, n = read_digits(data, at)
        if n == 0 or more > 1000:
            return np.int64(0), BAD
        exponent += -more if sign == MINUS else more
        at += n
    value, good = _scaled(-mantissa if negative else mantissa, exponent, rounds)
    return value, np.int64(at) if good else BAD


@njit(cache=True, nogil=True)
def _scaled(mantissa: Number, exponent: Number, rounds: bool) -> tuple[Number, bool]:
    """``mantissa * 10**exponent``, and whether it is a whole number of 64 bits or may be rounded to one."""
    if mantissa == 0:
        return mantissa, True
    if exponent >= 0:
        if exponent > MOST_DIGITS or abs(mantissa) > POWERS[MOST_DIGITS] // POWERS[exponent]:
            return np.int64(0), False
        return mantissa * POWERS[exponent], True
    if exponent < -MOST_DIGITS:
        return np.int64(0), rounds
    one = POWERS[-exponent]
    if not rounds and mantissa % one:
        return np.int64(0), False
    return mantissa // one + (mantissa % one >= one - mantissa % one), True


@njit(cache=True, nogil=True)
def _read_word(data: NDArray[np.uint8], at: Number) -> tuple[Number, Number]:
    """True, on, false or off in letters of any size, and the byte after it; -1 where it is none of these."""
    first, second = data[at] | 32, data[at + 1] | 32
    after = at
    while 65 <= data[after] & ~32 <= 90:
        after += 1
    n = after - at
    if first == 116 and (n == 4 or n == 1):  # true, t
        return np.int64(1), np.int64(after)
    if first == 102 and (n == 5 or n == 1):  # false, f
        return np.int64(0), np.int64(after)
    if first == 111 and (second == 110) == (n == 2) and (second == 102) == (n == 3) and n <= 3:  # on, off
        return np.int64(n == 2), np.int64(after if n > 1 else BAD)
    return np.int64(0), BAD


@njit(cache=True, nogil=True, inline="always")
def ends_line(byte: np.uint8) -> bool:
    return bool(byte in (LF, CR))


@njit(cache=True, nogil=True)
def skip_blanks(data: NDArray[np.uint8], at: Number) -> Number:
    while data[at] == BLANK or data[at] == TAB:
        at += 1
    return at
