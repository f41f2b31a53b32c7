"""Compiled: events as lines of text."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

#: ``-9223372036854775808,65535,65535,1`` and the end of the line.
LONGEST_EVENT = 20 + 1 + 5 + 1 + 5 + 1 + 1 + 1
_PAIRS = np.frombuffer("".join(f"{i:02}" for i in range(100)).encode(), np.uint8)
_ZERO, _COMMA, _LF, _MINUS = 48, 44, 10, 45


@njit(cache=True, nogil=True)
def format_events(words: NDArray[np.void], text: NDArray[np.uint8]) -> int:
    """Writes (N,) WORDS_DTYPE as ``t,x,y,p`` to ``text``, LONGEST_EVENT bytes for each at most; returns the bytes."""
    at = 0
    for i in range(words.shape[0]):
        t, rest = words[i].t, words[i].rest
        at = _put_number(t, text, at)
        text[at] = _COMMA
        at = _put_number(rest & 0xFFFF, text, at + 1)
        text[at] = _COMMA
        at = _put_number(rest >> 16 & 0xFFFF, text, at + 1)
        text[at] = _COMMA
        text[at + 1] = _ZERO + (rest >> 32 & 1)
        text[at + 2] = _LF
        at += 3
    return at


@njit(cache=True, nogil=True)
def _put_number(value: np.int64, text: NDArray[np.uint8], at: int) -> int:
    if value < 0:
        text[at] = _MINUS
        at += 1
    # The lowest number has no positive one.
    left = np.uint64(-value) if value < 0 else np.uint64(value)
    end = at + _n_digits(left)
    place = end
    while left >= np.uint64(100):
        rest = left // np.uint64(100)
        pair = np.int64(left - rest * np.uint64(100))
        place -= 2
        text[place] = _PAIRS[2 * pair]
        text[place + 1] = _PAIRS[2 * pair + 1]
        left = rest
    if left >= np.uint64(10):
        text[place - 2] = _PAIRS[2 * np.int64(left)]
    text[place - 1] = _PAIRS[2 * np.int64(left) + 1]
    return end


@njit(cache=True, nogil=True)
def _n_digits(value: np.uint64) -> int:
    n, limit = 1, np.uint64(10)
    while value >= limit and n < 19:
        n += 1
        limit *= np.uint64(10)
    return n
