"""Threads around the chains: counters, errors, clean ends; one lane and several."""

from __future__ import annotations

import dataclasses
import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from bundles import write_ordinary_bundle
from small_recordings import moving_column
from spikebridge.ann import open_ann
from spikebridge.bench.synthetic import BurstSource
from spikebridge.bundle import AccumulatorSpec, Bundle, load_model
from spikebridge.chain import Chain
from spikebridge.contracts import AnnStage, Features, Logits, PowerReading, Source, SourceCounters
from spikebridge.errors import MissingError, StageError
from spikebridge.events import EventPacket, Sensor, empty_events
from spikebridge.power import PowerMonitor
from spikebridge.run.pipeline import Pipeline, peak_rss_mb
from spikebridge.snapshot import Counters, Decision, LaneSnapshot
from spikebridge.sources.replay import Replay
from spikebridge.testing import ArrayRecording, FixedAnn, FixedMeter, PacketSource

SENSOR = Sensor(8, 8)
STEP_US = 10_000


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return load_model(write_ordinary_bundle(tmp_path / "b"))


Make = Callable[..., Pipeline]


@pytest.fixture
def make(bundle: Bundle) -> Iterator[Make]:
    pipelines: list[Pipeline] = []

    def make_pipeline(source: Source, *anns: AnnStage, monitor: PowerMonitor | None = None) -> Pipeline:
        chains = {f"lane {n}": Chain(bundle, None, ann, SENSOR) for n, ann in enumerate(anns or (real_ann(bundle),))}
        pipelines.append(Pipeline(source, chains, monitor or PowerMonitor(())))
        return pipelines[-1]

    yield make_pipeline
    for pipeline in pipelines:
        pipeline.close()
    assert not [t.name for t in threading.enumerate() if t.name.startswith("spikebridge")]


def real_ann(bundle: Bundle) -> AnnStage:
    return open_ann("cpu", bundle)


def replay(speed: float = math.inf, loop: bool = False) -> Replay:
    return Replay(ArrayRecording(moving_column(), SENSOR), speed=speed, loop=loop)


def adds_up(c: Counters) -> None:
    assert c.packets_in == c.packets_done + c.packets_dropped + c.packets_queued
    assert c.events_in == c.events_done + c.events_dropped + c.events_queued


def wait_for(condition: Callable[[], object], seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.005)


def decisions_of(pipeline: Pipeline) -> list[tuple[int, Decision]]:
    return [item for item in pipeline.decisions() if item is not None]


def lane_of(pipeline: Pipeline, number: int = 0) -> LaneSnapshot:
    return pipeline.snapshot().lanes[number]


def live_packets(n: int, step_s: float = 0.0) -> Iterator[EventPacket]:
    for i in range(n):
        time.sleep(step_s)
        events = empty_events(3)
        events["t"] = i * STEP_US
        events.flags.writeable = False
        now_ns = time.monotonic_ns()
        yield EventPacket(events, i * STEP_US, (i + 1) * STEP_US, i, now_ns, due_ns=now_ns)


