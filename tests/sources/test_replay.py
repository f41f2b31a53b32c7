from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_indexed import Trusted, chunked

from recording_files import same
from spikebridge.events import EventPacket, Sensor
from spikebridge.sources.replay import Replay
from spikebridge.testing import ArrayRecording

if TYPE_CHECKING:
    from spikebridge import contracts

SORTED = st.lists(st.integers(0, 500), min_size=1, max_size=40).map(sorted)


def replay_of(t: list[int], speed: float = math.inf, **settings_: object) -> Replay:
    return Replay(chunked(t, 3)[0], speed=speed, **settings_)  # type: ignore[arg-type]


def test_it_is_what_the_contract_asks_for() -> None:
    replay: contracts.Replay = replay_of([1])
    assert replay.info.kind == "recording"
    replay.close()


@given(SORTED, st.integers(1, 600))
def test_packets_are_regular_and_hold_every_event_once(t: list[int], step_us: int) -> None:
    replay = replay_of(t)
    packets = list(replay.packets(step_us))
    assert same(np.concatenate([packet.events for packet in packets]), chunked(t, 3)[1])
    assert [packet.sequence for packet in packets] == list(range(len(packets)))
    assert [packet.t_start_us for packet in packets] == list(range(t[0], t[-1] + 1, step_us))
    for packet in packets:
        assert packet.t_stop_us - packet.t_start_us == step_us
        assert not packet.gap
        assert np.all((packet.events["t"] >= packet.t_start_us) & (packet.events["t"] < packet.t_stop_us))
    assert replay.counters().read == len(t)


@given(SORTED, st.integers(1, 50), st.integers(1, 120))
def test_skipped_silence_loses_no_event_and_is_marked(t: list[int], step_us: int, max_gap_us: int) -> None:
    packets = list(replay_of(t, max_gap_us=max_gap_us).packets(step_us))
    assert sum(packet.events.size for packet in packets) == len(t)
    silent = 0
    for before, packet in pairwise(packets):
        silent = 0 if before.events.size else silent + 1
        assert silent * step_us < max_gap_us + step_us
        assert packet.gap == (packet.t_start_us != before.t_stop_us)
        assert (packet.t_start_us - t[0]) % step_us == 0


@given(SORTED, st.integers(1, 60), st.integers(-100, 700))
def test_seek_goes_to_the_step_that_holds_the_time(t: list[int], step_us: int, target_us: int) -> None:
    replay = replay_of(t)
    packets = replay.packets(step_us)
    next(packets)
    replay.seek(target_us)
    packet = next(packets)
    wanted_us = min(max(target_us, t[0]), t[-1])
    assert packet.gap
    assert packet.t_start_us <= wanted_us < packet.t_stop_us
    assert (packet.t_start_us - t[0]) % step_us == 0
    assert packet.sequence == 1


def test_seek_before_the_first_packet() -> None:
    replay = replay_of([0, 100, 200])
    replay.seek(150)
    assert replay.status().position_us == 150
    packet = next(replay.packets(40))
    assert (packet.t_start_us, packet.gap) == (120, True)


def test_loop_starts_again_with_a_gap() -> None:
    replay = replay_of([0, 10, 20], loop=True)
    packets = list(islice(replay.packets(10), 7))
    assert [packet.t_start_us for packet in packets] == [0, 10, 20, 0, 10, 20, 0]
    assert [packet.gap for packet in packets] == [False, False, False, True, False, False, True]
    replay.set_loop(False)
    assert not replay.status().loop


def test_speed_changes_no_packet() -> None:
    t = list(range(0, 60_000, 700))
    fast, slow = (list(replay_of(t, speed).packets(10_000)) for speed in (math.inf, 20.0))
    assert len(fast) == len(slow)
    for left, right in zip(fast, slow, strict=True):
        assert same(left.events, right.events)
        assert (left.t_start_us, left.gap, left.sequence) == (right.t_start_us, right.gap, right.sequence)


def test_a_paced_packet_is_due_when_the_time_of_its_step_is_over() -> None:
    replay = replay_of([0, 99_999], speed=2.0)
    start_ns = time.monotonic_ns()
    packets = list(replay.packets(10_000))
    due_ns = [packet.due_ns or 0 for packet in packets]
    assert np.diff(due_ns).tolist() == [5_000_000] * 9
    assert due_ns[0] - start_ns >= 5_000_000
    assert all(packet.received_ns >= due for packet, due in zip(packets, due_ns, strict=True))
    assert time.monotonic_ns() >= packets[-1].received_ns


def test_as_fast_as_it_goes_nothing_is_due() -> None:
    assert {packet.due_ns for packet in replay_of([0, 99_999]).packets(10_000)} == {None}


def test_a_single_step_is_due_when_it_is_taken() -> None:
    replay = replay_of([0, 99_999], speed=1.0)
    replay.pause(True)
    packets = replay.packets(10_000)
    replay.step()
    packet = next(packets)
    assert packet.due_ns == packet.received_ns
    replay.close()


def test_a_replay_that_cannot_keep_up_says_so() -> None:
    replay = replay_of([0, 400_000], speed=1.0)
    packets = replay.packets(1000)
    next(packets)
    time.sleep(0.3)
    packet = next(packets)
    assert packet.due_ns is not None
    assert time.monotonic_ns() - packet.due_ns < 250_000_000
    assert "fell behind" in replay.counters().notes[0]
    replay.close()


