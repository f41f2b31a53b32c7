"""The command ``simulate``."""

from __future__ import annotations

import time
from pathlib import Path

import click

from spikebridge.commands.progress_bar import progress_bar


@click.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--persons", type=click.IntRange(1), default=200, show_default=True)
@click.option("--clips", type=click.IntRange(1), default=12, show_default=True, help="Takes by each person.")
@click.option("--seconds", type=click.FloatRange(0.8, 6.5), default=1.5, show_default=True, help="Length of a take.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=None, help="Processes; default: one on each core.")
@click.option("--recordings", is_flag=True, help="Also write every take as AEDAT4 with its labels.")
def simulate(
    out: Path, persons: int, clips: int, seconds: float, seed: int, workers: int | None, recordings: bool
) -> None:
    """Make a set of labelled clips in OUT with the simulated camera, or go on with one.

    In twelve takes a person makes every gesture once, and 'other' twice.
    """
    from spikebridge.datasets.simulated_persons import simulate_set
    from spikebridge.datasets.simulated_takes import SimulationPlan

    plan = SimulationPlan(seed, clips, round(seconds * 1e6))
    started = time.monotonic()
    with progress_bar(persons, "persons") as advance:
        simulate_set(out, persons, plan, workers, recordings, advance)
    click.echo(f"{persons} persons in {out}, {time.monotonic() - started:.0f} s", err=True)
