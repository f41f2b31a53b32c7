"""Pictures that a camera took beside its events, found as far as they are asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import Frame

Place = TypeVar("Place")
Pixels = NDArray[np.uint8]


class Frames(Generic[Place]):
    """The frames of a recording.

    places : (time, place) of every frame, ascending in time; gone through only as far as a time was asked for.
    read : the (H, W) uint8 picture at a place, None where it can't be read.
    """

    def __init__(self, places: Iterator[tuple[int, Place]], read: Callable[[Place], Pixels | None]) -> None:
        self._coming = places
        self._read = read
        self._t_us: list[int] = []
        self._places: list[Place] = []
        self._newest: tuple[int, Frame | None] = (-1, None)

    def at(self, t_us: int) -> Frame | None:
        """The newest frame that was taken before ``t_us``; None before the first."""
        while not self._t_us or self._t_us[-1] < t_us:
            found = next(self._coming, None)
            if found is None:
                break
            # One that lies back in time would break the search; it is where its neighbour is.
            self._t_us.append(max(found[0], self._t_us[-1]) if self._t_us else found[0])
            self._places.append(found[1])
        number = bisect_right(self._t_us, t_us - 1) - 1
        if number < 0:
            return None
        if self._newest[0] != number:
            pixels = self._read(self._places[number])
            if pixels is not None:
                pixels.flags.writeable = False
            self._newest = number, None if pixels is None else Frame(self._t_us[number], pixels)
        return self._newest[1]
