"""The command ``export``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("data", type=click.Path(path_type=Path, file_okay=False))
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--title", required=True, help="What the bundle is called on the screen.")
@click.option("--smoothing-ms", type=click.IntRange(0), default=20, show_default=True, help="Of the decision.")
@click.option("--note", "notes", multiple=True, help="A line for the card on how it was trained.")
@click.option("--gate", type=click.Path(path_type=Path, dir_okay=False), help="Lines for the card on real recordings.")
def export(
    checkpoint: Path, data: Path, out: Path, title: str, smoothing_ms: int, notes: tuple[str, ...], gate: Path | None
) -> None:
    """Write the bundle OUT from CHECKPOINT; DATA are the clips it was trained on, for calibration."""
    from spikebridge.training import require_torch

    require_torch()
    from spikebridge.datasets.loader import open_clips
    from spikebridge.files import read_text
    from spikebridge.training.contract import BundleText
    from spikebridge.training.export import export_bundle

    lines = tuple(read_text(gate).splitlines()) if gate else ()
    export_bundle(checkpoint, out, open_clips(data), BundleText(title, lines, notes), smoothing_ms * 1000)
    click.echo(f"wrote {out}", err=True)
