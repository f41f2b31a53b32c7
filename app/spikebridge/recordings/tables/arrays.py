"""Events as NumPy arrays (NPY, NPZ): records with named fields, rows of four numbers, or one array for each column."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor, empty_events
from spikebridge.recordings import ordering, scanning
from spikebridge.recordings.indexed import CHUNK_EVENTS, IndexedRecording, Oddities
from spikebridge.recordings.recording_file import RecordingFile
from spikebridge.recordings.scanning import Scan
from spikebridge.recordings.tables import columns
from spikebridge.recordings.tables.array_columns import BAD_ROWS, EXTRA_SLOTS, ROWS, Block, Column, Columns
from spikebridge.recordings.tables.cells import P, T, X, Y
from spikebridge.recordings.tables.columns import POWERS_OF_UNITS, Roles
from spikebridge.recordings.tables.npy import MAGIC, NUMBERS, NpyArray, read_header
from spikebridge.recordings.tables.npz import Archive
from spikebridge.recordings.tables.sensor_size import ANY_SIZE, PLACES, choose_sensor, some_places
from spikebridge.settings import ReadSettings, TimeUnit

#: Arrays of an archive that keep the sensor; see ``npz_writing``.
SENSOR_SIZE, SENSOR_NAME = "sensor_size", "sensor_name"
#: Of an archive that holds one array of events among others.
_NAMES_OF_EVENTS = ("events", "data", "arr_0")
#: Numbers of an event, in an array without names.
_WIDTHS = range(4, 9)
_LOOKED_AT = 2000
_SMALL = 4096


@dataclass(frozen=True, slots=True)
class _Table:
    """Columns that may be events, with their names where they have any. n_rows : that are there of all columns.
    n_lost : bytes of rows that are not. notes : on damage."""

    columns: tuple[Column, ...]
    names: tuple[str, ...]
    n_rows: int
    n_lost: int
    truncated: bool
    notes: tuple[str, ...] = ()
    sensor: Sensor | None = None


def open_recording(path: Path, settings: ReadSettings) -> IndexedRecording:
    """The recording in an NPY or NPZ file."""
    file = RecordingFile(path)
    packed = not file.read(0, len(MAGIC)).startswith(MAGIC)
    table = _from_archive(path, settings) if packed else _from_array(read_header(file, 0, file.size, str(path)))
    roles, unit, how = _roles_and_unit(table, settings, path)
    chosen = Columns(tuple(table.columns[roles.index(kind)] for kind in (T, X, Y, P)), POWERS_OF_UNITS[unit])
    starts = range(0, table.n_rows, CHUNK_EVENTS)
    looked = [_look(chosen, starts[i], table.n_rows) for i in some_places(len(starts), PLACES)]
    sensor, size_note = choose_sensor(table.sensor, settings, looked)
    size = (sensor.width, sensor.height)

    def run(start: int, state: NDArray[np.int64], out: NDArray[np.void]) -> int:
        return chosen.decode(start, min(CHUNK_EVENTS, table.n_rows - start), size, state, out)

    def report(state: NDArray[np.int64]) -> Oddities:
        found, n_bad = scanning.report(state), int(state[BAD_ROWS])
        if 2 * n_bad > state[ROWS]:
            raise InputError(
                f"expected an event in each row of {path}, found {n_bad} of {state[ROWS]} that are none; check the "
                "file, or pass --columns."
            )
        notes = (columns.describe(roles, unit, how), *filter(None, (size_note,)), *table.notes)
        if n_bad:
            notes += (f"{n_bad:,} rows are no events (a number is missing, or no whole one) and were dropped.",)
        return replace(
            found,
            dropped=found.dropped + n_bad,
            skipped_bytes=table.n_lost,
            truncated=table.truncated,
            notes=notes + found.notes,
        )

    scan = Scan(path, starts, run, report, ordering.new_state(extra=EXTRA_SLOTS))
    return IndexedRecording(path, "NPZ" if packed else "NPY", sensor, scan)


def _look(chosen: Columns, start: int, n_rows: int) -> EventArray:
    n = min(_LOOKED_AT, n_rows - start)
    out, state = empty_events(n), ordering.new_state(extra=EXTRA_SLOTS)
    words = ordering.as_words(out)
    return out[: ordering.finish(state, True, chosen.decode(start, n, ANY_SIZE, state, words), words)]


def _roles_and_unit(table: _Table, settings: ReadSettings, path: Path) -> tuple[Roles, TimeUnit, str]:
    """As ``text_layout`` does: names first, then what the user says, then the numbers."""
    n_columns = len(table.columns)
    named = columns.roles_of_names(table.names) if table.names else None
    rows = Columns(table.columns).numbers(0, min(table.n_rows, _LOOKED_AT)) if table.n_rows else []
    numbers = np.column_stack([column.astype(np.float64) for column in rows]) if rows else np.zeros((1, n_columns))
    unit = settings.time_unit
    if named:
        roles, unit, how = named[0], named[1] or unit, "as its names say"
    elif settings.columns is not None:
        roles, how = columns.roles_of_letters(settings.columns, n_columns, path), "as the option --columns says"
    elif table.names:
        raise InputError(
            f"expected {path} to name t, x, y and p, found {', '.join(map(repr, table.names))[:120]}; pass which is "
            f"which, such as --columns {'txyp'.ljust(n_columns, '_')}."
        )
    else:
        roles = columns.roles_from_data(numbers, settings, path)
        how = "an order told from the numbers, where x before y is assumed (--columns)"
    if unit is None:
        time = roles.index(T)
        unit = columns.unit_from_data(numbers[:, time], table.columns[time].dtype.kind == "f", path)
        how += "; the unit is told from the numbers (--time-unit)"
    return roles, unit, how


def _from_array(array: NpyArray) -> _Table:
    """Records with named fields, or (N, C) or (C, N) numbers."""
    item = array.dtype.itemsize
    if array.dtype.names is not None:
        fields = [(name, *array.dtype.fields[name][:2]) for name in array.dtype.names if array.dtype.fields]
        numeric = [(name, dtype, offset) for name, dtype, offset in fields if dtype.kind in NUMBERS]
        block = Block(array.file, array.at, item)
        held = tuple(Column(block, offset, dtype) for _, dtype, offset in numeric)
        return _table(held, [array], math.prod(array.shape), tuple(name for name, _, _ in numeric))
    upright = len(array.shape) == 2 and array.shape[1] in _WIDTHS
    if array.dtype.kind not in NUMBERS or not (upright or (len(array.shape) == 2 and array.shape[0] in _WIDTHS)):
        raise InputError(
            f"expected rows of t, x, y and p in {array.name}, found {_describe(array)}; save records, (N, 4) "
            "numbers or an archive with the arrays t, x, y and p."
        )
    # Rows that are columns, stored the other way round, are the same bytes.
    n_rows, n_columns = array.shape if upright else array.shape[::-1]
    if upright != array.by_columns:
        block = Block(array.file, array.at, item * n_columns)
        return _table(tuple(Column(block, i * item, array.dtype) for i in range(n_columns)), [array], n_rows)
    blocks = [Block(array.file, array.at + i * n_rows * item, item) for i in range(n_columns)]
    last = max(0, array.n_bytes - (n_columns - 1) * n_rows * item)
    held = tuple(Column(block, 0, array.dtype) for block in blocks)
    return _table(held, [replace(array, n_bytes=min(last, n_rows * item), shape=(n_rows,))], n_rows)


def _table(held: tuple[Column, ...], arrays: Sequence[NpyArray], n_rows: int, names: tuple[str, ...] = ()) -> _Table:
    """Of arrays that are whole, or not."""
    if not held:
        raise InputError(f"expected numbers in {arrays[0].name}, found {_describe(arrays[0])}; save t, x, y and p.")
    strides = [array.dtype.itemsize if len(array.shape) < 2 else held[0].block.stride for array in arrays]
    there = min(n_rows, *(array.n_bytes // stride for array, stride in zip(arrays, strides, strict=True)))
    n_lost = sum(min(array.n_bytes, n_rows * s) - there * s for array, s in zip(arrays, strides, strict=True))
    damage = tuple(array.damage for array in arrays if array.damage)
    truncated = there < n_rows
    if truncated:
        damage += (f"Of {n_rows:,} rows {there:,} are there; the file was cut or is damaged.",)
    return _Table(held, names, there, n_lost, truncated, damage)


def _from_archive(path: Path, settings: ReadSettings) -> _Table:
    """Four arrays t, x, y, p of one length by any common name, or one array of events among others."""
    archive = Archive(path)
    sensor = _sensor_of(archive)
    names = tuple(name for name in archive.names if name not in (SENSOR_SIZE, SENSOR_NAME))
    one = next((name for name in _NAMES_OF_EVENTS if name in names), names[0] if len(names) == 1 else None)
    four = columns.roles_of_names(names)
    if four is not None:
        wanted = tuple(names[four[0].index(kind)] for kind in (T, X, Y, P))
        table = _from_lines(archive.arrays(wanted), wanted, path)
    elif names == ("arr_0", "arr_1", "arr_2", "arr_3") or (settings.columns and len(names) == len(settings.columns)):
        table = _from_lines(archive.arrays(names), (), path)
    elif one is not None:
        table = _from_array(archive.arrays((one,))[0])
    else:
        raise InputError(
            f"expected the arrays t, x, y and p or one of events in {path}, found {', '.join(map(repr, names))[:120]}; "
            "save them under these names."
        )
    return replace(table, sensor=sensor)


def _from_lines(arrays: list[NpyArray], names: tuple[str, ...], path: Path) -> _Table:
    """One array for each column."""
    lengths = [math.prod(array.shape) for array in arrays]
    flat = all(len(array.shape) == 1 or sorted(array.shape)[:-1] == [1] for array in arrays)
    if len(set(lengths)) != 1 or not flat or not all(array.dtype.kind in NUMBERS for array in arrays):
        found = ", ".join(f"{array.name.split(' of ')[0]}: {_describe(array)}" for array in arrays)
        raise InputError(f"expected arrays of numbers of one length in {path}, found {found}; save them again.")
    held = tuple(Column(Block(array.file, array.at, array.dtype.itemsize), 0, array.dtype) for array in arrays)
    return _table(held, [replace(array, shape=(lengths[0],)) for array in arrays], lengths[0], names)


def _sensor_of(archive: Archive) -> Sensor | None:
    """Where (width, height) are kept, which may have a third number, that of polarities."""
    if SENSOR_SIZE not in archive.names:
        return None
    sizes, *texts = archive.arrays(tuple(name for name in (SENSOR_SIZE, SENSOR_NAME) if name in archive.names))
    numbers = np.frombuffer(_small(sizes), sizes.dtype) if sizes.dtype.kind in "iu" else np.empty(0)
    if numbers.size not in (2, 3):
        return None
    width, height = numbers[:2].tolist()
    name = ""
    if texts and texts[0].dtype.kind == "U":
        order = "utf-32-be" if texts[0].dtype.byteorder == ">" else "utf-32-le"
        name = "".join(filter(str.isprintable, _small(texts[0]).decode(order, "replace")))
    return Sensor(width, height, name) if 0 < width <= 0xFFFF and 0 < height <= 0xFFFF else None


def _small(array: NpyArray) -> bytes:
    """The bytes of an array of a few elements; none where there are many, or where they are not all there."""
    n = math.prod(array.shape) * array.dtype.itemsize
    return array.file.read(array.at, n) if array.whole and n <= _SMALL else b""


def _describe(array: NpyArray) -> str:
    return f"{'x'.join(map(str, array.shape)) or 'one'} of {array.dtype}"[:120]
