"""``spikebridge bench``."""

from __future__ import annotations

from pathlib import Path

import click

from spikebridge.settings import DEFAULT_MODEL


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.option("--quick", is_flag=True, help="Shorter runs, rougher figures.")
@click.option("--only", multiple=True, help="Names of single benchmarks.")
@click.option("--recordings", type=click.Path(exists=True, path_type=Path), help="Folder of recordings to replay.")
@click.option("--model", default=DEFAULT_MODEL, show_default=True, help="Name or folder of the bundle to measure.")
@click.option("--gigabytes", type=click.FloatRange(min=0, min_open=True), help="Of recordings for --only opening.")
def bench(
    as_json: bool, quick: bool, only: tuple[str, ...], recordings: Path | None, model: str, gigabytes: float | None
) -> None:
    """Measure this machine: latency, throughput, reading, opening, filters, drawing, start, memory, overload."""
    from spikebridge.bench import BenchSettings, run_benchmarks

    run_benchmarks(BenchSettings(quick, recordings, model, gigabytes), only, as_json=as_json)
