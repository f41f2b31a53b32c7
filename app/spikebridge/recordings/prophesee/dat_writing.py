"""Writes DAT files of version 2, as OpenEB 5.1 does (``DAT_helper.h``)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.contracts import SourceInfo
from spikebridge.errors import InputError, UsageError
from spikebridge.events import Sensor
from spikebridge.recordings.encoded_file import EncodedFile, header_lines

_TIME_BITS = 32
_LARGEST_PX = 1 << 14
#: Change detections of 8 bytes.
_TYPE_AND_SIZE = bytes((0x0C, 8))


def open_writer(path: Path, sensor: Sensor) -> EncodedFile:
    """See ``formats.Writer``."""
    _check_size(sensor)
    return EncodedFile(path, sensor, _Encoder(sensor, path))


def what_is_lost(info: SourceInfo) -> tuple[str, ...]:
    """See ``formats.Writer``: nothing, but what readers other than this one and faery make of the time."""
    _check_size(info.sensor)
    if (info.t_first_us or 0) >> _TIME_BITS == 0:
        return ()
    return (
        "DAT counts time from 0 again every 71 minutes; what comes before the first event stands in the header as t0, "
        "which this program and faery add, and others, such as Metavision, do not know.",
    )


class _Encoder:
    def __init__(self, sensor: Sensor, path: Path) -> None:
        self._sensor, self._path = sensor, path
        self._last_us = 0

    def begin(self, first_us: int) -> bytes:
        self._last_us = first_us
        offset_us = first_us >> _TIME_BITS << _TIME_BITS
        fields = {
            "Data": "file containing CD events.",
            "Version": "2",
            "Height": str(self._sensor.height),
            "Width": str(self._sensor.width),
            "sensor_name": self._sensor.name,
            "t0": str(offset_us) if offset_us else "",
        }
        return header_lines(fields) + _TYPE_AND_SIZE

    def encode(self, words: NDArray[np.void]) -> Iterator[bytes]:
        records = np.empty((words.size, 2), np.uint32)
        self._last_us, longest_us = _encode(words, self._last_us, records)
        if longest_us >> _TIME_BITS - 1:
            raise InputError(
                f"expected no silence of more than 35 minutes to write {self._path}, found one of "
                f"{longest_us // 60_000_000}, which DAT cannot hold; choose another format."
            )
        yield records.tobytes()


def _check_size(sensor: Sensor) -> None:
    if max(sensor.width, sensor.height) > _LARGEST_PX:
        raise UsageError(
            f"expected a sensor of at most {_LARGEST_PX}x{_LARGEST_PX} px for DAT, found "
            f"{sensor.width}x{sensor.height}; choose another format."
        )


@njit(cache=True, nogil=True)
def _encode(words: NDArray[np.void], last_us: int, records: NDArray[np.uint32]) -> tuple[int, int]:
    """Writes time and address of each event; returns the last time and the longest silence."""
    longest_us = 0
    for i in range(words.shape[0]):
        time, rest = words[i].t, words[i].rest
        longest_us = max(longest_us, time - last_us)
        last_us = time
        records[i, 0] = time & 0xFFFFFFFF
        records[i, 1] = rest & 0x3FFF | (rest >> 16 & 0x3FFF) << 14 | (rest >> 32) << 28
    return int(last_us), int(longest_us)
