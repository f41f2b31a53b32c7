"""What a run says at its end, from a snapshot made by hand."""

from __future__ import annotations

import dataclasses
import io
import re

import pytest
from rich.console import Console

from spikebridge.contracts import Energy
from spikebridge.snapshot import PairFigures, Snapshot
from spikebridge.terminal.loihi import cost_table
from spikebridge.terminal.summary import print_summary, summary
from terminal.made_snapshot import COST, make_lane, make_snapshot, paced
from terminal.printing import lines


def line(snapshot: Snapshot, name: str) -> str:
    """The only line of that name, without it."""
    (found,) = told(snapshot, name)
    return found


def told(snapshot: Snapshot, name: str) -> list[str]:
    return [found[13:] for found in lines(summary(snapshot)) if found[:13] == f"{name:<13}"]


def test_one_lane() -> None:
    """Dropped are the inbox's 470 and the driver's 29; 2000.46 µs, 20 ms of layers and a window of 160 ms."""
    lane = dataclasses.replace(paced(make_lane()), notes={"a": "Of the lane."})
    assert lines(summary(make_snapshot(lane))) == [
        "clips/wave.aedat4  ·  net 1  ·  SNN: chip 1  ·  ANN: host 1",
        "gesture      arm_roll   (arm_roll 0.50, air_drums 0.30, other 0.12)",
        "decisions    1,008 in 12,346 s, 1,231 steps",
        "events       9,001 read, 2,000 processed, 1,077 outside the crop, 499 dropped, 1,234 bytes skipped, "
        "7,001 filtered, 17 moved in time, file truncated",
        "latency      end to end p50 2000 µs, p95 2010 µs, p99 2020 µs, from the end of a step of 10 ms to its "
        "decision",
        "seen to said When a decision is out, the newest events behind it are 22.0 ms old and the oldest 182.0 ms: a "
        "window of 160 ms in steps of 10 ms, 20 ms in the spiking layers, and a mean over decisions of 30 ms, which "
        "looks back further.",
        "energy       of one decision",
        "               activity  constant  static",
        "  binning      500 µJ    –         –       estimated",
        "  SNN          12.3 µJ   250 µJ    3.5 mJ  simulated; static power: a board",
        "  accumulator  125 µJ    –         –       measured",
        "  ANN          –         –         –       unavailable",
        "  decision     62.5 µJ   –         –       estimated",
        "",
        "power at end VDD_IN: 6.123 W (measured; whole board)",
        "power at end package-0: – (unavailable; root only)",
        "power at end loihi: 0.300 W (simulated; chip 1)",
        "note         Of the file.",
        "note         Of the run.",
        "note         Of the lane.",
    ]


def test_several_lanes_and_what_they_have_to_do_with_each_other() -> None:
    second = dataclasses.replace(make_lane(2), notes={"a": "Of the lane."}, failure="The ANN broke.")
    snapshot = make_snapshot(make_lane(1), second, make_lane(3))
    heads = [found for found in lines(summary(snapshot)) if found.startswith("clips/wave.aedat4")]
    assert heads == [f"clips/wave.aedat4  ·  net {k}  ·  SNN: chip {k}  ·  ANN: host {k}" for k in (1, 2, 3)]
    # Dropped in the inbox 470, 940 and 1410; the driver's 29 are missing to each.
    assert [found.split(", ")[3] for found in told(snapshot, "events")] == [
        "499 dropped",
        "969 dropped",
        "1,439 dropped",
    ]
    assert told(snapshot, "decisions")[2] == "3,024 in 12,346 s, 3,693 steps"
    assert told(snapshot, "agreement") == [
        "net 1 and net 2 agree in 66.7% of 1,200 decisions; of 7 gestures that both named, net 1 was earlier in 4 and "
        "net 2 in 2: net 1 is ahead by 20.5 ms (median)",
        "net 1 and net 3 agree in 50.0% of 1,000 decisions; of 1 gesture that both named, net 1 was earlier in 0 and "
        "net 3 in 1: net 3 is ahead by 30 ms (median)",
        "net 2 and net 3 agree in 100.0% of 999 decisions; of 3 gestures that both named, net 2 was earlier in 0 and "
        "net 3 in 0: neither is ahead (median)",
    ]
    assert told(snapshot, "power at end")[2:] == [
        f"net {k}: loihi: 0.{3 * k}00 W (simulated; chip {k})" for k in (1, 2, 3)
    ]
    assert told(snapshot, "note") == ["Of the file.", "Of the run.", "net 2: Of the lane."]
    assert told(snapshot, "failed") == ["net 2: The ANN broke."]


def test_lanes_and_pairs_are_set_apart_by_empty_lines() -> None:
    two = make_snapshot(make_lane(1), make_lane(2))
    printed = lines(summary(two))
    (second,) = (n for n, found in enumerate(printed) if "net 2  ·" in found)
    assert printed[second - 1] == ""
    agreement = [n for n, found in enumerate(printed) if found.startswith("agreement")]
    assert printed[agreement[0] - 1] == printed[agreement[-1] + 1] == ""
    assert len(agreement) == 3


