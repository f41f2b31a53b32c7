"""``spikebridge verify``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from spikebridge.run.session_files import Step
    from spikebridge.run.verifying import Verified

_TOLD_US = 1_000_000


@click.command()
@click.argument("session", type=click.Path(path_type=Path))
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    help="Where a network is now, if not where the session says; once for each of them, in their order.",
)
def verify(session: Path, models: tuple[str, ...]) -> None:
    """Run a SESSION of 'run --session' again and compare every decision, byte for byte.

    Exit code 0: all are the same. 5: one is not, and the first that differs is named with what was and what is.
    3: the session cannot be read, or a network is another one than it was.
    """
    from spikebridge.run.verifying import verify as compare

    told_us: int | None = None

    def tell(step: Step) -> None:
        nonlocal told_us
        if told_us is None or step.at_us - told_us >= _TOLD_US:
            told_us = step.at_us
            click.echo(f"\rthe same up to {step.t_us / 1e6:.0f} s", err=True, nl=False)

    try:
        result = compare(session, models, lambda words: click.echo(f"spikebridge: {words} …", err=True), tell)
    finally:
        click.echo("\r" if told_us is not None else "", err=True, nl=False)
    click.echo(_sentence(result))


def _sentence(result: Verified) -> str:
    networks = f"{result.lanes} network{'s' if result.lanes > 1 else ''}"
    words = f"identical: {result.decisions:,} decisions in {result.steps:,} steps of {networks}"
    if not result.whole:
        words += "; the session was cut or ended early, this is what there is of it"
    if result.without_events:
        words += f"; the last {result.without_events} steps came without their events and were left out"
    return words
