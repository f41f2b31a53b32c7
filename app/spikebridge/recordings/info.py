"""What a recording holds, as ``spikebridge info`` prints it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import EventArray
from spikebridge.recordings import open_recording
from spikebridge.recordings.boxes import boxes_beside, read_boxes
from spikebridge.recordings.indexed import IndexedRecording
from spikebridge.settings import ReadSettings

#: Bins over which the highest rate is taken, from the first event on.
RATE_BIN_US = 10_000


def describe(path: str | Path, settings: ReadSettings | None = None) -> dict[str, Any]:
    """Format, sensor, counts, times, streams and oddities of a file, ready for JSON.

    max_rate_hz : most events in one bin of 10 ms, as events per second.
    """
    with closing(open_recording(path, settings)) as recording:
        on, max_rate_hz = _count(recording)
        info, counters = recording.info, recording.counters()
        samples, notes = _beside(Path(path))
        return {
            "format": recording.format,
            "sensor": {"width": info.sensor.width, "height": info.sensor.height, "name": info.sensor.name},
            "events": recording.n_events,
            "t_first_us": info.t_first_us,
            "t_last_us": info.t_last_us,
            "on": on,
            "off": recording.n_events - on,
            "max_rate_hz": max_rate_hz,
            "streams": list(recording.streams),
            "samples": {**recording.samples, **samples},
            "dropped": counters.dropped,
            "out_of_order": counters.out_of_order,
            "skipped_bytes": counters.skipped_bytes,
            "truncated": counters.truncated,
            "notes": [*counters.notes, *notes],
        }


def _beside(path: Path) -> tuple[dict[str, int], tuple[str, ...]]:
    """Boxes of objects that lie beside a recording, as samples and as a sentence."""
    found = boxes_beside(path)
    if found is None:
        return {}, ()
    try:
        boxes = read_boxes(found)
    except InputError as error:
        return {}, (str(error),)
    return {"boxes": boxes.n_boxes}, (str(boxes),)


def _count(recording: IndexedRecording) -> tuple[int, float]:
    """ON events and the highest rate, from one pass over the chunks."""
    first_us = int(recording.index.first_us[0])
    counts = np.array([0, 0, first_us, 0])
    for events in recording.chunks():
        _count_chunk(events, first_us, counts)
    on, most, _, in_bin = counts.tolist()
    return on, max(most, in_bin) * 1e6 / RATE_BIN_US


@njit(cache=True, nogil=True)
def _count_chunk(events: EventArray, first_us: int, counts: NDArray[np.int64]) -> None:
    """Adds a chunk to ``counts``: ON events, most events in a bin so far, end of the current bin, events in it."""
    on, most, end_us, in_bin = counts
    for i in range(events.shape[0]):
        on += events[i].polarity
        if events[i].t >= end_us:
            most, in_bin = max(most, in_bin), 0
            end_us = events[i].t - (events[i].t - first_us) % RATE_BIN_US + RATE_BIN_US
        in_bin += 1
    counts[:] = on, most, end_us, in_bin
