"""The training loop: varied windows in, the best checkpoint on validation persons out."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from spikebridge.contracts import LABELS
from spikebridge.datasets.clips import TICK_US, ClipSet
from spikebridge.datasets.windows import draw_batch
from spikebridge.errors import InputError, StageError
from spikebridge.training.checkpoint import (
    Counters,
    TrainingRecord,
    TrainingState,
    load_checkpoint,
    load_state,
    save_checkpoint,
)
from spikebridge.training.curves import Progress, append_progress
from spikebridge.training.fine_tuning import renormalise, take_over
from spikebridge.training.network import HybridNetwork, NetworkSpec
from spikebridge.training.parallel import Group
from spikebridge.training.plan import TrainingPlan
from spikebridge.training.validation import validate, windows_of

_log = logging.getLogger(__name__)
#: Varied windows that the normalisation of a network to start from is fitted to.
_NORMALISING = 256
#: Keeps the dropout of several processes apart.
_PRIME = 7_919


@dataclass(frozen=True, slots=True)
class Start:
    """What a training starts from; with nothing of it, from a drawn network.

    initial : network to start from (fine-tuning). front : network whose spiking layers become the first ones of the new
    network. resume : go on where a training in the same folder was interrupted, if there is one.
    """

    initial: HybridNetwork | None = None
    front: HybridNetwork | None = None
    resume: bool = False


class ParameterGroup(TypedDict):
    """Weights that are updated alike. peak : highest learning rate."""

    params: list[nn.Parameter]
    peak: float
    weight_decay: float


def train(
    spec: NetworkSpec,
    plan: TrainingPlan,
    clips: ClipSet,
    folder: Path,
    start: Start | None = None,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_update: Callable[[int], None] = lambda _: None,
    group: Group | None = None,
) -> HybridNetwork:
    """Trains and returns the best network; ``folder`` gets best.npz, last.npz and curves.csv.

    on_progress : told each report. on_update : told the number of updates after each. group : the processes that share
    the work; its leader validates, writes and reports. Raises StageError when the loss is no number, InputError when a
    class has no clips.
    """
    run, start = _Run(spec, plan, clips, folder, group or Group()), start or Start()
    if start.resume and (folder / "last.npz").is_file():
        run.restore(folder / "last.npz")
    elif start.initial is not None:
        run.start_from(start.initial)
    elif start.front is not None:
        run.begin_with(start.front)
    while run.update < plan.updates and run.stale < plan.patience:
        run.step()
        on_update(run.update)
        if run.update % plan.report_every == 0 or run.update == plan.updates:
            if (progress := run.report()) is not None:
                on_progress(progress)
            clips.refresh()
            run.sort_clips()
    best, _ = load_checkpoint(folder / "best.npz")
    return best.eval()


class _Run:
    """What a training holds between updates."""

    def __init__(self, spec: NetworkSpec, plan: TrainingPlan, clips: ClipSet, folder: Path, group: Group) -> None:
        self.spec, self.plan, self.clips, self.folder, self.group = spec, plan, clips, folder, group
        self.part = group.part(plan.batch)
        self.network, self.average = HybridNetwork(spec, plan.seed), HybridNetwork(spec, plan.seed)
        for network in (self.network, self.average):
            network.ordinary.to(group.device)
        if self.network.spiking is not None and not plan.spiking_rate:
            self.network.spiking.requires_grad_(False)
        group.share_statistics(self.network)
        self.optimiser = torch.optim.AdamW(parameter_groups(self.network, plan))
        self.update, self.stale, self.best = 0, 0, -math.inf
        self.losses: list[float] = []
        self.busy_s, self.busy_windows, self.elapsed_s = 0.0, 0, 0.0
        self.windows = windows_of(spec, warm=True)
        self.short = 0
        self.sort_clips()
        self.validation = self.choose_validation()

    def sort_clips(self) -> None:
        """Sorts the training clips by class, without those that are shorter than a window."""
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
                f"expected persons to validate on, found {len(self.clips.persons())} persons, of whom one in "
                f"{self.plan.held_out} is held out; add persons."
            )
        order = np.random.default_rng(0).permutation(len(validation))
        return sorted(validation[i] for i in order[: self.plan.validation_clips])

    def restore(self, path: Path) -> None:
        network, _ = load_checkpoint(path)
        self._check(network, path)
        self.network.load_state_dict(network.state_dict())
        counters = load_state(path, self.optimiser, self.average)
        self.update, self.stale, self.best = counters.update, counters.stale, counters.best
        self.elapsed_s = counters.elapsed_s

    def start_from(self, network: HybridNetwork) -> None:
        self._check(network, "the network to start from")
        network = copy.deepcopy(network)
        # Windows that every process draws alike, and that are the same whenever a training starts.
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
        # Each window has a generator of its own, so that it does not matter which process draws it.
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
        """Share of neurons and steps that spike, mean over the layers."""
        if not self.spec.spiking:
            return torch.zeros(())
        # Of the convolutions only: the spikes of a spiking head are its answer.
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
        """Validates and saves. Only the leader does so and has something to return; the others wait for it."""
        progress = self._validated() if self.group.leads else None
        self.elapsed_s += self.busy_s
        self.losses, self.busy_s, self.busy_windows = [], 0.0, 0
        if progress is not None:
            self._save(progress)
        self.stale = int(self.group.from_leader([self.stale])[0])
        return progress

    def _validated(self) -> Progress:
        window = validate(self.average, self.clips, self.validation, warm=False)
        streaming = validate(self.average, self.clips, self.validation, warm=True)
        return Progress(
            update=self.update,
            windows=self.update * self.plan.batch,
            loss=float(np.mean(self.losses)) if self.losses else math.nan,
            accuracy_window=window.window_accuracy,
            accuracy_streaming=streaming.window_accuracy,
            accuracy_clip=window.clip_accuracy,
            spikes=window.spikes_per_window,
            windows_per_s=self.busy_windows / self.busy_s if self.busy_s else 0.0,
            elapsed_s=self.elapsed_s + self.busy_s,
        )

    def _save(self, progress: Progress) -> None:
        clips = self.clips
        record = TrainingRecord(
            self.plan, progress, len(clips.persons()), len(clips.clips), clips.title, self.group.size
        )
        score = (progress.accuracy_window + progress.accuracy_streaming) / 2
        self.stale += 1
        if score > self.best:
            self.best, self.stale = score, 0
            save_checkpoint(self.folder / "best.npz", self.average, record)
        append_progress(self.folder / "curves.csv", progress)
        counters = Counters(self.update, self.stale, self.best, self.elapsed_s)
        state = TrainingState(counters, self.optimiser, self.average)
        save_checkpoint(self.folder / "last.npz", self.network, record, state)


def parameter_groups(network: HybridNetwork, plan: TrainingPlan) -> list[ParameterGroup]:
    """Ordinary weights decay; norms, biases and spiking weights, whose scale sets the firing rate, do not."""
    ordinary = list(network.ordinary.parameters())
    groups: list[ParameterGroup] = [
        {"params": [p for p in ordinary if p.ndim > 1], "peak": plan.rate, "weight_decay": plan.weight_decay},
        {"params": [p for p in ordinary if p.ndim == 1], "peak": plan.rate, "weight_decay": 0.0},
    ]
    if network.spiking is not None:
        groups.append({"params": list(network.spiking.parameters()), "peak": plan.spiking_rate, "weight_decay": 0.0})
    return groups


def _rate_factor(done: float) -> float:
    """Of the learning rates after a share ``done`` of the updates: a short linear start, then a half cosine to 1 %."""
    if done < 0.03:
        return (done + 0.001) / 0.031
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (done - 0.03) / 0.97))
