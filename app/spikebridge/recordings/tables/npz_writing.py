"""Writes NPZ: the arrays t (µs), x, y and p (0 or 1), as spikingjelly and most scripts load them, and the sensor's.

An archive has one array after the other and each begins with its length, so the columns grow in files of their own
and are put together at the end. Not compressed: so an array can be read in parts.
"""

from __future__ import annotations

import io
import shutil
import tempfile
import zipfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from spikebridge.contracts import SourceInfo
from spikebridge.events import EventArray, Sensor
from spikebridge.recordings.tables.arrays import SENSOR_NAME, SENSOR_SIZE
from spikebridge.recordings.tables.whole_file import WholeFile

_COLUMNS = (("t", "t", "<i8"), ("x", "x", "<u2"), ("y", "y", "<u2"), ("p", "polarity", "|u1"))
_AT_ONCE = 1 << 20


def open_writer(path: Path, sensor: Sensor) -> NpzWriter:
    """See ``formats.Writer``."""
    return NpzWriter(path, sensor)


def what_is_lost(info: SourceInfo) -> tuple[str, ...]:
    """Nothing: arrays of their own keep the sensor."""
    return ()


class NpzWriter:
    """See ``formats.EventWriter``."""

    def __init__(self, path: Path, sensor: Sensor) -> None:
        self._sensor = sensor
        self._n = 0
        self._target = WholeFile(path)
        self._stack = ExitStack()
        try:
            # On the disk where the archive will be.
            columns = [tempfile.TemporaryFile(dir=path.parent) for _ in _COLUMNS]  # noqa: SIM115
            self._columns = [self._stack.enter_context(column) for column in columns]
        except OSError as error:
            self._target.fail(error)

    def write(self, events: EventArray) -> None:
        """Appends events."""
        try:
            for file, (_, name, kind) in zip(self._columns, _COLUMNS, strict=True):
                file.write(events[name].astype(kind).tobytes())
        except OSError as error:
            self._stack.close()
            self._target.fail(error)
        self._n += events.size

    def close(self) -> None:
        """Puts the archive together and gives it its name."""
        try:
            with self._stack, zipfile.ZipFile(self._target.file, "w", zipfile.ZIP_STORED) as archive:
                for file, (name, _, kind) in zip(self._columns, _COLUMNS, strict=True):
                    with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                        member.write(_header(kind, self._n))
                        file.seek(0)
                        shutil.copyfileobj(file, member, _AT_ONCE)
                archive.writestr(zipfile.ZipInfo(f"{SENSOR_SIZE}.npy"), _whole(np.array(self._size, "<i8")))
                archive.writestr(zipfile.ZipInfo(f"{SENSOR_NAME}.npy"), _whole(np.array(self._sensor.name)))
        except OSError as error:
            self._target.fail(error)
        self._target.close()

    def abort(self) -> None:
        """Leaves nothing behind."""
        self._stack.close()
        self._target.abort()

    @property
    def _size(self) -> tuple[int, int]:
        return self._sensor.width, self._sensor.height


def _header(kind: str, n: int) -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": kind, "fortran_order": False, "shape": (n,)})
    return header.getvalue()


def _whole(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array(content, array, allow_pickle=False)
    return content.getvalue()
