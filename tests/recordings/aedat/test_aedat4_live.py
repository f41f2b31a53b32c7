"""A recording that nobody closed, one that was torn, and one that met a full disk: what each reader makes of it."""

from __future__ import annotations

import os

import aedat
import dv_processing
import faery
import numpy as np
import pytest

from full_disk import room_for
from recording_files import random_events
from spikebridge.errors import InputError
from spikebridge.events import Sensor
from spikebridge.recordings import open_recording
from spikebridge.recordings.aedat import aedat4_live
from spikebridge.recordings.aedat.aedat4_live import LiveAedat4Writer

EVENTS = random_events(6000)
SENSOR = Sensor(128, 128, "DVS128")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.aedat4"


def begun(path, events=EVENTS, packet=1000):
    """A writer that is in the middle of it."""
    writer = LiveAedat4Writer(path, SENSOR)
    for begin in range(0, events.size, packet):
        writer.write(events[begin : begin + packet])
    return writer


def ours(path):
    recording = open_recording(path)
    try:
        return recording.n_events, recording.counters()
    finally:
        recording.close()


def by_dv(path):
    recording = dv_processing.io.MonoCameraRecording(str(path))
    n = 0
    while recording.isRunning():
        store = recording.getNextEventBatch()
        n += 0 if store is None else store.size()
    return n


def by_faery(path):
    """Events, and whether it complained after them."""
    n = 0
    try:
        for part in faery.events_stream_from_file(path):
            n += len(part)
    except RuntimeError:
        return n, True
    return n, False


def by_aedat(path):
    n = 0
    try:
        for packet in aedat.Decoder(str(path)):
            n += len(packet["events"])
    except RuntimeError:
        return n, True
    return n, False


def test_nobody_closed_it_and_every_reader_has_all(path):
    writer = begun(path)
    n, counters = ours(path)
    assert (n, counters.truncated, counters.skipped_bytes) == (6000, True, 0)
    assert by_dv(path) == 6000
    assert by_faery(path) == (6000, False)
    assert by_aedat(path) == (6000, False)
    writer.close()
    assert ours(path) == (6000, open_recording(path).counters())
    assert by_dv(path) == 6000
    assert by_faery(path) == (6000, False)
    assert by_aedat(path) == (6000, False)


def test_torn_in_its_last_packet_every_reader_has_all_before_it(path):
    begun(path).sync()
    size = path.stat().st_size
    os.truncate(path, size - 100)
    n, counters = ours(path)
    assert (n, counters.truncated) == (5000, True)
    assert 0 < counters.skipped_bytes < size / 6
    assert by_dv(path) == 5000
    assert by_faery(path) == (5000, True)
    assert by_aedat(path) == (5000, True)


def test_closed_and_cut_after_that_dv_processing_gives_nothing(path):
    """The one case in which a reader insists on the table of contents."""
    begun(path).close()
    os.truncate(path, path.stat().st_size // 2)
    n, counters = ours(path)
    assert 2000 <= n <= 3000
    assert counters.truncated
    assert by_faery(path) == by_aedat(path) == (n, True)
    with pytest.raises(RuntimeError, match="FileDataTable"):
        by_dv(path)


def test_read_back_exactly(path):
    begun(path, packet=777).close()
    recording = open_recording(path)
    assert np.array_equal(recording.read(0, 10**9), EVENTS)
    assert recording.info.sensor == SENSOR
    assert recording.counters().notes == ()


def test_more_events_than_a_packet_may_hold(path, monkeypatch):
    monkeypatch.setattr(aedat4_live, "_MOST_EVENTS", 100)
    writer = begun(path)
    writer.close()
    assert (writer.n_events, writer.n_lost) == (6000, 0)
    assert np.array_equal(open_recording(path).read(0, 10**9), EVENTS)


def fill(writer):
    for begin in range(0, 6000, 1000):
        writer.write(EVENTS[begin : begin + 1000])


@pytest.mark.parametrize(("more", "kept"), [(1, 2000), (600, 3000)])  # bytes behind the third packet
def test_a_full_disk_leaves_a_whole_file(path, more, kept):
    """Where there is no room for the table of contents, the last packet makes some."""
    begun(path.with_name("three.aedat4"), EVENTS[:3000]).sync()
    with room_for(path.with_name("three.aedat4").stat().st_size + more):
        writer = LiveAedat4Writer(path, SENSOR)
        with pytest.raises(InputError, match="File too large"):
            fill(writer)
        writer.close()
    assert (writer.n_events, writer.n_lost) == (kept, 3000 - kept)
    n, counters = ours(path)
    assert (n, counters.truncated, counters.skipped_bytes) == (kept, False, 0)
    assert by_dv(path) == kept
    assert by_faery(path) == (kept, False)
    whole = path.with_name("whole.aedat4")
    begun(whole, EVENTS[:kept]).close()
    assert path.read_bytes() == whole.read_bytes()


def test_no_room_even_for_a_table_of_nothing(path):
    with room_for(1500):
        writer = LiveAedat4Writer(path, SENSOR)
        end = path.stat().st_size
        with pytest.raises(InputError):
            writer.write(EVENTS)
    with room_for(end), pytest.raises(InputError, match="expected to write the recording"):
        writer.close()
    assert path.stat().st_size == end


def test_nothing_is_overwritten(path):
    path.write_bytes(b"old")
    with pytest.raises(InputError, match="File exists"):
        LiveAedat4Writer(path, SENSOR)
    assert path.read_bytes() == b"old"


def test_without_events_nothing_may_stay(path):
    LiveAedat4Writer(path, SENSOR).remove()
    assert not path.exists()
