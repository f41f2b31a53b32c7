"""The commands ``simulate``, ``train`` and ``export``; looked up by the command line only when they are called."""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spikebridge.errors import MissingError

if TYPE_CHECKING:
    from spikebridge.training.loop import Progress

__all__ = ["export", "simulate", "train"]


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
    from spikebridge.training.simulated import Plan, simulate_set

    plan = Plan(seed, clips, round(seconds * 1e6))
    started = time.monotonic()
    with _bar(persons, "persons") as bar:
        simulate_set(out, persons, plan, workers, recordings, lambda done: bar.update(done - bar.pos))
        made = bar.pos
    click.echo(f"{made} persons in {out}, {time.monotonic() - started:.0f} s", err=True)


@click.command()
@click.argument("network")
@click.argument("data", type=click.Path(path_type=Path, file_okay=False))
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--windows", type=click.IntRange(1), default=400_000, show_default=True, help="Training windows in all.")
@click.option("--interval", type=click.IntRange(1), default=4, show_default=True, help="I of the accumulator, steps.")
@click.option("--steps", type=click.IntRange(1), default=16, show_default=True, help="T of the accumulator, steps.")
@click.option("--step-us", type=click.IntRange(100), default=10_000, show_default=True, help="Length of a step.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--spike-cost", type=click.FloatRange(0), default=0.5, show_default=True, help="Price of a spike.")
@click.option("--freeze-spiking", is_flag=True, help="Train the ordinary part alone.")
@click.option("--patience", type=click.IntRange(1), default=12, show_default=True, help="Reports without a better one.")
@click.option("--resume", is_flag=True, help="Go on from OUT where it was interrupted.")
@click.option("--initial", type=click.Path(path_type=Path, dir_okay=False), help="Start from this checkpoint.")
@click.option("--threads", type=click.IntRange(1), default=1, show_default=True)
def train(
    network: str,
    data: Path,
    out: Path,
    windows: int,
    interval: int,
    steps: int,
    step_us: int,
    seed: int,
    spike_cost: float,
    freeze_spiking: bool,
    patience: int,
    resume: bool,
    initial: Path | None,
    threads: int,
) -> None:
    """Train NETWORK (ann, s1a5 … s6a0) on DATA; OUT gets best.npz, last.npz and curves.csv.

    DATA: a set made by 'simulate', or the folder of DVS128 Gesture as IBM distributes it.
    """
    _need_torch()
    import torch

    from spikebridge.training.loop import Plan
    from spikebridge.training.loop import train as run
    from spikebridge.training.network import parse_name
    from spikebridge.training.packing import open_clips

    torch.set_num_threads(threads)
    spec = parse_name(network, window_steps=steps, interval_steps=interval, step_us=step_us)
    plan = Plan(windows=windows, seed=seed, spike_cost=spike_cost, patience=patience)
    if freeze_spiking:
        plan = dataclasses.replace(plan, spiking_rate=0.0)
    with _bar(plan.updates, f"training {spec.name}") as bar:

        def show(progress: Progress) -> None:
            click.echo(
                f"\r{progress.windows} windows: loss {progress.loss:.3f}, validation windows "
                f"{progress.accuracy_window:.3f}, streaming {progress.accuracy_streaming:.3f}, clips "
                f"{progress.accuracy_clip:.3f}, {progress.spikes:.0f} spikes, {progress.windows_per_s:.0f} windows/s",
                err=True,
            )

        run(spec, plan, open_clips(data), out, resume, initial, show, lambda update: bar.update(update - bar.pos))


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("data", type=click.Path(path_type=Path, file_okay=False))
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--title", required=True, help="What the bundle is called on the screen.")
@click.option("--smoothing-ms", type=click.IntRange(0), default=30, show_default=True)
@click.option("--note", "notes", multiple=True, help="A line for the card on how it was trained.")
@click.option("--gate", type=click.Path(path_type=Path, dir_okay=False), help="Lines for the card on real recordings.")
def export(
    checkpoint: Path, data: Path, out: Path, title: str, smoothing_ms: int, notes: tuple[str, ...], gate: Path | None
) -> None:
    """Write the bundle OUT from CHECKPOINT; DATA are the clips it was trained on, for calibration."""
    _need_torch()
    from spikebridge.training.export import BundleText, export_bundle
    from spikebridge.training.packing import open_clips

    lines = tuple(gate.read_text(encoding="utf-8").splitlines()) if gate else ()
    export_bundle(checkpoint, out, open_clips(data), BundleText(title, lines, notes), smoothing_ms * 1000)
    click.echo(f"wrote {out}", err=True)


def _need_torch() -> None:
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingError("expected torch for training, found none; run 'pip install spikebridge[train]'.") from error


def _bar(length: int, label: str) -> click._termui_impl.ProgressBar[int]:
    return click.progressbar(length=length, label=label, file=sys.stderr, show_pos=True, update_min_steps=1)
