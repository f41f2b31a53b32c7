"""The cost model: each figure by hand; ``test_against_sanafe`` compares whole runs."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from sanafe_reference import require_sanafe

from spikebridge.contracts import LayerActivity, SnnActivity, SnnCost
from spikebridge.snn import Conv, Dense, Network, Neuron
from spikebridge.snn.energy import LOIHI1, CostModel, Price
from spikebridge.snn.mapping import map_network

NEURON = Neuron(4096, 1024, 64)
#: A convolution on two cores of one tile, two rows of which lie on the border, and a dense layer on a third.
NETWORK = Network(
    (1, 32, 32),
    (
        Conv("a", np.full((2, 1, 3, 3), 2), NEURON, None, (1, 1), (1, 1)),
        Dense("b", np.full((10, 2048), 2), NEURON, None),
    ),
)
ACTIVITY = SnnActivity(
    steps=10,
    input_events=50,
    layers=(LayerActivity("a", 2048, 900, 300, 40), LayerActivity("b", 10, 400, 80, 7)),
)
#: Input rows 15 and 16 of 32 reach both cores; all lie on the host's tile.
INPUT_FAN = 34 / 32
STATIC = "middle of 0.23–0.28 W, measured on one Loihi 2 board"


@pytest.fixture
def model() -> CostModel:
    return CostModel(NETWORK)


@pytest.fixture
def cost(model: CostModel) -> SnnCost:
    return model.cost(ACTIVITY, 10_000)


def test_the_example_lies_as_computed(model: CostModel) -> None:
    first, second = model.mapping.layers
    assert (first.cores, second.cores) == (2, 1)
    assert (model.mapping.input.messages, model.mapping.input.hops) == (INPUT_FAN, (0, 0))
    assert (first.fan.messages, first.fan.hops, second.fan.messages) == (1, (0, 0), 1)


def test_each_energy_by_hand(cost: SnnCost) -> None:
    first, second = cost.layers
    expected = [
        (cost.input_mj, 50 * INPUT_FAN * 111.0),
        (first.synapses_mj, 900 * 24.0),
        (first.visits_mj, 2048 * 10 * 51.2),
        (first.updates_mj, 300 * 21.6),
        (first.spikes_mj, 40 * 69.3),
        (first.messages_mj, 40 * 111.0),
        (second.synapses_mj, 400 * 35.5),
        (second.visits_mj, 10 * 10 * 51.2),
        (second.updates_mj, 80 * 21.6),
        (second.spikes_mj, 7 * 69.3),
        (second.messages_mj, 7 * 111.0),
    ]
    for found_mj, pj in expected:
        assert found_mj == pytest.approx(pj * 1e-9, rel=1e-12)
    assert cost.input_messages == 50 * INPUT_FAN
    assert (first.messages, second.messages) == (40, 7)
    for layer, counted in zip(cost.layers, ACTIVITY.layers, strict=True):
        assert (layer.name, layer.neurons, layer.spikes) == (counted.name, counted.neurons, counted.spikes)
        assert (layer.synaptic_events, layer.neuron_updates) == (counted.synaptic_events, counted.neuron_updates)


def test_the_sums_by_hand(cost: SnnCost) -> None:
    activity_pj = 5896.875 + (21600 + 6480 + 2772 + 4440) + (14200 + 1728 + 485.1 + 777)
    constant_pj = (2048 + 10) * 10 * 51.2
    assert cost.activity_mj == pytest.approx(activity_pj * 1e-9, rel=1e-12)
    assert cost.constant_mj == pytest.approx(constant_pj * 1e-9, rel=1e-12)
    assert cost.dynamic_mj == pytest.approx((activity_pj + constant_pj) * 1e-9, rel=1e-12)
    assert cost.static_mj == pytest.approx(0.255 * 0.1 * 1e3, rel=1e-12)
    assert (cost.steps, cost.input_events, cost.chip) == (10, 50, "Loihi 1")


def test_the_step_time_by_hand(cost: SnnCost) -> None:
    """The first layer's neurons take longest; three cores lie on one tile, so the barrier is the shortest."""
    neurons_ns = 2048 * 10 * 6.0 + 300 * 3.7 + 40 * (30.0 + 5.1)
    assert cost.chip_step_us == pytest.approx((neurons_ns / 2 / 10 + 600) * 1e-3, rel=1e-12)