def test_a_pair_that_was_never_compared_or_never_named_the_same() -> None:
    two = make_snapshot(make_lane(1), make_lane(2))
    pairs = (PairFigures("net 1", "net 2"), PairFigures("net 1", "net 2", 1000, 500))
    assert told(dataclasses.replace(two, pairs=pairs), "agreement") == [
        "net 1 and net 2 never decided at the same time",
        "net 1 and net 2 agree in 50.0% of 1,000 decisions",
    ]


@pytest.mark.parametrize(("lead_ms", "ahead"), [(0.5, "net 1 is ahead by 0.5"), (-0.5, "net 2 is ahead by 0.5")])
def test_half_a_millisecond_is_a_lead(lead_ms: float, ahead: str) -> None:
    pair = PairFigures("net 1", "net 2", 1000, 500, 2, 1, 0, lead_ms)
    snapshot = dataclasses.replace(make_snapshot(make_lane(1), make_lane(2)), pairs=(pair,))
    assert line(snapshot, "agreement").endswith(f"{ahead} ms (median)")


def test_one_lane_alone_agrees_with_nobody() -> None:
    snapshot = dataclasses.replace(make_snapshot(make_lane()), pairs=(PairFigures("a", "b"),))
    assert told(snapshot, "agreement") == []


def test_a_lane_that_failed_says_why() -> None:
    snapshot = make_snapshot(dataclasses.replace(make_lane(), failure="The ANN broke."))
    assert line(snapshot, "failed") == "The ANN broke."
    assert told(make_snapshot(make_lane()), "failed") == []


def test_scores_of_other_labels_are_refused() -> None:
    for scores in ((0.5,), (0.1,) * 5):
        with pytest.raises(ValueError, match="zip"):
            summary(make_snapshot(dataclasses.replace(make_lane(), scores=scores)))


def test_without_a_verdict_there_is_no_gesture() -> None:
    snapshot = make_snapshot(dataclasses.replace(make_lane(), verdict=None))
    assert line(snapshot, "gesture").startswith("none   (arm_roll 0.50, ")


def test_a_file_that_is_whole_is_not_called_truncated() -> None:
    snapshot = make_snapshot(make_lane())
    whole = dataclasses.replace(
        snapshot,
        source_counters=dataclasses.replace(snapshot.source_counters, truncated=False, filtered=0, out_of_order=0),
    )
    assert line(whole, "events").endswith(", 1,234 bytes skipped")


def test_a_run_without_a_pace_has_no_latency() -> None:
    snapshot = make_snapshot(make_lane())
    assert line(snapshot, "latency").startswith("none: a run without a pace")
    assert line(snapshot, "seen to said").startswith("Behind each decision: a window of 160 ms")


def test_a_paced_run_that_decided_nothing_is_not_said_to_have_no_pace() -> None:
    snapshot = make_snapshot(paced(make_lane(), n=0))
    assert line(snapshot, "latency") == "none: nothing was decided"
    assert line(snapshot, "seen to said").startswith("Behind each decision")
    assert line(make_snapshot(paced(make_lane(), n=1)), "latency").startswith("end to end p50 2000 µs")


def test_a_lane_without_spiking_layers_has_no_energy_of_them() -> None:
    lane = make_lane()
    none = dataclasses.replace(lane.model, snn="none")
    energy = {**lane.energy, "snn": Energy(None, "unavailable")}
    printed = lines(summary(make_snapshot(dataclasses.replace(lane, model=none, energy=energy))))
    assert not any(found.startswith("  SNN") for found in printed)
    # Where there are some, their missing figure is told.
    printed = lines(summary(make_snapshot(dataclasses.replace(lane, energy=energy))))
    assert "  SNN          –         –         –       unavailable" in printed


def test_costs_of_the_chip_follow_where_they_are_known() -> None:
    printed = lines(summary(make_snapshot(dataclasses.replace(make_lane(), cost=COST))))
    # The last row of energies, the table for 1008 decisions, an empty line.
    start = printed.index("  decision     62.5 µJ   –         –       estimated") + 1
    expected = lines(cost_table(COST, 1008))
    assert printed[start : start + len(expected) + 1] == [*expected, ""]


def printed(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> list[str]:
    """In a terminal of 60 columns, or in a file."""
    out = io.StringIO()
    monkeypatch.setattr(
        "spikebridge.terminal.summary.Console",
        lambda: Console(width=60, file=out, force_terminal=terminal, color_system="standard" if terminal else None),
    )
    print_summary(make_snapshot(dataclasses.replace(paced(make_lane()), cost=COST)))
    return out.getvalue().splitlines()


def test_a_file_has_room_for_tables_and_no_broken_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    found = printed(monkeypatch, terminal=False)
    assert any(len(one) > 200 for one in found)
    assert "on Loihi 1, estimated  synaptic events  neuron updates  spikes  messages  activity  constant" in found


def test_a_terminal_breaks_its_own_lines_and_shows_heads_in_bold_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    found = printed(monkeypatch, terminal=True)
    assert any(len(one) > 200 for one in found)
    assert not any("estimated  synaptic events" in one for one in found)
    bold, plain = "\x1b[1m", "\x1b[0m"
    assert found[0] == f"{bold}clips/wave.aedat4  ·  net 1  ·  SNN: chip 1  ·  ANN: host 1{plain}"
    assert set(re.findall(r"\x1b\[[\d;]*m", "".join(found))) == {bold, plain}
