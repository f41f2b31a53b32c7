"""Where the layers lie, what they cost and at whose prices, as it is printed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spikebridge.contracts import LayerCost, SnnCost
from spikebridge.snn import Conv, Network, Neuron
from spikebridge.snn.bench import paper_network
from spikebridge.snn.energy import LOIHI1
from spikebridge.snn.mapping import map_network
from spikebridge.terminal.loihi import (
    cost_object,
    cost_table,
    mapping_object,
    mapping_table,
    price_object,
    price_table,
)
from terminal.printing import lines

COST = SnnCost(
    chip="Loihi 1",
    source="somebody's prices",
    steps=10,
    input_events=50,
    input_messages=60.0,
    input_mj=1e-6,
    layers=(
        LayerCost("a", 2000, 900, 300, 40, 80.0, 2e-6, 3e-6, 4e-6, 5e-6, 6e-6),
        LayerCost("b", 100, 360, 80, 7, 7.0, 1e-6, 2e-6, 3e-6, 4e-6, 5e-6),
    ),
    static_mj=25.5,
    static_source="somebody's board",
    chip_step_us=12.34,
)


def test_the_mean_decision_by_layer() -> None:
    """Events, then energies: what activity costs and what is constant."""
    assert lines(cost_table(COST, 4)) == [
        "on Loihi 1, estimated  synaptic events  neuron updates  spikes  messages  activity  constant",
        "input events                                              12.5        15   0.25 nJ",
        "a                                  225              75      10        20   4.25 nJ   0.75 nJ",
        "b                                   90              20    1.75      1.75   3.25 nJ    0.5 nJ",
        "all                                315              95    11.8      36.8   7.75 nJ   1.25 nJ",
        "of one decision; constant: each neuron is visited in each step, whatever comes; static energy 6.38 mJ: "
        "somebody's board; a step takes at least 12.3 µs on the chip, more where few cores have most of the work; "
        "prices: somebody's prices",
    ]


def test_a_run_without_a_decision() -> None:
    *_, total, words = lines(cost_table(COST, 0))
    assert total.split() == ["all", "1,260", "380", "47", "147", "31", "nJ", "5", "nJ"]
    assert words.startswith("of 10 steps without a decision; constant:")
    assert "static energy 25.5 mJ: somebody's board" in words


def test_the_cost_as_an_object() -> None:
    fields = cost_object(COST, 4)
    run = {
        "synaptic_events": 1260,
        "neuron_updates": 380,
        "spikes": 47,
        "messages": 147,
        "activity_mj": 31e-6,
        "constant_mj": 5e-6,
        "static_mj": 25.5,
    }
    assert fields["run"] == pytest.approx(run, abs=1e-9)
    assert fields["per_decision"] == pytest.approx({key: value / 4 for key, value in run.items()}, abs=1e-9)
    assert fields["input"] == {
        "run": {"events": 50, "messages": 60, "activity_mj": 1e-6},
        "per_decision": {"events": 12.5, "messages": 15, "activity_mj": pytest.approx(0.25e-6)},
    }
    first, second = json.loads(json.dumps(fields))["layers"]
    assert (first["name"], first["neurons"]) == ("a", 2000)
    assert first["run"] == {
        "synaptic_events": 900,
        "neuron_updates": 300,
        "spikes": 40,
        "messages": 80,
        "activity_mj": pytest.approx(17e-6),
        "constant_mj": pytest.approx(3e-6),
    }
    assert second["per_decision"]["constant_mj"] == pytest.approx(0.5e-6)
    assert (fields["provenance"], fields["source"]) == ("estimated", "somebody's prices")
    assert fields["static_source"] == "somebody's board"
    assert fields["chip"] == "Loihi 1"
    assert (fields["steps"], fields["decisions"], fields["chip_step_at_least_us"]) == (10, 4, 12.34)
    assert cost_object(COST, 0)["per_decision"] is None


def test_the_mapping_with_its_limits() -> None:
    network = paper_network(2)
    assert lines(mapping_table(map_network(network, "loihi1", interval_steps=4))) == [
        "on Loihi 1: fits, 24 of 128 cores",
        "       neurons  synapses     memory  cores         neurons        axons in       axons out"
        "      synapse bytes  messages",
        f"input{'1.12':>114}",
        "conv1   16,384   291,848  285.0 KiB     16  1,024 of 1,024  2,304 of 4,096  1,280 of 4,096"
        "  18,432 of 131,072      1.11",
        "conv2    8,192   288,800  282.0 KiB      8  1,024 of 1,024  2,304 of 4,096  1,024 of 4,096"
        "  36,864 of 131,072         1",
        "right of cores: in the layer's fullest core, of the chip's limit (–: no figure that could be checked); "
        "memory: one byte a synapse; messages: cores that an event or a spike goes to, on average",
        "across the bridge                         bytes a step",
        "bitmap                                           1,024",
        "address-event, 2 a spike                at most 16,384",
        "counts, a byte a neuron each 4 steps  2,048 on average",
        "address-event takes more than the bitmap above 512 spikes a step",
    ]
    unknown = lines(mapping_table(map_network(network, "loihi2", interval_steps=4)))
    assert unknown[0] == "on Loihi 2: fits, 3 of 128 cores"
    assert "of –" in unknown[3]


def test_what_does_not_fit_is_told() -> None:
    wide = Network((1, 720, 1280), (Conv("w", np.full((4, 1, 1, 1), 2), Neuron(4096, 0, 1), None, (2, 2)),))
    text = "\n".join(lines(mapping_table(map_network(wide, "loihi1"))))
    assert "on Loihi 1: DOES NOT FIT, 900 of 128 cores" in text
    assert "does not fit: 900 cores are needed, a Loihi 1 chip has 128" in text


def test_the_mapping_as_an_object() -> None:
    fields = json.loads(json.dumps(mapping_object(map_network(paper_network(2), "loihi1"))))
    assert (fields["chip"], fields["cores"], fields["chip_cores"]) == ("Loihi 1", 24, 128)
    assert fields["input"]["messages"] == 143 / 128
    assert fields["layers"][0]["fan"]["messages"] == 71 / 64


def test_every_price_and_its_source_is_told() -> None:
    prices = {
        "synaptic event in a convolution": ("loihi_conv_synapse", 24, 3.1),
        "synaptic event in a dense layer": ("loihi_dense_synapse", 35.5, 3.8),
        "neuron visited, each in each step": ("access_neuron", 51.2, 6),
        "neuron updated": ("update_neuron", 21.6, 3.7),
        "spike": ("spike_out", 69.3, 30),
        "message out": ("message_out", 111, 5.1),
        "message in": ("message_in", 0, 16),
        "hop along a row of the mesh": ("east_hop", 3, 4.1),
        "hop along a column": ("north_hop", 4.2, 6.5),
    }
    first, head, *rows, last = lines(price_table())
    assert first == f"prices of a run, estimated, on Loihi 1 whatever the chip above: {LOIHI1.source}"
    assert head == f"each{'':<36}SANA-FE's name   energy    time"
    assert rows == [
        f"{what:<33}  {name:>19}  {f'{pj:g} pJ':>7}  {f'{ns:g} ns':>6}" for what, (name, pj, ns) in prices.items()
    ]
    assert last == (
        "barrier of a step: 600 ns from 1 tile, 1000 ns from 2 tiles, 1400 ns from 4 tiles, 1800 ns from 29 tiles; "
        f"static power 0.255 W: {LOIHI1.static_source}"
    )
    fields = json.loads(json.dumps(price_object()))
    assert list(fields["prices"].values()) == [{"name": name, "pj": pj, "ns": ns} for name, pj, ns in prices.values()]
    assert list(fields["prices"])[:2] == ["conv_synapse", "dense_synapse"]
    assert (fields["chip"], fields["source"]) == ("Loihi 1", LOIHI1.source)
    assert (fields["static_w"], fields["static_source"]) == (0.255, LOIHI1.static_source)
    assert fields["provenance"] == "estimated"
    assert fields["barrier_ns"][1] == {"tiles": 2, "ns": 1000}
