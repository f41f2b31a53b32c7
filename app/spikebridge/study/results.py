"""What the study has found, in JSON: of each cell as it is done, and of all together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict, cast

from spikebridge.errors import InputError
from spikebridge.evaluation.controls import Control
from spikebridge.evaluation.records import Accuracy, Summary
from spikebridge.files import read_text
from spikebridge.study.cells import Cell, Folders


class CellRecord(TypedDict):
    """A ``Cell``."""

    network: str
    interval: int
    seed: int
    control: Control
    sized_like: str | None


class BudgetRecord(TypedDict):
    """A ``Budget``."""

    windows: int
    steps: int
    step_us: int


class TrainingCurves(TypedDict):
    """curves : the rows of ``curves.csv``, by the names of ``Progress``."""

    curves: list[dict[str, float]]


class CellResult(TypedDict):
    """One cell. parameters : trained numbers. summary : as ``evaluate`` gives it, or, of controls that the chain cannot
    run, accuracies alone."""

    cell: CellRecord
    budget: BudgetRecord
    training: TrainingCurves
    parameters: int
    summary: Summary | Accuracy
    name: str


class About(BudgetRecord):
    """How the study was made. data, test : what was trained and measured on, in words. command : that made it."""

    data: str
    test: str
    command: str
    processes: int


class Study(TypedDict):
    """The file ``results.json``. columns : meaning of the columns of ``results.csv``."""

    about: About
    columns: dict[str, str]
    cells: list[CellResult]


def read_results(folders: Folders, cells: Sequence[Cell]) -> list[CellResult]:
    """Results of the cells that are done."""
    return [_result(json.loads(read_text(folders.result(cell)))) for cell in cells if folders.result(cell).is_file()]


def read_study(path: Path) -> Study:
    """The ``results.json`` at ``path``; raises InputError for another file."""
    text = read_text(path)
    try:
        study = cast("Study", json.loads(text))
        return {**study, "cells": [_result(cell) for cell in study["cells"]]}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"expected a study's results.json at {path}, found another file; name the folder.") from error


def is_control(result: CellResult) -> bool:
    """Whether the cell is there to compare with, not to be compared."""
    return Cell(**result["cell"]).is_control


def through_the_chain(result: CellResult) -> Summary | None:
    """The summary of a cell that was measured as it runs; None of a control that was measured in torch."""
    return cast("Summary", result["summary"]) if result["cell"]["control"] == "none" else None


def _result(stored: CellResult) -> CellResult:
    """Without what older programs stored besides."""
    return {
        "cell": stored["cell"],
        "budget": stored["budget"],
        "training": {"curves": stored["training"]["curves"]},
        "parameters": stored["parameters"],
        "summary": stored["summary"],
        "name": Cell(**stored["cell"]).name,
    }
