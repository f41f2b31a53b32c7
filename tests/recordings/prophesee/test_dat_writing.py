from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recording_files import random_events, same
from spikebridge.contracts import SourceInfo
from spikebridge.errors import InputError, UsageError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.formats import written_as
from spikebridge.recordings.prophesee import dat_writing

SENSOR = Sensor(640, 480, "Gen3.1")


def write(path: Path, events: EventArray) -> Path:
    with dat_writing.open_writer(path, SENSOR) as writer:
        for start in range(0, events.size, 777):
            writer.write(events[start : start + 777])
    return path


@pytest.mark.parametrize("first_us", [0, (1 << 32) - 40_000, 1_700_000_000_123_456])
def test_round_trip(tmp_path: Path, first_us: int) -> None:
    events = random_events(5000, width=640, height=480)
    events["t"] += first_us
    recording = open_recording(write(tmp_path / "a.dat", events))
    assert same(np.concatenate(list(recording.chunks())), events)
    assert recording.info.sensor == SENSOR
    assert recording.counters().notes == ()


def test_bytes_by_hand(tmp_path: Path) -> None:
    content = write(tmp_path / "a.dat", make_events([7], [639], [479], [1])).read_bytes()
    assert content == (
        b"% Data file containing CD events.\n% Version 2\n% Height 480\n% Width 640\n% sensor_name Gen3.1\n% end\n"
        b"\x0c\x08" + (7).to_bytes(4, "little") + (639 | 479 << 14 | 1 << 28).to_bytes(4, "little")
    )


def test_a_silence_that_the_format_cannot_hold(tmp_path: Path) -> None:
    events = make_events([5, 4 + (1 << 31), 5 + (1 << 32)], [1, 2, 3], [3, 4, 5], [1, 0, 1])
    write(tmp_path / "b.dat", events[:2])
    for parts in ([events], [events[:2], events[2:]]):
        writer = dat_writing.open_writer(tmp_path / "a.dat", SENSOR)
        for part in parts[:-1]:
            writer.write(part)
        with pytest.raises(InputError, match="35 minutes"):
            writer.write(parts[-1])
        writer.abort()
    assert [path.name for path in tmp_path.iterdir()] == ["b.dat"]


def test_what_is_said_before() -> None:
    assert dat_writing.what_is_lost(SourceInfo("a", "a", "recording", SENSOR, (1 << 32) - 1, 1 << 33)) == ()
    assert "t0" in dat_writing.what_is_lost(SourceInfo("a", "a", "recording", SENSOR, 1 << 32, 1 << 33))[0]
    with pytest.raises(UsageError, match="at most 16384x16384"):
        dat_writing.open_writer(Path("never.dat"), Sensor(16385, 1))


def test_the_name_chooses_it() -> None:
    assert written_as(Path("a.dat")).name == "DAT"
