"""Filters behind sources: counters, gaps, and the controls of a replay."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from recording_files import random_events, same
from spikebridge.contracts import Performing
from spikebridge.contracts import Replay as Replaying
from spikebridge.errors import InputError
from spikebridge.events import EventArray, EventPacket, Sensor, make_events
from spikebridge.settings import FilterSettings, SourceSettings
from spikebridge.simulator.camera import SimulatedCamera
from spikebridge.sources import open_source
from spikebridge.sources.filtered import FilteredSource, filtered
from spikebridge.sources.filters import FilterChain
from spikebridge.sources.replay import Replay
from spikebridge.testing import ArrayRecording, PacketSource, check_source

SENSOR = Sensor(128, 128)
REST = FilterSettings("refractory", 1_000_000)
NOISE = (FilterSettings("background", 5000), REST)


def packet(events: EventArray, sequence: int, gap: bool = False) -> EventPacket:
    return EventPacket(events, 0, 10, sequence, sequence * 7, gap, due_ns=3)


def one(t: int, x: int = 5) -> EventArray:
    return make_events([t], [x], [5], [1])


def test_without_filters_the_source_stays_as_it_is() -> None:
    source = PacketSource((), SENSOR)
    assert filtered(source, ()) is source


def test_packets_keep_everything_but_their_events() -> None:
    given = [packet(one(0), 0), packet(one(1), 1, gap=True), packet(one(2), 2)]
    source = filtered(PacketSource(given, SENSOR, dropped=4), (REST,))
    found = list(source.packets(10))
    assert [p.events.size for p in found] == [1, 1, 0]
    for before, after in zip(given, found, strict=True):
        assert (after.t_start_us, after.t_stop_us, after.sequence, after.received_ns, after.gap, after.due_ns) == (
            before.t_start_us, before.t_stop_us, before.sequence, before.received_ns, before.gap, before.due_ns,
        )  # fmt: skip
    counters = source.counters()
    assert (counters.read, counters.filtered, counters.dropped) == (3, 1, 4)


def test_a_source_of_every_kind_keeps_its_rules() -> None:
    replay = Replay(ArrayRecording(random_events(3000), SENSOR), speed=math.inf)
    check_source(filtered(replay, NOISE))
    camera = filtered(SimulatedCamera(seed=1, paced=False), NOISE)
    check_source(camera)
    assert isinstance(camera, Performing)
    assert not isinstance(filtered(PacketSource((), SENSOR), NOISE), Performing)


def test_what_comes_through_is_what_the_chain_lets_pass() -> None:
    events = random_events(3000)
    source = filtered(Replay(ArrayRecording(events, SENSOR), speed=math.inf), NOISE)
    found = np.concatenate([p.events for p in source.packets(10_000)])
    chain = FilterChain(NOISE, SENSOR)
    assert same(found, chain(events))
    assert source.counters().filtered == chain.filtered == events.size - found.size
    assert source.counters().read == events.size
    source.close()


def test_the_controls_of_a_replay_are_there_and_reach_it() -> None:
    replay = Replay(ArrayRecording(random_events(3000), SENSOR))
    source = filtered(replay, NOISE)
    assert isinstance(source, Replaying)
    assert not isinstance(filtered(PacketSource((), SENSOR), NOISE), Replaying)
    source.pause(True)
    source.set_loop(True)
    source.set_speed(3.0)
    source.seek(20_000)
    assert source.status() == replay.status()
    assert (source.status().paused, source.status().loop, source.status().speed) == (True, True, 3.0)
    source.step()
    packets = source.packets(10_000)
    assert next(packets).gap
    assert source.overview().size in (0, 256)
    source.close()
    assert list(packets) == []


def test_a_seek_starts_the_filters_anew() -> None:
    """Whatever was seen before, the same events pass after it."""
    source = filtered(Replay(ArrayRecording(random_events(3000), SENSOR), speed=math.inf), NOISE)
    assert isinstance(source, Replaying)
    source.seek(50_000)
    straight = next(source.packets(10_000)).events
    source.seek(0)
    packets = source.packets(10_000)
    for _ in range(4):
        next(packets)
    source.seek(50_000)
    assert same(next(packets).events, straight)
    source.close()


def hot_then_gap(kind: str) -> list[int]:
    """How many events of a hot pixel pass in each packet: 1 s of watching, then 0.5 s, then 0.5 s after a gap."""
    t = np.arange(0, 2_000_000, 10_000)
    events = make_events(t, np.full(t.size, 3), np.full(t.size, 3), np.ones(t.size))
    packets = [packet(events[:100], 0), packet(events[100:150], 1), packet(events[150:], 2, gap=True)]
    source = PacketSource(packets, SENSOR, kind=kind)  # type: ignore[arg-type]
    return [p.events.size for p in filtered(source, (FilterSettings("hot", 1_000_000),)).packets(10)]


def test_what_was_learnt_of_a_live_sensor_stays_over_a_gap() -> None:
    assert hot_then_gap("live") == [100, 0, 0]
    assert hot_then_gap("simulated") == [100, 0, 50]


def test_what_was_found_out_is_in_the_notes() -> None:
    source = filtered(PacketSource([packet(one(0), 0), packet(one(2_000_000), 1)], SENSOR), (FilterSettings("hot", 9),))
    assert source.counters().notes == ()
    list(source.packets(10))
    assert source.counters().notes == ("No hot pixel was found.",)


def test_a_mask_that_does_not_fit_closes_the_source(tmp_path: Path) -> None:
    mask = tmp_path / "mask.csv"
    mask.write_text("128,0\n", encoding="utf-8")
    source = PacketSource([packet(one(0), 0)], SENSOR)
    with pytest.raises(InputError, match="sensor of 128×128"):
        filtered(source, (FilterSettings("hot", mask=mask),))
    assert list(source.packets(10)) == []


def test_settings_put_the_filters_behind_a_source() -> None:
    source = open_source("sim:", SourceSettings(speed=math.inf, seed=1, filters=NOISE))
    assert isinstance(source, FilteredSource)
    assert source.info.uri == "sim:"
    source.close()
