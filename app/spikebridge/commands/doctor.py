"""``spikebridge doctor``."""

from __future__ import annotations

import dataclasses
import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.option("--udev-rules", is_flag=True, help="Print the udev rules that let users open the cameras.")
def doctor(as_json: bool, udev_rules: bool) -> None:
    """Check this machine and print the exact command for what is missing."""
    if udev_rules:
        from spikebridge.sources.cameras.families import udev_rules as rules

        click.echo(rules(), nl=False)
        return
    from spikebridge.doctor import diagnose

    checks = diagnose()
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(check) for check in checks]))
        return
    for check in checks:
        click.echo(f"{check.state:8} {check.name}: {check.sentence}")
        if check.fix and check.state != "ok":
            click.echo(f"{'':8}   → {check.fix}")
