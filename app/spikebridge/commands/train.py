"""The commands ``simulate``, ``realism``, ``train``, ``export`` and ``card``; looked up only when they are called."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import click

from spikebridge.errors import UsageError

__all__ = ["card", "export", "realism", "simulate", "train"]


@click.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--persons", type=click.IntRange(1), default=200, show_default=True)
@click.option("--clips", type=click.IntRange(1), default=12, show_default=True, help="Takes by each person.")
@click.option("--seconds", type=click.FloatRange(0.8, 6.5), default=1.5, show_default=True, help="Length of a take.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=None, help="Processes; default: one for each core.")
@click.option("--recordings", is_flag=True, help="Write every take as AEDAT4 with its labels too.")
def simulate(
    out: Path, persons: int, clips: int, seconds: float, seed: int, workers: int | None, recordings: bool
) -> None:
    """Make a set of labelled clips in OUT with the simulated camera; goes on where it was interrupted.

    Twelve takes hold every gesture once and 'other' twice.
    """
    from spikebridge.datasets.simulated_persons import Plan, simulate_set

    plan = Plan(seed, clips, round(seconds * 1e6))
    started = time.monotonic()
    with _bar(persons, "persons") as bar:
        simulate_set(out, persons, plan, workers, recordings, lambda done: bar.update(done - bar.pos))
        made = bar.pos
    click.echo(f"{made} persons in {out}, {time.monotonic() - started:.0f} s", err=True)


@click.command()
@click.argument("data", type=click.Path(path_type=Path, file_okay=False))
@click.argument("recordings", type=click.Path(path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def realism(data: Path, recordings: Path | None, as_json: bool) -> None:
    """Compare the events of the clips in DATA with those of RECORDINGS (labelled, or named after their
    gesture), by class."""
    from spikebridge.evaluation.cases import read_cases
    from spikebridge.evaluation.realism import as_object, by_label, table

    simulated = by_label(read_cases(data))
    real = by_label(read_cases(recordings)) if recordings else {}
    if as_json:
        click.echo(json.dumps({"data": as_object(simulated), "recordings": as_object(real)}))
    else:
        click.echo("\n".join(table(simulated, real)))


@click.command()
@click.argument("names", nargs=-1, metavar="[NETWORK] DATA OUT")
@click.option("--fine-tune", "model", default=None, help="Start from this bundle or checkpoint instead of NETWORK.")
@click.option("--spiking-from", default=None, help="Begin with the spiking convolutions of this bundle or checkpoint.")
@click.option("--freeze-spiking", is_flag=True, help="Train the ordinary part alone.")
@click.option("--windows", type=click.IntRange(1), help="Training windows in all; default: 400000, fine-tuning 20000.")
@click.option("--interval", type=click.IntRange(1), help="I of the accumulator, steps; default: 4.")
@click.option("--steps", type=click.IntRange(1), help="T of the accumulator, steps; default: 16.")
@click.option("--step-us", type=click.IntRange(100), help="Length of a step; default: 10000.")
@click.option("--width", type=click.IntRange(1), help="Channels of the ordinary layers times this; default: 1.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--spike-cost", type=click.FloatRange(0), default=0.5, show_default=True, help="Price of a spike.")
@click.option("--patience", type=click.IntRange(1), default=12, show_default=True, help="Reports without a better one.")
@click.option(
    "--bundle", type=click.Path(path_type=Path, file_okay=False), help="Then write the best as a bundle here."
)
@click.option("--resume", is_flag=True, help="Go on from OUT where it was interrupted.")
@click.option("--device", default="auto", show_default=True, help="Of the ordinary layers: cpu, cuda or cuda:<number>.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True, help="Of torch on the CPU.")
def train(names: tuple[str, ...], model: str | None, spiking_from: str | None, **options: Any) -> None:
    """Train NETWORK (ann, s1a5 … s6a0, snn) on DATA; OUT gets best.npz, last.npz and curves.csv.

    DATA: a set made by 'simulate'; 'sim:' to simulate meanwhile; a folder of recordings with labels beside them, as
    'record' makes them; or the folder of DVS128 Gesture as IBM distributes it, on whose test subjects the bundle is
    evaluated then. With --fine-tune there is no NETWORK.

    Under torchrun several processes share the work: torchrun --nproc-per-node 2 -m spikebridge train …
    """
    if len(names) != (2 if model else 3):
        expected = "DATA and OUT behind --fine-tune" if model else "NETWORK, DATA and OUT"
        raise UsageError(f"expected {expected}, found {' '.join(names) or 'nothing'}; see 'spikebridge train --help'.")
    if model and spiking_from:
        raise UsageError("expected --fine-tune or --spiking-from, found both; the first takes over all layers.")
    from spikebridge.training import require_torch

    require_torch()
    from spikebridge.training.training_run import run_training

    *network, data, out = names
    run_training(network[0] if network else None, model, spiking_from, data, Path(out), **options)


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("data", type=click.Path(path_type=Path, file_okay=False))
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--title", required=True, help="What the bundle is called on the screen.")
@click.option("--smoothing-ms", type=click.IntRange(0), default=20, show_default=True)
@click.option("--note", "notes", multiple=True, help="A line for the card on how it was trained.")
@click.option("--gate", type=click.Path(path_type=Path, dir_okay=False), help="Lines for the card on real recordings.")
def export(
    checkpoint: Path, data: Path, out: Path, title: str, smoothing_ms: int, notes: tuple[str, ...], gate: Path | None
) -> None:
    """Write the bundle OUT from CHECKPOINT; DATA are the clips it was trained on, for calibration."""
    from spikebridge.training import require_torch

    require_torch()
    from spikebridge.datasets.loader import open_clips
    from spikebridge.training.export import export_bundle
    from spikebridge.training.model_card import BundleText

    lines = tuple(gate.read_text(encoding="utf-8").splitlines()) if gate else ()
    export_bundle(checkpoint, out, open_clips(data), BundleText(title, lines, notes), smoothing_ms * 1000)
    click.echo(f"wrote {out}", err=True)


_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--recordings", type=_FILE, required=True, help="What 'evaluate --json' printed of real recordings.")
@click.option("--persons", type=_FILE, help="The same of simulated persons never seen.")
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
    """Write what was measured of BUNDLE, which 'evaluate' is given as --model, into its model card."""
    from spikebridge.evaluation.card_sections import (
        persons_section,
        read_report,
        realism_section,
        recordings_section,
        rewrite_card,
    )

    sections = [recordings_section(read_report(recordings), about_recordings)]
    sections += [persons_section(read_report(persons), about_persons)] if persons else []
    sections += [realism_section(table.read_text(encoding="utf-8"), about_camera)] if table else []
    rewrite_card(bundle / "README.md", sections)


def _bar(length: int, label: str) -> click._termui_impl.ProgressBar[int]:
    return click.progressbar(length=length, label=label, file=sys.stderr, show_pos=True, update_min_steps=1)
