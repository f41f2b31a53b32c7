"""``paper`` as a user calls it, on stand-ins for gestures."""

from __future__ import annotations

import csv
import json
import shutil
import sys
from functools import partial

import pytest

from calling import call
from spikebridge.commands.paper import paper
from spikebridge.errors import InputError, MissingError, UsageError
from spikebridge.resources import assets_folder
from standin_clips import HerePool, write_set


@pytest.fixture
def study(tmp_path, monkeypatch):
    pytest.importorskip("torch", reason="training needs the train extra (torch)")
    pytest.importorskip("onnx", reason="exporting needs the train extra (onnx)")
    pytest.importorskip("matplotlib", reason="the study's report needs the report extra (matplotlib)")
    from spikebridge.datasets import worker_pool
    from spikebridge.study import cell_run, study_run
    from spikebridge.training import export

    write_set(tmp_path / "data", persons=9)
    write_set(tmp_path / "test", persons=3)
    write_set(tmp_path / "out/quiet/still", persons=1)
    write_set(tmp_path / "out/quiet/walking in", persons=1)
    monkeypatch.setattr(worker_pool, "ProcessPoolExecutor", HerePool)
    monkeypatch.setattr(study_run, "write_quiet", lambda *_: None)
    monkeypatch.setattr(cell_run, "_VALIDATION_CLIPS", 11)
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


def test_the_report_is_written_again_without_training(tmp_path):
    """From the results that ship with the program, and to the same bytes."""
    pytest.importorskip("matplotlib", reason="the study's report needs the report extra (matplotlib)")
    stored = assets_folder() / "study"
    shutil.copy(stored / "results.json", tmp_path)
    call(paper, tmp_path / "study", "--results", tmp_path, "--report-only")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in stored.iterdir())
    for name in ("results.json", "results.csv"):
        assert (tmp_path / name).read_bytes() == (stored / name).read_bytes()
    first = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    call(paper, tmp_path / "study", "--results", tmp_path, "--report-only")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == first
    call(paper, tmp_path / "nowhere", "--report-only", fails=InputError)


def test_without_matplotlib_nothing_is_trained(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    missing = call(paper, tmp_path, "--data", tmp_path, fails=MissingError)
    assert "spikebridge[report]" in str(missing.exception)
