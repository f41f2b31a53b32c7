"""How the picture of the events becomes palette indices and colours; without Qt.

A pixel fades linearly over a chosen time from level 127 to nothing; its palette index is ``2 · level + (1 if OFF)``.
The level stands above the polarity so that of several pixels the largest index is the newest event.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.events import Sensor
from spikebridge.picture import Picture

Indices: TypeAlias = NDArray[np.uint8]
Places: TypeAlias = NDArray[np.int64]

#: Newest level.
_LEVELS = 127
#: Of 256: how bright a frame is under the events, which have to stand out from it.
_DIMMED = 150


@njit(cache=True, nogil=True)
def _shade(last_us: NDArray[np.int64], off: Indices, now_us: int, fade_us: int, image: Indices) -> None:
    oldest_us = now_us - fade_us
    gain = np.float32(_LEVELS / fade_us)
    height, width = last_us.shape
    for y in range(height):
        for x in range(width):
            since = last_us[y, x] - oldest_us
            level = min(np.int32(1) + np.int32(np.float32(min(since, fade_us)) * gain), np.int32(_LEVELS))
            image[y, x] = np.uint8(2 * level + off[y, x]) if since > 0 else np.uint8(0)


@njit(cache=True, nogil=True)
def _newest_of_blocks(full: Indices, rows: Places, columns: Places, row: Indices, image: Indices) -> None:
    """``image[i, j]``: the largest of ``full[rows[i]:rows[i + 1], columns[j]:columns[j + 1]]``; ``row`` is scratch."""
    for i in range(rows.size - 1):
        for x in range(row.size):
            row[x] = full[rows[i], x]
        for y in range(rows[i] + 1, rows[i + 1]):
            for x in range(row.size):
                row[x] = max(row[x], full[y, x])
        for j in range(columns.size - 1):
            newest = row[columns[j]]
            for x in range(columns[j] + 1, columns[j + 1]):
                newest = max(newest, row[x])
            image[i, j] = newest


@njit(cache=True, nogil=True)
def expand(
    indices: Indices, colours: NDArray[np.uint32], rows: Places, columns: Places, screen: NDArray[np.uint32]
) -> None:
    """Enlarges (h, w) uint8 palette indices to (rows, columns) uint32 colours: ``screen[i, j]`` shows the pixel at
    ``rows[i], columns[j]``."""
    for i in range(rows.size):
        if i > 0 and rows[i] == rows[i - 1]:
            screen[i] = screen[i - 1]
        else:
            for j in range(columns.size):
                screen[i, j] = colours[indices[rows[i], columns[j]]]


@njit(cache=True, nogil=True)
def expand_over(
    frame: Indices,
    indices: Indices,
    colours: NDArray[np.uint32],
    rows: Places,
    columns: Places,
    screen: NDArray[np.uint32],
) -> None:
    """The same with a frame of the sensor's pixels, dimmed, where there is no event; ``indices`` may be smaller."""
    height, width = frame.shape
    for i in range(rows.size):
        y = rows[i] * height // indices.shape[0]
        for j in range(columns.size):
            index = indices[rows[i], columns[j]]
            if index > 1:
                screen[i, j] = colours[index]
            else:
                grey = np.uint32(frame[y, columns[j] * width // indices.shape[1]]) * _DIMMED >> 8
                screen[i, j] = 0xFF000000 | grey << 16 | grey << 8 | grey


class Shader:
    """Turns the pictures of one sensor into palette indices."""

    def __init__(self, sensor: Sensor) -> None:
        self._full: Indices = np.zeros((sensor.height, sensor.width), np.uint8)
        self._row: Indices = np.zeros(sensor.width, np.uint8)

    def shade(self, picture: Picture, fade_us: int, image: Indices) -> None:
        """Palette indices into ``image`` (h, w): pixel by pixel at the sensor's size, else newest of each block.

        A picture smaller than the sensor takes the newest event under each of its pixels: dropping rows instead would
        hide single events.
        """
        if image.shape == picture.last_us.shape:
            _shade(picture.last_us, picture.off, picture.now_us, fade_us, image)
            return
        _shade(picture.last_us, picture.off, picture.now_us, fade_us, self._full)
        (height, width), sensor = image.shape, picture.sensor
        rows = np.arange(height + 1) * sensor.height // height
        columns = np.arange(width + 1) * sensor.width // width
        _newest_of_blocks(self._full, rows, columns, self._row, image)


def palette(on: tuple[int, int, int], off: tuple[int, int, int], ground: tuple[int, int, int]) -> list[int]:
    """256 colours 0xAARRGGBB by index: from ``ground`` to the colours of ON and OFF, the newest events brightest."""
    # The square root keeps a fading trail visible for most of its time; a linear ramp looks black after a third.
    ramp = np.sqrt(np.arange(_LEVELS + 1) / _LEVELS)[:, None]
    colours = np.empty((2 * (_LEVELS + 1), 3))
    for parity, colour in enumerate((on, off)):
        colours[parity::2] = ramp * np.array(colour) + (1 - ramp) * np.array(ground)
    red, green, blue = np.rint(colours).astype(np.int64).T
    return [int(c) for c in (0xFF << 24) | (red << 16) | (green << 8) | blue]


_GROUND = (6, 8, 12)
#: Told apart by lightness as well as hue: by every colour vision, and in a black and white print.
PALETTES: dict[str, list[int]] = {
    "orange and blue": palette((255, 190, 60), (50, 130, 220), _GROUND),
    "white and grey": palette((255, 255, 255), (112, 120, 132), _GROUND),
}
NEWEST_ON, NEWEST_OFF = 2 * _LEVELS, 2 * _LEVELS + 1
#: Times over which an event fades, µs.
FADES_US = (10_000, 30_000, 60_000, 120_000, 300_000, 1_000_000)
