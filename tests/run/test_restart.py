"""A spiking stage that fails and can be started anew: the run goes on, the lost step is counted and said."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from bundles import spiking_network, write_spiking_bundle
from small_recordings import moving_column
from spikebridge.ann import open_ann
from spikebridge.bundle import load_model
from spikebridge.chain import Chain
from spikebridge.contracts import Counts, Say, SnnActivity, SnnMeter, Spikes
from spikebridge.errors import CancelledError, SpikebridgeError, StageError
from spikebridge.events import Sensor
from spikebridge.power import PowerMonitor
from spikebridge.run.pipeline import Pipeline
from spikebridge.snapshot import Decision, LaneSnapshot
from spikebridge.snn import Emulator, Network
from spikebridge.sources.replay import Replay
from spikebridge.testing import ArrayRecording

SENSOR = Sensor(8, 8)


class MortalStage:
    """The emulator, which dies at the steps named and takes ``start_s`` to start again."""

    name = "mortal"

    def __init__(self, network: Network, dies_at: tuple[int, ...], start_s: float = 0.0, restarts: bool = True) -> None:
        self._emulator = Emulator(network)
        self._dies_at, self._start_s, self._restarts = dies_at, start_s, restarts
        self._steps, self._dead = 0, False
        self.state = "running"

    def step(self, counts: Counts) -> Spikes:
        self._steps += 1
        if self._dead or self._steps in self._dies_at:
            self._dead, self.state = True, "ended"
            raise StageError("snn", "expected the stage to answer, found it dead.", restarts=self._restarts)
        return self._emulator.step(counts)

    def reset(self) -> None:
        if self._dead:
            self._dead, self.state = False, "waking up"
        self._emulator.reset()

    def wait_ready(self, say: Say = lambda words: None) -> None:
        until = time.monotonic() + self._start_s
        say(self.state)
        while time.monotonic() < until:
            time.sleep(0.005)
            say(self.state)
        self.state = "running"

    def activity(self) -> SnnActivity:
        return self._emulator.activity()

    def meter(self) -> SnnMeter:
        return self._emulator.meter()

    def close(self) -> None: ...


Make = Callable[..., Pipeline]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    network = spiking_network()
    bundle = load_model(write_spiking_bundle(tmp_path / "b", network))
    made = []

    def make_pipeline(*dies_at: int, loop: bool = False, **settings: object) -> Pipeline:
        stage = MortalStage(network, dies_at, **settings)  # type: ignore[arg-type]
        source = Replay(ArrayRecording(moving_column(), SENSOR), speed=math.inf, loop=loop)
        chain = Chain(bundle, stage, open_ann("cpu", bundle), SENSOR)
        made.append(Pipeline(source, {"lane": chain}, PowerMonitor(())))
        return made[-1]

    yield make_pipeline
    for pipeline in made:
        pipeline.close()


def decisions_of(pipeline: Pipeline) -> list[Decision]:
    return [item[1] for item in pipeline.decisions() if item is not None]


def lane_of(pipeline: Pipeline) -> LaneSnapshot:
    return pipeline.snapshot().lanes[0]


def test_the_run_goes_on_and_the_lost_step_is_counted(make: Make) -> None:
    pipeline = make(10, 20)
    heard: list[str] = []
    pipeline.say_to(heard.append)
    decisions = decisions_of(pipeline)
    counters = lane_of(pipeline).counters
    assert counters.packets_in == 30
    assert (counters.packets_done, counters.packets_dropped, counters.packets_queued) == (28, 2, 0)
    assert counters.events_in == counters.events_done + counters.events_dropped == 1200
    assert counters.events_dropped > 0
    assert counters.resets == 2
    assert len(decisions) == 28
    assert [i for i, decision in enumerate(decisions) if decision.gap] == [9, 18]
    assert list(lane_of(pipeline).notes) == ["restart 1", "restart 2"]
    assert "found it dead: the step was lost, the SNN restarts" in heard[0]
    assert heard[1] == "mortal: waking up"
    assert "found it dead: the step was lost, the SNN restarts" in lane_of(pipeline).notes["restart 1"]


@pytest.mark.parametrize("at", [1, 2])
def test_dying_before_or_after_the_first_decision_is_survived(make: Make, at: int) -> None:
    assert len(decisions_of(make(at))) == 29


def test_after_a_restart_nothing_of_the_state_before_is_left(make: Make) -> None:
    whole, broken = decisions_of(make()), decisions_of(make(5))
    assert [d.t_us for d in broken] == [d.t_us for i, d in enumerate(whole) if i != 4]
    for one, other in zip(whole[15:], broken[14:], strict=True):
        np.testing.assert_array_equal(one.probabilities, other.probabilities)


def test_dying_again_before_a_decision_ends_the_run(make: Make) -> None:
    pipeline = make(10, 11)
    with pytest.raises(StageError, match="found it dead"):
        decisions_of(pipeline)
    assert lane_of(pipeline).counters.decisions == 9


def test_a_stage_that_cannot_restart_ends_the_run(make: Make) -> None:
    pipeline = make(10, restarts=False)
    with pytest.raises(StageError, match="found it dead"):
        decisions_of(pipeline)
    assert lane_of(pipeline).notes == {}


def test_views_see_the_start_and_closing_does_not_wait_for_it(make: Make) -> None:
    pipeline = make(10, start_s=60.0, loop=True)
    pipeline.start()
    until = time.monotonic() + 10
    while not any("waking up" in card.role for card in lane_of(pipeline).cards):
        assert time.monotonic() < until
        time.sleep(0.01)
    assert pipeline.snapshot().state == "starting"
    assert lane_of(pipeline).decision is None
    assert "restart 1" in lane_of(pipeline).notes
    began = time.monotonic()
    pipeline.close()
    assert time.monotonic() - began < 2
    assert pipeline.first_failure() is None


def test_who_listens_may_give_up(make: Make) -> None:
    pipeline = make(10, start_s=60.0)

    def say(words: str) -> None:
        if "waking up" in words:
            raise CancelledError("Ctrl-C")

    pipeline.say_to(say)
    assert len(decisions_of(pipeline)) == 9
    assert pipeline.snapshot().state == "ended"


def test_a_start_that_fails_is_the_runs_error(make: Make) -> None:
    pipeline = make(10)

    def wait_ready(say: Say) -> None:
        raise SpikebridgeError("no board any more")

    pipeline.lanes[0].chain.snn.wait_ready = wait_ready  # type: ignore[union-attr]
    with pytest.raises(SpikebridgeError, match="no board"):
        decisions_of(pipeline)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("spikebridge")]
