from __future__ import annotations

import math
from dataclasses import replace

import pytest
from fake_session import cards, decision, lane

from spikebridge.contracts import PowerReading
from spikebridge.stages import STAGE_KEYS
from spikebridge.ui.history import POINTS, LaneHistory, Latencies, Rails


def test_latencies_are_kept_by_stage_newest_last():
    latencies = Latencies()
    latencies.add({key: 100.0 * (i + 1) for i, key in enumerate(STAGE_KEYS)})
    latencies.add({"bin": 5000.0})
    assert latencies.n == 2
    assert latencies.values_ms[:, -2].tolist() == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    assert latencies.values_ms[:, -1].tolist() == [0, 0, 5.0, 0, 0, 0, 0]


def test_latencies_are_bounded():
    latencies = Latencies()
    for n in range(POINTS + 5):
        latencies.add({"ann": 1000.0 * n})
    assert latencies.n == POINTS
    assert latencies.values_ms[5, 0] == 5
    assert latencies.values_ms[5, -1] == POINTS + 4


def test_unknown_power_is_a_gap():
    rails = Rails()
    known = PowerReading("host", 2.5, "measured", "board")
    for reading in (
        known,
        replace(known, watts=None),
        replace(known, provenance="unavailable"),
        replace(known, watts=0.0),
    ):
        rails.add([reading])
    assert rails.watts["host"][0] == 2.5
    assert all(math.isnan(watts) for watts in list(rails.watts["host"])[1:])
    assert rails.latest["host"].watts == 0.0


def test_a_lane_remembers_only_while_it_runs():
    history = LaneHistory()
    history.add_latency(replace(lane(1), state="starting", decision=None))
    history.add_latency(replace(lane(1), state="failed"))
    assert history.latencies.n == 0
    history.add_latency(replace(lane(1), decision=decision("air_drums", k=2)))
    assert history.latencies.values_ms[0, -1] == pytest.approx(0.2)


def test_sparklines_are_rates_of_events_and_spikes_and_times_of_the_rest():
    history = LaneHistory()
    history.add_cards(cards(1))
    # rates of 11 and 12 thousand; newest times, 5 µs more than the medians
    assert {key: list(values) for key, values in history.sparks.items()} == {
        "source": [11_000],
        "snn": [12_000],
        "accumulator": [1335],
        "ann": [1445],
        "decision": [1555],
    }
