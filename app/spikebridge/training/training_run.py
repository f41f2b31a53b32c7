"""A training as the command line runs it: what to start from, on which data, where, and what is said meanwhile."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import torch

from spikebridge.bundle import load_model
from spikebridge.datasets.clips import ClipSet
from spikebridge.datasets.loader import open_clips
from spikebridge.datasets.simulated_persons import Plan as SimulationPlan
from spikebridge.datasets.simulated_persons import simulating
from spikebridge.errors import UsageError
from spikebridge.evaluation.cases import read_cases
from spikebridge.evaluation.evaluator import evaluate_cases
from spikebridge.files import write_whole
from spikebridge.runtime import RunSettings
from spikebridge.training.checkpoint import load_checkpoint
from spikebridge.training.fine_tuning import open_network
from spikebridge.training.loop import Plan, Progress, train
from spikebridge.training.network import HybridNetwork, NetworkSpec, parse_name
from spikebridge.training.parallel import Group, choose_device, join_group, leave_group

SIMULATED = "sim:"
#: Persons that have to be there before a training on the fly begins: two of them validate.
_FIRST_PERSONS = 16
#: About 5 GB of clips.
_MOST_PERSONS = 1000
_FINE_TUNING = {"windows": 20_000, "rate": 1e-3, "spiking_rate": 5e-4}
#: Reports of a training, however long it is, none sooner than after so many updates.
_REPORTS, _SOONEST = 20, 40
_SETTINGS = {"interval": "interval_steps", "steps": "window_steps", "step_us": "step_us", "width": "width"}


def run_training(
    name: str | None,
    model: str | None,
    spiking_from: str | None,
    data: str,
    out: Path,
    *,
    freeze_spiking: bool,
    windows: int | None,
    seed: int,
    spike_cost: float,
    patience: int,
    bundle: Path | None,
    resume: bool,
    device: str,
    threads: int,
    **settings: int | None,
) -> None:
    """Trains network ``name``, its first layers those of ``spiking_from``, or fine-tunes ``model``; the options are
    those of the command ``train``.

    settings : interval, steps, step_us and width, None where they were not given.
    """
    torch.set_num_threads(threads)
    if not resume and (out / "last.npz").exists():
        raise UsageError(f"expected a folder without a training at {out}, found one; take another or --resume it.")
    initial, front = (open_network(start) if start else None for start in (model, spiking_from))
    spec = _spec(name, initial, {key: value for key, value in settings.items() if value is not None})
    changes: dict[str, Any] = dict(_FINE_TUNING) if initial else {}
    changes |= {"windows": windows} if windows else {}
    changes |= {"spiking_rate": 0.0} if freeze_spiking else {}
    plan = Plan(
        windows=400_000,
        seed=seed,
        spike_cost=spike_cost,
        patience=patience,
        initial=Path(model or "").name,
        spiking_from=Path(spiking_from or "").name,
    )
    plan = replace(plan, **changes)
    plan = replace(plan, report_every=max(_SOONEST, plan.updates // _REPORTS))
    chosen = choose_device(device)
    group = join_group(chosen)
    try:
        with _clips(data, out, group, seed) as clips:
            _run(spec, plan, clips, out, resume, (initial, front), chosen, group)
            if bundle and group.leads:
                _finish(out, bundle, clips, Path(data))
    finally:
        leave_group(group)


def _spec(name: str | None, initial: HybridNetwork | None, given: dict[str, int]) -> NetworkSpec:
    settings = {_SETTINGS[key]: value for key, value in given.items()}
    if initial is None:
        return parse_name(name or "", **settings)
    for key, value in settings.items():
        if (kept := getattr(initial.spec, key)) != value:
            raise UsageError(f"expected {key} to stay {kept} in fine-tuning, found {value}; leave it out.")
    return initial.spec


@contextmanager
def _clips(data: str, out: Path, group: Group, seed: int) -> Iterator[ClipSet]:
    """The clips to train on. One process packs or simulates them, the others wait for it."""
    if data.startswith(SIMULATED) and data != SIMULATED:
        raise UsageError(f"expected '{SIMULATED}' or a folder as DATA, found '{data}'; all gestures are trained.")
    folder = out / "clips" if data == SIMULATED else Path(data)
    background = (
        simulating(folder, SimulationPlan(seed), _FIRST_PERSONS, _MOST_PERSONS)
        if data == SIMULATED and group.leads
        else nullcontext()
    )
    with background:
        opened = open_clips(folder) if group.leads else None
        group.wait()
        yield opened or open_clips(folder)


def _run(
    spec: NetworkSpec,
    plan: Plan,
    clips: ClipSet,
    out: Path,
    resume: bool,
    starts: tuple[HybridNetwork | None, HybridNetwork | None],
    device: torch.device,
    group: Group,
) -> None:
    where = "" if device.type == "cpu" else f", ordinary layers on {device}"
    shared = "" if group.size == 1 else f", {group.size} processes"
    label = f"training {spec.name}{where}{shared}"
    bar = click.progressbar(length=plan.updates, label=label, file=sys.stderr, show_pos=True) if group.leads else None
    with bar or nullcontext():

        def show(progress: Progress) -> None:
            click.echo(
                f"\r{progress.windows} windows: loss {progress.loss:.3f}, validation windows "
                f"{progress.accuracy_window:.3f}, streaming {progress.accuracy_streaming:.3f}, clips "
                f"{progress.accuracy_clip:.3f}, {progress.spikes:.0f} spikes, {progress.windows_per_s:.0f} windows/s",
                err=True,
            )

        def advance(update: int) -> None:
            if bar is not None:
                bar.update(update - bar.pos)

        train(spec, plan, clips, out, resume, *starts, show, advance, device, group)


def _finish(out: Path, bundle: Path, clips: ClipSet, data: Path) -> None:
    """The bundle, and what it does on persons that are kept for that, in OUT/evaluation.json."""
    from spikebridge.training.export import export_bundle
    from spikebridge.training.model_card import BundleText

    network, _, _ = load_checkpoint(out / "best.npz")
    export_bundle(out / "best.npz", bundle, clips, BundleText(f"{network.spec.name}, {clips.title}"))
    click.echo(f"wrote {bundle}", err=True)
    if not (data / "trials_to_test.txt").is_file():
        return
    summary = evaluate_cases(load_model(bundle), read_cases(data), RunSettings(str(bundle)))
    write_whole(out / "evaluation.json", json.dumps(summary, indent=1))
    click.echo(
        f"test subjects of {clips.title}: windows {summary['window_accuracy']['value']}, clips "
        f"{summary['clip_accuracy']['value']}; wrote {out / 'evaluation.json'}",
        err=True,
    )
