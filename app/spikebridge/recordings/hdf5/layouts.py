"""HDF5 files of events, in any layout that shows what is what, and MATLAB's of version 7.3, which are HDF5.

- records: a data set with the fields x, y, p, t. So Prophesee's ``CD/events``, mostly in ECF;
- columns: four vectors side by side in one group. So DSEC's ``events/{x,y,t,p}`` with ``t_offset``, M3ED's
  ``prophesee/left/{x,y,t,p}``, event_voxel_builder's ``events/{xs,ys,ts,ps}``, and MATLAB's structs;
- a matrix: ``events`` with four columns, x, y, t, p or t, x, y, p. So MVSEC's ``davis/left/events`` and v2e's.

A file with several of them is read at the first one that has events, by the order of the names; the others are counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spikebridge.errors import InputError
from spikebridge.recordings.hdf5.columns import Columns, open_columns
from spikebridge.recordings.hdf5.file import Attribute, Dataset, Hdf5File
from spikebridge.recordings.hdf5.names import FIELDS, field_of, order_of
from spikebridge.recordings.hdf5.rows import Column, Rows, rows_of
from spikebridge.recordings.hdf5.sizes import Size, told_by
from spikebridge.recordings.indexed import IndexedRecording
from spikebridge.recordings.recording_file import RecordingFile
from spikebridge.settings import ReadSettings

_SHOWN = 12
#: Rows of a matrix that are looked at for which column is which.
_LOOKED_AT = 4096
_TRIGGERS = "EXT_TRIGGER/events"


@dataclass(frozen=True, slots=True)
class _Found:
    """Events of one camera. group : that holds them. datasets : of each column, by ``FIELDS``; picks : see Column."""

    place: str
    group: str
    datasets: Mapping[str, Dataset]
    picks: Mapping[str, str | int | None]

    @property
    def n_rows(self) -> int:
        return min(dataset.n_rows for dataset in self.datasets.values())


def open_recording(path: Path, settings: ReadSettings) -> IndexedRecording:
    """See ``formats.Reader``."""
    file = RecordingFile(path)
    hdf5 = Hdf5File(path, file)
    datasets = hdf5.datasets()
    found = [*_records(datasets), *_columns(datasets), *_matrices(hdf5, file, datasets, settings)]
    if not found:
        raise InputError(
            f"expected {path} to hold events (x, y, t and p in one data set or beside each other), found "
            f"{_shown(datasets)}; convert it to a layout that has them."
        )
    found.sort(key=lambda one: (not one.n_rows, one.place))
    events, others = found[0], found[1:]
    samples = {f"events of {one.place}": one.n_rows for one in others if one.n_rows}
    if _TRIGGERS in datasets and datasets[_TRIGGERS].n_rows:
        samples["triggers"] = datasets[_TRIGGERS].n_rows
    notes = tuple(f"{one.place} has {one.n_rows} events too, which were left out." for one in others if one.n_rows)
    columns = _open(hdf5, file, events)
    name = "MATLAB 7.3" if hdf5.has_user_block else "HDF5"
    return open_columns(path, name, columns, _size(hdf5, events), settings, notes, samples)


def _open(hdf5: Hdf5File, file: RecordingFile, events: _Found) -> Columns:
    rows: dict[str, Rows] = {}
    for dataset in events.datasets.values():
        if dataset.name not in rows:
            rows[dataset.name] = rows_of(hdf5, file, dataset)
    t, x, y, p = (Column(rows[events.datasets[field].name], events.picks[field]) for field in FIELDS)
    return Columns(events.place, t, x, y, p, _clock_start(hdf5, events.group))


def _clock_start(hdf5: Hdf5File, group: str) -> int:
    """DSEC's ``t_offset``, beside the group of the events or in it, µs."""
    for place in (group, _parent(group)):
        start_us = hdf5.number(f"{place}/t_offset" if place else "t_offset")
        if start_us is not None:
            return start_us
    return 0


def _size(hdf5: Hdf5File, events: _Found) -> Size | None:
    places = dict.fromkeys((events.datasets["t"].name, events.group, _parent(events.group), ""))
    for place in places:
        attributes: dict[str, Attribute] = dict(hdf5.attributes(place))
        # M3ED: /prophesee/left/calib/resolution
        resolution = hdf5.numbers(f"{place}/calib/resolution" if place else "calib/resolution", 2)
        if len(resolution) == 2:
            attributes.setdefault("resolution", resolution)
        size = told_by(attributes)
        if size is not None:
            return size
    return None


def _records(datasets: Mapping[str, Dataset]) -> list[_Found]:
    found = []
    for name, dataset in datasets.items():
        fields = {field_of(field): field for field in dataset.dtype.names or ()}
        if set(FIELDS) <= set(fields):
            found.append(
                _Found(name, _parent(name), dict.fromkeys(FIELDS, dataset), {field: fields[field] for field in FIELDS})
            )
    return found


def _columns(datasets: Mapping[str, Dataset]) -> list[_Found]:
    groups: dict[str, dict[str, Dataset]] = {}
    for name, dataset in datasets.items():
        field = field_of(name.rpartition("/")[2])
        if field and not dataset.dtype.names and dataset.n_columns == 1:
            groups.setdefault(_parent(name), {}).setdefault(field, dataset)
    return [
        _Found(group or "the file", group, columns, dict.fromkeys(FIELDS))
        for group, columns in groups.items()
        if set(FIELDS) <= set(columns)
    ]


def _matrices(
    hdf5: Hdf5File, file: RecordingFile, datasets: Mapping[str, Dataset], settings: ReadSettings
) -> list[_Found]:
    found = []
    for name, dataset in datasets.items():
        if name.rpartition("/")[2].lower() == "events" and dataset.n_columns == 4 and not dataset.dtype.names:
            rows = rows_of(hdf5, file, dataset)
            first, stop = next(rows.written(), (0, 0))
            head = Column(rows).read(first, min(stop, first + _LOOKED_AT))
            order = order_of(file.path, name, head, settings.columns)
            picks: dict[str, str | int | None] = {field: order.index(field) for field in FIELDS}
            found.append(_Found(name, _parent(name), dict.fromkeys(FIELDS, dataset), picks))
    return found


def _parent(name: str) -> str:
    return name.rpartition("/")[0]


def _shown(datasets: Mapping[str, Dataset]) -> str:
    names = [f"{name} {dataset.shape}" for name, dataset in list(datasets.items())[:_SHOWN]]
    more = len(datasets) - len(names)
    return (", ".join(names) + (f" and {more} others" if more else "")) or "no data sets of numbers"
