"""HDF5 files through h5py, which is imported here alone: what lies in them, where its bytes are, and new ones.

A file may lead elsewhere: links to other files, virtual data sets and external storage are not followed.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError, MissingError
from spikebridge.recordings.hdf5.texts import texts_at
from spikebridge.recordings.recording_file import RecordingFile

ECF = 0x8ECF
LZF = 32000
DEFLATE, SHUFFLE, FLETCHER32 = 1, 2, 3
#: Objects that are looked at: a file made to keep a reader busy may have any number.
_MOST_OBJECTS = 4096
#: Chunks as they are unpacked, of each data set that h5py reads itself.
_CACHE_BYTES = 64 << 20
#: What h5py raises at a damaged file, by where the damage is.
DAMAGE = (OSError, RuntimeError, ValueError, KeyError, TypeError, OverflowError)

Attribute: TypeAlias = "str | int | tuple[int, ...]"


class _Stored(Protocol):
    """What h5py says of one chunk."""

    chunk_offset: tuple[int, ...]
    filter_mask: int
    byte_offset: int
    size: int


class _Dataset(Protocol):
    """What is used of h5py's."""

    @property
    def id(self) -> object: ...

    def __getitem__(self, selection: object) -> object: ...


@dataclass(frozen=True, slots=True)
class Storage:
    """Where the rows of a data set lie.

    filters : codes of what each chunk went through, in order. chunk_rows, chunk_columns : of a chunk; 0 rows where all
    lie in one piece. chunks : (C, 5) int64, by row: first row, first column, byte of the file, bytes, bit of each
    filter that this chunk did not go through. at : byte where the one piece lies, below 0 where no byte of the file can
    be named. n_written : rows that have a place in the file; the others were asked for and never written.
    """

    filters: tuple[int, ...]
    filter_names: tuple[str, ...]
    chunk_rows: int
    chunk_columns: int
    chunks: NDArray[np.int64]
    at: int
    n_written: int


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set of numbers or of records of numbers.

    shape : as in the file. axis : along which the rows go; a vector of MATLAB has another one of length 1.
    n_rows : as the file says.
    """

    name: str
    dtype: np.dtype[np.generic]
    shape: tuple[int, ...]
    axis: int
    handle: _Dataset

    @property
    def n_rows(self) -> int:
        return self.shape[self.axis]

    def read(self, start: int, stop: int) -> NDArray[np.generic]:
        """Rows as h5py gives them: (N,), or (N, K) of a matrix. Raises one of ``DAMAGE``."""
        where = [slice(None)] * len(self.shape)
        where[self.axis] = slice(start, stop)
        values = np.asarray(self.handle[tuple(where)])
        if len(self.shape) == 2 and self.axis == 1:
            values = values.T
        return values.reshape(stop - start, -1) if self.n_columns > 1 else values.reshape(stop - start)

    def read_packed(self, row: int, column: int) -> NDArray[np.uint8]:
        """The chunk that begins there, as it is in the file. Raises one of ``DAMAGE``."""
        import h5py

        place = (row,) if len(self.shape) == 1 else (row, column) if self.axis == 0 else (column, row)
        _, content = cast("h5py.h5d.DatasetID", self.handle.id).read_direct_chunk(place)
        return np.frombuffer(content, np.uint8)

    @property
    def n_columns(self) -> int:
        """1 of a vector."""
        return 1 if len(self.shape) == 1 else self.shape[1 - self.axis]


class Hdf5File:
    """An open file: its data sets by name, and the attributes of its groups."""

    def __init__(self, path: Path, content: RecordingFile) -> None:
        import h5py

        self._bytes = content
        try:
            self._file = h5py.File(path, "r", rdcc_nbytes=_CACHE_BYTES, locking="best-effort")
            self.has_user_block = bool(self._file.userblock_size)
        except DAMAGE as error:
            if isinstance(error, BlockingIOError):
                raise InputError(
                    f"expected {path} to be finished, found that another program writes to it; wait until it is closed."
                ) from error
            raise InputError(
                f"expected {path} to be a whole HDF5 file, found one that cannot be opened ({_plain(error)}); it was "
                "cut or is damaged, copy it again."
            ) from error

    def datasets(self) -> dict[str, Dataset]:
        """Those with rows of numbers, by name; the ones in damaged groups are left out."""
        import h5py

        found: dict[str, Dataset] = {}
        n_objects = 0

        def look(name: object, thing: object) -> bool | None:
            nonlocal n_objects
            n_objects += 1
            if isinstance(thing, h5py.Dataset) and isinstance(name, str):  # a name that is no text is bytes
                try:
                    dataset = _describe(name, thing)
                except DAMAGE:
                    dataset = None
                if dataset is not None:
                    found[name] = dataset
            return True if n_objects >= _MOST_OBJECTS else None

        with suppress(*DAMAGE):  # what was found before the damage is what there is
            self._file.visititems(look)
        return found

    def attributes(self, name: str) -> Mapping[str, Attribute]:
        """Texts and whole numbers that are attached to a group or data set, by lower-case name; empty without one."""
        import h5py

        found: dict[str, Attribute] = {}
        with suppress(*DAMAGE):
            thing = self._file[name] if name else self._file
            if not self.has_user_block:
                header_at = int(h5py.h5o.get_info(thing.id).addr)
                found.update((key.lower(), text) for key, text in texts_at(self._bytes, header_at).items())
            for key in list(thing.attrs)[:_MOST_OBJECTS]:
                kind = thing.attrs.get_id(key).dtype.kind
                value = _plain_attribute(thing.attrs[key]) if kind in "iufS" else None
                if value is not None:
                    found[str(key).lower()] = value
        return found

    def number(self, name: str) -> int | None:
        """A data set of one whole number; None where there is none."""
        values = self.numbers(name, 1)
        return values[0] if len(values) == 1 else None

    def numbers(self, name: str, most: int) -> tuple[int, ...]:
        """A data set of at most ``most`` whole numbers; empty where there is none."""
        try:
            thing = self._file.get(name)
            if thing is None or thing.size > most or thing.dtype.kind not in "iu":
                return ()
            return tuple(int(value) for value in np.atleast_1d(thing[()]).ravel())
        except (*DAMAGE, AttributeError):
            return ()


def storage_of(path: Path, dataset: Dataset) -> Storage:
    """Where the rows lie; MissingError where they went through a filter that nobody here can undo."""
    try:
        return _storage(path, dataset)
    except DAMAGE as error:
        raise InputError(
            f"expected to find where {path} has {dataset.name}, found it damaged ({_plain(error)}); copy it again."
        ) from error


def _storage(path: Path, dataset: Dataset) -> Storage:
    import h5py

    identity = cast("h5py.h5d.DatasetID", dataset.handle.id)
    creation = identity.get_create_plist()
    found = [creation.get_filter(number) for number in range(creation.get_nfilters())]
    codes = tuple(int(code) for code, *_ in found)
    names = tuple(_name_of(code, name) for code, _, _, name in found)
    for code, name in zip(codes, names, strict=True):
        if code != ECF and not h5py.h5z.filter_avail(code):
            _plug_in(path, code, name)
    if creation.get_layout() == h5py.h5d.CHUNKED:
        sides = [int(side) for side in creation.get_chunk()]
        rows = sides.pop(dataset.axis)
        chunks = _stored_chunks(dataset)
        begins = np.unique(chunks[:, 0])
        n_written = int((np.minimum(begins + rows, dataset.n_rows) - begins).sum())
        return Storage(codes, names, rows, sides[0] if sides else 1, chunks, -1, n_written)
    at, n_bytes = identity.get_offset(), int(identity.get_storage_size())
    n_written = n_bytes // (dataset.dtype.itemsize * dataset.n_columns)
    return Storage(codes, names, 0, 0, np.empty((0, 5), np.int64), -1 if at is None else int(at), n_written)


class NewFile:
    """A file that is written: columns that grow, single numbers and attributes. Raises OSError."""

    def __init__(self, path: Path) -> None:
        import h5py

        self._file = h5py.File(path, "w", locking="best-effort")

    def add_column(self, name: str, dtype: str, chunk_rows: int) -> None:
        self._file.create_dataset(
            name, (0,), dtype, maxshape=(None,), chunks=(chunk_rows,), compression="gzip", compression_opts=1,
            shuffle=True,
        )  # fmt: skip

    def append(self, name: str, values: NDArray[np.generic]) -> None:
        column = self._file[name]
        n = column.shape[0]
        column.resize((n + values.size,))
        column[n:] = values

    def put_number(self, name: str, dtype: str, value: int) -> None:
        self._file.create_dataset(name, data=np.array(value, dtype))

    def put_attribute(self, name: str, value: str | int) -> None:
        self._file.attrs[name] = value

    def close(self) -> None:
        self._file.close()


def _describe(name: str, thing: object) -> Dataset | None:
    import h5py

    dataset = cast("h5py.Dataset", thing)
    creation = dataset.id.get_create_plist()
    if creation.get_layout() == h5py.h5d.VIRTUAL or creation.get_external_count():
        return None
    shape, dtype = dataset.shape, dataset.dtype
    kinds = [dtype.fields[field][0].kind for field in dtype.names] if dtype.names else [dtype.kind]
    if not shape or len(shape) > 2 or not set(kinds) <= set("iufb"):
        return None
    axis = 0 if len(shape) == 1 or shape[0] >= shape[1] else 1
    return Dataset(name, dtype, tuple(int(n) for n in shape), axis, dataset)


def _stored_chunks(dataset: Dataset) -> NDArray[np.int64]:
    import h5py

    rows: list[tuple[int, int, int, int, int]] = []

    def note(chunk: _Stored) -> None:
        place = list(chunk.chunk_offset)
        row = place.pop(dataset.axis)
        rows.append((row, place[0] if place else 0, chunk.byte_offset, chunk.size, chunk.filter_mask))

    with suppress(*DAMAGE):  # those before the damage are what there are
        cast("h5py.h5d.DatasetID", dataset.handle.id).chunk_iter(note)
    chunks = np.array(rows, np.int64).reshape(-1, 5)
    chunks = chunks[(chunks[:, 0] >= 0) & (chunks[:, 0] < dataset.n_rows)]
    chunks = chunks[(chunks[:, 1] >= 0) & (chunks[:, 1] < dataset.n_columns)]
    return chunks[np.lexsort((chunks[:, 1], chunks[:, 0]))]


def _plug_in(path: Path, code: int, name: str) -> None:
    """Makes the filter available that a file needs, or says how to."""
    import h5py

    try:
        importlib.import_module("hdf5plugin")
    except ImportError as error:
        raise MissingError(
            f"expected a plug-in for the HDF5 filter {name} that {path} is written with, found none; install it: "
            "pip install hdf5plugin"
        ) from error
    if not h5py.h5z.filter_avail(code):
        raise MissingError(
            f"expected a plug-in for the HDF5 filter {name} that {path} is written with, found none in hdf5plugin; "
            "write the file again without it: h5repack -f NONE"
        )


def _name_of(code: int, name: object) -> str:
    text = name.decode("utf-8", "replace").split(";")[0] if isinstance(name, bytes) else ""
    return f"'{text}'" if text.isprintable() and text else str(code)


def _plain_attribute(value: object) -> Attribute | None:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    array = np.asarray(value)
    if array.dtype.kind not in "iuf" or array.size > 8 or not np.isfinite(array.astype(float)).all():
        return None
    whole = tuple(int(number) for number in array.ravel())
    return whole[0] if len(whole) == 1 else whole


def _plain(error: Exception) -> str:
    """One line of what HDF5 says, without its own punctuation."""
    text = " ".join(str(error).split())
    return text.split("(")[-1].rstrip(")") if "(" in text else text
