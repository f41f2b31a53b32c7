"""``evaluate`` and ``paper`` as a user calls them, on stand-ins for gestures."""

from __future__ import annotations

import csv
import json
from functools import partial

import pytest

from bundles import write_ordinary_bundle
from calling import call
from spikebridge.commands.paper import evaluate, paper
from spikebridge.contracts import LABELS
from spikebridge.errors import InputError, UsageError
from standin_clips import HerePool, write_set


def test_evaluate_prints_one_object_and_writes_a_report(tmp_path):
    bundle = write_ordinary_bundle(tmp_path / "bundle")
    write_set(tmp_path / "clips", persons=1)
    page = tmp_path / "report.html"
    options = ("--model", bundle, "--json", "--quiet-minutes", 0, "--html", page)
    report = json.loads(call(evaluate, tmp_path / "clips", *options).stdout)
    summary = report[str(bundle)]["summary"]
    assert summary["cases"] == 11
    assert summary["per_window"]["bridge_bytes"]["address_event"] > 0
    text = page.read_text()
    assert text.count("<svg") >= 4
    assert text.count("<td>0/") == len(report[str(bundle)]["cases"]) == len(LABELS)
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text


def test_evaluate_names_what_is_not_there(tmp_path):
    call(evaluate, tmp_path / "nowhere", fails=InputError)


@pytest.fixture
def study(tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="training needs the train extra (torch)")
    pytest.importorskip("onnx", reason="exporting needs the train extra (onnx)")
    from spikebridge.datasets import worker_pool
    from spikebridge.study import cells, grid
    from spikebridge.training import export

    write_set(tmp_path / "data", persons=9)
    write_set(tmp_path / "test", persons=3)
    write_set(tmp_path / "out/quiet/still", persons=1)
    write_set(tmp_path / "out/quiet/walking in", persons=1)
    monkeypatch.setattr(worker_pool, "ProcessPoolExecutor", HerePool)
    monkeypatch.setattr(grid, "write_quiet", lambda *_: None)
    monkeypatch.setattr(cells, "_VALIDATION_CLIPS", 11)
    monkeypatch.setattr(export, "_empty_logits", partial(export._empty_logits, windows=40))
    options = ("--data", tmp_path / "data", "--test", tmp_path / "test", "--windows", 64, "--models", "ann,snn")

    def run(*more, **settings):
        return call(paper, tmp_path / "out", *options, *more, **settings)

    return run


def test_a_study_is_made_once_and_extended(study, tmp_path):
    study("--intervals", 8, "--controls-of", "none")
    result = tmp_path / "out/cells/snn-i8-seed0/result.json"
    written = result.stat().st_mtime_ns
    assert "88.4 %" in (tmp_path / "out/results/report.html").read_text()  # the ordinary network's, published
    study("--models", "snn", "--intervals", "4,8", "--controls-of", "s1a5")
    assert result.stat().st_mtime_ns == written
    table = (tmp_path / "out/results/results.csv").read_text()
    rows = {row["name"]: row for row in csv.DictReader(table.splitlines())}
    assert list(rows) == [
        "snn-i4-seed0",
        "snn-i8-seed0",
        "s1a5-shuffled-i8-seed0",
        "s1a5-accumulated-i8-seed0",
        "ann-sized-like-s1a5-i8-seed0",
    ]
    # What a pure SNN learns does not depend on the interval; what it sends does.
    four, eight, wide = rows["snn-i4-seed0"], rows["snn-i8-seed0"], rows["ann-sized-like-s1a5-i8-seed0"]
    assert four["window_accuracy"] == eight["window_accuracy"]
    assert float(four["bridge_count_bytes"]) == 2 * float(eight["bridge_count_bytes"])
    assert float(four["loihi_dynamic_mj"]) > 0
    assert float(wide["ann_host_us"]) > 0
    assert wide["loihi_dynamic_mj"] == ""
    page = (tmp_path / "out/results/report.html").read_text()
    assert "estimated" in page
    assert page.count("<svg") == 7
    assert "https://" not in page


def test_a_study_with_another_budget_is_refused(study, tmp_path):
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "out/study.json").write_text(json.dumps({"windows": 128}))
    assert "other windows" in str(study(fails=UsageError).exception)


def test_wrong_words_are_named(study):
    study("--intervals", "two", fails=UsageError)
    study("--models", "s9a9", fails=UsageError)
