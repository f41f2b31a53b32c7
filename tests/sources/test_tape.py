"""Recording beside a stream: what it costs the stream, what is in the file, and what ends it."""

from __future__ import annotations

import os
import threading
import time

import numpy as np
import pytest

from full_disk import room_for
from small_recordings import moving_column
from spikebridge.errors import InputError, UsageError
from spikebridge.events import EventPacket, Sensor, make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.labels import Span, labels_path, read_labels
from spikebridge.sources import tape as module
from spikebridge.sources.tape import Tape

SENSOR = Sensor(8, 8, "Eight")
STEP_US = 10_000


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.aedat4"


def packet(n, events=None, t_us=None, received_ns=0):
    """The ``n``th step, with one event unless told otherwise."""
    start_us = n * STEP_US if t_us is None else t_us
    if events is None:
        events = make_events([start_us + 7], [n % 8], [1], [1])
    return EventPacket(events, start_us, start_us + STEP_US, n, received_ns)


def wait_for(condition, seconds=20):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.005)


def times(path):
    recording = open_recording(path)
    try:
        return recording.read(0, 10**12)["t"].tolist()
    finally:
        recording.close()


def test_what_was_put_is_in_the_file(path):
    events = moving_column()
    tape = Tape(path, SENSOR)
    for n in range(30):
        tape.put(packet(n, events[events["t"] // STEP_US == n]))
    tape.close()
    tape.close()
    assert np.array_equal(open_recording(path).read(0, 10**9), events)
    status = tape.status()
    assert (status.running, status.events, status.lost, status.duration_us, status.labels, status.problem) == (
        False, 1200, 0, 300_000, 0, "",
    )  # fmt: skip
    tape.put(packet(30))
    assert tape.status() == status


def test_it_can_be_read_while_it_is_made(path):
    tape = Tape(path, SENSOR, label="arm_roll")
    tape.put(packet(0))
    wait_for(lambda: tape.status().events == 1)
    assert times(path) == [7]
    wait_for(labels_path(path).exists)
    assert read_labels(labels_path(path))[0] == [Span(7, 0, STEP_US)]
    assert tape.status().running
    tape.close()


def test_what_was_written_is_brought_to_the_disk_while_it_runs(path, monkeypatch):
    synced, fsync = set(), os.fsync
    monkeypatch.setattr(module, "_SYNC_S", 0.01)
    tape = Tape(path, SENSOR, label="other")

    def sync(descriptor):
        synced.add(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    tape.put(packet(0))
    wait_for(lambda: synced >= {str(path), str(labels_path(path))})
    assert tape.status().running
    tape.close()


def test_marks_hold_from_the_next_step_on(path):
    tape = Tape(path, SENSOR, label="other")
    for n, mark in enumerate(("other", "other", "hand_clap", None, None, "hand_clap")):
        tape.mark(mark)
        assert tape.status().label == mark
        tape.put(packet(n), performed="air_drums" if n in (0, 4) else None)
    tape.close()
    spans = [Span(10, 0, 20_000), Span(0, 20_000, 30_000), Span(8, 40_000, 50_000), Span(0, 50_000, 60_000)]
    assert read_labels(labels_path(path)) == (spans, [])
    assert tape.status().labels == 4
    with pytest.raises(ValueError, match="expected one of"):
        tape.mark("wave")


def test_time_that_goes_back_goes_on_in_the_file(path):
    """As after a seek: the second part lies 40 ms before the end of the first, and is placed behind it."""
    tape = Tape(path, SENSOR, label="hand_clap")
    for n, t_us in enumerate((100_000, 110_000, 120_000, 130_000, 100_000, 110_000, 500_000)):
        tape.put(packet(n, t_us=t_us))
    tape.close()
    assert times(path) == [100_007, 110_007, 120_007, 130_007, 140_007, 150_007, 540_007]
    assert read_labels(labels_path(path))[0] == [Span(0, 100_000, 160_000), Span(0, 540_000, 550_000)]
    assert tape.status().duration_us == 450_000


class Busy:
    """A disk that takes what it gets only when it is told to, as the companion of a tape."""

    def __init__(self):
        self.free = threading.Event()
        self.closed = []
        self.added = []

    def add(self, worked):
        self.added.append(worked)

    def flush(self):
        self.free.wait(30)

    def sync(self): ...

    def close(self, status):
        self.closed.append(status)


@pytest.fixture
def few(monkeypatch):
    """At most ten steps may wait."""
    monkeypatch.setattr(module, "_MOST_WAITING", 10)
    monkeypatch.setattr(module, "_FLUSH_S", 0.0)


def stuck(path, monkeypatch, **options):
    """A tape whose thread hangs in its first flush."""
    free, busy = threading.Event(), threading.Event()

    def flush(tape):
        busy.set()
        free.wait(30)
        original(tape)

    original = Tape._flush
    monkeypatch.setattr(Tape, "_flush", flush)
    tape = Tape(path, SENSOR, **options)
    assert busy.wait(20)
    return tape, free


def test_a_slow_disk_never_holds_up_the_stream_and_what_it_loses_is_counted(path, few, monkeypatch):
    tape, free = stuck(path, monkeypatch)
    for n in range(25):
        tape.put(packet(n))
    status = tape.status()
    assert (status.lost, status.running) == (15, True)
    free.set()
    tape.close()
    assert times(path) == [n * STEP_US + 7 for n in range(10)]
    assert (tape.status().events, tape.status().lost, tape.status().problem) == (10, 15, "")


def test_events_are_bounded_as_well_as_steps(path, few, monkeypatch):
    monkeypatch.setattr(module, "_MOST_WAITING_EVENTS", 3)
    tape, free = stuck(path, monkeypatch)
    for n in range(5):
        tape.put(packet(n))
    assert tape.status().lost == 2
    free.set()
    tape.close()


def test_a_recording_waits_instead(path, few, monkeypatch):
    tape, free = stuck(path, monkeypatch, lossless=True)
    feeder = threading.Thread(target=lambda: [tape.put(packet(n)) for n in range(25)])
    feeder.start()
    wait_for(lambda: tape.status().duration_us == 10 * STEP_US)
    time.sleep(0.05)
    assert feeder.is_alive()
    free.set()
    feeder.join(20)
    tape.close()
    assert times(path) == [n * STEP_US + 7 for n in range(25)]


def test_a_session_with_a_hole_proves_nothing_and_ends(path, few, monkeypatch):
    companion = Busy()
    companion.free.set()
    tape, free = stuck(path, monkeypatch, companion=companion)
    for n in range(12):
        tape.put(packet(n))
    assert not tape.status().running
    free.set()
    tape.close()
    assert "the disk too slow for the stream; it ended after 0.1 s and the 10 events" in tape.status().problem
    assert [status.events for status in companion.closed] == [10]


def test_steps_are_never_ahead_of_their_events(path):
    """The companion flushes behind the recording: what it has, the recording has."""
    seen = []

    class Companion(Busy):
        def flush(self):
            seen.append((len(times(path)) if path.exists() and path.stat().st_size > 900 else 0, len(self.added)))

    companion = Companion()
    tape = Tape(path, SENSOR, companion=companion)
    for n in range(40):
        tape.put(packet(n))
        tape.step(0, packet(n), None, (0.5, 0))
        time.sleep(0.01)
    tape.close()
    assert seen[-1] == (40, 40)
    assert all(events >= steps for events, steps in seen)
    assert len(seen) >= 2
    assert [worked.shift_us for worked in companion.added] == [0] * 40


def test_a_step_knows_how_far_the_file_is_ahead(path):
    companion = Busy()
    companion.free.set()
    tape = Tape(path, SENSOR, companion=companion)
    steps = [packet(0, t_us=50_000, received_ns=10), packet(1, t_us=20_000, received_ns=20)]
    steps += [packet(2, t_us=30_000, received_ns=30), packet(3, t_us=20_000, received_ns=40)]
    for step in steps:
        tape.put(step)
    for step in steps:
        tape.step(0, step, None, (0.5, 0))
    tape.close()
    # 50 … 60 | 60 … 70, 70 … 80 | 80 … 90 ms in the file
    assert [worked.shift_us for worked in companion.added] == [0, 40_000, 40_000, 60_000]


def test_a_full_disk_ends_the_recording_with_a_sentence(path):
    tape = Tape(path, SENSOR)
    with room_for(60_000):
        n = 0
        while tape.status().running:
            t = n * STEP_US + np.sort(np.random.default_rng(n).integers(0, STEP_US, 50))
            tape.put(packet(n, make_events(t, t % 8, t // 7 % 8, t % 2)))
            n += 1
            time.sleep(0.002)
        tape.close()
    status = tape.status()
    assert "found: File too large; it ended after" in status.problem
    assert f"the {status.events:,} events in it can be read, free some space" in status.problem
    assert 0 < status.events < 50 * n
    assert status.events + status.lost == 50 * n
    recording = open_recording(path)
    assert (recording.n_events, recording.counters().truncated) == (status.events, False)


def test_events_that_give_way_to_the_table_of_contents_are_lost(path, monkeypatch):
    monkeypatch.setattr(module, "_PACKET_EVENTS", 30)
    tape = Tape(path, SENSOR)
    for n in range(2):
        t = n * STEP_US + np.arange(30)
        tape.put(packet(n, make_events(t, t % 8, t % 7, t % 2)))
    wait_for(lambda: tape.status().events == 60)
    with room_for(path.stat().st_size):
        tape.close()
    assert (tape.status().events, tape.status().lost, tape.status().problem) == (30, 30, "")
    assert open_recording(path).n_events == 30


def test_all_that_waits_for_a_full_disk_is_lost(path, few, monkeypatch):
    monkeypatch.setattr(module, "_PACKET_EVENTS", 1)
    tape, free = stuck(path, monkeypatch)
    for n in range(9):
        tape.put(packet(n))
    with room_for(path.stat().st_size):
        free.set()
        tape.close()
    status = tape.status()
    assert (status.events, status.lost) == (0, 9)
    assert "it ended after 0.1 s and nothing is left, free some space" in status.problem
    assert not path.exists()


def test_an_empty_recording_leaves_nothing(path, tmp_path):
    tape = Tape(path, SENSOR, label="other")
    tape.put(packet(0, make_events([], [], [], [])))
    tape.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("taken", ["a.aedat4", "a_labels.csv"])
def test_nothing_is_overwritten(path, taken):
    path.with_name(taken).write_bytes(b"old")
    with pytest.raises(UsageError, match="a name that is free"):
        Tape(path, SENSOR)
    with pytest.raises(UsageError, match="only AEDAT4"):
        Tape(path.with_suffix(".csv"), SENSOR)
    assert path.with_name(taken).read_bytes() == b"old"


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="expected a folder at"):
        Tape(tmp_path / "file/a.aedat4", SENSOR)
