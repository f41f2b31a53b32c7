"""The training loop: varied windows in, the best checkpoint on validation persons out."""

from __future__ import annotations

import copy
import csv
import io
import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from spikebridge.contracts import LABELS
from spikebridge.datasets.augmentation import TICK_US, Augmentation
from spikebridge.datasets.clips import ClipSet, WindowSpec, draw_batch
from spikebridge.errors import InputError, StageError
from spikebridge.files import write_whole
from spikebridge.training.checkpoint import load_average, load_checkpoint, restore_optimiser, save_checkpoint
from spikebridge.training.fine_tuning import renormalise, take_over
from spikebridge.training.network import HybridNetwork, NetworkSpec
from spikebridge.training.parallel import Group
from spikebridge.training.validation import WARM_UP_STEPS, measure

_log = logging.getLogger(__name__)
#: Varied windows that the normalisation of a network to start from is fitted to.
_NORMALISING = 256
#: Keeps the dropout of several processes apart.
_PRIME = 7_919


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train.

    windows : in all; the learning rate falls over them along a half cosine. batch : windows for one update.
    report_every : updates between validations. patience : validations without a better one before stopping.
    rate, spiking_rate : learning rates of the ordinary and of the spiking weights; 0 leaves the spiking part as it is,
    which is quicker as well. weight_decay : of the ordinary.
    spike_cost : loss for one spike per neuron and step, mean over the layers. streaming : share of windows that start
    warm. held_out : every how manieth person validates. average : decay of the running mean of the weights.
    validation_clips : at most so many; the choice is fixed. calm : share of the variation's size that is left at the
    end, after a slow decrease: what is learnt last is learnt on windows like those that will be seen.
    initial, spiking_from : what it starts from and whose first spiking layers it starts with, by name, for cards.
    """

    windows: int = 200_000
    batch: int = 64
    report_every: int = 200
    patience: int = 12
    rate: float = 3e-3
    spiking_rate: float = 2e-3
    weight_decay: float = 2e-2
    smoothing: float = 0.05
    spike_cost: float = 0.5
    streaming: float = 0.6
    held_out: int = 8
    average: float = 0.995
    validation_clips: int = 220
    calm: float = 0.4
    seed: int = 0
    initial: str = ""
    spiking_from: str = ""
    ranges: Augmentation = field(default_factory=Augmentation)

    @property
    def updates(self) -> int:
        return max(1, self.windows // self.batch)


@dataclass(frozen=True, slots=True)
class Progress:
    """One report. loss : mean since the last one. accuracy_* : on validation persons, per window and per clip.
    spikes : per window, mean over validation. windows_per_s : while training."""

    update: int
    windows: int
    loss: float
    accuracy_window: float
    accuracy_streaming: float
    accuracy_clip: float
    spikes: float
    windows_per_s: float
    elapsed_s: float


def train(
    spec: NetworkSpec,
    plan: Plan,
    clips: ClipSet,
    folder: Path,
    resume: bool = False,
    initial: HybridNetwork | None = None,
    front: HybridNetwork | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_update: Callable[[int], None] = lambda _: None,
    device: torch.device | str = "cpu",
    group: Group | None = None,
) -> HybridNetwork:
    """Trains and returns the best network; ``folder`` gets best.npz, last.npz and curves.csv.

    resume : go on from last.npz where it was interrupted. initial : network to start from (fine-tuning). front :
    network whose spiking layers become the first ones of this, which else starts from nothing. device : of the
    ordinary layers. group : the processes that share the work; its leader writes and reports.
    Raises StageError when the loss is no number, InputError when a class has no clips.
    """
    run = _Run(spec, plan, clips, folder, torch.device(device), group or Group())
    if resume and (folder / "last.npz").is_file():
        run.restore(folder / "last.npz")
    elif initial is not None:
        run.start_from(initial)
    elif front is not None:
        run.begin_with(front)
    while run.update < plan.updates and run.stale < plan.patience:
        run.step()
        on_update(run.update)
        if run.update % plan.report_every == 0 or run.update == plan.updates:
            if (progress := run.report()) is not None:
                on_progress(progress)
            clips.refresh()
            run.sort_clips()
    best, _, _ = load_checkpoint(folder / "best.npz")
    return best.eval()


class _Run:
    """What a training run holds between updates."""

    def __init__(
        self, spec: NetworkSpec, plan: Plan, clips: ClipSet, folder: Path, device: torch.device, group: Group
    ) -> None:
        self.spec, self.plan, self.clips, self.folder, self.group = spec, plan, clips, folder, group
        self.part = group.part(plan.batch)
        self.network, self.average = HybridNetwork(spec, plan.seed), HybridNetwork(spec, plan.seed)
        for network in (self.network, self.average):
            network.ordinary.to(device)
        if self.network.spiking is not None and not plan.spiking_rate:
            self.network.spiking.requires_grad_(False)
        group.share_statistics(self.network)
        self.optimiser = torch.optim.AdamW(parameter_groups(self.network, plan))
        self.update, self.stale, self.best = 0, 0, -math.inf
        self.losses: list[float] = []
        self.busy_s, self.busy_windows, self.elapsed_s = 0.0, 0, 0.0
        self.windows = WindowSpec(spec.window_steps, WARM_UP_STEPS if spec.spiking else 0, spec.step_us // TICK_US)
        self.short = 0
        self.sort_clips()
        self.validation = self.choose_validation()

    def sort_clips(self) -> None:
        """The training clips by class, without those that are shorter than a window."""
        training, _ = self.clips.split(self.plan.held_out)
        self.by_label: list[list[int]] = [[] for _ in LABELS]
        short = 0
        for index in training:
            clip = self.clips.clips[index][1]
            if clip.ticks < self.windows.ticks:
                short += 1
            else:
                self.by_label[clip.label].append(index)
        window_ms = self.windows.ticks * TICK_US // 1000
        if missing := [label for label, members in zip(LABELS, self.by_label, strict=True) if not members]:
            raise InputError(
                f"expected training clips of every class, at least {window_ms} ms long, found none of "
                f"{', '.join(missing)}; add some."
            )
        if short > self.short and self.group.leads:
            _log.warning("%d clips are shorter than the window of %d ms; left out.", short, window_ms)
        self.short = short

    def choose_validation(self) -> list[int]:
        _, validation = self.clips.split(self.plan.held_out)
        if not validation:
            raise InputError(
                f"expected persons to validate on, found {len(self.clips.persons())} persons and every "
                f"{self.plan.held_out}th held out; add persons."
            )
        order = np.random.default_rng(0).permutation(len(validation))
        return sorted(validation[i] for i in order[: self.plan.validation_clips])

    def restore(self, path: Path) -> None:
        network, record, state = load_checkpoint(path)
        self._check(network, path)
        self.network.load_state_dict(network.state_dict())
        load_average(path, self.average)
        restore_optimiser(self.optimiser, state)
        self.update, self.stale, self.best = record["update"], record["stale"], record["best"]
        self.elapsed_s = record["elapsed_s"]

    def start_from(self, network: HybridNetwork) -> None:
        self._check(network, "the network to start from")
        network = copy.deepcopy(network)
        # What every process draws alike, and the same whenever it starts.
        randoms = [np.random.default_rng([self.plan.seed, n]) for n in range(_NORMALISING)]
        batch = draw_batch(self.clips, self.by_label, self.windows, self.plan.ranges, self.plan.streaming, randoms)
        with torch.no_grad():
            renormalise(network, [network.features(batch.events)[0]])
        self.network.load_state_dict(network.state_dict())
        self.average.load_state_dict(network.state_dict())

    def begin_with(self, front: HybridNetwork) -> None:
        for network in (self.network, self.average):
            take_over(network, front)

    def _check(self, network: HybridNetwork, where: Path | str) -> None:
        if network.spec != self.spec:
            raise InputError(
                f"expected {where} to hold a {self.spec.name}, found {network.spec.name} or other settings; "
                "choose another folder or do not resume."
            )

    def step(self) -> None:
        started = time.monotonic()
        plan = self.plan
        # Each window has a random of its own, so that it does not matter which process draws it.
        randoms = [np.random.default_rng([plan.seed, self.update, n]) for n in self.part]
        torch.manual_seed(plan.seed * 1_000_003 + self.update + _PRIME * self.group.rank)
        ranges = plan.ranges.scaled(1 - (1 - plan.calm) * self.update / plan.updates)
        batch = draw_batch(self.clips, self.by_label, self.windows, ranges, plan.streaming, randoms)
        factor = _rate_factor(self.update / plan.updates)
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * factor
        self.network.train()
        logits, spikes = self.network(batch.events)
        loss = functional.cross_entropy(logits, torch.from_numpy(batch.targets), label_smoothing=plan.smoothing)
        cost = loss + plan.spike_cost * self._spike_share(spikes)
        self.optimiser.zero_grad()
        cost.backward()
        self.group.average(self.network.parameters())
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        if not (torch.isfinite(cost) and torch.isfinite(norm)):
            raise StageError(
                "train",
                f"expected a finite loss, found {cost.item()} with a gradient of {norm.item()} at update "
                f"{self.update}; lower the learning rate and resume.",
            )
        self.optimiser.step()
        self.update += 1
        self._average()
        self.losses.append(loss.item())
        self.busy_s += time.monotonic() - started
        self.busy_windows += plan.batch

    def _spike_share(self, spikes: Tensor) -> Tensor:
        if not self.spec.spiking:
            return torch.zeros(())
        # Of the convolutions: the spikes of a spiking head are its answer.
        share = spikes / torch.tensor(self.spec.neurons) / self.windows.steps
        return share[:, : self.spec.spiking].mean()

    def _average(self) -> None:
        """A running mean of the weights is steadier than any single update; buffers are taken as they are."""
        decay = min(self.plan.average, self.update / (self.update + 10))
        with torch.no_grad():
            for mean, value in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(value, 1 - decay)
            for mean, value in zip(self.average.buffers(), self.network.buffers(), strict=True):
                mean.copy_(value)

    def report(self) -> Progress | None:
        """Validates and saves; None in all processes but the leader, which wait for it."""
        progress = self._measured() if self.group.leads else None
        self.elapsed_s += self.busy_s
        self.losses, self.busy_s, self.busy_windows = [], 0.0, 0
        if progress is not None:
            self._keep(progress)
        self.stale = int(self.group.from_leader([self.stale])[0])
        return progress

    def _measured(self) -> Progress:
        measured = measure(self.average, self.clips, self.validation, warm=False)
        streaming = measure(self.average, self.clips, self.validation, warm=True)
        return Progress(
            update=self.update,
            windows=self.update * self.plan.batch,
            loss=float(np.mean(self.losses)) if self.losses else math.nan,
            accuracy_window=measured.window_accuracy,
            accuracy_streaming=streaming.window_accuracy,
            accuracy_clip=measured.clip_accuracy,
            spikes=measured.spikes_per_window,
            windows_per_s=self.busy_windows / self.busy_s if self.busy_s else 0.0,
            elapsed_s=self.elapsed_s + self.busy_s,
        )

    def _keep(self, progress: Progress) -> None:
        score = (progress.accuracy_window + progress.accuracy_streaming) / 2
        record = {"plan": asdict(self.plan), "progress": asdict(progress), "persons": len(self.clips.persons())}
        record |= {"clips": len(self.clips.clips), "data": self.clips.title, "processes": self.group.size}
        self.stale += 1
        if score > self.best:
            self.best, self.stale = score, 0
            save_checkpoint(self.folder / "best.npz", self.average, record)
        record |= {"update": self.update, "stale": self.stale, "best": self.best, "elapsed_s": self.elapsed_s}
        _append_row(self.folder / "curves.csv", asdict(progress))
        save_checkpoint(self.folder / "last.npz", self.network, record, self.optimiser, self.average)


def parameter_groups(network: HybridNetwork, plan: Plan) -> list[dict[str, Any]]:
    """Ordinary weights decay; norms, biases and spiking weights, whose scale sets the firing rate, do not."""
    ordinary = list(network.ordinary.parameters())
    groups: list[dict[str, Any]] = [
        {"params": [p for p in ordinary if p.ndim > 1], "peak": plan.rate, "weight_decay": plan.weight_decay},
        {"params": [p for p in ordinary if p.ndim == 1], "peak": plan.rate, "weight_decay": 0.0},
    ]
    if network.spiking is not None:
        groups.append({"params": list(network.spiking.parameters()), "peak": plan.spiking_rate, "weight_decay": 0.0})
    return groups


def read_curves(path: Path) -> Iterator[dict[str, float]]:
    """The rows of a curves.csv."""
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            yield {key: float(value) for key, value in row.items()}


def _append_row(path: Path, row: dict[str, Any]) -> None:
    """Adds a row; those of updates after it, from a run that was not resumed, go."""
    rows = [old for old in read_curves(path) if old["update"] < row["update"]] if path.is_file() else []
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(row))
    writer.writeheader()
    writer.writerows([*rows, row])
    write_whole(path, text.getvalue(), fix="free some space and resume")


def _rate_factor(done: float) -> float:
    """A short linear start, then a half cosine to 1 %."""
    if done < 0.03:
        return (done + 0.001) / 0.031
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (done - 0.03) / 0.97))
