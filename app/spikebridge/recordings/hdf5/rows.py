"""Rows of arrays, read a range at a time: straight from the bytes of an HDF5 file, through h5py, or from memory.

Straight from the bytes is faster, as several threads may do so, and a damaged chunk costs only itself, where HDF5's
library may end the process. That reads only what went through a plug-in's filter, and what is in no chunks behind
something else than HDF5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.recordings.hdf5 import filters
from spikebridge.recordings.hdf5.ecf import RECORD_DTYPE
from spikebridge.recordings.hdf5.file import DAMAGE, ECF, Dataset, Hdf5File, Storage, storage_of
from spikebridge.recordings.indexed import CHUNK_EVENTS
from spikebridge.recordings.recording_file import RecordingFile

Values = NDArray[np.generic]
#: Bytes of a chunk once it is unpacked, at most.
_MOST_BYTES = 64 << 20
#: Unpacked chunks kept of a data set whose chunks are larger than what is read at once.
_KEPT = 2
#: Bytes that a filter may add to a chunk that it cannot make smaller.
_ROOM_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Portion:
    """A range of the rows of an array.

    values : (N,) or (N, K); anything where rows are lost. lost : (N,) which rows could not be read; None for none.
    damaged : bytes in the file of each damaged chunk that begins here.
    """

    values: Values
    lost: NDArray[np.bool_] | None = None
    damaged: tuple[int, ...] = ()


class Rows(Protocol):
    """An array of events, or one of their columns.

    n_rows : how many there are, by its own word. n_missing : how many of these were never written. chunk_rows : where
    reading begins best, 0 for anywhere. shared : whether threads read faster than one.
    """

    @property
    def n_rows(self) -> int: ...

    @property
    def n_missing(self) -> int: ...

    @property
    def chunk_rows(self) -> int: ...

    @property
    def shared(self) -> bool: ...

    def written(self) -> Iterator[tuple[int, int]]:
        """Ranges of rows that have a place in the file, ascending."""
        ...

    def read(self, start: int, stop: int) -> Portion: ...


@dataclass(frozen=True, slots=True)
class Column:
    """One number of each event. pick : the field of a record or the column of a matrix; None where a row is it."""

    rows: Rows
    pick: str | int | None = None

    def of(self, values: Values) -> Values:
        """(N,) of what ``rows`` gave."""
        if self.pick is None:
            return values
        if isinstance(self.pick, str):
            return cast("Values", cast("NDArray[np.void]", values)[self.pick])
        return values[:, self.pick]

    def read(self, start: int, stop: int) -> Values:
        """(N,) of those rows that are there."""
        portion = self.rows.read(start, min(stop, self.rows.n_rows))
        values = self.of(portion.values)
        return values if portion.lost is None else values[~portion.lost]


@dataclass(frozen=True, slots=True)
class MemoryRows:
    """An array in memory."""

    values: Values
    n_missing: int = 0
    chunk_rows: int = 0
    shared: bool = True

    @property
    def n_rows(self) -> int:
        return int(self.values.shape[0])

    def written(self) -> Iterator[tuple[int, int]]:
        yield 0, self.n_rows

    def read(self, start: int, stop: int) -> Portion:
        return Portion(self.values[start:stop])


def rows_of(hdf5: Hdf5File, file: RecordingFile, dataset: Dataset) -> Rows:
    """The rows of a data set, read the fastest way that there is for it."""
    storage = storage_of(file.path, dataset)
    chunk_bytes = storage.chunk_rows * storage.chunk_columns * dataset.dtype.itemsize
    if chunk_bytes > _MOST_BYTES:
        raise InputError(
            f"expected chunks of at most {_MOST_BYTES >> 20} MiB in {dataset.name} of {file.path}, found "
            f"{chunk_bytes >> 20} MiB; write it again with smaller ones: h5repack -l CHUNK=65536"
        )
    known = filters.KNOWN.issuperset(storage.filters)
    if ECF in storage.filters and (dataset.dtype != RECORD_DTYPE or dataset.n_columns > 1 or not known):
        raise InputError(
            f"expected {dataset.name} of {file.path} to hold events (x, y, p, t) in ECF, found {dataset.dtype} with "
            f"{', '.join(storage.filter_names)}; convert it with the maker's software."
        )
    if known and storage.chunk_rows:
        return ChunkedRows(_Unpacker(file, dataset, storage, behind=hdf5.has_user_block))
    if storage.at >= 0 and dataset.axis == 0 and not hdf5.has_user_block:
        return PlainRows(file, dataset, storage)
    return LibraryRows(dataset, storage)


@dataclass(frozen=True, slots=True)
class _Unpacker:
    """The rows of a chunk by its number; fewer where it is damaged, none at all where it cannot be unpacked.

    behind : the places in the file are counted from somewhere else than its beginning.
    """

    file: RecordingFile
    dataset: Dataset
    storage: Storage
    behind: bool

    def __call__(self, number: int) -> Values:
        """(N,), or (N, K) of a chunk of a matrix."""
        item, columns = self.dataset.dtype.itemsize, self.storage.chunk_columns
        n_bytes = self.storage.chunk_rows * columns * item
        try:
            content = self._content(number, 2 * n_bytes + _ROOM_BYTES)
            skipped = int(self.storage.chunks[number, 4])
            unpacked = filters.undo(content, self.storage.filters, skipped, item, n_bytes)
        except filters.DamagedChunkError:
            unpacked = np.empty(0, np.uint8)
        row_bytes = item * columns
        if self.dataset.n_columns == 1:
            return unpacked[: min(unpacked.size, n_bytes) // row_bytes * row_bytes].view(self.dataset.dtype)
        if unpacked.size < n_bytes:
            return np.empty((0, columns), self.dataset.dtype)
        values = unpacked[:n_bytes].view(self.dataset.dtype)
        return values.reshape(-1, columns) if self.dataset.axis == 0 else values.reshape(columns, -1).T

    def _content(self, number: int, most: int) -> NDArray[np.uint8]:
        row, column, at, size, _ = self.storage.chunks[number].tolist()
        if not 0 <= size <= most or at < 0 or at + size > self.file.size:
            raise filters.DamagedChunkError("a chunk that lies outside of the file")
        if self.behind:
            try:
                return self.dataset.read_packed(row, column)
            except DAMAGE as error:
                raise filters.DamagedChunkError(str(error)) from error
        content = np.empty(size, np.uint8)
        self.file.read_into(content.data, at)
        return content


class ChunkedRows:
    """An array in chunks that are unpacked here."""

    def __init__(self, unpack: _Unpacker) -> None:
        self._dataset, self._storage = unpack.dataset, unpack.storage
        self.shared = self.chunk_rows <= CHUNK_EVENTS and not unpack.behind
        self._unpack: Callable[[int], Values] = unpack
        if self.chunk_rows > CHUNK_EVENTS:
            # Each chunk is asked for several times, one range of it after the other.
            self._unpack = lru_cache(_KEPT)(unpack)

    @property
    def n_rows(self) -> int:
        return self._dataset.n_rows

    @property
    def chunk_rows(self) -> int:
        return self._storage.chunk_rows

    @property
    def n_missing(self) -> int:
        return self.n_rows - self._storage.n_written

    def written(self) -> Iterator[tuple[int, int]]:
        return _written(self._storage, self.n_rows)

    def read(self, start: int, stop: int) -> Portion:
        chunks, rows, columns = self._storage.chunks, self.chunk_rows, self._dataset.n_columns
        target = _Target(self._dataset.dtype, stop - start, columns)
        damaged: list[int] = []
        first = int(np.searchsorted(chunks[:, 0], start - rows, "right"))
        for number in range(first, int(np.searchsorted(chunks[:, 0], stop, "left"))):
            begin, column = chunks[number, :2].tolist()
            unpacked = self._unpack(number)
            lo, hi = max(begin, start), min(begin + unpacked.shape[0], stop)
            if lo < hi:
                target.put(lo - start, column, unpacked[lo - begin : hi - begin])
            if begin >= start and unpacked.shape[0] < min(rows, self.n_rows - begin):
                damaged.append(int(chunks[number, 3]))
        return Portion(target.values, target.lost(), tuple(damaged))


class _Target:
    """Rows that are filled from chunks. values : (N,) or (N, K)."""

    def __init__(self, dtype: np.dtype[np.generic], n_rows: int, n_columns: int) -> None:
        self.values = np.empty((n_rows, n_columns)[: min(n_columns, 2)], dtype)
        self._n_columns = n_columns
        self._filled = np.zeros((n_rows, n_columns)[: min(n_columns, 2)], np.bool_)

    def put(self, row: int, column: int, part: Values) -> None:
        end = row + part.shape[0]
        if self._n_columns > 1:
            stop = min(column + part.shape[1], self._n_columns)
            self.values[row:end, column:stop] = part[:, : stop - column]
            self._filled[row:end, column:stop] = True
        else:
            # As bytes: numpy copies records field by field.
            size = part.dtype.itemsize
            self.values.view(np.uint8)[row * size : end * size] = part.view(np.uint8)
            self._filled[row:end] = True

    def lost(self) -> NDArray[np.bool_] | None:
        if self._filled.all():
            return None
        filled: NDArray[np.bool_] = np.all(self._filled.reshape(-1, self._n_columns), axis=1)
        return ~filled


@dataclass(frozen=True, slots=True)
class PlainRows:
    """An array that lies in the file as it is."""

    file: RecordingFile
    dataset: Dataset
    storage: Storage
    chunk_rows: int = 0
    shared: bool = True

    @property
    def n_rows(self) -> int:
        return self.dataset.n_rows

    @property
    def n_missing(self) -> int:
        return self.n_rows - self._n_there

    @property
    def _row_bytes(self) -> int:
        return self.dataset.dtype.itemsize * self.dataset.n_columns

    @property
    def _n_there(self) -> int:
        in_file = max(0, self.file.size - self.storage.at) // self._row_bytes
        return min(self.n_rows, self.storage.n_written, in_file)

    def written(self) -> Iterator[tuple[int, int]]:
        yield 0, self._n_there

    def read(self, start: int, stop: int) -> Portion:
        content = np.empty((stop - start) * self._row_bytes, np.uint8)
        end = min(stop, self._n_there)
        if end > start:
            there = content[: (end - start) * self._row_bytes]
            self.file.read_into(there.data, self.storage.at + start * self._row_bytes)
        values = content.view(self.dataset.dtype)
        if self.dataset.n_columns > 1:
            values = values.reshape(-1, self.dataset.n_columns)
        return Portion(values, None if end == stop else np.arange(start, stop) >= end)


@dataclass(frozen=True, slots=True)
class LibraryRows:
    """A data set that h5py reads."""

    dataset: Dataset
    storage: Storage
    shared: bool = False

    @property
    def n_rows(self) -> int:
        return self.dataset.n_rows

    @property
    def n_missing(self) -> int:
        return self.n_rows - min(self.n_rows, self.storage.n_written)

    @property
    def chunk_rows(self) -> int:
        return self.storage.chunk_rows

    def written(self) -> Iterator[tuple[int, int]]:
        if self.chunk_rows:
            yield from _written(self.storage, self.n_rows)
        else:
            yield 0, min(self.n_rows, self.storage.n_written)

    def read(self, start: int, stop: int) -> Portion:
        try:
            return Portion(self.dataset.read(start, stop))
        except DAMAGE:
            return self._read_what_is_whole(start, stop)

    def _read_what_is_whole(self, start: int, stop: int) -> Portion:
        columns = self.dataset.n_columns
        values = np.zeros((stop - start, columns)[: min(columns, 2)], self.dataset.dtype)
        lost = np.zeros(stop - start, np.bool_)
        rows = self.chunk_rows or stop - start
        damaged: list[int] = []
        for begin in range(start - start % rows, stop, rows):
            lo, hi = max(begin, start), min(begin + rows, stop)
            try:
                values[lo - start : hi - start] = self.dataset.read(lo, hi)
            except DAMAGE:
                lost[lo - start : hi - start] = True
                if begin >= start:
                    damaged.append(int(self.storage.chunks[self.storage.chunks[:, 0] == begin, 3].sum()))
        return Portion(values, lost, tuple(damaged))


def _written(storage: Storage, n_rows: int) -> Iterator[tuple[int, int]]:
    """Neighbouring chunks are one range."""
    begins = np.unique(storage.chunks[:, 0])
    if not begins.size:
        return
    ends = np.minimum(begins + storage.chunk_rows, n_rows)
    gaps = np.flatnonzero(begins[1:] > ends[:-1])
    for first, last in zip([0, *(gaps + 1).tolist()], [*gaps.tolist(), begins.size - 1], strict=True):
        yield int(begins[first]), int(ends[last])
