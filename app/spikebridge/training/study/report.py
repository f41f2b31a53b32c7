"""Results of a study on disk: JSON, CSV, figures as SVG and one HTML page that opens offline."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spikebridge.training.clips import write_file
from spikebridge.training.study.cells import Cell, Folders
from spikebridge.training.study.grid import read_results
from spikebridge.training.study.tables import COLUMNS, as_csv, row_of


def write_results(folder: Path, folders: Folders, cells: Sequence[Cell], about: dict[str, Any]) -> list[str]:
    """Writes everything that is there so far; returns one line for each cell that is done."""
    results = read_results(folders, cells)
    rows = [row_of(result) for result in results]
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "results.json", json.dumps({"about": about, "columns": COLUMNS, "cells": results}))
    _write(folder / "results.csv", as_csv(rows))
    return [f"{r['name']}: windows {r['window_accuracy']:.3f}, clips {r['clip_accuracy']:.3f}" for r in rows]


def _write(path: Path, text: str) -> None:
    write_file(path, lambda file: file.write(text.encode()))
