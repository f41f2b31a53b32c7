"""MATLAB's files of version 5 to 7. Those of version 7.3 are HDF5, see ``layouts``.

Read here and not by scipy (1.17.1), which some damaged files end the process with. A file holds variables, each packed
as a whole, so that reading means having them in memory: files with more events than fit are refused. The layout is that
of MathWorks' "MAT-File Format": after 128 bytes come elements, each with a tag of type and size.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spikebridge.errors import InputError
from spikebridge.recordings.hdf5.columns import Columns, open_columns
from spikebridge.recordings.hdf5.names import FIELDS, field_of
from spikebridge.recordings.hdf5.rows import Column, MemoryRows, Values
from spikebridge.recordings.indexed import IndexedRecording
from spikebridge.recordings.recording_file import RecordingFile
from spikebridge.settings import ReadSettings

_HEADER_BYTES = 128
_MATRIX, _PACKED = 14, 15
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_STRUCT = 2
#: Classes of arrays of numbers: double, single, then whole numbers of 8 to 64 bits.
_NUMBERS = range(6, 16)
#: Of all variables that are read, unpacked: twelve million events of four doubles.
_MOST_BYTES = 384 << 20
#: Of a variable, to see what it is.
_HEAD_BYTES = 1024
_MOST_VARIABLES = 4096
_SHOWN = 12


class _DamageError(Exception):
    """The bytes are no element of a MAT-file."""


@dataclass(frozen=True, slots=True)
class _Array:
    """A variable, or a field of a struct. kind : its class. content : what follows its name."""

    name: str
    kind: int
    shape: tuple[int, ...]
    content: memoryview

    @property
    def is_vector(self) -> bool:
        return sum(side != 1 for side in self.shape) <= 1


def open_recording(path: Path, settings: ReadSettings) -> IndexedRecording:
    """See ``formats.Reader``."""
    groups, names, damage = _vectors(RecordingFile(path))
    found = {place: vectors for place, vectors in groups.items() if set(FIELDS) <= set(vectors)}
    if not found:
        shown = ", ".join(names[:_SHOWN]) or "no variables"
        raise InputError(
            f"expected {path} to hold events (vectors x, y, ts and p, or a struct of them), found {shown}"
            + (f" before it is damaged ({damage}); copy it again." if damage else "; save it with these.")
        )
    place = min(found)
    t, x, y, p = (Column(MemoryRows(found[place][field])) for field in FIELDS)
    others = {name or "the file": vectors["t"].size for name, vectors in found.items() if name != place}
    samples = {f"events of {name}": n for name, n in others.items()}
    notes = tuple(f"{name} has {n} events too, which were left out." for name, n in others.items())
    if damage:
        notes += (f"The file is damaged after these ({damage}).",)
    return open_columns(path, "MATLAB 5", Columns(place or "the file", t, x, y, p), None, settings, notes, samples)


def _vectors(file: RecordingFile) -> tuple[dict[str, dict[str, Values]], list[str], str]:
    """Columns of events by the struct they are in ("" for none), the names of all variables, and what is damaged."""
    order = "<" if file.read(126, 2) == b"IM" else ">"
    groups: dict[str, dict[str, Values]] = {}
    names: list[str] = []
    n_bytes = 0
    try:
        for at, size, packed in _elements(file, order):
            if not size:
                continue
            head = _array(_unpacked(file, at, size, packed, _HEAD_BYTES), order)
            names.append(head.name)
            if not (field_of(head.name) and head.kind in _NUMBERS) and not (head.kind == _STRUCT and head.is_vector):
                continue
            n_bytes += _check_size(file, n_bytes, _size_of(file, at, size, packed, order))
            whole = _array(_unpacked(file, at, size, packed, _MOST_BYTES), order)
            if whole.kind != _STRUCT:
                _put(groups.setdefault("", {}), whole.name, whole, order)
                continue
            for field in _fields(whole, order):
                _put(groups.setdefault(whole.name, {}), field.name, field, order)
    except (_DamageError, struct.error, zlib.error) as error:
        return groups, names, str(error)
    return groups, names, ""


def _elements(file: RecordingFile, order: str) -> Iterator[tuple[int, int, bool]]:
    """Byte, size and whether it is packed, of each variable."""
    at = _HEADER_BYTES
    for _ in range(_MOST_VARIABLES):
        if at >= file.size:
            return
        kind, size = struct.unpack(f"{order}II", file.read(at, 8))
        if kind not in (_MATRIX, _PACKED):
            raise _DamageError(f"an element of type {kind} at byte {at}")
        yield at + 8, size, kind == _PACKED
        at += 8 + size


def _unpacked(file: RecordingFile, at: int, size: int, packed: bool, most: int) -> memoryview:
    """What is in a variable, at most that many bytes of it."""
    if not packed:
        return memoryview(file.read(at, min(size, most)))
    content = zlib.decompressobj().decompress(file.read(at, min(size, most)), most + 8)
    return memoryview(content)[8:]


def _size_of(file: RecordingFile, at: int, size: int, packed: bool, order: str) -> int:
    """Bytes of a variable once it is unpacked, by its own word."""
    if not packed:
        return size
    kind, unpacked = struct.unpack(f"{order}II", zlib.decompressobj().decompress(file.read(at, 256), 8))
    if kind != _MATRIX:
        raise _DamageError(f"a packed element of type {kind} at byte {at}")
    return int(unpacked)


def _check_size(file: RecordingFile, n_bytes: int, more: int) -> int:
    if n_bytes + more > _MOST_BYTES:
        raise InputError(
            f"expected at most {_MOST_BYTES >> 20} MiB of events in {file.path}, as such files are read as a "
            f"whole, found {n_bytes + more >> 20} MiB; save it with -v7.3 in MATLAB."
        )
    return more


def _array(content: memoryview, order: str) -> _Array:
    flags, rest = _part(content, order)
    shape, rest = _part(rest, order)
    name, rest = _part(rest, order)
    sides = np.frombuffer(shape[: len(shape) // 4 * 4], f"{order}i4").tolist()
    (kind,) = struct.unpack_from(f"{order}I", flags)
    return _Array(bytes(name).decode("latin-1"), kind & 0xFF, tuple(sides), rest)


def _fields(array: _Array, order: str) -> Iterator[_Array]:
    """The fields of a struct of one element."""
    if array.shape.count(1) != len(array.shape):
        return
    length, rest = _part(array.content, order)
    names, rest = _part(rest, order)
    (each,) = struct.unpack_from(f"{order}i", length)
    if each < 1:
        raise _DamageError(f"a struct whose names have {each} letters")
    for at in range(0, len(names), each):
        name = bytes(names[at : at + each]).split(b"\0")[0].decode("latin-1")
        content, rest = _part(rest, order)
        if len(content):
            field = _array(content, order)
            yield _Array(name, field.kind, field.shape, field.content)


def _put(vectors: dict[str, Values], name: str, array: _Array, order: str) -> None:
    field = field_of(name)
    if field and array.kind in _NUMBERS and array.is_vector and field not in vectors:
        kind, content = _typed(array.content, order)
        dtype = np.dtype(order + _TYPES[kind]) if kind in _TYPES else None
        if dtype is None or len(content) % dtype.itemsize:
            raise _DamageError(f"numbers of type {kind}")
        vectors[field] = np.frombuffer(content, dtype)


def _part(content: memoryview, order: str) -> tuple[memoryview, memoryview]:
    """The first element of several, and what follows it."""
    kind, size = struct.unpack_from(f"{order}II", content)
    if kind >> 16:  # a short one: its size is in the upper half of its type, four bytes of content follow
        return content[4 : 4 + min(kind >> 16, 4)], content[8:]
    if 8 + size > len(content):
        raise _DamageError(f"{len(content) - 8} of {size} bytes")
    return content[8 : 8 + size], content[8 + size + -size % 8 :]


def _typed(content: memoryview, order: str) -> tuple[int, memoryview]:
    """Type and content of the first element."""
    kind, _ = struct.unpack_from(f"{order}II", content)
    return (kind & 0xFFFF if kind >> 16 else kind), _part(content, order)[0]
