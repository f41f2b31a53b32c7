"""The command ``realism``."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("data", type=click.Path(path_type=Path, file_okay=False))
@click.argument("recordings", type=click.Path(path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def realism(data: Path, recordings: Path | None, as_json: bool) -> None:
    """Compare the events of the clips in DATA with those of RECORDINGS, class by class.

    Recordings have their labels beside them, or are named after their gesture.
    """
    from spikebridge.evaluation.cases import read_cases
    from spikebridge.evaluation.realism import as_object, by_label, table

    simulated = by_label(read_cases(data))
    real = by_label(read_cases(recordings)) if recordings else {}
    if as_json:
        click.echo(json.dumps({"data": as_object(simulated), "recordings": as_object(real)}))
    else:
        click.echo("\n".join(table(simulated, real)))
