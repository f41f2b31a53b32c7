from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from prophesee_files import event_stream
from recording_files import random_events, same
from spikebridge.contracts import SourceInfo
from spikebridge.events import EventArray, Sensor
from spikebridge.recordings import event_stream_writing, open_recording
from spikebridge.recordings.formats import written_as

SENSOR = Sensor(640, 480)
LATEST_US = (1 << 27) - 1
EVENTS = random_events(5000, width=640, height=480, longest_us=400)
EVENTS["t"] -= EVENTS["t"][0]


def write(path: Path, events: EventArray) -> Path:
    with event_stream_writing.open_writer(path, SENSOR) as writer:
        for start in range(0, events.size, 777):
            writer.write(events[start : start + 777])
    return path


@pytest.mark.parametrize("first_us", [0, 126, 127, 128, LATEST_US])
def test_round_trip(tmp_path: Path, first_us: int) -> None:
    events = EVENTS.copy()
    events["t"] += first_us
    path = write(tmp_path / "a.es", events)
    recording = open_recording(path)
    assert same(np.concatenate(list(recording.chunks())), events)
    assert recording.info.sensor == SENSOR
    assert path.read_bytes() == event_stream(events)


def test_a_recording_far_from_0_begins_at_0(tmp_path: Path) -> None:
    events = EVENTS.copy()
    events["t"] += LATEST_US + 1
    assert same(np.concatenate(list(open_recording(write(tmp_path / "a.es", events)).chunks())), EVENTS)


@pytest.mark.parametrize("buffer", [5, 6, 130])
def test_a_full_buffer_is_gone_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, buffer: int) -> None:
    monkeypatch.setattr(event_stream_writing, "_BUFFER_BYTES", buffer)
    assert write(tmp_path / "a.es", EVENTS[:500]).read_bytes() == event_stream(EVENTS[:500])


def test_what_is_said_before() -> None:
    assert event_stream_writing.what_is_lost(SourceInfo("a", "a", "recording", SENSOR, LATEST_US, 1 << 28)) == ()
    info = SourceInfo("a", "a", "recording", Sensor(640, 480, "Gen3.1"), LATEST_US + 1, 1 << 28)
    name, time = event_stream_writing.what_is_lost(info)
    assert "Gen3.1" in name
    assert "at 0 instead of 134217728 µs" in time


def test_the_name_chooses_it() -> None:
    assert written_as(Path("a.es")).name == "Event Stream"