@pytest.mark.parametrize(
    ("events", "synaptic", "spikes", "busiest_ns"),
    [
        (90_000, 20, 40, 90_000 * INPUT_FAN * 16.0 / 2 + 900 * 3.1 / 2),  # what comes in from the camera
        (50, 300_000, 40, 40 * 16.0 + 300_000 * 3.8),  # dense synapses
        (50, 20, 90_000, 90_000 * 16.0 + 20 * 3.8),  # messages between the layers
    ],
)
def test_incoming_messages_take_the_step_s_time(
    model: CostModel, events: int, synaptic: int, spikes: int, busiest_ns: float
) -> None:
    # Spikes of the first layer that cost its own core less than they cost the core that takes them.
    layers = (LayerActivity("a", 2048, 900, 300, spikes), LayerActivity("b", 10, synaptic, 80, 7))
    cost = model.cost(SnnActivity(10, events, layers), 10_000)
    sending_ns = (2048 * 10 * 6.0 + 300 * 3.7 + spikes * 35.1) / 2
    assert cost.chip_step_us == pytest.approx((max(busiest_ns, sending_ns) / 10 + 600) * 1e-3, rel=1e-12)


def test_hops_are_paid_along_both_axes() -> None:
    """From 16 cores on the first column of tiles to 8 on the second; the host is at the first tile of the first."""
    layers = tuple(
        Conv(f"{k}", np.full((o, i, 3, 3), 2), NEURON, None, (2, 2), (1, 1))
        for k, (i, o) in enumerate([(2, 4), (4, 8)])
    )
    model = CostModel(Network((2, 128, 128), layers))
    activity = SnnActivity(1, 1000, tuple(LayerActivity("", n, 0, 0, 100) for n in (16384, 8192)))
    cost = model.cost(activity, 10_000)
    # The first core sees 8 rows of input, the others 9: 143 messages for 128 rows, to the tiles 0 to 3 down the column.
    down = (0 * 35 + 1 * 36 + 2 * 36 + 3 * 36) / 143
    assert cost.input_messages == pytest.approx(1000 * 143 / 128)
    assert cost.input_mj == pytest.approx(1000 * 143 / 128 * (111 + down * 4.2) * 1e-9)
    # Likewise 71 messages for 64 rows of the first layer, all to the next column: from its tile 0 none goes up, from
    # tile 1 all but one go a row up, from tile 2 all do, from tile 3 all go up two.
    up = (17 + 18 + 2 * 17) / 71
    first = cost.layers[0]
    assert first.messages == pytest.approx(100 * 71 / 64)
    assert first.messages_mj == pytest.approx(100 * 71 / 64 * (111 + 3.0 + up * 4.2) * 1e-9)
    # What the eight cores of the second layer take in sets the time; 24 cores lie on six tiles.
    layers_busy = (LayerActivity("", 16384, 0, 0, 40_000), LayerActivity("", 8192, 200_000, 0, 0))
    taken_ns = (40_000 * 71 / 64 * 16.0 + 200_000 * 3.1) / 8
    assert model.cost(SnnActivity(1, 0, layers_busy), 10_000).chip_step_us == pytest.approx((taken_ns + 1400) * 1e-3)
    # From the tiles 4 and 5 to the host's: one column back and none or one up.
    assert cost.layers[1].messages_mj == pytest.approx(100 * (111 + 3.0 + 0.5 * 4.2) * 1e-9)


def test_a_message_may_cost_its_receiver_energy_too() -> None:
    model = CostModel(NETWORK, replace(LOIHI1, message_in=Price("in", 7.0, 16.0)))
    assert model.cost(ACTIVITY, 10_000).input_mj == pytest.approx(50 * INPUT_FAN * (111 + 7) * 1e-9)


def test_where_the_mesh_is_not_known_a_message_hops_nowhere(model: CostModel) -> None:
    """Two cores of another chip: one message for each event, and a tile for each core."""
    model.mapping = map_network(NETWORK, "loihi2")
    cost = model.cost(ACTIVITY, 10_000)
    assert (cost.input_messages, cost.layers[0].messages) == (50, 40)
    assert cost.input_mj == pytest.approx(50 * 111.0 * 1e-9, rel=1e-12)
    neurons_ns = 2048 * 10 * 6.0 + 300 * 3.7 + 40 * (30.0 + 5.1)
    assert cost.chip_step_us == pytest.approx((neurons_ns / 10 + 1000) * 1e-3, rel=1e-12)


