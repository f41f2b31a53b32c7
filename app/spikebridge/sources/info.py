"""What a recording holds, as ``spikebridge info`` prints it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from spikebridge.sources import open_recording
from spikebridge.sources.indexed import IndexedRecording

#: Bins over which the highest rate is taken, from the first event on.
RATE_BIN_US = 10_000


def describe(path: str | Path) -> dict[str, Any]:
    """Format, sensor, counts, times, streams and oddities of a file, ready for JSON.

    max_rate_hz : most events in one bin of 10 ms, as events per second.
    """
    with closing(open_recording(path)) as recording:
        on, max_rate_hz = _count(recording)
        info, counters = recording.info, recording.counters()
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
            "skipped_bytes": counters.skipped_bytes,
            "truncated": counters.truncated,
            "notes": list(counters.notes),
        }


def _count(recording: IndexedRecording) -> tuple[int, float]:
    """ON events and the highest rate, chunk by chunk; a bin that two chunks share is added up."""
    on, most, current_bin, in_bin = 0, 0, -1, 0
    for events in recording.chunks():
        on += int(np.count_nonzero(events["polarity"]))
        bins = (events["t"] - recording.info.t_first_us) // RATE_BIN_US
        starts = np.concatenate(([0], np.flatnonzero(np.diff(bins)) + 1))
        counts = np.diff(starts, append=bins.size)
        if bins[0] == current_bin:
            counts[0] += in_bin
        most = max(most, int(counts.max()))
        current_bin, in_bin = int(bins[-1]), int(counts[-1])
    return on, most * 1e6 / RATE_BIN_US
