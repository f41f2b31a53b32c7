"""``spikebridge devices``."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def devices(as_json: bool) -> None:
    """List the cameras that are plugged in."""
    from spikebridge.sources.cameras import find_cameras

    found = [{"uri": uri, "model": model} for uri, model in find_cameras()]
    if as_json:
        click.echo(json.dumps({"cameras": found}))
    else:
        click.echo("\n".join(f"{c['uri']}  {c['model']}" for c in found) or "No camera found; 'sim:' needs none.")
