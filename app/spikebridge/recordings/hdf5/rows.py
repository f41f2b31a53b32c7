"""Rows of arrays, read a range at a time: straight from the bytes of an HDF5 file, through h5py, or from memory.

Straight from the bytes is faster, as several threads may do so, and a damaged chunk costs only itself. h5py reads what
went through other filters, and files whose bytes lie behind something else (MATLAB's).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
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
    """Rows ``start`` to ``stop`` of an array.

    values : (N,) or (N, K); anything where rows are lost. lost : ranges of rows that could not be read, counted from
    the first one here. damaged : bytes in the file of each damaged chunk that begins here.
    """

    values: Values
    lost: tuple[tuple[int, int], ...] = ()
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


def rows_of(hdf5: Hdf5File, file: RecordingFile, dataset: Dataset) -> Rows:
    """The rows of a data set, read the fastest way that there is for it."""
    storage = storage_of(file.path, dataset)
    row_bytes = dataset.dtype.itemsize * dataset.n_columns
    if storage.chunk_rows * row_bytes > _MOST_BYTES:
        raise InputError(
            f"expected chunks of at most {_MOST_BYTES >> 20} MiB in {dataset.name} of {file.path}, found "
            f"{storage.chunk_rows * row_bytes >> 20} MiB; write it again with smaller ones: h5repack -l CHUNK=65536"
        )
    direct = dataset.n_columns == 1 and len(dataset.shape) == 1 and not hdf5.has_user_block
    if ECF in storage.filters:
        _check_ecf(file.path, dataset, storage, direct)
    if direct and storage.chunk_rows and filters.KNOWN.issuperset(storage.filters):
        return ChunkedRows(file, dataset.dtype, dataset.n_rows, storage)
    if direct and storage.at >= 0:
        return PlainRows(file, dataset.dtype, dataset.n_rows, storage)
    return LibraryRows(dataset, storage)


def _check_ecf(path: Path, dataset: Dataset, storage: Storage, direct: bool) -> None:
    if not direct or dataset.dtype != RECORD_DTYPE or not filters.KNOWN.issuperset(storage.filters):
        raise InputError(
            f"expected {dataset.name} of {path} to be a row of events (x, y, p, t) in ECF, found {dataset.dtype} with "
            f"the filters {', '.join(storage.filter_names)}; convert it with the maker's software."
        )


class ChunkedRows:
    """A vector in chunks that are unpacked here."""

    def __init__(self, file: RecordingFile, dtype: np.dtype[np.generic], n_rows: int, storage: Storage) -> None:
        self.n_rows = n_rows
        self._dtype, self._storage = dtype, storage
        self._unpack: Callable[[int], Values] = _Unpacker(file, dtype, storage)
        if not self.shared:
            # Each chunk is asked for several times, one range of it after the other.
            self._unpack = lru_cache(_KEPT)(self._unpack)

    @property
    def chunk_rows(self) -> int:
        return self._storage.chunk_rows

    @property
    def n_missing(self) -> int:
        return self.n_rows - self._storage.n_written

    @property
    def shared(self) -> bool:
        return self.chunk_rows <= CHUNK_EVENTS

    def written(self) -> Iterator[tuple[int, int]]:
        return _written(self._storage, self.n_rows)

    def read(self, start: int, stop: int) -> Portion:
        first, last = _chunks_between(self._storage, start, stop)
        values = np.empty(stop - start, self._dtype)
        lost: list[tuple[int, int]] = []
        damaged: list[int] = []
        done = start
        for number in range(first, last):
            begin = int(self._storage.chunks[number, 0])
            end = min(begin + self.chunk_rows, self.n_rows)
            lo, hi = max(begin, done), min(end, stop)
            if lo >= hi:
                continue  # a chunk that lies over another one
            if lo > done:
                lost.append((done - start, lo - start))
            unpacked = self._unpack(number)
            n = min(hi, begin + unpacked.size)
            if n > lo:
                values[lo - start : n - start] = unpacked[lo - begin : n - begin]
            if n < hi:
                lost.append((max(lo, n) - start, hi - start))
            if unpacked.size < end - begin and begin >= start:
                damaged.append(int(self._storage.chunks[number, 2]))
            done = hi
        if done < stop:
            lost.append((done - start, stop - start))
        return Portion(values, tuple(lost), tuple(damaged))


@dataclass(frozen=True, slots=True)
class _Unpacker:
    """The rows of a chunk by its number; fewer where it is damaged, none at all where it cannot be unpacked."""

    file: RecordingFile
    dtype: np.dtype[np.generic]
    storage: Storage

    def __call__(self, number: int) -> Values:
        _, at, size, skipped = self.storage.chunks[number].tolist()
        item, n_bytes = self.dtype.itemsize, self.storage.chunk_rows * self.dtype.itemsize
        if at < 0 or not 0 <= size <= 2 * n_bytes + _ROOM_BYTES or at + size > self.file.size:
            return np.empty(0, self.dtype)
        content = np.empty(size, np.uint8)
        self.file.read_into(content.data, at)
        try:
            unpacked = filters.undo(content, self.storage.filters, skipped, item, n_bytes)
        except filters.DamagedChunkError:
            return np.empty(0, self.dtype)
        return unpacked[: min(unpacked.size, n_bytes) // item * item].view(self.dtype)


@dataclass(frozen=True, slots=True)
class PlainRows:
    """A vector that lies in the file as it is."""

    file: RecordingFile
    dtype: np.dtype[np.generic]
    n_rows: int
    storage: Storage
    chunk_rows: int = 0
    shared: bool = True

    @property
    def n_missing(self) -> int:
        return self.n_rows - self._n_there

    @property
    def _n_there(self) -> int:
        in_file = max(0, self.file.size - self.storage.at) // self.dtype.itemsize
        return min(self.n_rows, self.storage.n_written, in_file)

    def written(self) -> Iterator[tuple[int, int]]:
        yield 0, self._n_there

    def read(self, start: int, stop: int) -> Portion:
        values = np.empty(stop - start, self.dtype)
        self.file.read_into(values.view(np.uint8).data, self.storage.at + start * self.dtype.itemsize)
        return Portion(values)


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
        shape = (stop - start,) if self.dataset.n_columns == 1 else (stop - start, self.dataset.n_columns)
        values = np.zeros(shape, self.dataset.dtype)
        rows = self.chunk_rows or stop - start
        lost: list[tuple[int, int]] = []
        damaged: list[int] = []
        for begin in range(start - start % rows, stop, rows):
            lo, hi = max(begin, start), min(begin + rows, stop)
            try:
                values[lo - start : hi - start] = self.dataset.read(lo, hi)
            except DAMAGE:
                lost.append((lo - start, hi - start))
                if begin >= start:
                    sizes = self.storage.chunks[self.storage.chunks[:, 0] == begin, 2]
                    damaged.append(int(sizes.sum()) if sizes.size else (hi - lo) * self.dataset.dtype.itemsize)
        return Portion(values, tuple(lost), tuple(damaged))


def _written(storage: Storage, n_rows: int) -> Iterator[tuple[int, int]]:
    """Neighbouring chunks are one range."""
    begins = np.unique(storage.chunks[:, 0])
    if not begins.size:
        return
    ends = np.minimum(begins + storage.chunk_rows, n_rows)
    gaps = np.flatnonzero(begins[1:] > ends[:-1])
    for first, last in zip([0, *(gaps + 1).tolist()], [*gaps.tolist(), begins.size - 1], strict=True):
        yield int(begins[first]), int(ends[last])


def _chunks_between(storage: Storage, start: int, stop: int) -> tuple[int, int]:
    first = int(np.searchsorted(storage.chunks[:, 0], start - storage.chunk_rows, "right"))
    return first, int(np.searchsorted(storage.chunks[:, 0], stop, "left"))
