"""The report of a bundle, made and read back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from bundles import write_ordinary_bundle
from spikebridge.bundle import load_model
from spikebridge.errors import InputError
from spikebridge.evaluation.cases import Case
from spikebridge.evaluation.report import evaluate_bundle, read_report
from spikebridge.events import Sensor, make_events
from spikebridge.settings import LaneSettings


def column_case(name: str, column: int, label: int) -> Case:
    t = np.arange(0, 200_000, 500)
    events = make_events(t, np.full(t.size, column), np.arange(t.size) % 8, np.ones(t.size))
    return Case(name, label, events, 0, 200_000, Sensor(8, 8), 0)


@pytest.fixture
def bundle(tmp_path):
    return load_model(write_ordinary_bundle(tmp_path / "bundle"))


def test_cases_are_told_one_by_one_and_summed_up(bundle):
    told: list[str] = []
    cases = [column_case("right", 3, 3), column_case("wrong", 2, 3)]
    quiet = {"still": [column_case("quiet", 4, 10)]}
    settings = LaneSettings(str(bundle.folder))
    report = evaluate_bundle(bundle, cases, settings, quiet=quiet, on_case=lambda case: told.append(case["name"]))
    assert told == [case["name"] for case in report["cases"]] == ["right", "wrong"]
    assert report["control"] == "none"
    assert report["summary"]["window_accuracy"]["value"] == 0.5
    assert report["summary"]["quiet"]["still"]["false_gestures"] == 1
    assert report["summary"]["per_window"]["spikes_across_the_bridge"] == 32
    assert "quiet" not in evaluate_bundle(bundle, cases[:1], settings)["summary"]


def test_the_order_of_steps_does_not_matter_to_a_network_that_counts(bundle):
    report = evaluate_bundle(bundle, [column_case("a", 3, 3)], LaneSettings(str(bundle.folder)), control="shuffled")
    assert (report["control"], report["summary"]["window_accuracy"]["value"]) == ("shuffled", 1.0)


def test_what_was_printed_is_read_back(bundle, tmp_path):
    report = evaluate_bundle(bundle, [column_case("a", 3, 3)], LaneSettings(str(bundle.folder)))
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"bundle": report}))
    assert read_report(path) == report
    for other in ("{}", "[]", "no JSON", json.dumps({"a": report, "b": report}), json.dumps({"a": {"summary": 1}})):
        path.write_text(other)
        with pytest.raises(InputError, match="evaluate --json"):
            read_report(path)
    with pytest.raises(InputError, match="No such file"):
        read_report(tmp_path / "nowhere.json")
