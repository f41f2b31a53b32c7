"""Small files that are read as if they were large ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from recording_files import aedat2, dvs128_words, random_events, write
from spikebridge.events import EventArray
from spikebridge.recordings import indexed
from spikebridge.recordings.aedat import aedat2 as aedat2_module

EVENTS = random_events(2000, longest_us=100)
PIECE_EVENTS = 100


def treat_as_large(patch: pytest.MonkeyPatch, cache: Path) -> None:
    """Every file, in pieces of 100 events and with a cache of its own."""
    patch.setattr(indexed, "LARGE_BYTES", 0)
    patch.setattr(indexed, "_LOOKED_AT_PIECES", 2)
    patch.setattr(aedat2_module, "_CHUNK_BYTES", 8 * PIECE_EVENTS)
    patch.setenv("XDG_CACHE_HOME", str(cache))


def large_file(folder: Path, events: EventArray = EVENTS) -> Path:
    return write(folder, aedat2(b"DVS128", dvs128_words(events)))
