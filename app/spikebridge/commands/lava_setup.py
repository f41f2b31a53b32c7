"""``spikebridge lava-setup``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("lava-setup")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--python", "interpreter", default=None, help="A Python 3.10; default: the first found.")
def lava_setup(folder: Path | None, interpreter: str | None) -> None:
    """Make the Python 3.10 environment for --snn lava from pinned versions."""
    from spikebridge.snn.lava.environment import create

    click.echo(create(folder, interpreter, lambda line: click.echo(line, err=True)))
