"""Events of one step into counts: what the network sees."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.bundle import InputSpec
from spikebridge.contracts import Counts
from spikebridge.events import EVENT_DTYPE, EventPacket, Sensor
from spikebridge.settings import Fit


class Binner:
    """Counts events by polarity and pixel of the network's input, as ``InputSpec`` says; ready when it is built."""

    def __init__(self, input: InputSpec, sensor: Sensor) -> None:
        if not 1 <= input.max_count <= 255:
            raise ValueError(f"expected max_count of 1 to 255 (uint8), got {input.max_count}")
        self.input = input
        self.sensor = sensor
        self._columns, self._rows = _maps(input, sensor)
        self._outside = 0
        self(EventPacket(np.zeros(0, EVENT_DTYPE), 0, input.step_us, 0, 0))  # compiles before the first real step

    @property
    def outside(self) -> int:
        """Events so far that fell outside the crop; monotonic."""
        return self._outside

    def __call__(self, packet: EventPacket) -> Counts:
        """(2, height, width) uint8, read-only and fresh: whoever holds it may keep it. Channel 0 OFF, 1 ON."""
        counts = np.zeros(self.input.shape, np.uint8)
        words = np.ascontiguousarray(packet.events).view(np.int64).reshape(-1, EVENT_DTYPE.itemsize // 8)
        words.flags.writeable = False
        self._outside += int(_count(words, self._columns, self._rows, np.uint8(self.input.max_count), counts))
        counts.flags.writeable = False
        return counts


def crop_of(input_width: int, input_height: int, fit: Fit, sensor: Sensor) -> tuple[int, int, int, int]:
    """(x0, y0, width, height) px of the part of the sensor that the network sees, see ``InputSpec.fit``."""
    width, height = sensor.width, sensor.height
    if fit == "center":
        if width * input_height > height * input_width:
            width = max(1, height * input_width // input_height)
        else:
            height = max(1, width * input_height // input_width)
    return (sensor.width - width) // 2, (sensor.height - height) // 2, width, height


def _maps(input: InputSpec, sensor: Sensor) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Column of the input for each x, row for each y; -1 outside the crop."""
    x0, y0, width, height = crop_of(input.width, input.height, input.fit, sensor)
    return (_map(sensor.width, x0, width, input.width), _map(sensor.height, y0, height, input.height))


def _map(size: int, start: int, cropped: int, scaled: int) -> NDArray[np.int32]:
    mapped = (np.arange(size) - start) * scaled // cropped
    mapped[(mapped < 0) | (mapped >= scaled)] = -1
    return mapped.astype(np.int32)


@njit(cache=True, nogil=True)
def _count(words: Any, columns: Any, rows: Any, max_count: Any, counts: Any) -> int:
    """Adds up events, int64 words ``t`` and ``x | y << 16 | polarity << 32``; returns how many fell outside."""
    outside = 0
    for i in range(words.shape[0]):
        word = words[i, 1]
        x, y, polarity = word & 0xFFFF, word >> 16 & 0xFFFF, word >> 32 & 0xFF
        if x >= columns.size or y >= rows.size or columns[x] < 0 or rows[y] < 0:
            outside += 1
            continue
        channel = 1 if polarity else 0
        if counts[channel, rows[y], columns[x]] < max_count:
            counts[channel, rows[y], columns[x]] += np.uint8(1)
    return outside
