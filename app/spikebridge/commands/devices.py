"""``spikebridge devices``."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def devices(as_json: bool) -> None:
    """List the cameras that are plugged in."""
    from spikebridge.sources.inivation import discover

    found = [{"uri": f"camera:inivation/{serial}", "model": model} for model, serial in discover()]
    if as_json:
        click.echo(json.dumps({"cameras": found}))
    else:
        click.echo("\n".join(f"{c['uri']}  {c['model']}" for c in found) or "No camera found; 'sim:' needs none.")
