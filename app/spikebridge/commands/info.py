"""``spikebridge info``: what is in a recording, or how a bundle's spiking layers fit on a chip."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from spikebridge.commands.reading import read_reading, reading_options
from spikebridge.errors import UsageError


@click.command()
@click.argument("path", required=False)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.option("--model", default=None, help="Instead of a recording: how this bundle's spiking layers fit on a chip.")
@click.option("--chip", default="loihi1", show_default=True, help="loihi1 or loihi2.")
@reading_options
def info(path: str | None, as_json: bool, model: str | None, chip: str, **given: Any) -> None:
    """What is in a recording: format, sensor, events, rates, oddities. With --model: the mapping onto a chip."""
    if (path is None) == (model is None):
        raise UsageError("expected either the path of a recording or --model, found both or neither.")
    if model is not None:
        _show_mapping(model, chip, as_json)
    elif path is not None:
        from spikebridge.recordings.info import describe

        _show_fields(describe(path, read_reading(given)), as_json)


def _show_mapping(model: str, chip: str, as_json: bool) -> None:
    from rich.console import Console

    from spikebridge.bundle import load_model
    from spikebridge.snn import load_network
    from spikebridge.snn.mapping import map_network
    from spikebridge.terminal.loihi import mapping_object, mapping_table, price_object, price_table

    bundle = load_model(model)
    if bundle.snn is None:
        raise UsageError(f"expected a bundle with spiking layers, found {bundle.name} without.")
    report = map_network(load_network(bundle.snn.path), chip, bundle.accumulator.interval_steps)
    if as_json:
        click.echo(json.dumps({"model": bundle.name, **mapping_object(report), "cost_model": price_object()}))
        return
    console = Console(highlight=False)
    console.print(f"{bundle.name}: {bundle.title}", mapping_table(report), price_table(), sep="\n")


def _show_fields(fields: Mapping[str, object], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(fields))
        return
    width = max(len(key) for key in fields)
    for key, value in fields.items():
        click.echo(f"{key:{width}}  {value if not isinstance(value, (dict, list, tuple)) else json.dumps(value)}")
