from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from recording_files import aedat2, davis_words, dvs128_words, random_events, same, write
from spikebridge.errors import InputError
from spikebridge.events import EventArray, make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.indexed import IndexedRecording


def everything(recording: IndexedRecording) -> EventArray:
    return np.concatenate(list(recording.chunks()))


def test_dvs128_bits(tmp_path: Path) -> None:
    word = struct.pack(">II", 1 | 10 << 1 | 20 << 8, 5)
    recording = open_recording(write(tmp_path, aedat2(b"DVS128", word)))
    assert everything(recording).tolist() == [(5, 117, 107, 0)]
    assert recording.info.sensor.width == 128


@pytest.mark.parametrize(("chip", "width", "height"), [(b"DAVIS240C", 240, 180), (b"Davis346mini", 346, 260)])
def test_davis_events_are_told_from_frames_imu_and_triggers(
    tmp_path: Path, chip: bytes, width: int, height: int
) -> None:
    events = random_events(300, width=width, height=height)
    words = davis_words(events, width, height)
    frame, imu, trigger = 1 << 31 | 5, 1 << 31 | 3 << 10, 1 << 10
    others = b"".join(struct.pack(">II", address, 0) for address in (frame, imu, imu, trigger))
    recording = open_recording(write(tmp_path, aedat2(chip, words[:800], others, words[800:])))
    assert same(everything(recording), events)
    assert recording.streams == ("events", "frames", "imu", "triggers")
    assert recording.counters().skipped_bytes == 0


def test_a_first_word_that_looks_like_a_header_line(tmp_path: Path) -> None:
    events = make_events([7, 8], [3, 4], [179 - 0x23 * 4, 9], [1, 0])
    words = davis_words(events, 240, 180)
    assert words[:1] == b"#"
    assert same(everything(open_recording(write(tmp_path, aedat2(b"DAVIS240C", words)))), events)


def test_a_first_word_that_looks_like_a_line_of_text(tmp_path: Path) -> None:
    word = b"@BCD\nEFG"
    recording = open_recording(write(tmp_path, aedat2(b"Davis346mini", word)))
    assert everything(recording).tolist() == [(0x0A454647, 345 - 0x24, 259 - 0x101, 0)]


def test_time_is_unwrapped(tmp_path: Path) -> None:
    wrap = 1 << 32
    events = make_events([wrap - 20, wrap - 10, wrap + 5, wrap + 90], [1] * 4, [2] * 4, [1] * 4)
    recording = open_recording(write(tmp_path, aedat2(b"DVS128", dvs128_words(events))))
    assert same(everything(recording), events)
    assert recording.counters().notes == ()


def test_disorder_across_the_wrap_is_clamped(tmp_path: Path) -> None:
    wrap = 1 << 32
    events = make_events([wrap - 20, wrap + 5, wrap - 10, wrap + 6], [1] * 4, [2] * 4, [1] * 4)
    recording = open_recording(write(tmp_path, aedat2(b"DVS128", dvs128_words(events))))
    assert everything(recording)["t"].tolist() == [wrap - 20, wrap + 5, wrap + 5, wrap + 6]
    assert "backwards at 1 events" in recording.counters().notes[0]


def test_a_reset_of_the_clock_goes_on_from_the_newest_time(tmp_path: Path) -> None:
    events = make_events([5_000_000, 5_000_100, 0, 10, 30], [1] * 5, [2] * 5, [1] * 5)
    recording = open_recording(write(tmp_path, aedat2(b"DVS128", dvs128_words(events))))
    assert everything(recording)["t"].tolist() == [5_000_000, 5_000_100, 5_000_100, 5_000_110, 5_000_130]
    assert "reset 1 times" in recording.counters().notes[0]


def test_coordinates_outside_are_dropped_and_counted(tmp_path: Path) -> None:
    inside = make_events([1, 2], [3, 4], [5, 6], [1, 0])
    outside = struct.pack(">II", 250 << 12 | 3 << 22, 2)
    recording = open_recording(
        write(
            tmp_path,
            aedat2(b"DAVIS240C", davis_words(inside[:1], 240, 180), outside, davis_words(inside[1:], 240, 180)),
        )
    )
    assert same(everything(recording), inside)
    assert recording.counters().notes == ("1 events lay outside the sensor and were dropped.",)


@pytest.mark.parametrize("n_cut", range(1, 8))
def test_a_file_cut_inside_an_event(tmp_path: Path, n_cut: int) -> None:
    events = random_events(10)
    recording = open_recording(write(tmp_path, aedat2(b"DVS128", dvs128_words(events)[:-n_cut])))
    assert same(everything(recording), events[:9])
    assert recording.counters().truncated
    assert recording.counters().skipped_bytes == 8 - n_cut


def test_a_header_without_chip_is_read_as_dvs128_and_said(tmp_path: Path) -> None:
    events = random_events(4)
    recording = open_recording(write(tmp_path, b"#!AER-DAT2.0\r\n" + dvs128_words(events)))
    assert same(everything(recording), events)
    assert "names no sensor" in recording.counters().notes[0]


def test_an_unknown_chip_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="CochleaAMS1c"):
        open_recording(write(tmp_path, aedat2(b"cochlea.CochleaAMS1c", bytes(80))))


@pytest.mark.parametrize("length", [14, 30, 80])
def test_a_header_alone_holds_no_events(tmp_path: Path, length: int) -> None:
    with pytest.raises(InputError, match="to hold events"):
        open_recording(write(tmp_path, aedat2(b"DVS128")[:length]))


def test_many_chunks_are_continuous(tmp_path: Path) -> None:
    events = random_events(150_000)
    recording = open_recording(write(tmp_path, aedat2(b"DVS128", dvs128_words(events))))
    assert recording.index.events.size == 3
    assert same(everything(recording), events)


def test_events_of_another_sensor_are_refused(tmp_path: Path) -> None:
    words = davis_words(random_events(100, width=346, height=260), 346, 260)
    outside = struct.pack(">II", 250 << 12 | 200 << 22, 2) * 200
    with pytest.raises(InputError, match="outside it"):
        open_recording(write(tmp_path, aedat2(b"DAVIS240C", words, outside)))
