"""Watts of the modelled chip, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from spikebridge.contracts import LayerActivity, PowerReading, SnnActivity
from spikebridge.snn import Conv, Emulator, Network, Neuron
from spikebridge.snn.energy import CostModel
from spikebridge.snn.meter import ModelMeter
from spikebridge.testing import HandClock

#: 2×4×4 → 1×4×4 on one core: 16 neurons, an event or spike goes to one core, no hop.
NETWORK = Network((2, 4, 4), (Conv("a", np.full((1, 2, 1, 1), 100), Neuron(4096, 0, 99), None),))
STATIC_W = 0.255


class CountingStage:
    def __init__(self) -> None:
        self.counted = SnnActivity(7, 900, (LayerActivity("a", 16, 1_000_000, 70, 5_000),))

    def activity(self) -> SnnActivity:
        return self.counted


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def stage() -> CountingStage:
    return CountingStage()


def read_one(meter: ModelMeter) -> PowerReading:
    (reading,) = meter.read()
    return reading


def test_power_is_the_cost_of_what_happened_since_the_last_reading(stage: CountingStage, clock: HandClock) -> None:
    meter = ModelMeter(stage, NETWORK, clock)
    for seconds in (0.5, 0.1):
        before = stage.counted
        clock.pass_s(seconds)
        layer = before.layers[0]
        stage.counted = SnnActivity(
            before.steps + 50,
            before.input_events + 30,
            (LayerActivity("a", 16, layer.synaptic_events + 1000, layer.neuron_updates + 20, layer.spikes + 7),),
        )
        dynamic_pj = 30 * 111 + 1000 * 24 + 16 * 50 * 51.2 + 20 * 21.6 + 7 * (69.3 + 111)
        reading = read_one(meter)
        assert reading.static_w == STATIC_W
        assert reading.watts is not None
        assert reading.watts - STATIC_W == pytest.approx(dynamic_pj * 1e-12 / seconds, rel=1e-6)
        assert (reading.rail, reading.provenance, reading.whole) == ("loihi", "estimated", True)


def test_counts_of_another_network_are_refused(stage: CountingStage, clock: HandClock) -> None:
    meter = ModelMeter(stage, NETWORK, clock)
    clock.pass_s(1)
    stage.counted = SnnActivity(9, 950, 2 * stage.counted.layers)
    with pytest.raises(ValueError, match="zip"):
        meter.read()


def test_the_scope_says_whose_static_power_it_is(stage: CountingStage, clock: HandClock) -> None:
    meter = ModelMeter(stage, NETWORK, clock)
    clock.pass_s(1)
    scope = read_one(meter).scope
    assert "0.23–0.28 W, measured on one Loihi 2 board" in scope
    assert "Loihi 1" in scope


def test_a_resting_network_still_draws_static_power(stage: CountingStage, clock: HandClock) -> None:
    meter = ModelMeter(stage, NETWORK, clock)
    clock.pass_s(0.1)
    reading = read_one(meter)
    assert reading.watts == reading.static_w == STATIC_W


def test_no_time_passed_gives_no_figure(stage: CountingStage, clock: HandClock) -> None:
    reading = read_one(ModelMeter(stage, NETWORK, clock))
    assert reading == PowerReading(
        "loihi", None, "unavailable", "Loihi: waiting for the second reading", whole=True, static_w=None
    )


def test_the_emulator_brings_its_meter(clock: HandClock) -> None:
    emulator = Emulator(NETWORK)
    meter = emulator.meter()
    emulator.step(np.ones((2, 4, 4), np.uint8))
    emulator.step(np.zeros((2, 4, 4), np.uint8))
    activity = emulator.activity()
    model = CostModel(NETWORK)
    assert meter.cost(activity, 10_000) == model.cost(activity, 10_000)
    assert meter.energy(activity, 10_000, 2) == model.energy(activity, 10_000, 2)
    (reading,) = meter.read()
    assert reading.watts is not None
    assert reading.watts > STATIC_W
