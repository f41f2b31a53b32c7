"""The commands as a user calls them."""

from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner

from spikebridge.errors import MissingError, UsageError
from spikebridge.training.commands import export, simulate, train
from training.standin import write_set


def call(command, *arguments, fails=None):
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    if fails:
        assert isinstance(result.exception, fails), result.output
    else:
        assert result.exception is None, result.output
    return result


def test_train_then_export(tmp_path):
    pytest.importorskip("torch", reason="training needs the train extra (torch)")
    pytest.importorskip("onnx", reason="exporting needs the train extra (onnx)")
    write_set(tmp_path / "clips", persons=9)
    run = tmp_path / "run"
    trained = call(train, "s1a5", tmp_path / "clips", run, "--windows", 64, "--steps", 8)
    assert "validation windows" in trained.stderr
    assert trained.stdout == ""
    call(export, run / "best.npz", tmp_path / "clips", tmp_path / "bundle", "--title", "Test")
    assert "--windows 64 --interval 4 --steps 8" in (tmp_path / "bundle/model.toml").read_text()


def test_simulate_goes_on_where_it_was(tmp_path):
    call(simulate, tmp_path, "--persons", 1, "--clips", 2, "--seconds", 0.8, "--workers", 1)
    shard = tmp_path / "person-00000.npy"
    written = shard.stat().st_mtime_ns
    again = call(simulate, tmp_path, "--persons", 1, "--clips", 2, "--seconds", 0.8, "--workers", 1)
    assert "1 persons in" in again.stderr
    assert shard.stat().st_mtime_ns == written
    assert len(json.loads(shard.with_suffix(".json").read_text())) >= 2


def test_wrong_arguments_are_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    missing = call(train, "s2a4", tmp_path, tmp_path / "run", fails=MissingError)
    assert "spikebridge[train]" in str(missing.exception)


def test_an_unknown_network_is_named(tmp_path):
    pytest.importorskip("torch", reason="training needs the train extra (torch)")
    write_set(tmp_path / "clips", persons=1)
    call(train, "s9a9", tmp_path / "clips", tmp_path / "run", fails=UsageError)
