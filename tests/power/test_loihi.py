from __future__ import annotations

import pytest

from spikebridge.contracts import Counts, Energy, LayerActivity, SnnActivity, Spikes
from spikebridge.power import LoihiMeter


class CountingStage:
    """Only its activity matters here."""

    name = "fake"

    def __init__(self) -> None:
        self.synaptic_events = 0
        self.steps = 7

    def step(self, counts: Counts) -> Spikes:
        return counts

    def reset(self) -> None: ...

    def close(self) -> None: ...

    def activity(self) -> SnnActivity:
        return SnnActivity(self.steps, 0, (LayerActivity("conv1", 10, self.synaptic_events, 70, 0),))


def _energy(activity: SnnActivity, step_us: float, n_decisions: int) -> Energy:
    """1 µJ for a synaptic event, 0.25 W static."""
    dynamic_mj = sum(layer.synaptic_events for layer in activity.layers) * 1e-3
    return Energy(dynamic_mj / n_decisions, "estimated", 0.25e-3 * activity.steps * step_us / n_decisions)


def test_power_is_the_cost_of_what_happened_since_the_last_reading() -> None:
    stage, clock = CountingStage(), HandClock()
    stage.synaptic_events = 1_000_000  # before the meter was there
    meter = LoihiMeter(stage, _energy, clock)
    clock.pass_s(0.5)
    stage.synaptic_events += 1000
    stage.steps += 50
    (reading,) = meter.read()
    assert reading.static_w == pytest.approx(0.25)
    assert reading.watts == pytest.approx(0.25 + 0.002)
    assert (reading.rail, reading.provenance) == ("loihi", "estimated")


def test_silent_network_still_draws_static_power() -> None:
    clock = HandClock()
    meter = LoihiMeter(CountingStage(), _energy, clock)
    clock.pass_s(0.1)
    (reading,) = meter.read()
    assert reading.watts == reading.static_w == pytest.approx(0.25)


def test_shipped_model_prices_real_steps() -> None:
    """51.2 pJ for each of 10 neurons in each of 50 steps, 24 pJ for each of 1000 synaptic events, over 0.5 s."""
    stage, clock = CountingStage(), HandClock()
    meter = LoihiMeter(stage, clock_ns=clock)
    clock.pass_s(0.5)
    stage.synaptic_events += 1000
    stage.steps += 50
    (reading,) = meter.read()
    assert reading.watts is not None
    assert reading.static_w is not None
    assert reading.watts - reading.static_w == pytest.approx((10 * 50 * 51.2e-12 + 1000 * 24e-12) / 0.5, rel=1e-6)


def test_resting_network_costs_static_power_alone_with_the_shipped_model() -> None:
    clock = HandClock()
    meter = LoihiMeter(CountingStage(), clock_ns=clock)
    clock.pass_s(0.1)
    (reading,) = meter.read()
    assert reading.static_w is not None
    assert reading.static_w > 0
    assert reading.watts == pytest.approx(reading.static_w)


def test_no_time_passed_gives_no_figure() -> None:
    assert LoihiMeter(CountingStage(), _energy, HandClock()).read()[0].watts is None