class Player:
    """Takes packets on a thread of its own."""

    def __init__(self, replay: Replay, step_us: int) -> None:
        self.packets: list[EventPacket] = []
        self._stream: Iterator[EventPacket] = replay.packets(step_us)
        self.thread = threading.Thread(target=lambda: self.packets.extend(self._stream))
        self.thread.start()


def test_pause_and_step() -> None:
    replay = replay_of(list(range(100)))
    replay.pause(True)
    packets = replay.packets(10)
    replay.step()
    replay.step()
    assert next(packets).t_start_us == 0
    assert next(packets).t_start_us == 10
    assert replay.status().paused
    assert replay.status().position_us == 20
    replay.pause(False)
    assert len(list(packets)) == 8


def test_a_step_without_pause_is_nothing() -> None:
    replay = replay_of(list(range(100)))
    replay.step()
    replay.pause(True)
    player = Player(replay, 10)
    time.sleep(0.05)
    replay.close()
    player.thread.join(1)
    assert not player.thread.is_alive()
    assert player.packets == []


@pytest.mark.parametrize("wait", ["paused", "paced"])
def test_close_ends_a_waiting_stream(wait: str) -> None:
    replay = replay_of([0, 10_000_000], speed=1e-3)
    replay.pause(wait == "paused")
    player = Player(replay, 10_000_000)
    time.sleep(0.05)
    closing = threading.Thread(target=replay.close)
    closing.start()
    player.thread.join(1)
    closing.join(1)
    assert not player.thread.is_alive()
    assert not closing.is_alive()
    replay.close()


@pytest.mark.parametrize("control", ["seek", "speed"])
def test_controls_reach_a_stream_that_waits(control: str) -> None:
    replay = replay_of([0, 10, 20], speed=1e-9)
    player = Player(replay, 10)
    time.sleep(0.05)
    if control == "seek":
        replay.seek(20)
    replay.set_speed(math.inf)
    player.thread.join(2)
    assert not player.thread.is_alive()
    assert [packet.t_start_us for packet in player.packets] == ([20] if control == "seek" else [0, 10, 20])


@settings(max_examples=20, deadline=None)
@given(SORTED)
def test_overview_counts_every_event(t: list[int]) -> None:
    replay = replay_of(t)
    assert replay.overview().size in (0, 256)
    deadline = time.monotonic() + 5
    while not replay.overview().size and time.monotonic() < deadline:
        time.sleep(0.001)
    rates = replay.overview()
    edges = np.linspace(t[0], t[-1] + 1, 257).astype(np.int64)
    assert rates.shape == (256,)
    assert (rates * np.diff(edges)).sum() / 1e6 == pytest.approx(len(t), rel=1e-5)
    replay.close()


def test_the_overview_of_a_recording_without_index_is_read() -> None:
    events = chunked([0, 10, 20, 1000], 4)[1]
    replay = Replay(ArrayRecording(events, Sensor(64, 64)))
    replay.overview()
    deadline = time.monotonic() + 5
    while not replay.overview().size and time.monotonic() < deadline:
        time.sleep(0.001)
    edges = np.linspace(0, 1001, 257).astype(np.int64)
    expected = np.histogram(events["t"], edges)[0] * 1e6 / np.diff(edges)
    assert np.allclose(replay.overview(), expected)
    replay.close()


class Unchecked(ArrayRecording):
    """Never ready for what lies ahead, and always for some time about it."""

    def __init__(self) -> None:
        super().__init__(chunked([0, 1_000_000], 2)[1], Sensor(64, 64))
        self.asked = threading.Event()

    def count(self, t_start_us: int, t_stop_us: int) -> int:
        return self.read(t_start_us, t_stop_us).size

    progress = 1.0

    def index_in_background(self) -> None:
        """Nothing is left."""

    def ready_for(self, t_start_us: int, t_stop_us: int) -> bool:
        if t_start_us < 500_000:
            return True
        self.asked.set()
        time.sleep(0.02)
        return False


def test_a_jump_far_ahead_can_be_closed() -> None:
    recording = Unchecked()
    replay = Replay(recording, speed=math.inf)
    player = Player(replay, 10_000)
    replay.seek(900_000)
    assert recording.asked.wait(2)
    started = time.monotonic()
    replay.close()
    player.thread.join(1)
    assert not player.thread.is_alive()
    assert time.monotonic() - started < 0.2
    assert all(packet.t_start_us < 500_000 for packet in player.packets)


def test_a_replay_goes_on_to_an_end_that_the_index_did_not_know() -> None:
    trusted = Trusted(17)
    packets = list(Replay(trusted.recording, speed=math.inf).packets(10))
    assert sum(packet.events.size for packet in packets) == 120
    assert packets[-1].t_stop_us > 1119


def test_close_ends_the_overview() -> None:
    replay = replay_of(list(range(0, 1 << 40, 1 << 30)))
    replay.overview()
    replay.close()
    assert not any(thread.name == "spikebridge-overview" for thread in threading.enumerate())
    assert list(replay.packets(10)) == []


@pytest.mark.parametrize("speed", [0, -1, math.nan])
def test_a_speed_that_is_none(speed: float) -> None:
    with pytest.raises(ValueError, match="speed above 0"):
        replay_of([1], speed)


def test_a_file_can_go_away_after_close(tmp_path: Path) -> None:
    from recording_files import aedat2, dvs128_words, random_events, write
    from spikebridge.recordings import open_recording

    path = write(tmp_path, aedat2(b"DVS128", dvs128_words(random_events(10))))
    replay = Replay(open_recording(path), speed=math.inf)
    packet = next(replay.packets(10_000))
    replay.close()
    path.unlink()
    assert packet.events.size == 10