class Slow:
    """Takes longer than a step, as a chain that cannot keep up."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __call__(self, features: Features) -> Logits:
        time.sleep(self.seconds)
        return np.zeros(11, np.float32)


# ---------------------------------------------------------------- one lane


def test_a_recording_goes_through_whole(make: Make) -> None:
    pipeline = make(replay())
    assert len(decisions_of(pipeline)) == 30
    snapshot = pipeline.snapshot()
    (lane,) = snapshot.lanes
    adds_up(lane.counters)
    assert (lane.counters.events_done, lane.counters.events_dropped, lane.counters.events_queued) == (1200, 0, 0)
    assert (snapshot.state, lane.state) == ("ended", "ended")
    assert (lane.counters.decisions, lane.t_us) == (30, pipeline.source.info.t_first_us + 300_000)  # type: ignore[operator]
    assert snapshot.source_counters.read == 1200
    assert not snapshot.paced
    assert lane.end_to_end is None
    assert snapshot.failure is None


def test_what_the_driver_lost_is_in_the_snapshot(make: Make) -> None:
    """Beside what the lanes dropped, which is nothing."""
    pipeline = make(PacketSource(live_packets(2), SENSOR, dropped=7))
    decisions_of(pipeline)
    assert pipeline.snapshot().source_counters == SourceCounters(read=6, dropped=7)
    assert lane_of(pipeline).counters.events_dropped == 0


def test_a_camera_that_is_gone_is_waited_for(make: Make) -> None:
    """Neither running nor failed; and at its end not waiting any more."""
    source = PacketSource(live_packets(20), SENSOR)
    gone = "camera unplugged, waiting for it …"
    source.counters = lambda: SourceCounters(waiting_for=gone)  # type: ignore[method-assign]
    pipeline = make(source)
    assert pipeline.snapshot().state == "waiting"
    assert pipeline.snapshot().source_counters.waiting_for == gone
    decisions_of(pipeline)
    assert pipeline.snapshot().state == "ended"


def test_a_paced_recording_has_a_latency(make: Make) -> None:
    pipeline = make(replay(speed=10))
    assert len(decisions_of(pipeline)) == 30
    snapshot = pipeline.snapshot()
    (lane,) = snapshot.lanes
    assert snapshot.paced
    assert lane.end_to_end is not None
    assert lane.end_to_end.run.n == 30


def test_counters_add_up_in_every_snapshot_under_overload(make: Make) -> None:
    slow = FixedAnn(Slow(0.02))
    pipeline = make(BurstSource(SENSOR, 2e6, 0.5, 1e4, 0.2), slow)
    pipeline.start()
    seen = set()
    while pipeline.snapshot().state not in ("ended", "failed"):
        snapshot = pipeline.snapshot()
        adds_up(snapshot.lanes[0].counters)
        adds_up(pipeline.lanes[0].counters())
        seen.add(snapshot.sequence)
        time.sleep(0.01)
    counters = lane_of(pipeline).counters
    adds_up(counters)
    assert counters.packets_dropped > 0
    assert counters.events_in == pipeline.source.counters().read
    assert counters.resets > 0
    assert len(seen) > 3
    assert slow.calls == counters.decisions


def test_the_sources_error_reaches_the_caller(make: Make) -> None:
    source = PacketSource(live_packets(3), SENSOR, error=OSError("cable pulled"))
    with pytest.raises(
        StageError, match="packets in memory to deliver events, found: OSError\\('cable pulled'\\)"
    ) as caught:
        decisions_of(make(source))
    assert caught.value.stage == "source"


def test_an_error_of_the_source_in_the_programs_own_words_stays_as_it_is(make: Make) -> None:
    unplugged = MissingError("expected the camera, found it gone.")
    with pytest.raises(MissingError) as caught:
        decisions_of(make(PacketSource(live_packets(3), SENSOR, error=unplugged)))
    assert caught.value is unplugged


def test_and_the_snapshot(make: Make) -> None:
    pipeline = make(PacketSource(live_packets(3), SENSOR, error=OSError("cable pulled")))
    pipeline.start()
    wait_for(lambda: pipeline.snapshot().state == "failed")
    assert "cable pulled" in str(pipeline.snapshot().failure)
    # The failure shows at once; what had arrived before it is still worked through.
    wait_for(lambda: lane_of(pipeline).counters.packets_done == 3)


def test_a_failing_stage_reaches_the_caller(make: Make) -> None:
    def broken(features: Features) -> Logits:
        raise StageError("ann", "expected an answer, found none.")

    pipeline = make(replay(), FixedAnn(broken))
    with pytest.raises(StageError, match="found none"):
        decisions_of(pipeline)
    counters = lane_of(pipeline).counters
    adds_up(counters)
    assert counters.packets_queued == 0
    assert lane_of(pipeline).failure == "expected an answer, found none."
    assert pipeline.snapshot().state == "failed"


def test_packets_features_and_settings(make: Make) -> None:
    pipeline = make(replay())
    pipeline.lanes[0].want_features(True)
    pipeline.lanes[0].tune(threshold=0.7, smoothing_us=50_000)
    packets: list[EventPacket] = []
    pipeline.start(packets.append)
    wait_for(lambda: pipeline.snapshot().state == "ended")
    lane = lane_of(pipeline)
    assert (lane.threshold, lane.smoothing_us) == (0.7, 50_000)
    assert lane.features is not None
    assert lane.features.shape == (4, 8, 8)
    assert lane.features_shape == (2, 2, 8, 8)
    assert sum(packet.events.size for packet in packets) == 1200
    assert [card.key for card in lane.cards] == ["source", "snn", "accumulator", "ann", "decision"]


@pytest.mark.parametrize(("asked", "found"), [(1.5, 1.0), (-1.0, 0.0)])
def test_a_threshold_stays_a_probability(make: Make, asked: float, found: float) -> None:
    pipeline = make(replay())
    pipeline.lanes[0].tune(threshold=asked, smoothing_us=-5)
    rule = pipeline.lanes[0].chain.rule
    assert (rule.threshold, rule.smoothing_us) == (found, 0)


def test_replay_controls_pause_and_seek(make: Make) -> None:
    pipeline = make(replay(speed=1.0, loop=True))
    pipeline.start()
    controls = pipeline.replay
    assert controls is not None
    wait_for(lambda: pipeline.lanes[0].counters().decisions > 2)
    controls.pause(True)
    wait_for(lambda: pipeline.snapshot().state == "paused")
    time.sleep(0.1)
    before = pipeline.lanes[0].counters().decisions
    time.sleep(0.1)
    assert pipeline.lanes[0].counters().decisions == before
    controls.seek(200_000)
    controls.step()
    wait_for(lambda: pipeline.lanes[0].counters().decisions == before + 1)
    wait_for(lambda: lane_of(pipeline).t_us > 200_000)
    decision = lane_of(pipeline).decision
    assert decision is not None
    assert decision.gap
    assert np.isclose(decision.t_us, 210_000, atol=10_000)
    snapshot = pipeline.snapshot()
    assert snapshot.replay is not None
    assert snapshot.replay.paused


def test_closing_while_running_ends_everything(make: Make) -> None:
    pipeline = make(replay(speed=1.0, loop=True))
    pipeline.start()
    wait_for(lambda: pipeline.lanes[0].counters().decisions > 1)
    started = time.monotonic()
    pipeline.close()
    pipeline.close()
    assert time.monotonic() - started < 2
    adds_up(pipeline.lanes[0].counters())


def test_whoever_takes_no_decisions_makes_the_source_wait(make: Make) -> None:
    """A recording loses nothing to a slow reader of its decisions."""
    pipeline = make(replay())
    taken = []
    for item in pipeline.decisions():
        if item is not None:
            taken.append(item)
            time.sleep(0.002)
    assert len(taken) == 30


@pytest.fixture
def room_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """One decision may wait for its reader."""
    monkeypatch.setattr("spikebridge.run.pipeline._DECISIONS", 1)


@pytest.mark.usefixtures("room_for_one")
def test_a_reader_that_pauses_misses_nothing(make: Make) -> None:
    """Longer than the lane waits at a time for room."""
    taken = []
    for item in make(replay()).decisions():
        if item is not None:
            if len(taken) % 10 == 0:
                time.sleep(0.03)
            taken.append(item[1].t_us)
    assert taken == [taken[0] + i * STEP_US for i in range(30)]


@pytest.mark.usefixtures("room_for_one")
def test_a_reader_that_leaves_frees_the_lane_that_waits_for_it(make: Make) -> None:
    pipeline = make(replay())
    reading = pipeline.decisions()
    while next(reading) is None:
        pass
    # One more lies in the queue, the lane waits with the next.
    wait_for(lambda: pipeline.lanes[0].counters().decisions == 3)
    time.sleep(0.02)
    reading.close()
    assert pipeline.snapshot().state == "ended"
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("spikebridge")]


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_whoever_waits_for_decisions_is_woken_for_them_and_at_the_end(
    make: Make, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """Never by the clock: that would come after a minute, with None."""
    monkeypatch.setattr("spikebridge.run.pipeline._LOOK_S", 60.0)
    monkeypatch.setattr("spikebridge.run.pipeline._BATCH", batch)
    for source in (replay(), PacketSource(live_packets(10, 0.002), SENSOR)):
        assert None not in list(make(source).decisions())


def test_decisions_are_handed_over_together_while_the_chain_has_more_to_do(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each waking of the reader costs the chain a third of a step."""
    monkeypatch.setattr("spikebridge.run.pipeline._LOOK_S", 60.0)
    monkeypatch.setattr("spikebridge.run.pipeline._BATCH", 8)
    pipeline = make(replay(), FixedAnn(Slow(0.003)))
    reading = pipeline.decisions()
    assert next(reading) is not None
    assert pipeline.lanes[0].counters().decisions >= 8
    assert len([item for item in reading if item is not None]) == 29


