from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from recording_files import SHARED, needs_shared, random_events, same, write
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor
from spikebridge.recordings import open_recording
from spikebridge.recordings.indexed import IndexedRecording
from spikebridge.recordings.tables import five_bytes
from spikebridge.settings import ReadSettings


def everything(recording: IndexedRecording) -> EventArray:
    return np.concatenate(list(recording.chunks()))


def event(t: int, x: int, y: int, p: int) -> bytes:
    return bytes((x, y)) + (p << 23 | t).to_bytes(3, "big")


def content_of(events: EventArray) -> bytes:
    return b"".join(event(*row) for row in events.tolist())


@pytest.mark.parametrize("suffix", [".bin", ".bs2"])
def test_bits(tmp_path: Path, suffix: str) -> None:
    # x 10, y 20, ON, 0x012345 = 74 565 us; then OFF and the longest time there is
    content = bytes((10, 20, 0x81, 0x23, 0x45, 33, 7, 0x01, 0x23, 0x46))
    recording = open_recording(write(tmp_path, content, f"00003{suffix}"))
    assert everything(recording).tolist() == [(74_565, 10, 20, 1), (74_566, 33, 7, 0)]
    assert recording.info.sensor == Sensor(34, 34)
    assert "It has no header" in recording.counters().notes[0]


def test_marks_add_time_in_bin_only(tmp_path: Path) -> None:
    content = event(5, 1, 2, 1) + event(7, 0, 240, 0) + event(9, 3, 4, 0) + event(9, 9, 240, 1) + event(11, 5, 6, 1)
    recording = open_recording(write(tmp_path, content, "a.bin"))
    assert everything(recording).tolist() == [(5, 1, 2, 1), (8201, 3, 4, 0), (16395, 5, 6, 1)]
    recording = open_recording(write(tmp_path, content, "a.bs2"))
    assert everything(recording)["y"].tolist() == [2, 240, 4, 240, 6]
    assert everything(recording)["t"].tolist() == [5, 7, 9, 9, 11]


def test_small_pieces_give_what_one_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = random_events(3000, width=34, height=34)
    marks = event(0, 0, 240, 0)
    content = content_of(events[:1000]) + marks + content_of(events[1000:])
    path = write(tmp_path, content, "a.bin")
    whole = everything(open_recording(path))
    assert whole.size == 3000
    assert (whole["t"] - events["t"]).tolist() == [0] * 1000 + [8192] * 2000
    monkeypatch.setattr(five_bytes, "_CHUNK_BYTES", 5 * 77)
    parts = open_recording(path)
    assert parts.index.events.size == 39
    assert same(everything(parts), whole)


@pytest.mark.parametrize("n_cut", range(1, 5))
def test_a_file_cut_inside_an_event(tmp_path: Path, n_cut: int) -> None:
    events = random_events(50, width=34, height=34)
    path = write(tmp_path, content_of(events), "a.bin")
    os.truncate(path, 250 - n_cut)
    recording = open_recording(path, ReadSettings((34, 34)))
    assert same(everything(recording), events[:49])
    counters = recording.counters()
    assert (counters.truncated, counters.skipped_bytes) == (True, 5 - n_cut)


def test_events_outside_are_counted(tmp_path: Path) -> None:
    events = random_events(50, width=30, height=30)
    events["x"][7] = 200
    recording = open_recording(write(tmp_path, content_of(events), "a.bin"), ReadSettings((34, 34)))
    assert (recording.n_events, recording.counters().dropped) == (49, 1)


@pytest.mark.parametrize("seed", range(20))
def test_other_bytes_of_that_name_are_refused(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    with pytest.raises(InputError, match="found time running back"):
        open_recording(write(tmp_path, random.integers(0, 256, 4000, np.uint8).tobytes(), "a.bin"))


@needs_shared
def test_a_capture_of_evt2_words_is_not_taken_for_them() -> None:
    with pytest.raises(InputError, match="found time running back"):
        five_bytes.open_recording(SHARED / "formats" / "headerless_evt2_dirty.bin", ReadSettings())


def test_spikes_without_a_place_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="SLAYER spikes of neurons in a row"):
        open_recording(write(tmp_path, event(5, 1, 2, 1), "a.bs1"))
