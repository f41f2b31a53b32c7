"""Threads around the chain: counters, errors, clean ends."""

import math
import threading
import time

import numpy as np
import pytest

from bundles import write_ordinary_bundle
from recordings import moving_column
from spikebridge.ann import open_ann
from spikebridge.bench.synthetic import ArrayRecording, BurstSource
from spikebridge.bundle import load_model
from spikebridge.chain import Chain
from spikebridge.contracts import SourceCounters, SourceInfo
from spikebridge.errors import StageError
from spikebridge.events import EventPacket, Sensor, empty_events
from spikebridge.pipeline import Pipeline
from spikebridge.power import PowerMonitor
from spikebridge.sources.replay import Replay

SENSOR = Sensor(8, 8)


@pytest.fixture
def make(tmp_path):
    bundle = load_model(write_ordinary_bundle(tmp_path / "b"))
    pipelines = []

    def make_pipeline(source):
        chain = Chain(bundle, None, open_ann("cpu", bundle), source.info.sensor)
        pipelines.append(Pipeline(source, chain, PowerMonitor(())))
        return pipelines[-1]

    yield make_pipeline
    for pipeline in pipelines:
        pipeline.close()
    assert not [t.name for t in threading.enumerate() if t.name.startswith(("spikebridge", "power"))]


def replay(speed=math.inf, **options):
    return Replay(ArrayRecording(moving_column(), SENSOR), speed=speed, **options)


def adds_up(c):
    assert c.packets_in == c.packets_done + c.packets_dropped + c.packets_queued
    assert c.events_in == c.events_done + c.events_dropped + c.events_queued


def wait_for(condition, seconds=10):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.005)


def test_a_recording_goes_through_whole(make):
    pipeline = make(replay())
    assert len(list(pipeline.decisions())) == 30
    counters = pipeline.counters()
    adds_up(counters)
    assert (counters.events_done, counters.events_dropped, counters.events_queued) == (1200, 0, 0)
    assert pipeline.snapshot().state == "ended"
    assert pipeline.end_to_end.run().n == 30


def test_counters_add_up_in_every_snapshot_under_overload(make):
    pipeline = make(BurstSource(SENSOR, 2e6, 0.5, 1e4, 0.2))
    pipeline.chain.ann.classify = slow = SlowAnn(pipeline.chain.ann.classify)
    pipeline.start()
    seen = set()
    while pipeline.snapshot().state not in ("ended", "failed"):
        snapshot = pipeline.snapshot()
        adds_up(snapshot.counters)
        adds_up(pipeline.counters())
        seen.add(snapshot.sequence)
        time.sleep(0.01)
    counters = pipeline.snapshot().counters
    adds_up(counters)
    assert counters.packets_dropped > 0
    assert counters.events_in == pipeline.source.counters().read
    assert counters.resets > 0
    assert len(seen) > 3
    assert slow.calls == counters.decisions


class SlowAnn:
    """Takes longer than a step, as a chain that cannot keep up."""

    def __init__(self, classify):
        self._classify = classify
        self.calls = 0

    def __call__(self, features):
        self.calls += 1
        time.sleep(0.02)
        return self._classify(features)


class FailingSource:
    """A live source that breaks after three steps."""

    info = SourceInfo("live:", "a camera", "live", SENSOR)

    def counters(self):
        return SourceCounters()

    def packets(self, step_us):
        for n in range(3):
            yield EventPacket(empty_events(), n * step_us, (n + 1) * step_us, n, time.monotonic_ns())
        raise OSError("cable pulled")

    def close(self):
        pass


def test_the_sources_error_reaches_the_caller(make):
    with pytest.raises(StageError, match="a camera to deliver events, found: OSError\\('cable pulled'\\)"):
        list(make(FailingSource()).decisions())


def test_and_the_snapshot(make):
    pipeline = make(FailingSource())
    pipeline.start()
    wait_for(lambda: pipeline.snapshot().state == "failed")
    assert "cable pulled" in pipeline.snapshot().failure
    # The failure shows at once; what had arrived before it is still worked through.
    wait_for(lambda: pipeline.snapshot().counters.packets_done == 3)


def test_a_failing_stage_reaches_the_caller(make):
    def broken(features):
        raise StageError("ann", "expected an answer, found none.")

    pipeline = make(replay())
    pipeline.chain.ann.classify = broken
    with pytest.raises(StageError, match="found none"):
        list(pipeline.decisions())


def test_pictures_features_and_settings(make):
    pipeline = make(replay())
    pipeline.want_features(True)
    pipeline.threshold = 0.7
    pipeline.smoothing_us = 50_000
    assert (pipeline.chain.rule.threshold, pipeline.chain.rule.smoothing_us) == (0.7, 50_000)
    pipeline.start()
    wait_for(lambda: pipeline.snapshot().state == "ended")
    snapshot = pipeline.snapshot()
    assert snapshot.features.shape == (4, 8, 8)
    assert snapshot.features_shape == (2, 2, 8, 8)
    packets = pipeline.drain_packets()
    assert sum(packet.events.size for packet in packets) == 1200
    assert pipeline.drain_packets() == []
    assert [stage.key for stage in snapshot.stages] == ["source", "snn", "accumulator", "ann", "decision"]


def test_replay_controls_pause_and_seek(make):
    pipeline = make(replay(speed=1.0, loop=True))
    pipeline.start()
    wait_for(lambda: pipeline.n_decisions > 2)
    pipeline.replay.pause(True)
    wait_for(lambda: pipeline.snapshot().state == "paused")
    time.sleep(0.1)
    before = pipeline.n_decisions
    time.sleep(0.1)
    assert pipeline.n_decisions == before
    pipeline.replay.seek(200_000)
    pipeline.replay.step()
    wait_for(lambda: pipeline.n_decisions == before + 1)
    wait_for(lambda: pipeline.snapshot().decision.t_us > 200_000)
    decision = pipeline.snapshot().decision
    assert decision.gap
    assert np.isclose(decision.t_us, 210_000, atol=10_000)


def test_closing_while_running_ends_everything(make):
    pipeline = make(replay(speed=1.0, loop=True))
    pipeline.start()
    wait_for(lambda: pipeline.n_decisions > 1)
    started = time.monotonic()
    pipeline.close()
    pipeline.close()
    assert time.monotonic() - started < 2
    adds_up(pipeline.counters())
