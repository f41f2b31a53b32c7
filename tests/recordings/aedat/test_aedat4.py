from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recording_files import SHARED, needs_shared, random_events, same, write
from spikebridge.errors import InputError
from spikebridge.events import EventArray
from spikebridge.recordings import open_recording
from spikebridge.recordings.indexed import IndexedRecording

EVENTS = random_events(2000, longest_us=100)


def everything(recording: IndexedRecording) -> EventArray:
    return np.concatenate(list(recording.chunks()))


def record(path: Path, events: EventArray, compression: str = "LZ4") -> Path:
    """Written by the vendor's own library, in packets of 100 events."""
    import dv_processing as dv

    config = dv.io.MonoCameraWriter.Config("DVS128_0001", getattr(dv.CompressionType, compression))
    config.addEventStream((128, 128))
    writer = dv.io.MonoCameraWriter(str(path), config)
    for start in range(0, events.size, 100):
        store = dv.EventStore()
        for t, x, y, polarity in events[start : start + 100].tolist():
            store.push_back(t, x, y, bool(polarity))
        writer.writeEvents(store)
    del writer  # the file is finished only when the writer is gone
    return path


def header_and_first_packet(content: bytes) -> int:
    """Bytes up to the end of the first packet."""
    first = 18 + int.from_bytes(content[14:18], "little")
    return first + 8 + int.from_bytes(content[first + 4 : first + 8], "little")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return record(tmp_path_factory.mktemp("aedat4") / "whole.aedat4", EVENTS).read_bytes()


@pytest.mark.parametrize("compression", ["NONE", "LZ4", "LZ4_HIGH", "ZSTD", "ZSTD_HIGH"])
def test_every_compression_reads_as_written(tmp_path: Path, compression: str) -> None:
    recording = open_recording(record(tmp_path / "a.aedat4", EVENTS, compression))
    assert same(everything(recording), EVENTS)
    assert (recording.info.sensor.width, recording.info.sensor.height) == (128, 128)
    assert recording.info.sensor.name == "DVS128_0001"
    counters = recording.counters()
    assert (counters.skipped_bytes, counters.truncated, counters.notes) == (0, False, ())


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_yields_what_is_there_and_says_so(tmp_path: Path, recorded: bytes, part: float) -> None:
    path = write(tmp_path, recorded[: int(len(recorded) * part)])
    if len(path.read_bytes()) < header_and_first_packet(recorded):
        with pytest.raises(InputError, match="expected"):
            open_recording(path)
        return
    recording = open_recording(path)
    found = everything(recording)
    assert found.size % 100 == 0
    assert found.size >= (part - 0.15) * EVENTS.size
    assert same(found, EVENTS[: found.size])
    assert recording.counters().truncated
    assert "table of contents" in recording.counters().notes[0]


def test_a_file_that_lost_only_its_last_bytes_keeps_all_events(tmp_path: Path, recorded: bytes) -> None:
    recording = open_recording(write(tmp_path, recorded[:-3]))
    assert same(everything(recording), EVENTS)
    assert recording.counters().truncated


def test_a_damaged_packet_is_skipped_and_counted(tmp_path: Path, recorded: bytes) -> None:
    damaged = bytearray(recorded)
    damaged[len(recorded) // 2 : len(recorded) // 2 + 8] = b"\xff" * 8
    recording = open_recording(write(tmp_path, bytes(damaged)))
    assert everything(recording).size < EVENTS.size
    assert everything(recording).size >= EVENTS.size - 200
    assert recording.counters().skipped_bytes > 0
    assert recording.counters().notes


def test_a_cut_header_is_refused(tmp_path: Path, recorded: bytes) -> None:
    for n_bytes in (14, 16, 40, 300):
        with pytest.raises(InputError, match="header"):
            open_recording(write(tmp_path, recorded[:n_bytes]))


def test_a_damaged_size_of_the_sensor_is_refused(tmp_path: Path, recorded: bytes) -> None:
    at = recorded.index(b'"sizeX"')
    digits = recorded.index(b">", at) + 1
    with pytest.raises(InputError, match="size of the sensor"):
        open_recording(write(tmp_path, recorded[:digits] + b"\x00" + recorded[digits + 1 :]))


@needs_shared
def test_seeking_agrees_with_the_vendors_reader() -> None:
    import dv_processing as dv

    path = SHARED / "formats" / "davis346.aedat4"
    recording, reference = open_recording(path), dv.io.MonoCameraRecording(str(path))
    first_us = recording.info.t_first_us or 0
    for start_us in (first_us + 50_000, first_us, first_us + 99_999, first_us + 10_000):
        store = reference.getEventsTimeRange(start_us, start_us + 10_000, "events").numpy()
        events = recording.read(start_us, start_us + 10_000)
        assert np.array_equal(events["t"], store["timestamp"])
        assert np.array_equal(events["x"], store["x"])
        assert np.array_equal(events["polarity"], store["polarity"])


def test_reading_needs_no_camera_library() -> None:
    code = "import sys; import spikebridge.recordings.aedat.aedat4; sys.exit('dv_processing' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
