"""The size of a sensor that nothing but its events tells."""

from __future__ import annotations

from spikebridge.recordings.indexed import IndexedRecording


def size_of_events(recording: IndexedRecording) -> tuple[int, int]:
    """Width and height that hold all events of a recording that was opened as of the largest sensor; closes it."""
    width, height = 1, 1
    for events in recording.beginning():
        width = max(width, int(events["x"].max(initial=0)) + 1)
        height = max(height, int(events["y"].max(initial=0)) + 1)
    recording.close()
    return width, height
