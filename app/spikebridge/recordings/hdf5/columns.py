"""Four columns of numbers, of whatever kinds, as a recording."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.events import Sensor
from spikebridge.recordings import ordering, scanning
from spikebridge.recordings.hdf5.decoding import LOST, decode_columns
from spikebridge.recordings.hdf5.rows import Column, PlainRows, Portion, Rows
from spikebridge.recordings.hdf5.sizes import Size, as_pixels, extent_of, told_from_events
from spikebridge.recordings.hdf5.times import Clock, clock_of
from spikebridge.recordings.indexed import CHUNK_EVENTS, ChunkIndex, IndexedRecording, Oddities
from spikebridge.recordings.scanning import Scan
from spikebridge.settings import ReadSettings

#: Pieces, and rows of each, that are looked at for what the polarities are.
_LOOKED_AT = 64
Piece = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a file has the events. place : for messages. clock_start_us : of the file's times, added to them."""

    place: str
    t: Column
    x: Column
    y: Column
    polarity: Column
    clock_start_us: int = 0

    @property
    def each(self) -> tuple[Column, ...]:
        return self.t, self.x, self.y, self.polarity


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What the numbers of a file mean. least_on : the least polarity that is ON. first_px : coordinates begin there."""

    clock: Clock
    least_on: int = 1
    first_px: int = 0


@dataclass(frozen=True, slots=True)
class _Block:
    """Rows of a piece as numbers that the decoder takes; bytes of the damaged chunks that begin in it."""

    t: NDArray[np.int64]
    x: NDArray[np.uint16]
    y: NDArray[np.uint16]
    polarity: NDArray[np.uint8]
    damaged: tuple[int, ...]


def open_columns(
    path: Path,
    format_name: str,
    columns: Columns,
    size: Size | None,
    settings: ReadSettings,
    notes: tuple[str, ...] = (),
    samples: Mapping[str, int] | None = None,
) -> IndexedRecording:
    """A recording of four columns. size : of the sensor, where the file says it. notes, samples : of the file."""
    pieces = list(_divide(columns.t.rows))
    clock, said = clock_of(path, columns.t, pieces, settings.time_unit, columns.clock_start_us)
    notes += said
    numbers, said = _numbers(columns, clock, pieces)
    notes += said
    if size is None and settings.size is not None:
        size = Size(*settings.size)
    if size is None:
        size, said = told_from_events(extent_of(columns.x, columns.y, pieces), numbers.first_px)
        notes += said
    sensor = Sensor(size.width, size.height, size.name)
    notes += _missing(columns)
    unfinished = any(column.rows.n_missing for column in columns.each)

    def run(piece: Piece, state: NDArray[np.int64], out: NDArray[np.void]) -> int:
        block = _read(columns, numbers, *piece)
        state[ordering.DAMAGED] += len(block.damaged)
        state[ordering.DAMAGED_BYTES] += sum(block.damaged)
        return int(decode_columns(block.t, block.x, block.y, block.polarity, sensor.width, sensor.height, state, out))

    def report(state: NDArray[np.int64]) -> Oddities:
        return _report(state, notes, samples or {}, unfinished)

    shared = all(column.rows.shared for column in columns.each)
    scan = Scan(path, pieces, run, report, shared=shared)
    return IndexedRecording(path, format_name, sensor, scan, _said_index(columns.t, clock, pieces))


def _divide(rows: Rows) -> Iterator[Piece]:
    """Ranges of about CHUNK_EVENTS rows that begin where chunks of the times do."""
    most = max(1, CHUNK_EVENTS // max(1, rows.chunk_rows)) * max(1, rows.chunk_rows)
    if rows.chunk_rows == 0 or most > CHUNK_EVENTS:
        most = CHUNK_EVENTS
    for begin, end in rows.written():
        for start in range(begin, end, most):
            yield start, min(start + most, end)


@np.errstate(all="ignore")  # what is no number is told from the result
def _numbers(columns: Columns, clock: Clock, pieces: Sequence[Piece]) -> tuple[_Numbers, tuple[str, ...]]:
    """What the numbers mean, and a note where they are those of MATLAB tools that count everything from 1.

    So those of N-MNIST (``Read_Ndataset.m``): "pixel x address, with first pixel having index 1", "polarity, 1 means
    off, 2 means on". Both signs together are sure; one alone is not.
    """
    step = max(1, len(pieces) // _LOOKED_AT)
    least, most = np.inf, -np.inf
    for start, stop in pieces[::step]:
        values = columns.polarity.read(start, min(stop, start + _LOOKED_AT)).astype(np.float64)
        least, most = min(least, values.min(initial=least)), max(most, values.max(initial=most))
    if (least, most) != (1, 2):
        return _Numbers(clock), ()
    extent = extent_of(columns.x, columns.y, pieces)
    if extent.x[0] == extent.y[0] == 1:
        return _Numbers(clock, 2, 1), ("The file counts from 1: polarities 1 and 2 are OFF and ON, the first px is 1.",)
    return _Numbers(clock, 2), ("The polarities are 1 and 2 and were read as OFF and ON.",)


def _missing(columns: Columns) -> tuple[str, ...]:
    notes: tuple[str, ...] = ()
    rows = [column.rows for column in columns.each]
    missing = max(one.n_missing for one in rows)
    if missing:
        notes += (
            f"{missing} rows of {columns.place} have no place in the file: it was never finished, or is damaged.",
        )
    lengths = sorted({one.n_rows for one in rows})
    if len(lengths) > 1:
        notes += (f"The columns of {columns.place} have {lengths[0]} to {lengths[-1]} rows; the others were lost.",)
    return notes


def _read(columns: Columns, numbers: _Numbers, start: int, stop: int) -> _Block:
    portions: dict[int, Portion] = {}
    for column in columns.each:
        if id(column.rows) not in portions:
            portions[id(column.rows)] = _read_there(column.rows, start, stop)
    t, x, y, polarity = (column.of(portions[id(column.rows)].values) for column in columns.each)
    t_us, has_time = numbers.clock.as_us(t)
    on = np.greater_equal(polarity, numbers.least_on).view(np.uint8)
    if has_time is not None:
        on[~has_time] = LOST
    for portion in portions.values():
        if portion.lost is not None:
            on[portion.lost] = LOST
    damaged = tuple(size for portion in portions.values() for size in portion.damaged)
    return _Block(t_us, as_pixels(x, numbers.first_px), as_pixels(y, numbers.first_px), on, damaged)


def _read_there(rows: Rows, start: int, stop: int) -> Portion:
    """Rows of a column that may be shorter than that of the times: what it does not have is lost."""
    end = max(start, min(stop, rows.n_rows))
    if end == stop:
        return rows.read(start, stop)
    there = rows.read(start, end)
    values = np.zeros((stop - start, *there.values.shape[1:]), there.values.dtype)
    values[: end - start] = there.values
    lost = np.ones(stop - start, np.bool_)
    lost[: end - start] = False if there.lost is None else there.lost
    return Portion(values, lost, there.damaged)


def _said_index(t: Column, clock: Clock, pieces: Sequence[Piece]) -> ChunkIndex | None:
    """What the times at the ends of the pieces say, where reading two of them costs nothing; None where events in
    order cannot have them."""
    if not isinstance(t.rows, PlainRows) or not pieces:
        return None
    ends = [t.read(row, row + 1) for start, stop in pieces for row in (start, stop - 1)]
    t_us, has_time = clock.as_us(np.concatenate(ends))
    ahead_us = np.diff(t_us)
    if (has_time is not None and not has_time.all()) or (ahead_us < 0).any() or (ahead_us > ordering.DAY_US).any():
        return None
    return ChunkIndex(t_us[::2], t_us[1::2], np.array([stop - start for start, stop in pieces], np.int64))


def _report(state: NDArray[np.int64], notes: tuple[str, ...], samples: Mapping[str, int], truncated: bool) -> Oddities:
    lost = int(state[ordering.INVALID])
    others = state.copy()
    others[ordering.INVALID] = 0
    found = scanning.report(others)
    if lost:
        notes += (f"{lost} rows have no time or could not be read and were dropped.",)
    return replace(
        found,
        dropped=found.dropped + lost,
        truncated=truncated,
        notes=notes + found.notes,
        samples={**samples, **found.samples},
    )
