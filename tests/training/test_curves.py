"""The table of a training's reports."""

from __future__ import annotations

import errno
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from spikebridge.errors import InputError
from spikebridge.training.curves import Progress, append_progress, read_curves

FIRST = Progress(20, 320, 2.4, 0.1, 0.2, 0.3, 100.0, 250.0, 1.28)


def test_rows_come_back(tmp_path):
    path = tmp_path / "curves.csv"
    later = replace(FIRST, update=40, loss=float("inf"))
    append_progress(path, FIRST)
    append_progress(path, later)
    assert list(read_curves(path)) == [asdict(FIRST), asdict(later)]


def test_rows_of_a_run_that_was_not_resumed_go(tmp_path):
    path = tmp_path / "curves.csv"
    for update in (20, 40, 60):
        append_progress(path, replace(FIRST, update=update))
    append_progress(path, replace(FIRST, update=40, loss=1.0))
    assert [(row["update"], row["loss"]) for row in read_curves(path)] == [(20, 2.4), (40, 1.0)]


def test_a_full_disk_keeps_the_rows(tmp_path, monkeypatch):
    path = tmp_path / "curves.csv"
    append_progress(path, FIRST)

    def full(self, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match="free some space and resume"):
        append_progress(path, replace(FIRST, update=40))
    assert [row["update"] for row in read_curves(path)] == [20]
    assert [file.name for file in tmp_path.iterdir()] == ["curves.csv"]
