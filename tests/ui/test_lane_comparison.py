"""The table's words, by hand; see ``fake_session`` for the figures of each lane."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_session import ORIGIN, lane, snapshot

from spikebridge.contracts import Energy
from spikebridge.snapshot import PairFigures
from spikebridge.ui.comparison import (
    COLUMNS,
    MEASURES,
    backends_in_short,
    describe_backends,
    describe_lead,
    energy_of_rest,
    groups,
    rows,
    static_origins,
)


def cells(number, chosen=0, shown=None):
    return rows(shown or snapshot(3), chosen)[number].cells


def test_a_hybrid():
    assert cells(0) == {
        "lane": "1  s2a4-stream",
        "p50": "1.23 ms",
        "p99": "4.23 ms",
        "activity": "1.23 µJ",
        "constant": "4.56 µJ",
        "static": "789 µJ",
        "spiking provenance": "simulated",
        "ordinary": "1.50 mJ",
        "ordinary provenance": "estimated",
        "host": "600 µJ",
        "host provenance": "measured",
        "bridge": "120 kB/s",
        "decisions": "15.0 k",
        "lost": "0",
        "agreement": "",
        "lead": "the chosen one",
    }


def test_a_network_without_spiking_layers():
    assert cells(1) == {
        "lane": "2  ann-160ms",
        "p50": "2.23 ms",
        "p99": "5.23 ms",
        "activity": "none",
        "constant": "none",
        "static": "none",
        "spiking provenance": "",
        "ordinary": "3.00 mJ",
        "ordinary provenance": "estimated",
        "host": "1.20 mJ",
        "host provenance": "measured",
        "bridge": "none",
        "decisions": "25.0 k",
        "lost": "0",
        "agreement": "87.3%",
        "lead": "20 ms later, first in 2 of 7",
    }


def test_a_spiking_one():
    shown = cells(2)
    assert (shown["activity"], shown["constant"]) == ("3.69 µJ", "13.7 µJ")
    assert shown["static"] == "2.37 mJ"
    assert (shown["ordinary"], shown["host"], shown["bridge"]) == ("4.50 mJ", "1.80 mJ", "320 kB/s")
    assert (shown["agreement"], shown["lead"]) == ("50.0%", "30 ms earlier, first in 5 of 6")


def test_each_column_has_its_words():
    keys = {column.key for column in COLUMNS}
    assert all(set(row.cells) == keys for row in rows(snapshot(3), 1))


def test_the_others_are_compared_with_the_chosen_one():
    assert cells(0, chosen=1)["lead"] == "20 ms earlier, first in 4 of 7"
    assert cells(1, chosen=1)["lead"] == "the chosen one"
    assert cells(2, chosen=1)["agreement"] == "25.0%"
    assert cells(2, chosen=1)["lead"] == "at the same time, first in 0 of 3"
    assert cells(0, chosen=2)["lead"] == "30 ms later, first in 1 of 6"


def test_what_is_not_known_is_a_dash():
    dark = replace(
        lane(1),
        end_to_end=None,
        cards=(),
        energy={"snn": Energy(None, "unavailable"), "ann": Energy(None, "unavailable")},
    )
    shown = cells(0, shown=replace(snapshot(1), lanes=(dark,)))
    known = {key: words for key, words in shown.items() if words not in ("–", "", "unavailable")}
    assert known == {"lane": "1  s2a4-stream", "lost": "0", "lead": "the chosen one"}
    provenances = ("spiking provenance", "ordinary provenance", "host provenance")
    assert [shown[key] for key in provenances] == ["unavailable"] * 3


def test_states_and_losses_are_said():
    counters = replace(lane(2).counters, events_dropped=12_345)
    changed = replace(lane(2), state="failed", counters=counters)
    shown = cells(1, shown=replace(snapshot(3), lanes=(lane(1), changed, lane(3))))
    assert shown["lane"] == "2  ann-160ms  (failed)"
    assert shown["lost"] == "12\u2009345"


def test_no_gesture_yet():
    pair = PairFigures("a", "b")
    assert describe_lead(pair, "a") == "no gesture that both named"
    assert pair.agreement is None
    shown = cells(1, shown=replace(snapshot(2), pairs=(PairFigures("s2a4-stream", "ann-160ms"),)))
    assert shown["agreement"] == "–"


@pytest.mark.parametrize(
    ("lead_ms", "name", "words"),
    [
        (20.0, "a", "20 ms earlier, first in 4 of 9"),
        (20.0, "b", "20 ms later, first in 3 of 9"),
        (-12.5, "a", "12.5 ms later, first in 4 of 9"),
        (-12.5, "b", "12.5 ms earlier, first in 3 of 9"),
        (1450.0, "a", "1.45 s earlier, first in 4 of 9"),
        (0.0, "b", "at the same time, first in 3 of 9"),
    ],
)
def test_the_lead_is_seen_from_either_side(lead_ms, name, words):
    assert describe_lead(PairFigures("a", "b", 100, 50, 9, 4, 3, lead_ms), name) == words


def test_sizes_are_parts_of_the_largest():
    sizes = [row.sizes for row in rows(snapshot(3), 0)]
    assert [set(each) for each in sizes] == [set(MEASURES)] * 3
    assert [each["p50"] for each in sizes] == pytest.approx([1.23 / 3.23, 2.23 / 3.23, 1])
    # activity and constant together: 5.79 µJ and three times that, none without spiking layers
    assert [each["activity"] for each in sizes] == pytest.approx([1 / 3, 0, 1])
    assert [each["ordinary"] for each in sizes] == pytest.approx([1 / 3, 2 / 3, 1])
    assert [each["host"] for each in sizes] == pytest.approx([1 / 3, 2 / 3, 1])


def test_the_size_of_the_spiking_layers_is_activity_and_constant_together():
    """Not the static part, which is of the chip and not of the network."""
    busy = replace(lane(1), energy=lane(1).energy | {"snn": Energy(3.0, "simulated", 1.0, 50.0)})
    calm = replace(lane(3), energy=lane(3).energy | {"snn": Energy(0.5, "simulated", 0.5, 90.0)})
    shown = rows(replace(snapshot(2), lanes=(busy, calm)), 0)
    assert [row.sizes["activity"] for row in shown] == [1, 0.25]


def test_the_rest_of_the_host_is_known_only_with_all_of_its_stages():
    energies = dict(lane(1).energy)
    # 0.1 binning + 0.2 accumulator + 0.3 decision; neither the ordinary nor the spiking layers
    assert energy_of_rest(energies).activity_mj == pytest.approx(0.6)
    assert energy_of_rest(energies | {"bin": Energy(None, "unavailable")}) == Energy(None, "unavailable")
    del energies["decision"]
    assert energy_of_rest(energies) == Energy(None, "unavailable")


def test_backends():
    assert backends_in_short(lane(1)) == "Loihi emulator → ONNX Runtime CPU"
    assert backends_in_short(lane(2)) == "ONNX Runtime CPU"
    assert describe_backends(lane(1)) == "SNN · Loihi emulator, ANN · ONNX Runtime CPU"
    assert describe_backends(lane(2)) == "no SNN, ANN · ONNX Runtime CPU"


@pytest.mark.parametrize("columns", [COLUMNS, [column for column in COLUMNS if not column.spare]])
def test_groups_cover_the_width_without_gaps(columns):
    spans = groups(columns)
    assert spans[0][1] == 0
    assert spans[-1][2] == pytest.approx(1)
    assert [left for _, left, _ in spans[1:]] == [right for _, _, right in spans[:-1]]


def test_the_origin_of_static_energy_is_said():
    # the second network has no spiking layers, and no static energy
    def without(number):
        energy = lane(number).energy | {"snn": Energy(None, "unavailable")}
        return replace(lane(number), energy=energy)

    shown = replace(snapshot(3), lanes=(lane(1), without(2), lane(3)))
    assert static_origins(shown) == f"static: {ORIGIN}"
    measured = lane(3).energy | {"snn": Energy(0.1, "measured", static_mj=0.4, static_source="the board's profiler")}
    shown = replace(shown, lanes=(*shown.lanes[:2], replace(lane(3), energy=measured), lane(4)))
    assert static_origins(shown) == f"static of 1, 4: {ORIGIN}; static of 3: the board's profiler"
    assert static_origins(replace(shown, lanes=(without(1),))) == ""
    unknown = lane(1).energy | {"snn": Energy(0.1, "measured", static_mj=0.4)}
    assert static_origins(replace(shown, lanes=(replace(lane(1), energy=unknown),))) == "static: origin not known"
