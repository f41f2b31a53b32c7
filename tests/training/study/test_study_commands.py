"""``evaluate`` and ``paper`` as a user calls them, on stand-ins for gestures."""

from __future__ import annotations

import csv
import json

import pytest
from click.testing import CliRunner

from bundles import write_ordinary_bundle
from spikebridge.errors import InputError, UsageError
from spikebridge.training.study.commands import evaluate, paper
from training.standin import write_set


def call(command, *arguments, fails=None):
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if fails:
        assert isinstance(result.exception, fails), result.output
    else:
        assert result.exception is None, result.output
    return result


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
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text


def test_evaluate_names_what_is_not_there(tmp_path):
    call(evaluate, tmp_path / "nowhere", fails=InputError)


@pytest.fixture
def study(tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="training needs the train extra (torch)")
    pytest.importorskip("onnx", reason="exporting needs the train extra (onnx)")
    from spikebridge.training.study import cells, grid

    write_set(tmp_path / "data", persons=9)
    write_set(tmp_path / "test", persons=3)
    write_set(tmp_path / "out/quiet/still", persons=1)
    write_set(tmp_path / "out/quiet/walking in", persons=1)
    monkeypatch.setattr(grid, "ProcessPoolExecutor", HerePool)
    monkeypatch.setattr(grid, "write_quiet", lambda *_: None)
    monkeypatch.setattr(cells, "_VALIDATION_CLIPS", 11)
    options = ("--data", tmp_path / "data", "--test", tmp_path / "test", "--windows", 64, "--models", "ann,snn")

    def run(*more, **settings):
        return call(paper, tmp_path / "out", *options, *more, **settings)

    return run


class HerePool:
    """The pool of processes, without processes."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def submit(self, function, *arguments):
        from concurrent.futures import Future

        future: Future = Future()
        future.set_result(function(*arguments))
        return future

    def shutdown(self, **_: object) -> None: ...


def test_a_study_is_made_once_and_extended(study, tmp_path):
    study("--intervals", 4, "--controls-of", "none")
    results = tmp_path / "out/cells/ann-i4-seed0/result.json"
    written = results.stat().st_mtime_ns
    study("--intervals", "4,8", "--controls-of", "s1a5")
    assert results.stat().st_mtime_ns == written
    rows = list(csv.DictReader((tmp_path / "out/results/results.csv").open()))
    assert [row["name"] for row in rows] == [
        "ann-i4-seed0",
        "snn-i4-seed0",
        "ann-i8-seed0",
        "snn-i8-seed0",
        "s1a5-shuffled-i8-seed0",
        "s1a5-accumulated-i8-seed0",
        "ann-sized-like-s1a5-i8-seed0",
    ]
    by_name = {row["name"]: row for row in rows}
    # What a pure SNN learns does not depend on the interval.
    assert by_name["snn-i4-seed0"]["window_accuracy"] == by_name["snn-i8-seed0"]["window_accuracy"]
    assert float(by_name["ann-i8-seed0"]["ann_host_us"]) > 0
    assert by_name["ann-i8-seed0"]["loihi_dynamic_mj"] == ""
    assert float(by_name["snn-i4-seed0"]["loihi_dynamic_mj"]) > 0
    page = (tmp_path / "out/results/report.html").read_text()
    assert "estimated" in page
    assert "88.4" in page
    assert "https://" not in page


def test_a_study_with_another_budget_is_refused(study):
    study("--intervals", 8, "--controls-of", "none")
    study("--intervals", 8, "--controls-of", "none", "--windows", 128, fails=UsageError)


def test_wrong_words_are_named(study):
    study("--intervals", "two", fails=UsageError)
    study("--models", "s9a9", fails=UsageError)
