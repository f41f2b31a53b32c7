"""Hot pixels: those that send events without anything before them, learnt or named in a file."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import Sensor
from spikebridge.files import read_text
from spikebridge.settings import FilterSettings
from spikebridge.sources.filters.kernels import count_pixels, keep_unmasked, mark_hot

#: A pixel is hot when it sends so many events per second at least, and so many times as many as the median of the
#: 5 × 5 pixels around it, itself counted, plus one. An edge that moves by brings events to neighbours as well.
LEAST_HZ = 20
TIMES = 8
#: So far around a pixel, px.
_AROUND = 2
_NAMED = 8


class HotPixels:
    """Leaves out hot pixels. Without a mask all events pass until the pixels were watched for long enough."""

    def __init__(self, settings: FilterSettings, sensor: Sensor) -> None:
        self._shape = (sensor.height, sensor.width)
        self._stride = sensor.width
        self._watch_us = settings.time_us
        self._given = read_mask(settings.mask, sensor) if settings.mask is not None else None
        self._counts = np.zeros(sensor.height * sensor.width, np.uint32)
        self._until_us: int | None = None
        self._masked: NDArray[np.uint8] | None = self._given

    def __call__(self, words: NDArray[np.void]) -> int:
        if not len(words):
            return 0
        n = 0
        if self._masked is None:
            if self._until_us is None:
                self._until_us = int(words["t"][0]) + self._watch_us
            n = int(np.searchsorted(words["t"], self._until_us))
            count_pixels(words[:n], self._counts, self._stride)
            if n < len(words):
                self._masked = find_hot(self._counts.reshape(self._shape), self._watch_us).ravel()
        if self._masked is None:
            return n
        return n + int(keep_unmasked(words[n:], words[n:], self._masked, self._stride))

    def reset(self, *, keep_learnt: bool) -> None:
        if self._masked is None or not keep_learnt:
            self._masked = self._given
            self._counts.fill(0)
            self._until_us = None

    def notes(self) -> tuple[str, ...]:
        if self._masked is None or self._given is not None:
            return ()
        at = np.flatnonzero(self._masked)
        if not at.size:
            return ("No hot pixel was found.",)
        named = ", ".join(f"{int(i) % self._stride},{int(i) // self._stride}" for i in at[:_NAMED])
        more = f" and {at.size - _NAMED} more" if at.size > _NAMED else ""
        pixels = "1 hot pixel is" if at.size == 1 else f"{at.size} hot pixels are"
        return (f"{pixels} left out (x,y): {named}{more}.",)


def find_hot(counts: NDArray[np.uint32], watched_us: int) -> NDArray[np.uint8]:
    """(H, W) events in ``watched_us`` → (H, W) 1 for hot pixels."""
    least = max(TIMES, -(-LEAST_HZ * watched_us // 1_000_000))
    return mark_hot(np.pad(counts, _AROUND, mode="edge"), _AROUND, least, TIMES)


def read_mask(path: Path, sensor: Sensor) -> NDArray[np.uint8]:
    """(H·W,) 1 for each pixel that a file names: a line ``x,y`` each, empty lines and a heading left out."""
    mask = np.zeros((sensor.height, sensor.width), np.uint8)
    for number, row in enumerate(csv.reader(read_text(path).removeprefix("\ufeff").splitlines()), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells[:2] == ["x", "y"]):
            continue
        if len(cells) != 2 or not all(cell.isascii() and cell.isdigit() and len(cell) < 6 for cell in cells):
            raise InputError(
                f"expected a pixel as x,y in line {number} of {path}, found '{','.join(row)}'; correct it."
            )
        x, y = int(cells[0]), int(cells[1])
        if x >= sensor.width or y >= sensor.height:
            raise InputError(
                f"expected pixels of a sensor of {sensor.width}×{sensor.height} in line {number} of {path}, found "
                f"{x},{y}; correct it or take the mask of this camera."
            )
        mask[y, x] = 1
    return mask.ravel()
