"""The report of one bundle, as ``spikebridge evaluate --json`` prints it: made, and read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import cast

from spikebridge.bundle import Bundle
from spikebridge.errors import InputError
from spikebridge.evaluation.cases import Case
from spikebridge.evaluation.controls import Control
from spikebridge.evaluation.costs import costs_of
from spikebridge.evaluation.evaluator import CaseResult, Evaluator
from spikebridge.evaluation.records import CaseReport, Report, Summary
from spikebridge.evaluation.summary import describe, summarise, summarise_quiet
from spikebridge.files import read_text
from spikebridge.settings import LaneSettings


def evaluate_bundle(
    bundle: Bundle,
    cases: Iterable[Case],
    settings: LaneSettings,
    *,
    quiet: Mapping[str, Iterable[Case]] | None = None,
    control: Control = "none",
    on_case: Callable[[CaseReport], None] = lambda _: None,
) -> Report:
    """Runs all cases through the chain of ``bundle`` and sums up.

    quiet : by kind, cases in which nobody makes a gesture; read after the others. on_case : told each case when it is
    done. Raises InputError for a case that is shorter than a window.
    """
    results: list[CaseResult] = []
    reports: list[CaseReport] = []
    with Evaluator(bundle, settings, control) as run:
        for case in cases:
            results.append(run(case))
            reports.append(describe(results[-1]))
            on_case(reports[-1])
        summary: Summary = {**summarise(results), **costs_of(run, results)}
        if quiet is not None:
            summary["quiet"] = {kind: summarise_quiet([run(case) for case in group]) for kind, group in quiet.items()}
    return {"control": control, "summary": summary, "cases": reports}


def read_report(path: Path) -> Report:
    """The report of the one bundle in what ``evaluate --json`` printed; raises InputError for other files."""
    text = read_text(path)
    try:
        (report,) = json.loads(text).values()
        if {"summary", "cases"} <= report.keys():
            return cast("Report", report)
    except (ValueError, AttributeError):
        pass
    raise InputError(f"expected what 'evaluate --json' prints of one model in {path}, found another text; run it.")
