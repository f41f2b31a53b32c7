"""AEDAT4 (iniVation): through dv-processing where the file is whole, else by ``aedat4_recovery``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from spikebridge.errors import MissingError
from spikebridge.events import EVENT_DTYPE, EventArray, Sensor, empty_events
from spikebridge.sources.aedat4_recovery import is_whole, recover
from spikebridge.sources.decoding import LEAP_US
from spikebridge.sources.formats import AEDAT4
from spikebridge.sources.indexed import CHUNK_EVENTS, ChunkIndex, IndexedRecording, Oddities


def open_aedat4(path: Path) -> IndexedRecording:
    """The recording in an AEDAT4 file.

    dv-processing yields nothing where the table of contents at the end is missing, and stops at a damaged packet;
    such files are read packet by packet instead, which keeps and counts what is there.
    """
    if not is_whole(path):
        return recover(path)
    try:
        import dv_processing  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise MissingError(
            f"expected the package dv-processing to read {path}, found none; install it with "
            "'pip install dv-processing'."
        ) from error
    try:
        recording = dv_processing.io.MonoCameraRecording(str(path))
        return _index(path, recording)
    except (RuntimeError, ValueError, IndexError, _UnorderedError):
        return recover(path)


class _UnorderedError(Exception):
    """Time in the file does not only grow by little; the other reader knows what to do."""


def _index(path: Path, recording: Any) -> IndexedRecording:
    stream = next(name for name in recording.getStreamNames() if recording.isStreamOfEventType(name))
    width, height = recording.getEventResolution(stream)
    sensor = Sensor(int(width), int(height), str(recording.getCameraName()))
    rows, n_outside = [], 0
    for first_us, last_us, n, outside in _pieces(recording, stream, sensor):
        n_outside += outside
        if n:
            rows.append((first_us, last_us, n))

    columns = np.array(rows, np.int64).reshape(-1, 3).T
    index = ChunkIndex(columns[0], columns[1], columns[2])

    def decode(number: int) -> EventArray:
        store = recording.getEventsTimeRange(int(index.first_us[number]), int(index.last_us[number]) + 1, stream)
        return empty_events() if store is None else _inside(_convert(store), sensor)

    notes = (f"{n_outside} events lay outside the sensor and were dropped.",) if n_outside else ()
    streams = (stream, *(name for name in recording.getStreamNames() if name != stream))
    return IndexedRecording(path, AEDAT4, sensor, index, decode, streams, Oddities(notes=notes))


def _pieces(recording: Any, stream: str, sensor: Sensor) -> Iterator[tuple[int, int, int, int]]:
    """(first µs, last µs, events inside, events outside) for runs of about CHUNK_EVENTS.

    A run ends only where time moves on, so that its range of time holds exactly its events.
    """
    first_us = last_us = n = n_outside = 0
    started = False
    while (store := recording.getNextEventBatch(stream)) is not None:
        events = _convert(store)
        t = events["t"]
        if not t.size:
            continue
        steps = np.diff(t, prepend=last_us if started else t[0])
        if steps.min() < 0 or steps.max() > LEAP_US:
            raise _UnorderedError
        inside = _inside(events, sensor)
        if started and n + n_outside >= CHUNK_EVENTS and t[0] > last_us:
            yield first_us, last_us, n, n_outside
            started, n, n_outside = False, 0, 0
        if not started:
            started, first_us = True, int(t[0])
        last_us = int(t[-1])
        n += inside.size
        n_outside += events.size - inside.size
    if started:
        yield first_us, last_us, n, n_outside


def _convert(store: Any) -> EventArray:
    """(N,) EVENT_DTYPE from an EventStore."""
    found = store.numpy()
    events = np.empty(found.size, EVENT_DTYPE)
    events["t"] = found["timestamp"]
    for field in ("x", "y", "polarity"):
        events[field] = found[field]
    return events


def _inside(events: EventArray, sensor: Sensor) -> EventArray:
    inside = (events["x"] < sensor.width) & (events["y"] < sensor.height)
    return events if inside.all() else events[inside]
