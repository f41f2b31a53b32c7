"""A training as ``spikebridge train`` runs it: what it starts from, on which clips, and what is made of the result."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import torch

from spikebridge.bundle import load_model
from spikebridge.contracts import Say
from spikebridge.datasets.clips import ClipSet
from spikebridge.datasets.dvs_gesture import has_test_split
from spikebridge.datasets.loader import open_clips
from spikebridge.datasets.simulated_persons import simulating
from spikebridge.datasets.simulated_takes import SimulationPlan
from spikebridge.errors import UsageError
from spikebridge.evaluation.cases import read_cases
from spikebridge.evaluation.report import evaluate_bundle
from spikebridge.files import write_whole
from spikebridge.settings import LaneSettings, ReadSettings
from spikebridge.training.checkpoint import load_checkpoint
from spikebridge.training.contract import BundleText
from spikebridge.training.curves import Progress
from spikebridge.training.export import export_bundle
from spikebridge.training.fine_tuning import open_network
from spikebridge.training.loop import Start, train
from spikebridge.training.network import HybridNetwork, NetworkSpec, parse_name
from spikebridge.training.parallel import Group, choose_device, join_group, leave_group
from spikebridge.training.plan import TrainingPlan

#: Opens a progress bar of a length, with a label; what it gives takes how much is done.
OpenBar: TypeAlias = Callable[[int, str], AbstractContextManager[Callable[[int], None]]]

SIMULATED = "sim:"
#: A training that simulates its clips begins once so many persons are there: two of them are validated on.
_FIRST_PERSONS = 16
#: About 5 GB of clips.
_MOST_PERSONS = 1000
#: Of a fine-tuning: windows, and learning rates of the ordinary and of the spiking part.
_TUNING_WINDOWS, _TUNING_RATE, _TUNING_SPIKING_RATE = 20_000, 1e-3, 5e-4
#: So many reports however long the training is, but none sooner than after so many updates.
_REPORTS, _SOONEST = 20, 40


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """The options of ``spikebridge train``; None for what was not given.

    network : name of the network, None with ``fine_tune``. data : ``sim:`` or a folder. out : the training's folder.
    fine_tune, spiking_from : bundle or checkpoint to start from, or to take the first spiking layers from.
    freeze_spiking : train the ordinary part alone. interval, steps, step_us, width : of the network. bundle : folder
    for a bundle at the end. device : of the ordinary layers. threads : of torch. read : what own recordings do not say
    of themselves. The others are of ``TrainingPlan``.
    """

    network: str | None
    data: str
    out: Path
    fine_tune: str | None = None
    spiking_from: str | None = None
    freeze_spiking: bool = False
    windows: int | None = None
    seed: int = 0
    interval: int | None = None
    steps: int | None = None
    step_us: int | None = None
    width: int | None = None
    spike_cost: float = 0.5
    patience: int = 12
    bundle: Path | None = None
    resume: bool = False
    device: str = "auto"
    threads: int = 1
    read: ReadSettings | None = None


def run_training(settings: TrainingSettings, say: Say, open_bar: OpenBar) -> None:
    """Trains, and exports and evaluates a bundle if one is wanted. say : takes lines for the user.

    Of several processes only the leader says something.
    """
    torch.set_num_threads(settings.threads)
    out = settings.out
    if not settings.resume and (out / "last.npz").exists():
        raise UsageError(f"expected a folder without a training at {out}, found one; take another or --resume it.")
    initial, front = (open_network(name) if name else None for name in (settings.fine_tune, settings.spiking_from))
    spec, plan = _spec(settings, initial), _plan(settings)
    group = join_group(choose_device(settings.device))
    try:
        with _clips(settings, group) as clips:
            _train(spec, plan, clips, settings, Start(initial, front, settings.resume), group, say, open_bar)
            if settings.bundle is not None and group.leads:
                _finish(settings, settings.bundle, clips, say)
    finally:
        leave_group(group)


def _spec(settings: TrainingSettings, initial: HybridNetwork | None) -> NetworkSpec:
    asked = {
        "interval_steps": settings.interval,
        "window_steps": settings.steps,
        "step_us": settings.step_us,
        "width": settings.width,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    if initial is None:
        return parse_name(settings.network or "", **given)
    for name, value in given.items():
        if (kept := getattr(initial.spec, name)) != value:
            raise UsageError(f"expected {name} to stay {kept} in fine-tuning, found {value}; leave it out.")
    return initial.spec


def _plan(settings: TrainingSettings) -> TrainingPlan:
    plan = TrainingPlan(
        windows=400_000,
        seed=settings.seed,
        spike_cost=settings.spike_cost,
        patience=settings.patience,
        initial=Path(settings.fine_tune or "").name,
        spiking_from=Path(settings.spiking_from or "").name,
    )
    if settings.fine_tune:
        plan = replace(plan, windows=_TUNING_WINDOWS, rate=_TUNING_RATE, spiking_rate=_TUNING_SPIKING_RATE)
    if settings.windows:
        plan = replace(plan, windows=settings.windows)
    if settings.freeze_spiking:
        plan = replace(plan, spiking_rate=0.0)
    return replace(plan, report_every=max(_SOONEST, plan.updates // _REPORTS))


@contextmanager
def _clips(settings: TrainingSettings, group: Group) -> Iterator[ClipSet]:
    """The clips to train on. One process imports or simulates them, the others wait for it."""
    data = settings.data
    if data.startswith(SIMULATED) and data != SIMULATED:
        raise UsageError(f"expected '{SIMULATED}' or a folder as DATA, found '{data}'; all gestures are trained.")
    folder = settings.out / "clips" if data == SIMULATED else Path(data)
    background = (
        simulating(folder, SimulationPlan(settings.seed), _FIRST_PERSONS, _MOST_PERSONS)
        if data == SIMULATED and group.leads
        else nullcontext()
    )
    with background:
        opened = open_clips(folder, read=settings.read) if group.leads else None
        group.wait()
        yield opened or open_clips(folder, read=settings.read)


def _train(
    spec: NetworkSpec,
    plan: TrainingPlan,
    clips: ClipSet,
    settings: TrainingSettings,
    start: Start,
    group: Group,
    say: Say,
    open_bar: OpenBar,
) -> None:
    where = "" if group.device.type == "cpu" else f", ordinary layers on {group.device}"
    shared = "" if group.size == 1 else f", {group.size} processes"
    bar = open_bar(plan.updates, f"training {spec.name}{where}{shared}") if group.leads else nullcontext(_ignore)
    with bar as advance:
        train(spec, plan, clips, settings.out, start, lambda progress: say(_words(progress)), advance, group)


def _finish(settings: TrainingSettings, bundle: Path, clips: ClipSet, say: Say) -> None:
    """Exports the bundle, and evaluates it on the test persons of the data set if there are some."""
    out, data = settings.out, Path(settings.data)
    network, _ = load_checkpoint(out / "best.npz")
    export_bundle(out / "best.npz", bundle, clips, BundleText(f"{network.spec.name}, {clips.title}"))
    say(f"wrote {bundle}")
    if not has_test_split(data):
        return
    report = evaluate_bundle(load_model(bundle), read_cases(data), LaneSettings(str(bundle)), quiet={})
    summary = report["summary"]
    write_whole(out / "evaluation.json", json.dumps(summary, indent=1))
    say(
        f"test subjects of {clips.title}: windows {summary['window_accuracy']['value']}, clips "
        f"{summary['clip_accuracy']['value']}; wrote {out / 'evaluation.json'}"
    )


def _words(progress: Progress) -> str:
    return (
        f"{progress.windows} windows: loss {progress.loss:.3f}, validation windows {progress.accuracy_window:.3f}, "
        f"streaming {progress.accuracy_streaming:.3f}, clips {progress.accuracy_clip:.3f}, {progress.spikes:.0f} "
        f"spikes, {progress.windows_per_s:.0f} windows/s"
    )


def _ignore(update: int) -> None:
    """The bar of a process that shows none."""
