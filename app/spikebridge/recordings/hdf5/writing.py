"""Writes HDF5 in the layout of DSEC, which most programs that read events from HDF5 understand.

``events/{x,y,t,p}``, ``t_offset`` (µs, to be added to ``t``) and ``ms_to_idx``: for each ms of ``t`` the first event at
or after it (DSEC, ``scripts/utils/eventslicer.py``). ``t`` has 64 bits: DSEC's 32 end after 71 minutes. Compressed with
gzip and shuffled, which every HDF5 library reads without a plug-in, unlike the filter of DSEC's own files.
"""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path
from types import TracebackType

import numpy as np

from spikebridge.contracts import SourceInfo
from spikebridge.errors import InputError, UsageError
from spikebridge.events import EventArray, Sensor
from spikebridge.recordings.hdf5.file import NewFile
from spikebridge.recordings.indexed import CHUNK_EVENTS

#: The longest recording, ms: ``ms_to_idx`` has a row for each.
_MOST_MS = 10 * 24 * 3600 * 1000
_COLUMNS = (("x", "x", "<u2"), ("y", "y", "<u2"), ("t", "t", "<i8"), ("p", "polarity", "u1"))
_INDEX = "ms_to_idx"
#: Rows of ``ms_to_idx`` that are made at once.
_ROWS = 1 << 20


def open_writer(path: Path, sensor: Sensor) -> DsecWriter:
    """See ``formats.Writer``."""
    return DsecWriter(path, sensor)


def what_is_lost(info: SourceInfo) -> tuple[str, ...]:
    """Nothing, up to ten days."""
    if info.t_first_us is not None and info.t_last_us is not None:
        _check_length(Path(info.title), (info.t_last_us - info.t_first_us) // 1000)
    return ()


class DsecWriter:
    """A recording being written; appears under its name when it is closed, and not at all after an error."""

    def __init__(self, path: Path, sensor: Sensor) -> None:
        self.path = path
        self._temporary = path.with_name(f".spikebridge-{secrets.token_hex(8)}.part")
        self._start_us: int | None = None
        self._n_events = self._n_ms = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = NewFile(self._temporary)
        except OSError as error:
            with contextlib.suppress(OSError):
                self._temporary.unlink()
            raise self._refused(error) from error
        for name, _, dtype in _COLUMNS:
            self._file.add_column(f"events/{name}", dtype, CHUNK_EVENTS)
        self._file.add_column(_INDEX, "<u8", CHUNK_EVENTS)
        self._file.put_attribute("width", sensor.width)
        self._file.put_attribute("height", sensor.height)
        self._file.put_attribute("sensor_name", sensor.name)

    def write(self, events: EventArray) -> None:
        """See ``formats.EventWriter``."""
        if not events.size:
            return
        if self._start_us is None:
            self._start_us = int(events["t"][0])
        relative_us = events["t"] - self._start_us
        _check_length(self.path, int(relative_us[-1]) // 1000)
        try:
            self._index(relative_us)
            for name, field, dtype in _COLUMNS:
                values = relative_us if field == "t" else events[field]
                self._file.append(f"events/{name}", values.astype(dtype))
        except OSError as error:
            self.abort()
            raise self._refused(error) from error
        self._n_events += events.size

    def close(self) -> None:
        """See ``formats.EventWriter``."""
        try:
            self._file.put_number("t_offset", "<i8", self._start_us or 0)
            self._file.close()
            self._temporary.replace(self.path)
        except OSError as error:
            self.abort()
            raise self._refused(error) from error

    def abort(self) -> None:
        """See ``formats.EventWriter``."""
        with contextlib.suppress(OSError, RuntimeError):  # what was still buffered can't be written either
            self._file.close()
        self._temporary.unlink(missing_ok=True)

    def __enter__(self) -> DsecWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()

    def _index(self, relative_us: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
        """Rows for the ms that begin at or before the last event."""
        stop = int(relative_us[-1]) // 1000 + 1
        for begin in range(self._n_ms, stop, _ROWS):
            ms = np.arange(begin, min(begin + _ROWS, stop))
            self._file.append(_INDEX, (self._n_events + np.searchsorted(relative_us, ms * 1000)).astype("<u8"))
        self._n_ms = max(self._n_ms, stop)

    def _refused(self, error: OSError) -> InputError:
        return InputError(
            f"expected to write the recording {self.path}, found: {error.strerror or error}; free some space or take "
            "another place."
        )


def _check_length(path: Path, length_ms: int) -> None:
    if length_ms > _MOST_MS:
        raise UsageError(
            f"expected at most ten days for HDF5 in the layout of DSEC, found {length_ms // 86_400_000} in {path}; cut "
            "it, or write AEDAT4."
        )