def test_decisions_of_a_live_source_come_as_they_are_made(bundle: Bundle) -> None:
    """One each two steps, nothing for the steps between."""
    each_second = dataclasses.replace(bundle, accumulator=AccumulatorSpec(4, 2, 2))
    chain = Chain(each_second, None, FixedAnn(np.zeros(11, np.float32)), SENSOR)
    pipeline = Pipeline(PacketSource(live_packets(6), SENSOR), {"lane": chain}, PowerMonitor(()))
    assert [(lane, made.t_us) for lane, made in decisions_of(pipeline)] == [(0, 20_000), (0, 40_000), (0, 60_000)]


def test_a_run_is_running_once_a_lane_has_decided(make: Make) -> None:
    """The other one waits for its answer still."""
    may_answer = threading.Event()

    def wait(features: Features) -> Logits:
        may_answer.wait(10)
        return np.zeros(11, np.float32)

    pipeline = make(PacketSource(live_packets(1000, 0.005), SENSOR), FixedAnn(wait), FixedAnn(Slow(0.0)))
    assert pipeline.snapshot().state == "starting"
    pipeline.start()
    wait_for(lambda: pipeline.snapshot().lanes[1].state == "running")
    assert (pipeline.snapshot().state, lane_of(pipeline).state) == ("running", "starting")
    may_answer.set()


