from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from recording_files import random_events, same
from spikebridge.errors import InputError
from spikebridge.events import Sensor, make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.formats import written_as
from spikebridge.recordings.tables.text_writing import open_writer


def test_lines_as_they_are_known(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "a.csv", Sensor(1280, 720, "Gen4\n two"))
    writer.write(
        make_events([-7, 0, 10, 99, 100, 1633953690975950], [0, 9, 10, 99, 100, 1279], [719, 5] + [0] * 4, [1, 0] * 3)
    )
    writer.write(make_events([1633953690975951], [1], [2], [0]))
    writer.close()
    assert (tmp_path / "a.csv").read_text() == (
        "# sensor 1280x720 Gen4 two\n# t (us) x y p\nt,x,y,p\n-7,0,719,1\n0,9,5,0\n10,10,0,1\n99,99,0,0\n100,100,0,1\n"
        "1633953690975950,1279,0,0\n1633953690975951,1,2,0\n"
    )


@pytest.mark.parametrize(
    "t", [np.iinfo(np.int64).min, -1, 10**18 - 1, 10**18, 10**19 - 1 - 2**63, np.iinfo(np.int64).max]
)
def test_any_time_is_written(tmp_path: Path, t: int) -> None:
    writer = open_writer(tmp_path / "a.csv", Sensor(8, 8))
    writer.write(make_events([t], [65535], [65534], [1]))
    writer.close()
    assert list(csv.reader((tmp_path / "a.csv").read_text().splitlines()))[-1] == [str(t), "65535", "65534", "1"]


@pytest.mark.parametrize("sensor", [Sensor(346, 260, "DAVIS346 00000002"), Sensor(500, 300)])
def test_round_trip_in_parts(tmp_path: Path, sensor: Sensor) -> None:
    events = random_events(150_000, width=346, height=260)
    events["t"] += 1_633_953_690_975_950
    path = tmp_path / "a.csv"
    writer = written_as(path).writing().open_writer(path, sensor)
    for part in np.array_split(events, 3):
        writer.write(part)
    assert not path.exists()
    writer.close()
    recording = open_recording(path)
    assert same(np.concatenate(list(recording.chunks())), events)
    assert recording.info.sensor == sensor
    assert recording.counters().notes == ("Its columns were read as txyp with time in µs, as its header names them.",)
    assert written_as(path).writing().what_is_lost(recording.info) == ()


def test_after_abort_nothing_is_left(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "a.csv", Sensor(8, 8))
    writer.write(random_events(10, width=8, height=8))
    writer.abort()
    writer.abort()
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_can_not_be_written_is_a_sentence() -> None:
    with pytest.raises(InputError, match="expected to write"):
        open_writer(Path("/proc/a.csv"), Sensor(8, 8))
