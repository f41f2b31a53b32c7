"""What a decision costs, by hand: bytes, spikes, energy and time."""

from __future__ import annotations

import numpy as np
import pytest

from bundles import write_ordinary_bundle
from spikebridge.bundle import load_model
from spikebridge.evaluation.cases import Case
from spikebridge.evaluation.costs import costs_of
from spikebridge.evaluation.evaluator import Evaluator
from spikebridge.events import Sensor, make_events
from spikebridge.settings import LaneSettings


def column_case(size: int, duration_us: int) -> Case:
    t = np.arange(0, duration_us, 500)
    events = make_events(t, np.full(t.size, 3), np.arange(t.size) % size, np.ones(t.size))
    return Case("case", 3, events, 0, duration_us, Sensor(size, size), 0)


def test_an_ordinary_network_sends_the_camera_across_the_bridge(tmp_path):
    """8x8 pixels, T = 4, I = 2: of 128 inputs the eight of a column are active in each of four steps."""
    bundle = load_model(write_ordinary_bundle(tmp_path / "bundle"))
    with Evaluator(bundle, LaneSettings(str(bundle.folder))) as run:
        results = [run(column_case(8, 200_000))]
        window = costs_of(run, results)["per_window"]
    assert window["spikes_across_the_bridge"] == 32
    # A bit for each input and step; a byte for each spike; a byte for each input and interval.
    assert window["bridge_bytes"] == {"bitmap": 4 * 128 // 8, "address_event": 32, "counts": 128 * 2}
    assert window["ann_mj"]["provenance"] == "estimated"
    # µs times 8 W is 1e-3 mJ.
    assert window["ann_mj"]["value"] == pytest.approx(window["host_us"]["ann"] * 8e-3, abs=1e-5)
    assert set(window["host_us"]) == {"bin", "snn", "accumulator", "ann", "decision"}
    assert not {"spikes", "loihi_us", "loihi_dynamic_mj"} & window.keys()


def test_a_hybrid_is_estimated_from_what_was_counted():
    """S2A4 with T = 16 steps of 10 ms: two windows of 16 steps, each flushed by the two layers' delays."""
    bundle = load_model("s2a4-stream")
    with Evaluator(bundle, LaneSettings("s2a4-stream")) as run:
        results = [run(column_case(128, 320_000))]
        costs = costs_of(run, results)
        activity = {mode: chain.snn.activity() for (mode, _), chain in run.chains.items()}
    window, decision = costs["per_window"], costs["per_decision"]
    assert activity["window"].steps == 2 * (16 + 2)
    assert activity["stream"].steps == 32
    for cost, counted, decisions in ((window, activity["window"], 2), (decision, activity["stream"], 32)):
        spikes = [layer.spikes / decisions for layer in counted.layers]
        assert cost["spikes"]["total"] == pytest.approx(sum(spikes), abs=0.2)
        assert cost["spikes"]["total"] > 0
        # SANA-FE's prices for Loihi 1, pJ; messages and their hops, which depend on the mapping, come on top.
        priced_pj = sum(
            51.2 * layer.neurons * counted.steps
            + 24.0 * layer.synaptic_events
            + 21.6 * layer.neuron_updates
            + 69.3 * layer.spikes
            for layer in counted.layers
        )
        least_mj = priced_pj * 1e-9 / decisions
        assert least_mj < cost["loihi_dynamic_mj"]["value"] < 1.1 * least_mj
        visits_mj = 51.2e-9 * (16384 + 8192) * counted.steps / decisions
        assert cost["loihi_constant_mj"]["value"] == pytest.approx(visits_mj, abs=1e-7)
        estimates = ("loihi_us", "loihi_dynamic_mj", "loihi_constant_mj", "loihi_static_mj")
        assert {cost[key]["provenance"] for key in estimates} == {"estimated"}
        assert cost["loihi_source"].startswith("Loihi 1: SANA-FE's Loihi calibration")
        assert cost["loihi_source"].endswith("; static power: middle of 0.23–0.28 W, measured on one Loihi 2 board")
    # 0.255 W over 160 ms and over a hop of 10 ms.
    assert window["loihi_static_mj"]["value"] == pytest.approx(40.8)
    assert decision["loihi_static_mj"]["value"] == pytest.approx(2.55)
    assert window["spikes_across_the_bridge"] == np.mean(results[0].windows.crossings)
    assert window["bridge_bytes"]["bitmap"] == 16 * 8192 // 8