def test_activity_of_another_network_is_refused(model: CostModel) -> None:
    for layers in (ACTIVITY.layers[:1], 2 * ACTIVITY.layers):
        with pytest.raises(ValueError, match="zip"):
            model.cost(SnnActivity(10, 50, layers), 10_000)


def test_a_silent_run_costs_the_constant_part_alone(model: CostModel) -> None:
    silent = SnnActivity(10, 0, tuple(LayerActivity(n, size, 0, 0, 0) for n, size in (("a", 2048), ("b", 10))))
    cost = model.cost(silent, 10_000)
    assert cost.activity_mj == 0
    assert cost.constant_mj == cost.dynamic_mj == model.cost(ACTIVITY, 10_000).constant_mj > 0


def test_energy_of_a_decision(model: CostModel, cost: SnnCost) -> None:
    energy = model.energy(ACTIVITY, 10_000, 4)
    assert energy.provenance == "estimated"
    assert energy.activity_mj == pytest.approx(cost.activity_mj / 4)
    assert energy.constant_mj == pytest.approx(cost.constant_mj / 4)
    assert energy.dynamic_mj == pytest.approx(cost.dynamic_mj / 4)
    assert energy.static_mj == pytest.approx(0.255 * 0.1 * 1e3 / 4)
    assert energy.static_source == STATIC
    assert model.energy(ACTIVITY, 10_000, 1).activity_mj == cost.activity_mj


def test_no_decision_no_figure(model: CostModel) -> None:
    energy = model.energy(ACTIVITY, 10_000, 0)
    assert (energy.activity_mj, energy.dynamic_mj, energy.provenance) == (None, None, "unavailable")


def test_no_step_costs_nothing(model: CostModel) -> None:
    nothing = SnnActivity(0, 0, tuple(LayerActivity(n, size, 0, 0, 0) for n, size in (("a", 2048), ("b", 10))))
    cost = model.cost(nothing, 10_000)
    assert (cost.dynamic_mj, cost.static_mj, cost.chip_step_us) == (0, 0, 0)


def test_the_sources_are_told(cost: SnnCost) -> None:
    assert cost.source == "SANA-FE's Loihi calibration, after Davies et al. 2018"
    assert cost.static_source == STATIC


def test_the_prices_are_sanafes() -> None:
    """Each by its name in the architecture file that SANA-FE ships."""
    require_sanafe()
    text = (files("sanafe.examples") / "loihi.yaml").read_text()

    def told(kind: str, name: str) -> float:
        (value,) = set(re.findall(rf"^ *{kind}_{name}: ([\d.e-]+)$", text, re.MULTILINE)) - {"0.0"}
        return float(value)

    for price in (LOIHI1.visit, LOIHI1.update, LOIHI1.spike, LOIHI1.message_out, LOIHI1.row_hop, LOIHI1.column_hop):
        assert price == Price(
            price.name,
            pytest.approx(1e12 * told("energy", price.name)),
            pytest.approx(1e9 * told("latency", price.name)),
        )
    assert LOIHI1.message_in == Price("message_in", 0.0, pytest.approx(1e9 * told("latency", "message_in")))
    assert "energy_message_in: 0.0e-12" in text
    # North is as dear as south, east as west.
    for one, other in (("north", "south"), ("east", "west")):
        for kind in ("energy", "latency"):
            assert told(kind, f"{one}_hop") == told(kind, f"{other}_hop")
    for price in (LOIHI1.conv_synapse, LOIHI1.dense_synapse):
        block = text.split(f"name: {price.name}")[1].split("- name")[0]
        for kind, value, unit in (("energy", price.pj, 1e12), ("latency", price.ns, 1e9)):
            (found,) = re.findall(rf"{kind}_process_spike: ([\d.e-]+)", block)
            assert value == pytest.approx(unit * float(found))
    table = re.findall(r"(\d+): ([\d.e-]+)", text.split("latency_sync: {")[1].split("}")[0])
    assert LOIHI1.barrier_ns == tuple((int(tiles), pytest.approx(1e9 * float(s))) for tiles, s in table)
