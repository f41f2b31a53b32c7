"""What leaves a lane: every figure from where it belongs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from bundles import write_ordinary_bundle
from run.steps import LATENCY_US, WORK_US, decided, step
from spikebridge.bundle import Bundle, SnnSpec, load_model
from spikebridge.chain import Chain
from spikebridge.contracts import Energy, LayerActivity, PowerReading, SnnActivity, SnnCost, SourceInfo
from spikebridge.events import Sensor
from spikebridge.power import PowerMonitor
from spikebridge.run.snapshots import LaneMoment, LaneSnapshotBuilder
from spikebridge.run.tally import Tally
from spikebridge.settings import Mode
from spikebridge.snapshot import Counters, EventAge, LaneModel, LaneSnapshot
from spikebridge.testing import DelayedCopy, FixedAnn, FixedMeter, FixedSnnMeter

SIMULATED = SourceInfo("sim:", "Simulated camera", "simulated", Sensor(8, 8))
CHIP = PowerReading("chip", 0.25, "estimated", "all of it", whole=True)
HOST = PowerReading("host", 3.0, "estimated", "this process", per_busy_core_w=8.0)


class CostingMeter(FixedSnnMeter):
    """Shows how it was asked: static energy is a µJ for each step and µs."""

    def cost(self, activity: SnnActivity, step_us: float) -> SnnCost:
        static_mj = activity.steps * step_us * 1e-3
        return SnnCost("chip", "prices", activity.steps, 0, 0.0, 0.0, (), static_mj, "a board", 0.0)


METER = CostingMeter(Energy(0.5, "estimated", 0.25, 2.0, "a board"), CHIP)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    bundle = load_model(write_ordinary_bundle(tmp_path / "b", smoothing_us=30_000))
    return dataclasses.replace(bundle, snn=SnnSpec(tmp_path / "snn.net", 2, 2, (2, 8, 8)))


def built(
    bundle: Bundle,
    moment: LaneMoment,
    decisions: int = 4,
    mode: Mode = "stream",
    snn: DelayedCopy | None = None,
    spiking: bool = True,
) -> LaneSnapshot:
    """After ``decisions`` decisions of four steps each, with the meters read once."""
    snn = snn or DelayedCopy((2, 8, 8), meter=METER)
    chain = Chain(bundle, snn if spiking else None, FixedAnn(np.zeros(11, np.float32)), Sensor(8, 8), mode)
    tally, monitor = Tally(chain.bundle.decision.labels), PowerMonitor((FixedMeter(HOST),))
    monitor.watch_chip("lane", METER)
    monitor.sample()
    builder = LaneSnapshotBuilder("lane", chain, METER, SIMULATED, tally, monitor)
    for n in range(4 * decisions):
        snn.step(np.zeros((2, 8, 8), np.uint8))
        tally.add(step(decided("arm_roll", end_to_end_us=800.0) if n % 4 == 3 else None))
    return builder.build(moment)


def moment(**changes: object) -> LaneMoment:
    counters = Counters(packets_in=16, packets_done=16, events_in=50, events_done=50, decisions=4)
    return dataclasses.replace(LaneMoment("running", 70_000, counters), **changes)  # type: ignore[arg-type]


def test_what_the_lane_knows_is_handed_on(bundle: Bundle) -> None:
    decision, features = decided("arm_roll"), np.ones((4, 8, 8), np.uint8)
    known = moment(decision=decision, features=features, failure="broken.", notes={"a": "b."}, state="failed")
    lane = built(bundle, known)
    assert (lane.state, lane.t_us, lane.failure, lane.notes) == ("failed", 70_000, "broken.", {"a": "b."})
    assert lane.decision is decision
    assert lane.features is features
    assert lane.features_shape == (2, 2, 8, 8)
    assert lane.counters == known.counters


def test_the_model_and_its_settings(bundle: Bundle) -> None:
    lane = built(bundle, moment())
    assert lane.model == LaneModel(
        name="lane", bundle=bundle.name, title="test", labels=bundle.decision.labels, snn="delayed copy", ann="fixed",
        mode="stream", step_us=10_000, window_steps=4, interval_steps=2, hop_steps=1,
    )  # fmt: skip
    assert (lane.threshold, lane.smoothing_us) == (0.5, 30_000)
    assert built(bundle, moment(), mode="window").model.hop_steps == 4


def test_energy_of_a_decision_counts_all_its_steps(bundle: Bundle) -> None:
    """Four steps each: the chip 4 · (0.5 + 0.25 + 2.0) mJ; the host 8 W · its µs, so 8 nJ a µs."""
    energy = built(bundle, moment()).energy
    assert energy["snn"] == Energy(2.0, "estimated", 1.0, 8.0, "a board")
    assert energy["bin"] == Energy(pytest.approx(4 * WORK_US["bin"] * 8e-3), "estimated")
    assert energy["accumulator"] == Energy(pytest.approx(4 * WORK_US["accumulator"] * 8e-3), "estimated")
    assert energy["ann"] == Energy(pytest.approx(WORK_US["ann"] * 8e-3), "estimated")
    assert energy["decision"] == Energy(pytest.approx(WORK_US["decision"] * 8e-3), "estimated")


def test_cards_show_the_same_figures(bundle: Bundle) -> None:
    lane = built(bundle, moment())
    cards = {card.key: card for card in lane.cards}
    assert [cards[key].energy for key in ("source", "snn", "ann")] == [lane.energy[k] for k in ("bin", "snn", "ann")]
    assert cards["snn"].power_w == 0.25
    assert cards["ann"].latency == lane.latency["ann"]


def test_latency_of_stages_and_end_to_end(bundle: Bundle) -> None:
    lane = built(bundle, moment())
    assert {key: latency.recent.p50 for key, latency in lane.latency.items()} == LATENCY_US
    assert lane.end_to_end is not None
    assert (lane.end_to_end.recent.p50, lane.end_to_end.recent.n) == (800, 4)
    assert lane.chip == (CHIP,)


def test_without_a_pace_there_is_no_latency(bundle: Bundle) -> None:
    lane = built(bundle, moment(paced=False))
    assert lane.end_to_end is None
    assert lane.age.newest_us is None
    assert lane.age.oldest_us is None


def test_the_age_of_the_events_adds_up(bundle: Bundle) -> None:
    """0.8 ms on this host, two layers of 10 ms, four steps of 10 ms."""
    age = built(bundle, moment()).age
    assert age == EventAge(10_000, 20_000, 40_000, 30_000, 800)
    assert (age.newest_us, age.oldest_us) == (20_800, 60_800)
    assert age.sentence() == (
        "When a decision is out, the newest events behind it are 20.8 ms old and the oldest 60.8 ms: a window of 40 ms "
        "in steps of 10 ms, 20 ms in the spiking layers, and a mean over decisions of 30 ms, which looks back further."
    )


def test_a_window_has_neither_delay_nor_mean(bundle: Bundle) -> None:
    """Its flush brings the layers' spikes out at once."""
    age = built(bundle, moment(), mode="window").age
    assert age == EventAge(10_000, 0, 40_000, 0, 800)
    assert "a window of 40 ms in steps of 10 ms." in age.sentence()


