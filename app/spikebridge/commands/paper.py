"""The command ``paper``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click

from spikebridge.commands.progress_bar import progress_bar, say
from spikebridge.errors import UsageError

if TYPE_CHECKING:
    from typing import Unpack

#: The networks of the paper's figures; ``s1a5`` … ``s6a0`` may all be named.
_NETWORKS = ("ann", "s1a5", "s2a4", "s3a3", "s4a2", "s6a0", "snn")
_FOLDER = click.Path(path_type=Path, file_okay=False)


class PaperOptions(TypedDict):
    """As they come from the command line; see ``StudySettings``."""

    data: Path | None
    gesture: Path | None
    test: Path | None
    networks: str
    intervals: str
    seeds: str
    controls_of: str
    windows: int
    test_persons: int
    quiet_minutes: float
    processes: int
    results: Path | None
    report_only: bool


@click.command()
@click.argument("out", type=_FOLDER)
@click.option("--data", type=_FOLDER, help="Set made by 'simulate' to train on.")
@click.option("--dvs-gesture", "gesture", type=_FOLDER, help="IBM's data set instead.")
@click.option("--test", type=_FOLDER, help="Set of other persons to measure on; default: simulated into OUT/test.")
@click.option("--models", "networks", default=",".join(_NETWORKS), show_default=True, help="Networks, by commas.")
@click.option("--intervals", default="2,4,8", show_default=True, help="I of the accumulator, steps, by commas.")
@click.option("--seeds", default="0", show_default=True, help="Seeds, by commas.")
@click.option("--windows", type=click.IntRange(1), default=60_000, show_default=True, help="Windows of each training.")
@click.option("--controls-of", default="s2a4", show_default=True, help="Network that gets controls, or 'none'.")
@click.option("--test-persons", type=click.IntRange(1), default=24, show_default=True, help="Simulated, to measure on.")
@click.option(
    "--quiet-minutes", type=click.FloatRange(0.05), default=1.0, show_default=True, help="Simulated, of each kind."
)
@click.option("--processes", type=click.IntRange(1), default=2, show_default=True, help="Trainings at the same time.")
@click.option("--results", type=_FOLDER, help="Folder for tables and figures; default: OUT/results.")
@click.option("--report-only", is_flag=True, help="Write tables and figures again from results.json; trains nothing.")
def paper(out: Path, **options: Unpack[PaperOptions]) -> None:
    """Remake the paper's study in OUT: train and measure every network with every interval, alike; then the report.

    Run it again to go on where it was interrupted, or with more networks or intervals to extend it.
    """
    from spikebridge.evaluation.charts import require_matplotlib

    require_matplotlib()
    results = options["results"] or out / "results"
    if options["report_only"]:
        from spikebridge.study.report import rewrite_results

        rewrite_results(results)
        click.echo(f"wrote {results}/report.html", err=True)
        return
    from spikebridge.training import require_torch

    require_torch()
    from spikebridge.study.study_run import StudySettings, run_study

    settings = StudySettings(
        out=out,
        data=options["data"],
        gesture=options["gesture"],
        test=options["test"],
        networks=tuple(options["networks"].lower().split(",")),
        intervals=_numbers(options["intervals"]),
        seeds=_numbers(options["seeds"]),
        controls_of=None if options["controls_of"] == "none" else options["controls_of"].lower(),
        windows=options["windows"],
        test_persons=options["test_persons"],
        quiet_minutes=options["quiet_minutes"],
        processes=options["processes"],
        results=results,
        command="spikebridge " + " ".join(sys.argv[1:]),
    )
    run_study(settings, say, progress_bar)


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"expected whole numbers with commas between them, found '{text}'.") from None
