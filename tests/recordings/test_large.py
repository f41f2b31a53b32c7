"""Recordings that are read while the rest of them is gone over: the same as of small ones, at any moment."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from large import EVENTS, PIECE_EVENTS, large_aedat3_file, large_file, treat_as_large
from test_chunk_borders import files

from recording_files import AEDAT3_HEADER, random_events, same, write
from spikebridge.errors import InputError
from spikebridge.events import EventArray
from spikebridge.recordings import indexed, open_recording
from spikebridge.recordings.aedat import aedat3 as aedat3_module
from spikebridge.recordings.aedat.aedat3_packets import Packets
from spikebridge.recordings.indexed import IndexedRecording
from spikebridge.recordings.recording_file import RecordingFile
from spikebridge.sources.replay import Replay

FIRST_US, LAST_US = int(EVENTS["t"][0]), int(EVENTS["t"][-1])


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    treat_as_large(monkeypatch, tmp_path / "cache")
    return large_file(tmp_path)


def wait_until_whole(recording: IndexedRecording) -> None:
    deadline = time.monotonic() + 10
    while recording.progress < 1 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert recording.progress == 1


def between(start_us: int, stop_us: int) -> EventArray:
    return EVENTS[(EVENTS["t"] >= start_us) & (EVENTS["t"] < stop_us)]


def test_the_first_events_are_read_before_the_end_is_known(path: Path) -> None:
    with closing(open_recording(path)) as recording:
        assert recording.n_events == 2 * PIECE_EVENTS
        assert recording.progress == pytest.approx(2 / 20)
        assert recording.info.t_last_us == EVENTS["t"][2 * PIECE_EVENTS - 1]
        assert same(recording.read(FIRST_US, FIRST_US + 1000), between(FIRST_US, FIRST_US + 1000))
        assert recording.n_events < 500
        recording.complete()
        assert (recording.n_events, recording.info.t_last_us, recording.progress) == (2000, LAST_US, 1)


def test_a_small_one_is_whole_when_it_is_open(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexed, "LARGE_BYTES", path.stat().st_size)
    with closing(open_recording(path)) as recording:
        assert (recording.n_events, recording.progress) == (2000, 1)
        recording.index_in_background()
        assert recording._background is None


def test_its_beginning_is_looked_at_without_the_rest(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexed, "_BEGINNING_CHUNKS", 5)
    with closing(open_recording(path)) as recording:
        assert same(np.concatenate(list(recording.beginning())), EVENTS[: 5 * PIECE_EVENTS])
        assert recording.n_events == 5 * PIECE_EVENTS
    monkeypatch.setattr(indexed, "_BEGINNING_CHUNKS", 500)
    with closing(open_recording(path)) as recording:
        assert same(np.concatenate(list(recording.beginning())), EVENTS)
    monkeypatch.setattr(indexed, "_BEGINNING_CHUNKS", 5)
    monkeypatch.setattr(indexed, "LARGE_BYTES", 1 << 30)
    with closing(open_recording(path)) as recording:
        assert same(np.concatenate(list(recording.beginning())), EVENTS)


def test_what_lies_far_ahead_is_gone_over_first(path: Path) -> None:
    with closing(open_recording(path)) as recording:
        assert same(recording.read(LAST_US - 500, LAST_US + 1), between(LAST_US - 500, LAST_US + 1))
        assert recording.count(FIRST_US, LAST_US) == between(FIRST_US, LAST_US).size


def test_a_read_ends_in_the_chunk_after_the_newest_that_is_known(path: Path) -> None:
    """An event at the border may have others of its time behind the border."""
    events = EVENTS.copy()
    events["t"][2 * PIECE_EVENTS - 1 : 2 * PIECE_EVENTS + 1] = events["t"][2 * PIECE_EVENTS]
    with closing(open_recording(large_file(path.parent, events))) as recording:
        t_us = int(events["t"][2 * PIECE_EVENTS])
        assert recording.info.t_last_us == t_us
        assert recording.read(t_us, t_us + 1).size == np.sum(events["t"] == t_us) >= 2


def test_packets_are_found_while_others_are_read(path: Path) -> None:
    """In AEDAT 3.1; the sensor that the header names is told from the first packet of events."""
    with closing(open_recording(large_aedat3_file(path.parent))) as recording:
        assert 0 < recording.n_events < 500
        assert 0.9 < recording.progress < 1  # the first megabyte held frames
        assert recording.samples["frames"] == 20
        assert recording.samples.get("imu", 0) < 15
        assert same(recording.read(FIRST_US, FIRST_US + 3000), between(FIRST_US, FIRST_US + 3000))
        assert same(recording.read(LAST_US - 3000, LAST_US + 1), between(LAST_US - 3000, LAST_US + 1))
        recording.complete()
        assert recording.samples == {"frames": 20, "imu": 30}
        assert same(np.concatenate(list(recording.chunks())), EVENTS)


def test_a_search_through_a_file_stops_now_and_then(path: Path) -> None:
    """Long stretches without events come as pieces as well, so that whoever waits for them can be stopped."""
    path = large_aedat3_file(path.parent)
    pieces = [len(piece) for piece in aedat3_module._divide(Packets(RecordingFile(path), len(AEDAT3_HEADER)))]
    assert pieces[:5] == [0, 0, 0, 0, 0]
    assert sum(pieces) == -(-2000 // 30)


windows = st.lists(st.tuples(st.integers(0, 110_000), st.integers(0, 30_000)), max_size=5)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=files(), windows=windows, ahead=st.lists(st.integers(0, 40), min_size=5, max_size=5))
def test_whole_and_part_by_part_are_the_same(
    content: bytes, windows: list[tuple[int, int]], ahead: list[int], tmp_path: Path
) -> None:
    path = write(tmp_path, content)
    with pytest.MonkeyPatch.context() as patch:
        treat_as_large(patch, tmp_path / "none")
        patch.setattr(indexed, "LARGE_BYTES", 1 << 60)
        try:
            expected = open_recording(path)
        except InputError:
            return  # whole or in part, it can be refused at another place
        patch.setattr(indexed, "LARGE_BYTES", 0)
        if 2 * expected.counters().dropped > expected.n_events:
            return  # so may one of whose first events most lie outside the sensor
        recording = open_recording(path)
        with closing(expected), closing(recording):
            assert expected.info.t_first_us == recording.info.t_first_us
            for (start_us, length_us), steps in zip(windows, ahead, strict=False):
                for _ in range(steps):
                    recording._one_more()
                start_us += expected.info.t_first_us or 0
                assert recording.count(start_us, start_us + length_us) == expected.count(start_us, start_us + length_us)
                assert same(
                    recording.read(start_us, start_us + length_us), expected.read(start_us, start_us + length_us)
                )
            recording.complete()
            assert recording.info == expected.info
            assert recording.counters() == expected.counters()
            assert recording.samples == expected.samples
            assert same(np.concatenate(list(recording.chunks())), np.concatenate(list(expected.chunks())))


def test_a_thread_goes_over_the_rest_while_others_read(path: Path) -> None:
    with closing(open_recording(path)) as recording:
        recording.index_in_background()
        recording.index_in_background()
        assert [thread.name for thread in threading.enumerate()].count("spikebridge-index") <= 1
        for start_us in range(FIRST_US, LAST_US, 7000):
            assert same(recording.read(start_us, start_us + 7000), between(start_us, start_us + 7000))
        wait_until_whole(recording)
        assert recording.info.t_last_us == LAST_US


def test_close_ends_the_thread(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexed, "_WORK_S", 0)
    monkeypatch.setattr(indexed, "_REST_S", 100)
    recording = open_recording(path)
    recording.index_in_background()
    started_s = time.monotonic()
    recording.close()
    assert time.monotonic() - started_s < 0.2
    assert not any(thread.name == "spikebridge-index" for thread in threading.enumerate())
    assert recording.info.t_first_us == FIRST_US
    assert recording.counters().dropped == 0
    with pytest.raises(ValueError, match="open"):
        recording.read(FIRST_US, LAST_US)
    with pytest.raises(ValueError, match="open"):
        recording.complete()


def test_a_program_that_forgets_to_close_ends_all_the_same(path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from spikebridge.recordings import indexed, open_recording;"
        "indexed.LARGE_BYTES = 0; indexed._LOOKED_AT_PIECES = 1; indexed._WORK_S = 0; indexed._REST_S = 0.5;"
        "from spikebridge.recordings.aedat import aedat2; aedat2._CHUNK_BYTES = 128;"
        "recording = open_recording(Path(sys.argv[1])); recording.index_in_background()"
    )
    started_s = time.monotonic()
    subprocess.run([sys.executable, "-c", program, str(path)], check=True, timeout=20)
    assert time.monotonic() - started_s < 15  # 125 pieces would take a minute


@pytest.mark.parametrize("make", [large_file, large_aedat3_file])
def test_a_file_that_is_cut_meanwhile_is_told_by_whoever_reads_so_far(
    path: Path, make: Callable[[Path, EventArray], Path]
) -> None:
    path = make(path.parent, EVENTS)
    with closing(open_recording(path)) as recording:
        os.truncate(path, path.stat().st_size - 8000)
        recording.index_in_background()
        assert recording._background is not None
        recording._background.join(5)
        assert recording.progress < 1
        assert same(recording.read(FIRST_US, FIRST_US + 20_000), between(FIRST_US, FIRST_US + 20_000))
        for _ in range(2):
            with pytest.raises(InputError, match="the file was cut while it was read"):
                recording.read(LAST_US - 100, LAST_US)
        with pytest.raises(InputError, match="the file was cut while it was read"):
            recording.complete()


# ------------------------------------------------ played


def test_a_replay_plays_to_the_true_end(path: Path) -> None:
    with closing(Replay(open_recording(path), speed=math.inf)) as replay:
        assert replay.status().indexed < 0.2
        packets = list(replay.packets(1000))
        assert same(np.concatenate([packet.events for packet in packets]), EVENTS)
        assert [packet.t_start_us for packet in packets] == list(range(FIRST_US, LAST_US + 1, 1000))
        assert replay.info.t_last_us == LAST_US
        assert replay.status().indexed == 1


@pytest.fixture
def unhurried(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Replay]:
    """A replay whose recording becomes known by reading only."""
    monkeypatch.setattr(IndexedRecording, "index_in_background", lambda self: None)
    with closing(Replay(open_recording(path), speed=math.inf)) as replay:
        yield replay


def test_beyond_what_is_known_a_seek_goes_to_the_newest_place(unhurried: Replay) -> None:
    packets = unhurried.packets(100)
    assert next(packets).t_start_us == FIRST_US
    recording = unhurried._recording
    assert isinstance(recording, IndexedRecording)
    for _ in range(5):
        recording._one_more()  # as the thread does
    known_us = unhurried.info.t_last_us or 0
    assert FIRST_US + 25_000 < known_us < FIRST_US + 60_000
    unhurried.seek(LAST_US)
    packet = next(packets)
    assert packet.gap
    assert packet.t_start_us <= known_us < packet.t_stop_us
    assert (
        sum(packet.events.size for packet in packets) + packet.events.size
        == between(packet.t_start_us, LAST_US + 1).size
    )


def test_a_loop_begins_again_at_the_true_end_only(unhurried: Replay) -> None:
    unhurried.set_loop(True)
    n_steps = (LAST_US - FIRST_US) // 1000 + 1
    starts = [packet.t_start_us for packet, _ in zip(unhurried.packets(1000), range(n_steps + 1), strict=False)]
    assert starts == [*range(FIRST_US, LAST_US + 1, 1000), FIRST_US]


def test_a_silence_is_skipped_beyond_what_is_known(path: Path) -> None:
    events = random_events(400, longest_us=100)
    events["t"][200:] += 60_000_000
    with closing(Replay(open_recording(large_file(path.parent, events)), speed=math.inf, max_gap_us=5000)) as replay:
        packets = list(replay.packets(1000))
    assert same(np.concatenate([packet.events for packet in packets]), events)
    assert len(packets) < 50
    assert [packet.gap for packet in packets].count(True) == 1


def test_the_overview_waits_for_the_whole(unhurried: Replay) -> None:
    assert unhurried.overview().size == 0
    for _ in unhurried.packets(1000):
        pass
    deadline = time.monotonic() + 5
    while not unhurried.overview().size and time.monotonic() < deadline:
        time.sleep(0.001)
    edges_us = np.linspace(FIRST_US, LAST_US + 1, 257).astype(np.int64)
    assert (unhurried.overview() * np.diff(edges_us)).sum() / 1e6 == pytest.approx(2000, rel=1e-5)


def test_an_index_of_the_file_itself_that_is_wrong(path: Path) -> None:
    """The thread finds it, and who reads next goes over the file."""
    from test_indexed import Trusted

    trusted = Trusted(17)
    recording, true = trusted.recording, trusted.true
    recording._large = True
    assert recording.progress == pytest.approx(1 / 30)
    with closing(recording):
        recording.index_in_background()
        deadline = time.monotonic() + 5
        while not recording._wrong and time.monotonic() < deadline:
            time.sleep(0.001)
        assert recording._wrong
        assert recording._n_checked == 17
        assert same(recording.read(0, 40), true[true["t"] < 40])
        assert same(recording.read(900, 1200), true[true["t"] >= 900])
        wait_until_whole(recording)


def test_an_index_of_the_file_itself_that_is_right_is_checked_by_the_thread(path: Path) -> None:
    from test_indexed import Trusted

    with closing(Trusted(None).recording) as recording:
        recording._large = True
        recording.index_in_background()
        wait_until_whole(recording)
        assert recording._n_checked == 30
        assert recording.ready_for(100, 101)
