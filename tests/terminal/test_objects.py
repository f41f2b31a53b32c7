"""What a run prints for other programs, from a snapshot made by hand."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from spikebridge.contracts import Energy
from spikebridge.snapshot import Decision, PairFigures
from spikebridge.stages import STAGE_KEYS
from spikebridge.terminal.objects import decision_object, energy_object, pair_object, summary_object
from terminal.made_snapshot import COST, make_lane, make_snapshot, paced

POWER = [
    {"rail": "VDD_IN", "watts": 6.123457, "static_watts": None, "provenance": "measured", "scope": "whole board"},
    {"rail": "package-0", "watts": None, "static_watts": None, "provenance": "unavailable", "scope": "root only"},
]
CHIP = [{"rail": "loihi", "watts": 0.3, "static_watts": 0.123457, "provenance": "simulated", "scope": "chip 1"}]
#: Of the first lane, without a pace. Dropped are the 470 of the inbox and the 29 of the driver.
LANE = {
    "model": "net 1",
    "snn": "chip 1",
    "ann": "host 1",
    "steps": 1231,
    "decisions": 1008,
    "label": "arm_roll",
    "scores": {"hand_clap": 0.076543, "arm_roll": 0.5, "air_drums": 0.3, "other": 0.123457},
    "events": {
        "read": 9001,
        "processed": 2000,
        "filtered": 7001,
        "outside_crop": 1077,
        "dropped": 499,
        "out_of_order": 17,
        "queued": 130,
        "skipped_bytes": 1234,
        "truncated": True,
    },
    "resets": 3,
    "overflows": {"layer 1": 5, "layer 2": None},
    "latency_us": {
        "source": None,
        "inbox": None,
        "bin": {"p50": 1200.3, "p95": 1210.3, "p99": 1220.3},
        "snn": {"p50": 1300.3, "p95": 1310.3, "p99": 1320.3},
        "accumulator": {"p50": 1400.3, "p95": 1410.3, "p99": 1420.3},
        "ann": {"p50": 1500.3, "p95": 1510.3, "p99": 1520.3},
        "decision": {"p50": 1600.3, "p95": 1610.3, "p99": 1620.3},
    },
    "end_to_end_us": None,
    "event_age_us": {
        "step": 10_000,
        "layer_delay": 20_000,
        "window": 160_000,
        "smoothing": 30_000,
        "newest": None,
        "oldest": None,
    },
    "chip": CHIP,
    "snn_cost": None,
    # All that is not static: 0.012345678912 and 0.25 mJ.
    "energy_mj_per_decision": {
        "bin": {"value": 0.5, "constant": 0, "static": None, "static_source": None, "provenance": "estimated"},
        "snn": {
            "value": 0.262345679,
            "constant": 0.25,
            "static": 3.5,
            "static_source": "a board",
            "provenance": "simulated",
        },
        "accumulator": {"value": 0.125, "constant": 0, "static": None, "static_source": None, "provenance": "measured"},
        "ann": {"value": None, "constant": None, "static": None, "static_source": None, "provenance": "unavailable"},
        "decision": {"value": 0.0625, "constant": 0, "static": None, "static_source": None, "provenance": "estimated"},
    },
}
RUN = {"source": "clips/wave.aedat4", "wall_s": 12345.679, "peak_rss_mb": 512.3}


def test_one_lane_is_a_flat_object() -> None:
    lane = dataclasses.replace(make_lane(), notes={"a": "Of the lane."})
    summary = summary_object(make_snapshot(lane))
    notes = ["Of the file.", "Of the run.", "Of the lane."]
    assert summary == RUN | LANE | {"power": POWER + CHIP, "notes": notes}
    assert json.loads(json.dumps(summary)) == summary


def test_several_lanes_have_an_entry_each_and_one_for_each_pair() -> None:
    second = dataclasses.replace(make_lane(2), notes={"a": "Of the second."})
    summary = summary_object(make_snapshot(make_lane(1), second, make_lane(3)))
    assert set(summary) == {*RUN, "lanes", "pairs", "power", "notes"}
    assert {key: summary[key] for key in RUN} == RUN
    assert (summary["power"], summary["notes"]) == (POWER, ["Of the file.", "Of the run."])
    lanes = summary["lanes"]
    assert isinstance(lanes, list)
    assert lanes[0] == LANE | {"notes": []}
    assert [lane["notes"] for lane in lanes] == [[], ["Of the second."], []]
    assert [lane["model"] for lane in lanes] == ["net 1", "net 2", "net 3"]
    # The driver's 29 are missing to each lane.
    assert [lane["events"]["dropped"] for lane in lanes] == [499, 969, 1439]
    assert summary["pairs"] == [
        {
            "first": "net 1", "second": "net 2", "compared": 1200, "agreement": 0.666667, "gestures": 7,
            "first_earlier": 4, "second_earlier": 2, "lead_ms": 20.5,
        },
        {
            "first": "net 1", "second": "net 3", "compared": 1000, "agreement": 0.5, "gestures": 1,
            "first_earlier": 0, "second_earlier": 1, "lead_ms": -30,
        },
        {
            "first": "net 2", "second": "net 3", "compared": 999, "agreement": 1, "gestures": 3,
            "first_earlier": 0, "second_earlier": 0, "lead_ms": 0,
        },
    ]  # fmt: skip
    assert json.loads(json.dumps(summary)) == summary


def test_a_pair_that_was_never_compared_has_no_agreement() -> None:
    pair = pair_object(PairFigures("a", "b"))
    assert (pair["compared"], pair["agreement"], pair["lead_ms"]) == (0, None, None)


def test_times_of_a_paced_run_are_those_of_the_whole_run() -> None:
    """A median of 2000.46 µs; newest 20 ms of layers later, oldest another window of 160 ms."""
    summary = summary_object(make_snapshot(paced(make_lane())))
    assert summary["end_to_end_us"] == {"p50": 2000.5, "p95": 2010.5, "p99": 2020.5}
    age = summary["event_age_us"]
    assert isinstance(age, dict)
    assert (age["newest"], age["oldest"]) == (22_000.5, 182_000.5)
    latency = summary["latency_us"]
    assert isinstance(latency, dict)
    assert latency["source"] == {"p50": 1000, "p95": 1010, "p99": 1020}
    assert latency["inbox"] == {"p50": 1001, "p95": 1011, "p99": 1021}


def test_a_paced_run_without_a_decision_has_no_figures_yet() -> None:
    summary = summary_object(make_snapshot(paced(make_lane(), n=0)))
    assert summary["end_to_end_us"] is None
    age = summary["event_age_us"]
    assert isinstance(age, dict)
    assert (age["newest"], age["oldest"]) == (None, None)


def test_what_the_chip_costs_is_shared_by_the_decisions() -> None:
    """The layer's 0.032 + 0.128 + 0.256 + 0.512 mJ and the input's 0.016 mJ; its visits are the constant 0.064 mJ."""
    summary = summary_object(make_snapshot(dataclasses.replace(make_lane(), cost=COST)))
    cost = summary["snn_cost"]
    assert isinstance(cost, dict)
    assert cost["decisions"] == 1008
    assert (cost["run"]["activity_mj"], cost["run"]["constant_mj"]) == (0.944, 0.064)
    assert cost["per_decision"]["activity_mj"] == pytest.approx(0.944 / 1008, abs=1e-9)
    assert cost["per_decision"]["constant_mj"] == pytest.approx(0.064 / 1008, abs=1e-9)


def test_a_lane_without_spiking_layers_has_nothing_to_overflow() -> None:
    assert summary_object(make_snapshot(dataclasses.replace(make_lane(), activity=None)))["overflows"] == {}


def test_scores_of_other_labels_are_refused() -> None:
    for scores in ((0.5,), (0.1,) * 5):
        with pytest.raises(ValueError, match="zip"):
            summary_object(make_snapshot(dataclasses.replace(make_lane(), scores=scores)))


def test_a_lane_that_failed_says_why() -> None:
    summary = summary_object(make_snapshot(dataclasses.replace(make_lane(), failure="The ANN broke.")))
    assert summary["failure"] == "The ANN broke."


def test_a_figure_of_energy_is_rounded_where_it_has_one() -> None:
    assert energy_object(Energy(0.12345678949, "estimated", 0.01234567849, 0.98765432149, "x")) == {
        "value": 0.135802468,
        "constant": 0.012345678,
        "static": 0.987654321,
        "static_source": "x",
        "provenance": "estimated",
    }


def test_a_decision_with_all_its_times() -> None:
    """0.1 · k + 0.0123456789 for the labels; 10.6 µs in the first stage, 20.6 in the second …"""
    probabilities = np.array([0.0123456789, 0.1123456789, 0.2123456789], np.float32)
    latency_us = {key: 10.0 * i + 0.6 for i, key in enumerate(STAGE_KEYS, start=1)}
    found = decision_object(Decision(70_000, "arm_roll", 2, probabilities, latency_us, 280.6, gap=True))
    assert found == {
        "t_us": 70_000,
        "label": "arm_roll",
        "index": 2,
        "probabilities": [0.012346, 0.112346, 0.212346],
        "latency_us": {
            "source": 11, "inbox": 21, "bin": 31, "snn": 41, "accumulator": 51, "ann": 61, "decision": 71,
        },
        "end_to_end_us": 281,
        "gap": True,
    }  # fmt: skip
    assert all(type(value) is int for value in [found["end_to_end_us"], *dict(found["latency_us"]).values()])  # type: ignore[call-overload]
    assert json.loads(json.dumps(found)) == found


def test_a_decision_without_a_pace_names_its_lane_and_has_no_waiting() -> None:
    decision = Decision(10_000, None, None, np.zeros(1, np.float32), {"bin": 1.0}, None)
    found = decision_object(decision, "net 2")
    assert found["model"] == "net 2"
    assert found["latency_us"] == dict.fromkeys(STAGE_KEYS) | {"bin": 1}
    assert (found["label"], found["index"], found["end_to_end_us"], found["gap"]) == (None, None, None, False)
