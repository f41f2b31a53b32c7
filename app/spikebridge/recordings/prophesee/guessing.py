"""Which words a file holds, told from the words themselves, for files whose header does not say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikebridge.recordings.prophesee.words import EVT2, EVT3, EVT21, EVT21_LEGACY, Kind

#: Bytes that are looked at, and time words that there have to be among them.
GUESSED_BYTES = 1 << 20
_FEWEST = 4
#: Parts of all words that have to be of a known type, of steps of time that have to be small, of events inside.
_KNOWN, _SMALL, _INSIDE = 0.99, 0.9, 0.9


def guess_kind(content: bytes, size: tuple[int, int]) -> Kind | None:
    """The kind that words of a sensor of ``size`` px are of; None where they are of none.

    Of two halves of words of EVT2 one half looks like words of EVT2.1, so those come last.
    """
    for kind, fits in ((EVT2, _fits_evt2(_words(content, "<u4"), size)), (EVT3, _fits_evt3(content, size))):
        if fits:
            return kind
    return guess_order(content, size)


def guess_order(content: bytes, size: tuple[int, int]) -> Kind | None:
    """Which half of the words of EVT2.1 comes first; None where neither way they look like such words."""
    halves = _words(content[: len(content) // 8 * 8], "<u4").reshape(-1, 2)
    for kind, column in ((EVT21, 1), (EVT21_LEGACY, 0)):
        if _fits_evt2(halves[:, column], size):
            return kind
    return None


def _words(content: bytes, kind: str) -> NDArray[np.int64]:
    dtype = np.dtype(kind)
    return np.frombuffer(content, dtype, len(content) // dtype.itemsize).astype(np.int64)


def _fits_evt2(words: NDArray[np.int64], size: tuple[int, int]) -> bool:
    """Whether time goes on by less than a second at most time words, and events are inside."""
    kind = words >> 28
    events = words[kind <= 1]
    return (
        _fits(kind, (0, 1, 8, 10, 13, 14, 15))
        and _goes_on(words[kind == 8] & 0xFFFFFFF, 1 << 28, 1 << 14)
        and _are_inside(events >> 11 & 0x7FF, size[0])
        and _are_inside(events & 0x7FF, size[1])
    )


def _fits_evt3(content: bytes, size: tuple[int, int]) -> bool:
    words = _words(content, "<u2")
    kind = words >> 12
    return (
        _fits(kind, (0, 2, 3, 4, 5, 6, 7, 8, 10, 14, 15))
        and _goes_on(words[kind == 8] & 0xFFF, 1 << 12, 1 << 8)
        and _are_inside(words[(kind == 2) | (kind == 3)] & 0x7FF, size[0])
        and _are_inside(words[kind == 0] & 0x7FF, size[1])
    )


def _fits(kind: NDArray[np.int64], known: tuple[int, ...]) -> bool:
    return kind.size > 0 and float(np.isin(kind, known).mean()) >= _KNOWN


def _goes_on(time: NDArray[np.int64], wrap: int, most: int) -> bool:
    steps = np.diff(time) % wrap
    return steps.size + 1 >= _FEWEST and float((steps < most).mean()) >= _SMALL


def _are_inside(place: NDArray[np.int64], size: int) -> bool:
    return place.size > 0 and float((place < size).mean()) >= _INSIDE
