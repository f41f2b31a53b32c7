"""Recordings with labels beside them, as clips: one's own, as ``spikebridge record`` makes them, or a data set's.

mine/clap.aedat4  mine/clap_labels.csv            one person, or
mine/anna/clap.aedat4  mine/ben/clap.aedat4 …     a folder for each
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from spikebridge.chain.binning import crop_of
from spikebridge.datasets.clips import LabelledClip, is_shard, write_shard
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor
from spikebridge.recordings import open_recording
from spikebridge.recordings.formats import is_recording
from spikebridge.recordings.labels import Span, check_inside, is_labels, labels_path, read_labels
from spikebridge.settings import ReadSettings

_SIDE = 128
#: Own recordings are cut into pieces, so that some of them can be validated on.
_PIECE_US = 1_500_000


def find_recordings(folder: Path) -> list[tuple[int, Path]]:
    """(person, recording) of a folder laid out as above; each folder with recordings in it is a person.

    Tables and arrays that are no recordings are left alone.
    """
    found = sorted(
        path
        for path in folder.glob("**/*")
        if path.is_file() and not is_labels(path) and not is_shard(path) and is_recording(path)
    )
    persons = sorted({path.parent for path in found})
    return [(persons.index(path.parent), path) for path in found]


def import_recordings(source: Path, out: Path, read: ReadSettings | None = None) -> list[str]:
    """Writes the clips of own recordings to ``out``; returns a sentence for each oddity. See ``import_recording``."""
    notes: list[str] = []
    for person, path in find_recordings(source):
        name = "-".join(path.relative_to(source).with_suffix("").parts)
        notes += import_recording(path, out, name, person, _PIECE_US, read)
    return notes


def import_recording(
    path: Path, out: Path, name: str, person: int, piece_us: int, read: ReadSettings | None = None
) -> list[str]:
    """Writes shard ``name`` with the labelled parts of one recording, in pieces of at most ``piece_us``.

    A shard that is newer than the recording and its labels is left alone, so an interrupted import goes on. Returns a
    sentence for each oddity of the labels.
    """
    if not path.is_file():
        raise InputError(f"expected the recording {path}, found none; get the file again.")
    labels = labels_path(path)
    spans, notes = read_labels(labels)
    index = out / f"{name}.json"
    if not index.is_file() or index.stat().st_mtime_ns < max(p.stat().st_mtime_ns for p in (path, labels)):
        write_shard(out, name, _clips(path, spans, person, piece_us, read))
    return notes


def fit_to_network(events: EventArray, sensor: Sensor) -> EventArray:
    """Events of any sensor on the network's 128x128 pixels, mapped as the chain does with ``InputSpec.fit`` center."""
    x0, y0, width, height = crop_of(_SIDE, _SIDE, "center", sensor)
    x = (events["x"].astype(np.int64) - x0) * _SIDE // width
    y = (events["y"].astype(np.int64) - y0) * _SIDE // height
    inside = (x >= 0) & (x < _SIDE) & (y >= 0) & (y < _SIDE)
    fitted = events[inside].copy()
    fitted["x"], fitted["y"] = x[inside], y[inside]
    return fitted


def _clips(
    path: Path, spans: Sequence[Span], person: int, piece_us: int, read: ReadSettings | None
) -> Iterator[LabelledClip]:
    recording = open_recording(path, read)
    try:
        recording.complete()
        info = recording.info
        if info.t_first_us is None or info.t_last_us is None:
            raise InputError(f"expected events in {path}, found none; leave the recording out.")
        check_inside(path, spans, info.t_first_us, info.t_last_us)
        for span in spans:
            # Pieces of equal length: otherwise the last one could be too short for a window.
            n = -(-(span.stop_us - span.start_us) // piece_us)
            bounds = np.linspace(span.start_us, span.stop_us, n + 1).astype(np.int64).tolist()
            for start_us, stop_us in pairwise(bounds):
                events = fit_to_network(recording.read(start_us, stop_us), info.sensor)
                events["t"] -= start_us
                yield LabelledClip(events, span.label, person, stop_us - start_us)
    finally:
        recording.close()
