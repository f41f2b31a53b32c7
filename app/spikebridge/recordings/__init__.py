"""Files of events: random access in time to recordings of any maker, one folder for each family of formats.

``formats`` is the table of all of them. A reader is a module with ``open_recording``: it cuts the file into pieces and
names a compiled decoder (``scanning.Scan``); index, random access, threads and counters are the same for all
(``indexed``).
"""

from __future__ import annotations

from pathlib import Path

from spikebridge.recordings.formats import recognise
from spikebridge.recordings.indexed import IndexedRecording
from spikebridge.recordings.kept_chunks import KeptFile
from spikebridge.settings import ReadSettings


def open_recording(path: str | Path, settings: ReadSettings | None = None) -> IndexedRecording:
    """Random access to a file of events; InputError when it cannot be read as one.

    settings : what the file may not say of itself; what it does say, counts more.
    """
    path, settings = Path(path), settings or ReadSettings()
    kept = KeptFile(path, settings)
    recording = recognise(path).reader().open_recording(path, settings)
    if recording.progress < 1:
        recording.keep_in(kept)
    return recording
