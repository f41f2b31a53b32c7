"""Writes Event Stream files of version 2.0 with the events of a DVS; see ``event_stream``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.contracts import SourceInfo
from spikebridge.events import Sensor
from spikebridge.recordings.encoded_file import EncodedFile

#: Before an event there is a byte for each 127 µs since the one before, or since 0; a first time beyond this, of 1 MB
#: of such bytes, is not written: the recording then begins at 0.
_LATEST_FIRST_US = 1 << 27
_BUFFER_BYTES = 1 << 18
_EVENT_BYTES = 5


def open_writer(path: Path, sensor: Sensor) -> EncodedFile:
    """See ``formats.Writer``."""
    return EncodedFile(path, sensor, _Encoder(sensor))


def what_is_lost(info: SourceInfo) -> tuple[str, ...]:
    """See ``formats.Writer``: the sensor's name, and a first time that is far from 0."""
    lost = []
    if info.sensor.name:
        lost.append(f"Event Stream has no place for the name of the sensor, {info.sensor.name}.")
    if (info.t_first_us or 0) >= _LATEST_FIRST_US:
        lost.append(f"Event Stream counts time from 0: the first event will be at 0 instead of {info.t_first_us} µs.")
    return tuple(lost)


class _Encoder:
    def __init__(self, sensor: Sensor) -> None:
        self._sensor = sensor
        self._last_us = np.zeros(1, np.int64)
        self._buffer = np.empty(_BUFFER_BYTES, np.uint8)

    def begin(self, first_us: int) -> bytes:
        if first_us >= _LATEST_FIRST_US:
            self._last_us[0] = first_us
        size = self._sensor.width.to_bytes(2, "little") + self._sensor.height.to_bytes(2, "little")
        return b"Event Stream\x02\x00\x00\x01" + size

    def encode(self, words: NDArray[np.void]) -> Iterator[bytes]:
        at = 0
        while at < words.size:
            at, n = _encode(words, at, self._sensor.height, self._last_us, self._buffer)
            yield self._buffer[:n].tobytes()


@njit(cache=True, nogil=True)
def _encode(
    words: NDArray[np.void], at: int, height: int, last_us: NDArray[np.int64], out: NDArray[np.uint8]
) -> tuple[int, int]:
    """Writes the bytes of events from number ``at`` on to ``out``, as many as it holds.

    last_us : (1,) time that was written so far. Returns the number of the next event, and how many bytes were written.
    """
    n, last = 0, last_us[0]
    while at < words.shape[0] and n + _EVENT_BYTES <= out.size:
        passed = words[at].t - last
        while passed >= 127 and n < out.size:
            out[n] = 0xFF
            n += 1
            passed -= 127
            last += 127
        if passed >= 127 or n + _EVENT_BYTES > out.size:
            break
        rest = words[at].rest
        y = height - 1 - (rest >> 16 & 0xFFFF)
        out[n] = passed << 1 | rest >> 32
        out[n + 1] = rest & 0xFF
        out[n + 2] = rest >> 8 & 0xFF
        out[n + 3] = y & 0xFF
        out[n + 4] = y >> 8
        n += _EVENT_BYTES
        last += passed
        at += 1
    last_us[0] = last
    return at, n
