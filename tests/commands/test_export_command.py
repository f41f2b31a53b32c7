"""``export`` as a user calls it; what it writes is in the tests of training."""

from __future__ import annotations

import sys

import pytest

from calling import call
from spikebridge.commands.export import export
from spikebridge.errors import InputError, MissingError
from standin_clips import write_set


def test_without_torch_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    missing = call(export, tmp_path / "a.npz", tmp_path, tmp_path / "out", "--title", "x", fails=MissingError)
    assert "spikebridge[train]" in str(missing.exception)


def test_what_is_not_there_is_named(tmp_path):
    pytest.importorskip("torch", reason="training needs the train extra (torch)")
    write_set(tmp_path / "clips", persons=1)
    call(export, tmp_path / "a.npz", tmp_path / "clips", tmp_path / "out", "--title", "x", fails=InputError)
    options = ("--title", "x", "--gate", tmp_path / "nowhere.md")
    gate = call(export, tmp_path / "a.npz", tmp_path / "clips", tmp_path / "out", *options, fails=InputError)
    assert "nowhere.md" in str(gate.exception)
