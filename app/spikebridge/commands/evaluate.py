"""The command ``evaluate``."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spikebridge.commands.filters import filter_option, read_filters
from spikebridge.commands.lanes import backend_options, read_snn
from spikebridge.commands.reading import read_reading, reading_options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from spikebridge.evaluation.cases import Case
    from spikebridge.evaluation.controls import Control
    from spikebridge.evaluation.records import CaseReport
    from spikebridge.settings import FilterSettings


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--model", "models", multiple=True, help="Bundle to measure; may be given several times.")
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
@filter_option
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write a report that opens offline.")
@click.option("--json", "as_json", is_flag=True, help="One object on standard output, every case in it.")
@reading_options
@backend_options
def evaluate(
    data: Path,
    models: tuple[str, ...],
    control: Control,
    quiet_minutes: float | None,
    filters: tuple[str, ...],
    html: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Measure bundles on DATA: a recording, a folder of recordings, or a set of clips.

    A recording has its labels beside it, or is named after its gesture.
    """
    from spikebridge.bundle import load_model
    from spikebridge.evaluation.cases import filter_cases, read_cases
    from spikebridge.evaluation.charts import require_matplotlib
    from spikebridge.evaluation.report import evaluate_bundle
    from spikebridge.settings import DEFAULT_MODEL, LaneSettings

    if html is not None:
        require_matplotlib()
    if quiet_minutes is None:
        quiet_minutes = 1.0 if data.is_dir() else 0.0
    chosen = read_filters(filters)
    reports = {}
    with tempfile.TemporaryDirectory(prefix="spikebridge-quiet-") as folder:
        for model in models or (DEFAULT_MODEL,):
            reports[model] = evaluate_bundle(
                load_model(model),
                filter_cases(read_cases(data, read_reading(given)), chosen),
                LaneSettings(model, snn=read_snn(given), ann=given["ann"]),
                quiet=_quiet(Path(folder), quiet_minutes, chosen) if quiet_minutes else None,
                control=control,
                on_case=_ignore if as_json else _say,
            )
    if html is not None:
        from spikebridge.evaluation.report_page import evaluation_page
        from spikebridge.files import make_folder, write_whole

        make_folder(html.parent)
        write_whole(html, evaluation_page(reports, str(data)))
        click.echo(f"wrote {html}", err=True)
    if as_json:
        click.echo(json.dumps(reports))
    else:
        click.echo(json.dumps({name: report["summary"] for name, report in reports.items()}, indent=1))


def _quiet(folder: Path, minutes: float, filters: tuple[FilterSettings, ...]) -> dict[str, Iterator[Case]]:
    from spikebridge.evaluation.cases import filter_cases, quiet_cases

    return {kind: filter_cases(cases, filters) for kind, cases in quiet_cases(folder, minutes).items()}


def _say(case: CaseReport) -> None:
    click.echo(f"{case['name']}: {case['clip']}, {case['windows_right']} of {case['windows']} windows", err=True)


def _ignore(case: CaseReport) -> None:
    """With --json nothing is said before the end."""
