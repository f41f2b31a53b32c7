from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from recording_files import random_events, same
from spikebridge.contracts import SourceInfo
from spikebridge.errors import InputError, UsageError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.formats import written_as
from spikebridge.recordings.hdf5.writing import open_writer, what_is_lost

SENSOR = Sensor(640, 480, "EVK4 00ß1")


def written(path: Path, events: EventArray, n_calls: int = 3) -> Path:
    with open_writer(path, SENSOR) as writer:
        for part in np.array_split(events, n_calls):
            writer.write(part)
    return path


@pytest.mark.parametrize("n", [1, 2, 5000])
def test_what_is_written_is_read(tmp_path: Path, n: int) -> None:
    events = random_events(n, width=640, height=480)
    events["t"] += 49_599_300_523
    recording = open_recording(written(tmp_path / "a.h5", events))
    assert same(recording.read(0, 1 << 61), events)
    assert recording.info.sensor == SENSOR
    assert recording.counters().notes == ()


def test_the_suffixes_choose_it(tmp_path: Path) -> None:
    assert written_as(tmp_path / "a.h5").name == written_as(tmp_path / "a.HDF5").name == "HDF5"


def test_extreme_values_are_kept(tmp_path: Path) -> None:
    events = make_events([-5, -5, 2**40], [0, 65_534, 1], [0, 1, 65_534], [0, 1, 1])
    with open_writer(tmp_path / "a.h5", Sensor(65_535, 65_535)) as writer:
        with pytest.raises(UsageError, match="ten days"):
            writer.write(events)
        writer.write(events[:2])
    assert same(open_recording(tmp_path / "a.h5").read(-10, 10), events[:2])


def test_ms_to_idx_by_hand(tmp_path: Path) -> None:
    # relative to the first event: 0, 999, 1000, 1000, 3500 µs
    path = written(tmp_path / "a.h5", make_events([7, 1006, 1007, 1007, 3507], range(5), range(5), [1, 0, 1, 0, 1]))
    with h5py.File(path) as file:
        assert file["ms_to_idx"][:].tolist() == [0, 2, 4, 4]
        assert file["t_offset"][()] == 7
        assert file["events/t"][:].tolist() == [0, 999, 1000, 1000, 3500]
        assert file["events/p"][:].tolist() == [1, 0, 1, 0, 1]
        assert (file.attrs["width"], file.attrs["height"]) == (640, 480)
        assert {name: file[f"events/{name}"].dtype.str for name in "xytp"} == {
            "x": "<u2", "y": "<u2", "t": "<i8", "p": "|u1"
        }  # fmt: skip


@pytest.mark.parametrize("n_calls", [1, 2, 7, 100])
def test_ms_to_idx_keeps_what_dsec_promises(tmp_path: Path, n_calls: int) -> None:
    events = random_events(3000, longest_us=300)
    with h5py.File(written(tmp_path / "a.h5", events, n_calls)) as file:
        t, index = file["events/t"][:], file["ms_to_idx"][:].astype(int)
    assert index.size == t[-1] // 1000 + 1
    for ms, first in enumerate(index):
        assert t[first] >= 1000 * ms
        assert first == 0 or t[first - 1] < 1000 * ms


def test_a_pause_of_minutes(tmp_path: Path) -> None:
    events = make_events([0, 660_000_000], [1, 2], [3, 4], [0, 1])
    with h5py.File(written(tmp_path / "a.h5", events, 1)) as file:
        assert file["ms_to_idx"].shape == (660_001,)
        assert file["ms_to_idx"][[0, 1, 660_000]].tolist() == [0, 1, 1]


def test_nothing_is_left_after_an_error(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "a.h5", SENSOR)
    writer.write(random_events(10))
    writer.abort()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RuntimeError), open_writer(tmp_path / "a.h5", SENSOR):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_the_name_appears_when_it_is_whole(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"before")
    writer = open_writer(tmp_path / "a.h5", SENSOR)
    writer.write(random_events(10))
    assert (tmp_path / "a.h5").read_bytes() == b"before"
    writer.close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]
    assert open_recording(tmp_path / "a.h5").n_events == 10


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(InputError, match="expected to write the recording"):
        open_writer(tmp_path / "a" / "b.h5", SENSOR)


def test_what_is_lost() -> None:
    day_us = 24 * 3600 * 1_000_000
    assert what_is_lost(SourceInfo("a", "a", "recording", SENSOR, 5, 10 * day_us + 5)) == ()
    with pytest.raises(UsageError, match="found 10 in a; cut it, or write AEDAT4"):
        what_is_lost(SourceInfo("a", "a", "recording", SENSOR, 5, 10 * day_us + 1005))
