"""The command ``card``."""

from __future__ import annotations

from pathlib import Path

import click

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--recordings", type=_FILE, required=True, help="What 'evaluate --json' printed of real recordings.")
@click.option("--persons", type=_FILE, help="What it printed of simulated persons never seen.")
@click.option("--realism", "table", type=_FILE, help="What 'realism' printed of those persons and recordings.")
@click.option("--about-recordings", multiple=True, help="A line below the recordings.")
@click.option("--about-persons", multiple=True, help="A line below the persons.")
@click.option("--about-camera", multiple=True, help="A line below the table of 'realism'.")
def card(
    bundle: Path,
    recordings: Path,
    persons: Path | None,
    table: Path | None,
    about_recordings: tuple[str, ...],
    about_persons: tuple[str, ...],
    about_camera: tuple[str, ...],
) -> None:
    """Write into BUNDLE's model card what was measured of it; 'evaluate' is given the bundle as --model."""
    from spikebridge.evaluation.card_sections import (
        persons_section,
        realism_section,
        recordings_section,
        rewrite_card,
    )
    from spikebridge.evaluation.report import read_report
    from spikebridge.files import read_text

    sections = [recordings_section(read_report(recordings), about_recordings)]
    sections += [persons_section(read_report(persons), about_persons)] if persons else []
    sections += [realism_section(read_text(table), about_camera)] if table else []
    rewrite_card(bundle / "README.md", sections)
