"""The states before a recording's chunks, in little memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikebridge.recordings import ordering

_ROOM = 1 << 13


class States:
    """States of a decoder, each without the room for events that it does not hold: most hold none.

    size : slots of a state. flat, ends : of the ones that are there already: their slots one after the other, and
    (n,) int64 where each one ends. One thread may append while others read what was there before.
    """

    def __init__(self, size: int, flat: NDArray[np.int64] | None = None, ends: NDArray[np.int64] | None = None) -> None:
        self._size = size
        self._flat = np.empty(_ROOM, np.int64) if flat is None else flat
        self._ends: list[int] = [0, *([] if ends is None else ends.tolist())]

    def append(self, state: NDArray[np.int64]) -> None:
        parts = state if state[ordering.HELD] else np.delete(state, ordering.ROOM)
        begin = self._ends[-1]
        end = begin + parts.size
        if end > self._flat.size:
            self._flat = np.concatenate((self._flat, np.empty(max(end, self._flat.size), np.int64)))
        self._flat[begin:end] = parts
        self._ends.append(end)

    def __getitem__(self, number: int) -> NDArray[np.int64]:
        """(size,) int64, the caller's own."""
        parts = self._flat[self._ends[number] : self._ends[number + 1]]
        state = np.zeros(self._size, np.int64)
        if parts.size == self._size:
            state[:] = parts
        else:
            state[: ordering.ROOM.start] = parts[: ordering.ROOM.start]
            state[ordering.ROOM.stop :] = parts[ordering.ROOM.start :]
        return state

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """``flat`` and ``ends``."""
        return self._flat[: self._ends[-1]], np.array(self._ends[1:], np.int64)

    def fit(self, n: int) -> bool:
        """Whether these can be ``n`` states of that size."""
        sizes = np.diff(self._ends)
        room = ordering.ROOM.stop - ordering.ROOM.start
        return bool(
            sizes.size == n
            and np.isin(sizes, (self._size, self._size - room)).all()
            and self._ends[-1] <= self._flat.size
        )
