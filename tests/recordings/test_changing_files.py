"""A recording that another program cuts or overwrites while it is open: a sentence, whatever was read before."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recording_files import aedat2, aedat3, aedat3_packet, dvs128_words, random_events, write
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor
from spikebridge.recordings import open_recording
from spikebridge.recordings.aedat.aedat4_writing import Aedat4Writer
from spikebridge.sources.replay import Replay

#: Of more chunks than are kept in memory.
EVENTS = random_events(400_000, longest_us=3)


def aedat2_file(folder: Path, events: EventArray) -> Path:
    return write(folder, aedat2(b"DVS128", dvs128_words(events)))


def aedat3_file(folder: Path, events: EventArray) -> Path:
    packets = [aedat3_packet(events[start : start + 5000]) for start in range(0, events.size, 5000)]
    return write(folder, aedat3(*packets))


def aedat4_file(folder: Path, events: EventArray) -> Path:
    with Aedat4Writer(folder / "a.aedat4", Sensor(128, 128), "NONE") as writer:
        for start in range(0, events.size, 5000):
            writer.write(events[start : start + 5000])
    return folder / "a.aedat4"


FILES = pytest.mark.parametrize("make", [aedat2_file, aedat3_file, aedat4_file])
Make = Callable[[Path, EventArray], Path]


@FILES
def test_one_that_is_cut(tmp_path: Path, make: Make) -> None:
    path = make(tmp_path, EVENTS)
    recording = open_recording(path)
    first_us, last_us = int(EVENTS["t"][0]), int(EVENTS["t"][-1])
    assert recording.read(first_us, first_us + 1000).size
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(InputError, match="the file was cut while it was read"):
        recording.read(last_us - 1000, last_us)
    with pytest.raises(InputError, match="the file was cut while it was read"):
        recording.read(first_us, last_us)
    with pytest.raises(InputError, match="the file was cut while it was read"):
        list(recording.chunks())
    assert recording.read(first_us, first_us + 1000).size


@pytest.mark.parametrize("make", [aedat2_file, aedat3_file])
def test_one_that_is_overwritten(tmp_path: Path, make: Make) -> None:
    path = make(tmp_path, EVENTS)
    recording = open_recording(path)
    others = EVENTS.copy()
    others["t"] += np.arange(EVENTS.size)
    make(tmp_path, others)  # opened for writing under its name: the same file
    with pytest.raises(InputError, match="to stay as it was opened"):
        list(recording.chunks())


@FILES
def test_a_replay_of_one_that_is_cut(tmp_path: Path, make: Make) -> None:
    path = make(tmp_path, EVENTS)
    replay = Replay(open_recording(path), speed=math.inf)
    packets = replay.packets(10_000)
    n = next(packets).events.size
    os.truncate(path, path.stat().st_size // 2)
    replay.overview()
    sizes = [n]
    with pytest.raises(InputError, match="the file was cut while it was read"):
        sizes.extend(packet.events.size for packet in packets)
    assert 0.2 * EVENTS.size < sum(sizes) < 0.6 * EVENTS.size
    time.sleep(0.05)
    assert replay.overview().size == 0
    replay.close()
