"""MATLAB's files of version 5 to 7, read by scipy, which is imported here alone.

A file holds variables, each of up to 2 GB and packed as a whole, so that reading means having it in memory: files of
more events than fit are refused. Files of version 7.3 are HDF5, see ``layouts``.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.recordings.hdf5.columns import Columns, open_columns
from spikebridge.recordings.hdf5.names import FIELDS, field_of
from spikebridge.recordings.hdf5.rows import Column, MemoryRows, Values
from spikebridge.recordings.indexed import IndexedRecording
from spikebridge.recordings.recording_file import RecordingFile
from spikebridge.settings import ReadSettings

_HEADER_BYTES = 128
_COMPRESSED, _MATRIX = 15, 14
#: Of the variables that hold events, unpacked: twelve million events of four doubles.
_MOST_BYTES = 384 << 20
_MOST_VARIABLES = 4096
_SHOWN = 12
#: What scipy raises at a damaged file, by where the damage is.
_DAMAGE = (
    OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, MemoryError,
    NotImplementedError, RuntimeError, AssertionError, EOFError, Warning, zlib.error, struct.error,
)  # fmt: skip


def open_recording(path: Path, settings: ReadSettings) -> IndexedRecording:
    """See ``formats.Reader``."""
    groups, others = _vectors(path)
    found = {place: vectors for place, vectors in groups.items() if set(FIELDS) <= set(vectors)}
    if not found:
        shown = ", ".join([*others, *groups][:_SHOWN]) or "no variables"
        raise InputError(
            f"expected {path} to hold events (vectors x, y, ts and p, or a struct of them), found {shown}; save it "
            "with these."
        )
    place = min(found)
    t, x, y, p = (Column(MemoryRows(found[place][field])) for field in FIELDS)
    samples = {f"events of {name}": vectors["t"].size for name, vectors in found.items() if name != place}
    notes = tuple(f"{name} has {n} events too, which were left out." for name, n in samples.items())
    return open_columns(path, "MATLAB 5", Columns(place or "the file", t, x, y, p), None, settings, notes, samples)


def _vectors(path: Path) -> tuple[dict[str, dict[str, Values]], list[str]]:
    """Vectors that are columns of events by the struct they are in ("" for none), and the names of all variables."""
    from scipy import io

    sizes = _sizes(RecordingFile(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            listed = io.whosmat(path)
            wanted = [
                (name, size)
                for (name, shape, kind), size in zip(listed, sizes, strict=False)
                if field_of(name) or (kind == "struct" and shape == (1, 1))
            ]
            _check_size(path, sum(size for _, size in wanted))
            content: Mapping[str, object] = io.loadmat(
                path, variable_names=[name for name, _ in wanted], mat_dtype=False, chars_as_strings=False
            )
    except io.matlab.MatReadError as error:
        raise _damaged(path, error) from error
    except _DAMAGE as error:
        raise _damaged(path, error) from error
    groups: dict[str, dict[str, Values]] = {}
    for name, _ in wanted:
        _collect(groups, name, content.get(name))
    return groups, [name for name, _, _ in listed]


def _damaged(path: Path, error: Exception) -> InputError:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return InputError(
        f"expected {path} to be a whole MATLAB file, found it damaged ({reason}); it was cut, copy it again."
    )


def _collect(groups: dict[str, dict[str, Values]], name: str, value: object) -> None:
    """Puts a variable where it belongs: a vector by itself, or the vectors of a struct."""
    if not isinstance(value, np.ndarray):
        return
    inside: NDArray[np.void] = value
    if inside.dtype.names and inside.size == 1:
        for field in inside.dtype.names:
            _put(groups.setdefault(name, {}), field, inside[field].flat[0])
    else:
        _put(groups.setdefault("", {}), name, value)


def _put(vectors: dict[str, Values], name: str, value: object) -> None:
    field = field_of(name)
    if field and isinstance(value, np.ndarray) and value.dtype.kind in "iufb" and max(value.shape) == value.size:
        vectors.setdefault(field, value.ravel())


def _sizes(file: RecordingFile) -> list[int]:
    """Bytes of each variable once it is unpacked, by the word of the file (MAT-File Format, "Data Element Format")."""
    head = file.read(0, _HEADER_BYTES)
    order = "<" if head[126:128] == b"IM" else ">"
    sizes: list[int] = []
    at = _HEADER_BYTES
    while at + 8 <= file.size and len(sizes) < _MOST_VARIABLES:
        kind, size = struct.unpack(f"{order}II", file.read(at, 8))
        sizes.append(_unpacked_size(file.read(at + 8, min(size, 256)), order) if kind == _COMPRESSED else size)
        at += 8 + size
    return sizes


def _unpacked_size(start: bytes, order: str) -> int:
    """The size that a packed variable says that it has; the largest there is where it cannot be read."""
    try:
        tag = zlib.decompressobj().decompress(start, 8)
        return int(struct.unpack(f"{order}II", tag)[1])
    except (zlib.error, struct.error):
        return 0xFFFFFFFF


def _check_size(path: Path, n_bytes: int) -> None:
    if n_bytes > _MOST_BYTES:
        raise InputError(
            f"expected at most {_MOST_BYTES >> 20} MiB of events in {path}, as files of this version are read as a "
            f"whole, found {n_bytes >> 20} MiB; save it with -v7.3 in MATLAB."
        )
