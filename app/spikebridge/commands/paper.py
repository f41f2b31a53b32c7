"""The commands ``evaluate`` and ``paper``; looked up by the command line only when they are called."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from spikebridge.errors import UsageError

__all__ = ["evaluate", "paper"]

#: The networks of the paper's figures; ``s1a5`` … ``s5a1`` may all be named.
_NETWORKS = ("ann", "s1a5", "s2a4", "s3a3", "s4a2", "s6a0", "snn")


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--model", "models", multiple=True, help="Bundle to measure; may be given several times.")
@click.option("--snn", default="emulator", show_default=True, help="emulator, lava or loihi2.")
@click.option("--ann", default="cpu", show_default=True, help="cpu, cuda, tensorrt or grpc://host:port/model.")
@click.option(
    "--control",
    type=click.Choice(["none", "shuffled", "accumulated"]),
    default="none",
    help="Take time away: steps of a window in another order, or events summed up before the network.",
)
@click.option(
    "--quiet-minutes",
    type=click.FloatRange(0),
    help="Simulated minutes of standing still and of walking in; default: 1 for a folder, none for a file.",
)
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a report that opens offline.")
@click.option("--json", "as_json", is_flag=True, help="One object on standard output, every case in it.")
def evaluate(
    data: Path,
    models: tuple[str, ...],
    snn: str,
    ann: str,
    control: Any,
    quiet_minutes: float | None,
    html: Path | None,
    as_json: bool,
) -> None:
    """Measure bundles on DATA: a recording with its labels beside it or named after its gesture, a folder of such, or a
    set of clips."""
    from spikebridge.runtime import DEFAULT_MODEL

    if quiet_minutes is None:
        quiet_minutes = 1.0 if data.is_dir() else 0.0
    report: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="spikebridge-quiet-") as folder:
        for model in models or (DEFAULT_MODEL,):
            report[model] = _evaluate_one(data, model, (snn, ann), control, (Path(folder), quiet_minutes), not as_json)
    if html is not None:
        from spikebridge.evaluation.html_page import write_page
        from spikebridge.evaluation.report_page import evaluation_page

        write_page(html, evaluation_page(report, str(data)))
        click.echo(f"wrote {html}", err=True)
    shown = report if as_json else {name: one["summary"] for name, one in report.items()}
    click.echo(json.dumps(shown, indent=None if as_json else 1))


def _evaluate_one(
    data: Path, model: str, backends: tuple[str, str], control: Any, quiet: tuple[Path, float], talk: bool
) -> dict[str, Any]:
    from spikebridge.bundle import load_model
    from spikebridge.datasets.quiet_minutes import KINDS, write_quiet
    from spikebridge.evaluation.cases import read_cases
    from spikebridge.evaluation.evaluator import Evaluator
    from spikebridge.evaluation.summary import Cost, describe, summarise, summarise_quiet
    from spikebridge.runtime import RunSettings

    bundle, results = load_model(model), []
    with Evaluator(bundle, RunSettings(model, *backends), control) as run:
        for case in read_cases(data):
            results.append(run(case))
            if talk:
                line = describe(results[-1])
                text = f"{line['name']}: {line['clip']}, {line['windows_right']} of {line['windows']} windows"
                click.echo(text, err=True)
        summary = summarise(results, Cost.of(run, results))
        if quiet[1]:
            write_quiet(*quiet)
            summary["quiet"] = {k: summarise_quiet([run(c) for c in read_cases(quiet[0] / k)]) for k in KINDS}
    return {"control": control, "summary": summary, "cases": [describe(result) for result in results]}


@click.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Set made by 'simulate' to train on.")
@click.option(
    "--dvs-gesture", "gesture", type=click.Path(path_type=Path, file_okay=False), help="IBM's data set instead."
)
@click.option(
    "--test",
    type=click.Path(path_type=Path, file_okay=False),
    help="Set of other persons to measure on; default: simulated into OUT/test.",
)
@click.option("--models", "networks", default=",".join(_NETWORKS), show_default=True, help="Networks, by commas.")
@click.option("--intervals", default="2,4,8", show_default=True, help="I of the accumulator, steps, by commas.")
@click.option("--seeds", default="0", show_default=True, help="Seeds, by commas.")
@click.option("--windows", type=click.IntRange(1), default=60_000, show_default=True, help="Training windows a cell.")
@click.option("--controls-of", default="s2a4", show_default=True, help="Network with controls, or 'none'.")
@click.option("--test-persons", type=click.IntRange(1), default=24, show_default=True)
@click.option("--quiet-minutes", type=click.FloatRange(0.05), default=1.0, show_default=True)
@click.option("--processes", type=click.IntRange(1), default=2, show_default=True)
@click.option("--results", type=click.Path(path_type=Path, file_okay=False), help="Tables and figures; OUT/results.")
def paper(
    out: Path,
    data: Path | None,
    gesture: Path | None,
    test: Path | None,
    networks: str,
    intervals: str,
    seeds: str,
    windows: int,
    controls_of: str,
    test_persons: int,
    quiet_minutes: float,
    processes: int,
    results: Path | None,
) -> None:
    """Remake the paper's study in OUT: train and measure every network with every interval, alike; then the report.

    Run it again to go on where it was interrupted, or with more networks or intervals to extend it.
    """
    from spikebridge.training import require_torch

    require_torch()
    from spikebridge.datasets.loader import open_clips
    from spikebridge.datasets.plan_file import keep_plan
    from spikebridge.study.cells import Budget, Folders
    from spikebridge.study.grid import PLAN_NAME, make_cells, plan_record, prepare, run_study, tasks_of
    from spikebridge.study.report import write_results

    if (data is None) == (gesture is None):
        raise UsageError("expected either --data or --dvs-gesture to train on, found both or none; give one.")
    trained_on = open_clips(data or gesture or out).folder
    budget = Budget(windows)
    folders = Folders(out / "cells", trained_on, test or out / "test", out / "quiet")
    cells = make_cells(
        networks.split(","), _numbers(intervals), _numbers(seeds), None if controls_of == "none" else controls_of
    )
    for cell in cells:
        cell.spec(budget)
    keep_plan(out / PLAN_NAME, plan_record(budget, trained_on, test_persons, quiet_minutes), "a study")
    prepare(folders, test_persons, quiet_minutes, gesture if test is None else None, processes)
    tasks, started = tasks_of(cells), time.monotonic()
    described = {"data": _described(data or gesture), "test": _described(folders.test)}
    about = {**asdict(budget), **described, "command": _command(), "processes": processes}
    bar = click.progressbar(length=len(tasks) * windows, label="windows", file=sys.stderr, show_pos=True)

    def show(done: tuple[Any, ...]) -> None:
        for line in write_results(results or out / "results", folders, cells, about):
            if any(line.startswith(cell.name) for cell in done):
                click.echo(f"\r{line}, after {(time.monotonic() - started) / 60:.0f} min", err=True)

    with bar:
        run_study(tasks, budget, folders, processes, show, lambda n: bar.update(n - bar.pos))
    write_results(results or out / "results", folders, cells, about)
    click.echo(f"wrote {results or out / 'results'}/report.html", err=True)


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"expected whole numbers with commas between them, found '{text}'.") from None


def _described(folder: Path | None) -> str:
    """A set by its size rather than by where it lies."""
    from spikebridge.datasets.loader import open_clips

    if folder is None or not folder.is_dir():
        return "nothing"
    clips = open_clips(folder)
    return f"{len(clips.clips)} clips of {len(clips.persons())} persons in {folder.name}"


def _command() -> str:
    return "spikebridge " + " ".join(sys.argv[1:])
