"""Events of one step into counts: what the network sees."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.bundle import InputSpec
from spikebridge.contracts import Counts
from spikebridge.events import EVENT_DTYPE, EventArray, EventPacket, Sensor, empty_events
from spikebridge.settings import Fit


class Binner:
    """Counts events by polarity and pixel of the network's input, as ``InputSpec`` says; ready when it is built."""

    def __init__(self, input: InputSpec, sensor: Sensor) -> None:
        if not 1 <= input.max_count <= 255:
            raise ValueError(f"expected max_count of 1 to 255 (uint8), got {input.max_count}")
        self.input = input
        self.sensor = sensor
        self._places = _places(input, sensor)
        self._outside = 0
        # Compiles before the first real step.
        self._bin(empty_events())

    @property
    def outside(self) -> int:
        """Events so far that fell outside the crop; monotonic."""
        return self._outside

    def __call__(self, packet: EventPacket) -> Counts:
        """(2, height, width) uint8, read-only and fresh: whoever holds it may keep it. Channel 0 OFF, 1 ON."""
        return self._bin(packet.events)

    def _bin(self, events: EventArray) -> Counts:
        counts = np.zeros(self.input.shape, np.uint8)
        words = np.ascontiguousarray(events).view(np.int64).reshape(-1, EVENT_DTYPE.itemsize // 8)
        words.flags.writeable = False
        width, height = self.sensor.width, self.sensor.height
        self._outside += _count(words, width, height, self._places, self.input.max_count, counts.reshape(-1))
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


def _places(input: InputSpec, sensor: Sensor) -> NDArray[np.int32]:
    """For each pixel of the sensor its place in a channel of the input, -1 outside the crop; empty where they are the
    same."""
    if (sensor.width, sensor.height) == (input.width, input.height):
        return np.zeros(0, np.int32)
    x0, y0, width, height = crop_of(input.width, input.height, input.fit, sensor)
    columns = _map(sensor.width, x0, width, input.width)
    rows = _map(sensor.height, y0, height, input.height)
    places = rows[:, None] * input.width + columns
    places[(rows[:, None] < 0) | (columns < 0)] = -1
    return places.reshape(-1).astype(np.int32)


def _map(size: int, start: int, cropped: int, scaled: int) -> NDArray[np.int64]:
    mapped = (np.arange(size) - start) * scaled // cropped
    mapped[(mapped < 0) | (mapped >= scaled)] = -1
    return mapped


@njit(cache=True, nogil=True)
def _count(
    words: NDArray[np.int64],
    width: int,
    height: int,
    places: NDArray[np.int32],
    max_count: int,
    counts: NDArray[np.uint8],
) -> int:
    """Adds up events, int64 words ``t`` and ``x | y << 16 | polarity << 32``; returns how many fell outside.

    counts : both channels one after the other. Polarity and saturation are computed, not branched on: which way such a
    branch goes is noise, and half of them would be mispredicted. Unsigned indices spare a test for negative ones.
    """
    outside = 0
    mapped = places.size > 0
    channel = np.uint64(counts.size // 2)
    columns, rows = np.uint64(width), np.uint64(height)
    highest = np.uint8(max_count)
    for i in range(words.shape[0]):
        word = np.uint64(words[i, 1])
        x, y = word & np.uint64(0xFFFF), word >> np.uint64(16) & np.uint64(0xFFFF)
        if x >= columns or y >= rows:
            outside += 1
            continue
        index = y * columns + x
        if mapped:
            place = places[index]
            if place < 0:
                outside += 1
                continue
            index = np.uint64(place)
        index += np.uint64((word >> np.uint64(32) & np.uint64(0xFF)) != np.uint64(0)) * channel
        count = counts[index]
        counts[index] = count + np.uint8(count < highest)
    return outside