def test_before_the_first_decision_nothing_is_made_up(bundle: Bundle) -> None:
    lane = built(bundle, moment(), decisions=0)
    assert {energy.provenance for energy in lane.energy.values()} == {"unavailable"}
    assert lane.age.end_to_end_us is None
    assert lane.verdict is None
    assert lane.end_to_end is not None
    assert lane.end_to_end.recent.n == 0
    assert lane.age.sentence().startswith("Behind each decision: a window of 40 ms")


def test_verdict_and_scores_are_the_runs(bundle: Bundle) -> None:
    lane = built(bundle, moment())
    assert lane.verdict == "arm_roll"
    assert lane.scores[lane.model.labels.index("arm_roll")] == pytest.approx(0.9)


def test_how_far_a_stage_is_that_starts(bundle: Bundle) -> None:
    class Starting(DelayedCopy):
        state = "importing Lava"

        def wait_ready(self, say: object = None) -> None: ...

    stage = Starting((2, 8, 8), meter=METER)
    assert built(bundle, moment(), snn=stage).starting == "importing Lava"
    stage.state = "running"
    assert built(bundle, moment(), snn=stage).starting == ""
    assert built(bundle, moment()).starting == ""


def test_costs_and_activity_are_those_of_the_whole_run(bundle: Bundle) -> None:
    """16 steps of 10 ms."""
    lane = built(bundle, moment())
    assert lane.activity is not None
    assert lane.activity.steps == 16
    assert lane.cost is not None
    assert (lane.cost.steps, lane.cost.static_mj) == (16, 160)


def test_without_spiking_layers_there_is_nothing_of_a_chip(bundle: Bundle) -> None:
    lane = built(bundle, moment(), spiking=False)
    assert (lane.model.snn, lane.activity, lane.cost) == ("none", None, None)
    assert lane.energy["snn"] == Energy(None, "unavailable")


class Overflowing(DelayedCopy):
    def __init__(self, *overflows: int | None) -> None:
        super().__init__((2, 8, 8), meter=METER)
        self._overflows = overflows

    def activity(self) -> SnnActivity:
        layers = (LayerActivity(f"layer {n}", 1, 0, 0, 0, times) for n, times in enumerate(self._overflows))
        return SnnActivity(1234, 0, tuple(layers))


def test_where_the_chip_would_wrap_around_is_a_note_beside_the_others(bundle: Bundle) -> None:
    lane = built(bundle, moment(notes={"a": "b."}), snn=Overflowing(5678, 0, None, 9))
    assert set(lane.notes) == {"a", "overflow"}
    assert "found more (layer 0: 5,678×, layer 3: 9× in 1,234 steps)" in lane.notes["overflow"]
    assert "than this run, where nothing wraps; smaller weights" in lane.notes["overflow"]
    assert built(bundle, moment(notes={"a": "b."}), snn=Overflowing(0, None)).notes == {"a": "b."}
