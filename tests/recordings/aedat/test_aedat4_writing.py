"""What is written is what every reader finds, and nothing stays of what could not be finished."""

from __future__ import annotations

import numpy as np
import pytest

from full_disk import room_for
from spikebridge.errors import InputError
from spikebridge.events import Sensor, make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.aedat.aedat4_writing import Aedat4Writer

RANDOM = np.random.default_rng(4)
N = 20_000
EVENTS = make_events(
    np.sort(RANDOM.integers(10**15, 10**15 + 2_000_000, N)),
    RANDOM.integers(0, 346, N),
    RANDOM.integers(0, 260, N),
    RANDOM.integers(0, 2, N),
)


def write(path, packet=777, compression="LZ4"):
    with Aedat4Writer(path, Sensor(346, 260, "DAVIS346"), compression) as writer:
        for begin in range(0, N, packet):
            writer.write(EVENTS[begin : begin + packet])
        writer.write(EVENTS[:0])
    return path


@pytest.mark.parametrize("compression", ["NONE", "LZ4", "ZSTD"])
def test_read_back_here(tmp_path, compression):
    recording = open_recording(write(tmp_path / "a.aedat4", compression=compression))
    assert recording.info.sensor == Sensor(346, 260, "DAVIS346")
    assert np.array_equal(np.concatenate(list(recording.chunks())), EVENTS)
    counters = recording.counters()
    assert (counters.skipped_bytes, counters.truncated, counters.notes) == (0, False, ())
    assert [path.name for path in tmp_path.iterdir()] == ["a.aedat4"]


@pytest.mark.parametrize("compression", ["NONE", "LZ4", "ZSTD"])
def test_read_back_by_the_vendor(tmp_path, compression):
    """Through the table of contents, without which that library finds nothing."""
    import dv_processing as dv

    recording = dv.io.MonoCameraRecording(str(write(tmp_path / "a.aedat4", compression=compression)))
    assert recording.getEventResolution() == (346, 260)
    assert recording.getCameraName() == "DAVIS346"
    assert recording.getTimeRange() == (EVENTS["t"][0], EVENTS["t"][-1])
    parts = []
    while recording.isRunning():
        if (store := recording.getNextEventBatch()) is not None:
            parts.append(store.numpy())
    found = np.concatenate(parts)
    for theirs, ours in (("timestamp", "t"), ("x", "x"), ("y", "y"), ("polarity", "polarity")):
        assert np.array_equal(found[theirs], EVENTS[ours])
    middle = recording.getEventsTimeRange(10**15 + 500_000, 10**15 + 600_000)
    assert middle.size() == np.count_nonzero((EVENTS["t"] // 100_000) == (10**15 + 500_000) // 100_000)


def interrupted(path, error):
    with Aedat4Writer(path, Sensor(346, 260)) as writer:
        writer.write(EVENTS)
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_error_leaves_nothing(tmp_path, error):
    with pytest.raises(error):
        interrupted(tmp_path / "a.aedat4", error)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("n", [N, 10])  # more than the buffer, or all of it only when the file is closed
def test_a_full_disk_leaves_nothing(tmp_path, n):
    full = pytest.raises(InputError, match="expected to write the recording")
    with full, room_for(100), Aedat4Writer(tmp_path / "a.aedat4", Sensor(346, 260)) as writer:
        writer.write(EVENTS[:n])
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="expected a folder at"):
        write(tmp_path / "file/a.aedat4")
