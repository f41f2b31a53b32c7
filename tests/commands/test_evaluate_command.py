"""``evaluate`` as a user calls it, on stand-ins for gestures."""

from __future__ import annotations

import json
import sys

import pytest

from bundles import write_ordinary_bundle
from calling import call
from spikebridge.commands.evaluate import evaluate
from spikebridge.contracts import LABELS
from spikebridge.errors import InputError, MissingError
from standin_clips import write_set


def test_json_is_one_object_with_every_case(tmp_path):
    bundle = write_ordinary_bundle(tmp_path / "bundle")
    write_set(tmp_path / "clips", persons=1)
    result = call(evaluate, tmp_path / "clips", "--model", bundle, "--json", "--quiet-minutes", 0)
    assert result.stderr == ""
    (report,) = json.loads(result.stdout).values()
    assert set(report) == {"control", "summary", "cases"}
    assert report["summary"]["cases"] == len(report["cases"]) == len(LABELS)
    assert report["summary"]["per_window"]["bridge_bytes"]["address_event"] > 0
    assert "quiet" not in report["summary"]


def test_without_json_the_cases_are_told_and_summed_up(tmp_path):
    bundle = write_ordinary_bundle(tmp_path / "bundle")
    write_set(tmp_path / "clips", persons=1)
    options = ("--model", bundle, "--quiet-minutes", 0.05, "--control", "shuffled")
    result = call(evaluate, tmp_path / "clips", *options)
    assert result.stderr.count(" windows\n") == len(LABELS)
    (summary,) = json.loads(result.stdout).values()
    assert set(summary["quiet"]) == {"still", "walking in"}


def test_a_report_opens_offline(tmp_path):
    pytest.importorskip("matplotlib", reason="PAGES NOT TESTED: matplotlib is not installed (the report extra)")
    bundle = write_ordinary_bundle(tmp_path / "bundle")
    write_set(tmp_path / "clips", persons=1)
    page = tmp_path / "new/report.html"
    options = ("--model", bundle, "--json", "--quiet-minutes", 0, "--html", page)
    report = json.loads(call(evaluate, tmp_path / "clips", *options).stdout)
    text = page.read_text()
    assert text.count("<svg") == 4
    assert text.count("<td>0/") == len(report[str(bundle)]["cases"])
    assert "https://" not in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xlink", "")


def test_what_is_missing_is_named_before_anything_is_measured(tmp_path, monkeypatch):
    call(evaluate, tmp_path / "nowhere", fails=InputError)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    missing = call(evaluate, tmp_path / "nowhere", "--html", tmp_path / "page.html", fails=MissingError)
    assert "spikebridge[report]" in str(missing.exception)
