"""The page of an evaluation shows what the report holds."""

from __future__ import annotations

import copy

import pytest

from standin_reports import case, report

pytest.importorskip("matplotlib", reason="PAGES NOT TESTED: matplotlib is not installed (the report extra)")

from spikebridge.evaluation.report_page import accuracy_table, evaluation_page


def test_two_bundles_side_by_side():
    page = evaluation_page({"hybrid": report(), "plain": report(spiking=False)}, "persons")
    assert "Measured on persons: 2 clips of 5 persons, 8 windows." in page
    # Common: observation and latency; of each bundle: confusion and calibration.
    assert page.count("<svg") == 2 + 2 * 2
    assert page.count("<h2>") == 2
    assert "75.0 % (60.0–90.0)" in page
    assert "hand clap 75%, nothing 25%" in page
    for loading in ("https://", "<script", "<img", "@import"):
        assert loading not in page


def test_what_does_not_exist_is_a_dash():
    table = accuracy_table({"a": report()["summary"]})
    assert "<td>–</td>" in table
    summary = copy.deepcopy(report()["summary"])
    del summary["quiet"]
    assert accuracy_table({"a": summary}).count("<td>–</td>") == table.count("<td>–</td>") + 2
    costs = evaluation_page({"plain": report(spiking=False)}, "x").split("one window</th>")[1].split("</table>")[0]
    assert costs.count("<td>–</td>") == 4  # spikes, dynamic and static energy, time on Loihi


def test_of_many_clips_those_that_were_named_wrongly_are_listed():
    many = report()
    many["cases"] = [
        case(f"n{k}", "arm_roll", "other" if k < 43 else "arm_roll", 1, {"other": 1}, 0.1) for k in range(60)
    ]
    page = evaluation_page({"a": many}, "x")
    assert "43 of 60 clips were named wrongly, the first 40 of them:" in page
    assert page.count("<tr><td class='words'>n") == 40
