"""Small files that are read as if they were large ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from recording_files import aedat2, aedat3, aedat3_other_packet, aedat3_packet, dvs128_words, random_events, write
from spikebridge.events import EventArray
from spikebridge.recordings import indexed
from spikebridge.recordings.aedat import aedat2 as aedat2_module
from spikebridge.recordings.aedat import aedat3 as aedat3_module
from spikebridge.recordings.aedat import aedat3_packets

EVENTS = random_events(2000, longest_us=100)
PIECE_EVENTS = 100


def treat_as_large(patch: pytest.MonkeyPatch, cache: Path) -> None:
    """Every file, in pieces of 100 events and with a cache of its own."""
    patch.setattr(indexed, "LARGE_BYTES", 0)
    patch.setattr(indexed, "_LOOKED_AT_PIECES", 2)
    patch.setattr(aedat2_module, "_CHUNK_BYTES", 8 * PIECE_EVENTS)
    patch.setattr(aedat3_module, "CHUNK_EVENTS", PIECE_EVENTS)
    patch.setattr(aedat3_module, "_GROUP_BYTES", 20 * PIECE_EVENTS)
    patch.setattr(aedat3_packets, "_STRETCH_BYTES", 700)
    patch.setenv("XDG_CACHE_HOME", str(cache))


def large_file(folder: Path, events: EventArray = EVENTS) -> Path:
    return write(folder, aedat2(b"DVS128", dvs128_words(events)))


def large_aedat3_file(folder: Path, events: EventArray = EVENTS) -> Path:
    """Packets of 30 events, after every tenth one five IMU samples, and before all a megabyte of frames."""
    packets = [aedat3_packet(events[start : start + 30]) for start in range(0, events.size, 30)]
    for at in range(10, len(packets), 11):
        packets.insert(at, aedat3_other_packet(3, 36, 5))
    frames = [aedat3_other_packet(2, 50_000, 1)] * 20
    return write(folder, aedat3(*frames, *packets))
