"""Writes RAW files of EVT3 words that OpenEB, faery and evt3 read as well.

OpenEB 5.1 takes vectors as three words of 12, 12 and 8 pixels only, which have to lie on the sensor with all of their
32 (``evt3_decoder.h``, ``evt3_validator.h``). So a vector is written where five events or more lie in 32 pixels of a
row, from left to right; the others are single words.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.contracts import SourceInfo
from spikebridge.errors import UsageError
from spikebridge.events import Sensor
from spikebridge.recordings.encoded_file import EncodedFile, header_lines
from spikebridge.recordings.prophesee.words import LARGEST_PX

_TIME_BITS = 24
_BUFFER_WORDS = 1 << 18
#: Words that one event takes at most, without those of a silence before it.
_MOST_WORDS = 8
#: Words of a vector, and events from which on it is smaller than single words.
_VECTOR_WORDS = 4
#: Most by which the upper part of the time goes on in one word, so that no reader takes it for a wrap.
_LONGEST_STEP = 1 << 10
#: faery 0.7.1 sees a wrap only between the last and the first value, and does not begin at the last two.
_FIRST_REFUSED, _LEAD = 0xFFE, 0x800
# Slots of the state of an encoder.
_HIGH, _LOW, _ROW = 0, 1, 2


def open_writer(path: Path, sensor: Sensor) -> EncodedFile:
    """See ``formats.Writer``."""
    _check_size(sensor)
    return EncodedFile(path, sensor, _Encoder(sensor))


def what_is_lost(info: SourceInfo) -> tuple[str, ...]:
    """See ``formats.Writer``: nothing, but what readers other than this one and faery make of the time."""
    _check_size(info.sensor)
    if (info.t_first_us or 0) >> _TIME_BITS == 0:
        return ()
    return (
        "RAW counts time from 0 again every 16.8 s; what comes before the first event stands in the header as t0, "
        "which this program and faery add, and others, such as Metavision, do not know.",
    )


class _Encoder:
    def __init__(self, sensor: Sensor) -> None:
        self._sensor = sensor
        self._offset_us = 0
        self._state = np.full(3, -1, np.int64)
        self._buffer = np.empty(_BUFFER_WORDS, np.uint16)

    def begin(self, first_us: int) -> bytes:
        width, height = self._sensor.width, self._sensor.height
        self._offset_us = first_us >> _TIME_BITS << _TIME_BITS
        return header_lines(
            {
                "camera_integrator_name": "Prophesee",
                "evt": "3.0",
                "format": f"EVT3;height={height};width={width}",
                "geometry": f"{width}x{height}",
                "plugin_integrator_name": "Prophesee",
                "sensor_name": self._sensor.name,
                "t0": str(self._offset_us) if self._offset_us else "",
            }
        )

    def encode(self, words: NDArray[np.void]) -> Iterator[bytes]:
        at = 0
        while at < words.size:
            at, n = encode_evt3(words, at, self._offset_us, self._sensor.width, self._state, self._buffer)
            yield self._buffer[:n].tobytes()


def _check_size(sensor: Sensor) -> None:
    if max(sensor.width, sensor.height) > LARGEST_PX:
        raise UsageError(
            f"expected a sensor of at most {LARGEST_PX}x{LARGEST_PX} px for RAW, found {sensor.width}x{sensor.height}; "
            "choose another format."
        )


@njit(cache=True, nogil=True)
def encode_evt3(
    words: NDArray[np.void], at: int, offset_us: int, width: int, state: NDArray[np.int64], out: NDArray[np.uint16]
) -> tuple[int, int]:
    """Writes the EVT3 words of events from number ``at`` on to ``out``, as many as it holds.

    words : (N,) ``ordering.as_words``. Returns the number of the next event, and how many words were written.
    """
    n = 0
    high, low, row = state[_HIGH], state[_LOW], state[_ROW]
    while at < words.shape[0] and n + _MOST_WORDS <= out.size:
        time, rest = words[at].t - offset_us, words[at].rest
        if time >> 12 != high:
            high, n = _go_on(high, time >> 12, n, out)
            low = row = np.int64(-1)
            if time >> 12 != high or n + _MOST_WORDS > out.size:
                break
        if time & 0xFFF != low:
            low = time & 0xFFF
            out[n] = 0x6000 | low
            n += 1
        if rest >> 16 & 0x7FF != row:
            row = rest >> 16 & 0x7FF
            out[n] = row
            n += 1
        last = at + _VECTOR_WORDS
        size = 0
        if last < words.shape[0] and words[last].t == words[at].t and (words[last].rest ^ rest) >> 16 == 0:
            base = min(rest & 0x7FF, width - 32)
            size, mask = _vector(words, at, base)
        if size > _VECTOR_WORDS and base >= 0:
            out[n] = 0x3000 | (rest >> 32) << 11 | base
            out[n + 1] = 0x4000 | mask & 0xFFF
            out[n + 2] = 0x4000 | mask >> 12 & 0xFFF
            out[n + 3] = 0x5000 | mask >> 24
            n += _VECTOR_WORDS
            at += size
        else:
            out[n] = 0x2000 | (rest >> 32) << 11 | rest & 0x7FF
            n += 1
            at += 1
    state[_HIGH], state[_LOW], state[_ROW] = high, low, row
    return at, n


@njit(cache=True, nogil=True)
def _vector(words: NDArray[np.void], at: int, base: int) -> tuple[int, int]:
    """How many events from number ``at`` on one vector from ``base`` holds, and its mask.

    They follow each other from left to right with the same time, row and polarity.
    """
    time, first = words[at].t, words[at].rest
    mask, before = np.int64(0), np.int64(-1)
    size = 0
    for i in range(at, min(at + 32, words.shape[0])):
        x = words[i].rest & 0xFFFF
        if words[i].t != time or (words[i].rest ^ first) >> 16 or x <= before or x >= base + 32:
            break
        mask |= np.int64(1) << (x - base)
        before = x
        size += 1
    return size, int(mask)


@njit(cache=True, nogil=True)
def _go_on(before: int, high: int, n: int, out: NDArray[np.uint16]) -> tuple[int, int]:
    """Writes time words from the one before up to ``high``, or as far as ``out`` has room.

    Returns how far that is, and how many words there are then. The first word of a file never begins with the byte of
    ``%``, which readers that do not know ``% end`` would take for text.
    """
    if before < 0:
        value = high & 0xFFF
        before = _LEAD if value >= _FIRST_REFUSED else value - (value & 0xFF == 0x25)
        out[n] = 0x8000 | before
        n += 1
    while before < high and n < out.size:
        after = min(high, before + _LONGEST_STEP)
        last = before | 0xFFF
        if after > last:
            after = last if before < last else last + 1
        before = after
        out[n] = 0x8000 | after & 0xFFF
        n += 1
    return before, n
