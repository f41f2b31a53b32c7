from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from prophesee_files import DAT_HEADER, dat, dat_records
from recording_files import SHARED, needs_shared, random_events, same, write
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.indexed import IndexedRecording
from spikebridge.recordings.prophesee import dat as dat_module
from spikebridge.settings import ReadSettings

EVENTS = random_events(3000, width=640, height=480)


def everything(recording: IndexedRecording) -> EventArray:
    return np.concatenate(list(recording.chunks()))


@pytest.mark.parametrize("kind", [0x00, 0x0C])
def test_events_come_back(tmp_path: Path, kind: int) -> None:
    recording = open_recording(write(tmp_path, dat(EVENTS, kind=kind), "a.dat"))
    assert (recording.format, recording.info.sensor) == ("DAT", Sensor(640, 480))
    assert same(everything(recording), EVENTS)
    assert recording.counters().notes == ()


def test_bits_by_hand(tmp_path: Path) -> None:
    record = (7).to_bytes(4, "little") + (639 | 479 << 14 | 1 << 28).to_bytes(4, "little")
    assert everything(open_recording(write(tmp_path, DAT_HEADER + b"\x0c\x08" + record))).tolist() == [(7, 639, 479, 1)]


def test_version_1_has_fewer_bits(tmp_path: Path) -> None:
    record = (7).to_bytes(4, "little") + (303 | 239 << 9 | 1 << 17).to_bytes(4, "little")
    header = b"% Version 1\n% Width 304\n% Height 240\n"
    assert everything(open_recording(write(tmp_path, header + b"\x00\x08" + record))).tolist() == [(7, 303, 239, 1)]


@pytest.mark.parametrize("version", [1, 2])
def test_a_version_that_is_not_said_is_told_from_the_records(tmp_path: Path, version: int) -> None:
    events = random_events(500, width=304, height=240)
    records = dat_records(events)
    if version == 1:
        columns = [events[name].astype(np.uint32) for name in ("t", "x", "y", "polarity")]
        records = np.column_stack((columns[0], columns[1] | columns[2] << 9 | columns[3] << 17)).astype("<u4").tobytes()
    header = b"% Data file containing Event2D events.\n% Width 304\n% Height 240\n\x00\x08"
    recording = open_recording(write(tmp_path, header + records, "a.dat"))
    assert same(everything(recording), events)
    assert f"version {version}" in recording.counters().notes[0]


def test_time_wraps_and_t0_is_added(tmp_path: Path) -> None:
    events = make_events([(1 << 32) - 5, (1 << 32) - 1, (1 << 32) + 3], [1, 2, 3], [4, 5, 6], [1, 0, 1])
    assert same(everything(open_recording(write(tmp_path, dat(events)))), events)
    header = DAT_HEADER + b"% t0 8589934592\n% end\n"
    found = everything(open_recording(write(tmp_path, dat(events, header=header))))
    assert (found["t"] - events["t"] == 1 << 33).all()


def test_a_sensor_that_is_not_named(tmp_path: Path) -> None:
    path = write(tmp_path, dat(make_events(range(99), [53] * 99, [60] * 99, [0] * 99), header=b"% Version 2\n"))
    recording = open_recording(path)
    assert recording.info.sensor == Sensor(54, 61)
    assert "54x61 px hold all events" in recording.counters().notes[0]
    assert open_recording(path, ReadSettings(size=(304, 240))).info.sensor == Sensor(304, 240)


def test_events_outside_are_counted(tmp_path: Path) -> None:
    events = EVENTS.copy()
    events["x"][[5, 9]] = 640
    recording = open_recording(write(tmp_path, dat(events)))
    assert recording.counters().dropped == 2
    assert recording.n_events == EVENTS.size - 2


def test_a_file_that_ends_inside_an_event(tmp_path: Path) -> None:
    recording = open_recording(write(tmp_path, dat(EVENTS)[:-3]))
    counters = recording.counters()
    assert (counters.skipped_bytes, counters.truncated) == (5, True)
    assert same(everything(recording), EVENTS[:-1])


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (DAT_HEADER, "found none"),
        (DAT_HEADER + b"\x0e\x08", "external triggers"),
        (DAT_HEADER + b"\x0c\x10", "16 bytes of type 12"),
        (DAT_HEADER + b"\x0c\x08", "without any"),
        (b"% Version 2\n% Width 20000\n% Height 3\n\x0c\x08", "20000x3"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, content: bytes, found: str) -> None:
    with pytest.raises(InputError, match=found):
        open_recording(write(tmp_path, content, "a.dat"))


def test_small_pieces_give_what_one_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, dat(EVENTS)[:-3])
    whole = open_recording(path)
    events = everything(whole)
    monkeypatch.setattr(dat_module, "_CHUNK_BYTES", 8 * 7)
    recording = open_recording(path)
    assert recording.index.events.size > 400
    assert same(everything(recording), events)
    assert recording.counters() == whole.counters()


@needs_shared
def test_an_old_file_of_n_cars() -> None:
    recording = open_recording(SHARED / "formats" / "ncars.dat")
    events = everything(recording)
    assert (events.size, events["t"][0], events["t"][-1]) == (4407, 0, 99_937)
    assert (events["x"].sum(), events["y"].sum(), events["polarity"].sum()) == (108_033, 134_194, 1671)
