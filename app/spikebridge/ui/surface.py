"""The picture of the events without Qt: when each pixel last saw one, and how that becomes palette indices.

A pixel fades linearly over a chosen time from level 127 to nothing; its palette index is ``2 · level + (1 if OFF)``.
The level stands above the polarity so that of several pixels the largest index is the newest event.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.events import EventArray, Sensor

#: Newest level.
_LEVELS = 127
#: Long ago, and far enough from the smallest int64 that differences never wrap.
_NEVER = np.int64(-(2**62))


@njit(cache=True, nogil=True)
def _absorb(events: Any, last_us: Any, off: Any) -> None:
    height, width = last_us.shape
    for i in range(events.size):
        x = events[i].x
        y = events[i].y
        if x < width and y < height:
            last_us[y, x] = events[i].t
            off[y, x] = 1 if events[i].polarity == 0 else 0


@njit(cache=True, nogil=True)
def _shade(last_us: Any, off: Any, now_us: int, fade_us: int, image: Any) -> None:
    oldest_us = now_us - fade_us
    gain = np.float32(_LEVELS / fade_us)
    height, width = last_us.shape
    for y in range(height):
        for x in range(width):
            since = last_us[y, x] - oldest_us
            level: Any = min(1 + np.int32(np.float32(min(since, fade_us)) * gain), _LEVELS)
            image[y, x] = np.uint8(2 * level + off[y, x]) if since > 0 else np.uint8(0)


@njit(cache=True, nogil=True)
def _newest_of_blocks(full: Any, rows: Any, columns: Any, row: Any, image: Any) -> None:
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
def expand(indices: Any, colours: Any, rows: Any, columns: Any, screen: Any) -> None:
    """Enlarges (h, w) uint8 palette indices to (rows, columns) uint32 colours: ``screen[i, j]`` shows the pixel at
    ``rows[i], columns[j]``."""
    for i in range(rows.size):
        if i > 0 and rows[i] == rows[i - 1]:
            screen[i] = screen[i - 1]
        else:
            for j in range(columns.size):
                screen[i, j] = colours[indices[rows[i], columns[j]]]


class TimeSurface:
    """When and with which polarity each pixel of a sensor saw its last event."""

    def __init__(self, sensor: Sensor) -> None:
        self.sensor = sensor
        self.now_us = 0
        self._last_us = np.full((sensor.height, sensor.width), _NEVER, np.int64)
        self._off = np.zeros((sensor.height, sensor.width), np.uint8)
        self._full = np.zeros((sensor.height, sensor.width), np.uint8)
        self._row = np.zeros(sensor.width, np.uint8)

    def clear(self) -> None:
        self._last_us.fill(_NEVER)

    def absorb(self, events: EventArray, t_stop_us: int) -> None:
        """Events of one packet; time that runs backwards (a seek) starts an empty picture."""
        if t_stop_us < self.now_us:
            self.clear()
        self.now_us = t_stop_us
        if events.size:
            frozen = events.view()
            frozen.flags.writeable = False
            _absorb(frozen, self._last_us, self._off)

    def shade(self, fade_us: int, image: NDArray[np.uint8]) -> None:
        """Palette indices into ``image`` (h, w): pixel by pixel at the sensor's size, else newest of each block.

        A picture smaller than the sensor takes the newest event under each of its pixels: dropping rows instead would
        hide single events.
        """
        if image.shape == self._last_us.shape:
            _shade(self._last_us, self._off, self.now_us, fade_us, image)
            return
        _shade(self._last_us, self._off, self.now_us, fade_us, self._full)
        height, width = image.shape
        rows = np.arange(height + 1) * self.sensor.height // height
        columns = np.arange(width + 1) * self.sensor.width // width
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
