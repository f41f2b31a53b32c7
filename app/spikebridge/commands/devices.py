"""``spikebridge devices``."""

from __future__ import annotations

import dataclasses
import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.option("--details", is_flag=True, help="Open each camera and show its settings as it gives them back.")
def devices(as_json: bool, details: bool) -> None:
    """List the cameras that are plugged in."""
    from spikebridge.sources.cameras.opening import find_cameras

    cameras = find_cameras()
    told = [_details(camera.uri) if details else [] for camera in cameras]
    if as_json:
        found = [
            dataclasses.asdict(camera) | ({"details": lines} if details else {})
            for camera, lines in zip(cameras, told, strict=True)
        ]
        click.echo(json.dumps({"cameras": found}))
        return
    for camera, lines in zip(cameras, told, strict=True):
        click.echo("  ".join(word for word in (camera.uri, camera.model, camera.connection, camera.driver) if word))
        for line in ([f"⚠ {camera.problem}"] if camera.problem else []) + lines:
            click.echo(f"    {line}")
    if not cameras:
        click.echo("No camera found; 'sim:' needs none, and 'spikebridge doctor' says what a camera needs.")


def _details(uri: str) -> list[str]:
    from spikebridge.errors import SpikebridgeError
    from spikebridge.sources.cameras.opening import describe_camera

    try:
        return list(describe_camera(uri))
    except SpikebridgeError as error:
        return [str(error)]