def test_the_overview_of_a_recording_is_in_the_snapshot(make: Make) -> None:
    """1200 events in 0.3 s, whose rates are those of the replay's own overview."""
    pipeline = make(replay())

    def overview() -> NDArray[np.float32]:
        found = pipeline.snapshot().overview
        assert found is not None
        return found

    wait_for(lambda: overview().size)
    assert overview().shape == (256,)
    assert overview().mean() == pytest.approx(4000, rel=0.02)
    assert make(PacketSource(live_packets(0), SENSOR)).snapshot().overview is None


class HangingSource(PacketSource):
    """Gives nothing and hears no ``close`` until it may end; then fails, as a driver whose device was closed does."""

    def __init__(self) -> None:
        super().__init__((), SENSOR)
        self.may_end = threading.Event()
        self.threads: list[threading.Thread] = []

    def packets(self, step_us: int) -> Iterator[EventPacket]:
        self.threads.append(threading.current_thread())
        self.may_end.wait(10)
        raise OSError("no such device")
        yield


def test_a_source_that_hangs_keeps_neither_close_nor_the_program_waiting(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spikebridge.run.pipeline.CLOSE_WITHIN_S", 0.05)
    source = HangingSource()
    pipeline = make(source)
    pipeline.start()
    wait_for(lambda: source.threads)
    pipeline.close()
    (feeder,) = source.threads
    assert (feeder.name, feeder.daemon, feeder.is_alive()) == ("spikebridge-feeder", True, True)
    source.may_end.set()
    feeder.join(10)
    # What fails because the run was closed is no failure.
    assert pipeline.first_failure() is None


@pytest.mark.parametrize(("platform", "resident"), [("linux", 2048), ("darwin", 2_097_152)])
def test_the_peak_of_memory_is_in_megabytes(monkeypatch: pytest.MonkeyPatch, platform: str, resident: int) -> None:
    """2 MiB, which Linux tells in KiB and macOS in bytes."""
    monkeypatch.setattr("spikebridge.run.pipeline.sys", SimpleNamespace(platform=platform))
    usage = SimpleNamespace(RUSAGE_SELF=0, getrusage=lambda who: SimpleNamespace(ru_maxrss=resident))
    monkeypatch.setattr("spikebridge.run.pipeline.resource", usage)
    assert peak_rss_mb() == 2.097152


def test_a_short_run_still_has_its_watts_and_energy(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter than the time after which meters are read for the first time."""
    monkeypatch.setattr("spikebridge.power.monitor.INTERVAL_S", 3600)
    board = PowerReading("VDD_IN", 5.0, "measured", "whole board", whole=True)
    pipeline = make(PacketSource(live_packets(2), SENSOR), monitor=PowerMonitor((FixedMeter(board),)))
    decisions_of(pipeline)
    snapshot = pipeline.snapshot()
    assert snapshot.power == (board,)
    assert {e.provenance for key, e in snapshot.lanes[0].energy.items() if key != "snn"} == {"estimated"}


# ---------------------------------------------------------------- several lanes


def test_each_lane_decides_as_alone(make: Make, bundle: Bundle) -> None:
    def of_lane(number: int, *anns: AnnStage) -> list[tuple[int, str | None, bytes]]:
        found = decisions_of(make(replay(), *anns))
        return [(d.t_us, d.label, d.probabilities.tobytes()) for n, d in found if n == number]

    other = FixedAnn(np.linspace(0, 3, 11, dtype=np.float32))
    alone = of_lane(0, real_ann(bundle))
    other_alone = of_lane(0, other)
    assert len(alone) == len(other_alone) == 30
    assert alone != other_alone
    assert of_lane(0, real_ann(bundle), other) == alone
    assert of_lane(1, real_ann(bundle), other) == other_alone


def test_decisions_of_a_recording_come_in_one_order(make: Make, bundle: Bundle) -> None:
    """By time, then by lane, whichever is slow."""
    slow = FixedAnn(Slow(0.003))
    found = decisions_of(make(replay(), slow, real_ann(bundle)))
    first_us = found[0][1].t_us
    assert [(n, d.t_us) for n, d in found] == [(n, first_us + i * STEP_US) for i in range(30) for n in (0, 1)]


def test_a_live_lane_does_not_wait_for_a_slow_one(make: Make) -> None:
    """Each has its own inbox, drops and resets."""
    pipeline = make(PacketSource(live_packets(60, 0.004), SENSOR), FixedAnn(Slow(0.02)), FixedAnn(Slow(0.0)))
    pipeline.start()
    wait_for(lambda: pipeline.snapshot().state == "ended")
    slow, quick = (lane.counters for lane in pipeline.snapshot().lanes)
    adds_up(slow)
    assert slow.packets_in == quick.packets_in == 60
    assert slow.packets_dropped > 10
    assert slow.resets > 0
    assert (quick.packets_done, quick.packets_dropped, quick.resets) == (60, 0, 0)


def test_a_lane_that_fails_leaves_the_others_running(make: Make) -> None:
    def broken(features: Features) -> Logits:
        raise StageError("ann", "expected an answer, found none.")

    pipeline = make(replay(), FixedAnn(broken), FixedAnn(Slow(0.0)))
    pipeline.start()
    wait_for(lambda: pipeline.snapshot().state in ("ended", "failed"))
    failed, whole = pipeline.snapshot().lanes
    assert (failed.state, failed.failure) == ("failed", "expected an answer, found none.")
    assert (whole.state, whole.failure, whole.counters.packets_done) == ("ended", None, 30)
    assert pipeline.snapshot().state == "ended"
    assert pipeline.snapshot().failure == "expected an answer, found none."
    with pytest.raises(StageError):
        decisions_of(make(replay(), FixedAnn(broken), FixedAnn(Slow(0.0))))


def test_lanes_are_compared(make: Make) -> None:
    def name(label: int) -> FixedAnn:
        logits = np.zeros(11, np.float32)
        logits[label] = 20
        return FixedAnn(logits)

    pipeline = make(replay(), name(3), name(3), name(4))
    decisions_of(pipeline)
    pairs = {(p.first, p.second): p for p in pipeline.snapshot().pairs}
    # Of 30 decisions three come before a whole window of four steps.
    assert pairs["lane 0", "lane 1"].agreement == 1
    assert pairs["lane 0", "lane 1"].compared == 27
    assert (pairs["lane 0", "lane 1"].gestures, pairs["lane 0", "lane 1"].lead_ms) == (1, 0)
    assert pairs["lane 1", "lane 2"].agreement == 0
    assert pairs["lane 1", "lane 2"].gestures == 0


def test_lanes_may_have_steps_of_their_own(tmp_path: Path) -> None:
    """One of 10 ms and one of 20: the source is cut at the finer, and each decides as alone."""
    fine = load_model(write_ordinary_bundle(tmp_path / "fine"))
    folder = write_ordinary_bundle(tmp_path / "coarse")
    contract = (folder / "model.toml").read_text().replace("step_us = 10000", "step_us = 20000")
    (folder / "model.toml").write_text(contract)
    coarse = load_model(folder)

    def run(*bundles: Bundle) -> dict[str, list[tuple[int, bytes]]]:
        chains = {b.name: Chain(b, None, real_ann(b), SENSOR) for b in bundles}
        pipeline = Pipeline(replay(), chains, PowerMonitor(()))
        found: dict[str, list[tuple[int, bytes]]] = {b.name: [] for b in bundles}
        for n, decision in decisions_of(pipeline):
            found[bundles[n].name].append((decision.t_us, decision.probabilities.tobytes()))
        return found

    together = run(fine, coarse)
    assert together == {**run(fine), **run(coarse)}
    assert (len(together["fine"]), len(together["coarse"])) == (30, 15)
