"""Trains, exports and measures the cells of a study."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import torch

from spikebridge.bundle import load_model
from spikebridge.datasets.clips import ClipSet
from spikebridge.datasets.loader import open_clips
from spikebridge.datasets.quiet_minutes import KINDS
from spikebridge.evaluation.cases import read_cases
from spikebridge.evaluation.records import Accuracy, Summary
from spikebridge.evaluation.report import evaluate_bundle
from spikebridge.files import write_whole
from spikebridge.settings import LaneSettings
from spikebridge.study.cells import Budget, Cell, Folders
from spikebridge.training.checkpoint import load_checkpoint, save_checkpoint
from spikebridge.training.contract import BundleText
from spikebridge.training.curves import read_curves
from spikebridge.training.export import export_bundle
from spikebridge.training.loop import Start, train
from spikebridge.training.network import HybridNetwork, NetworkSpec, parse_name
from spikebridge.training.plan import TrainingPlan
from spikebridge.training.validation import validate

#: Reports on validation persons in one training; the best of them is kept.
_REPORTS = 6
_VALIDATION_CLIPS = 150
_NEVER = 1_000_000


def run_cells(cells: tuple[Cell, ...], budget: Budget, folders: Folders) -> None:
    """Trains the first cell and measures all of them; the others differ from it in nothing that is learnt.

    What is there already is kept: a measured cell is left alone, an interrupted training goes on.
    """
    torch.set_num_threads(1)
    clips = ClipSet(folders.data)
    first = cells[0]
    for cell in cells:
        if folders.result(cell).is_file():
            continue
        checkpoint = folders.of(cell) / "best.npz"
        if cell is first:
            train(spec_of(cell, budget), _plan(cell, budget), clips, folders.of(cell), Start(resume=True))
        else:
            _derive(folders.of(first) / "best.npz", spec_of(cell, budget), checkpoint)
        network, _ = load_checkpoint(checkpoint)
        found: Mapping[str, object] = {
            "cell": asdict(cell),
            "budget": asdict(budget),
            "training": {"curves": list(read_curves(folders.of(first) / "curves.csv"))},
            "parameters": _parameters(network),
            "summary": _in_torch(network, folders)
            if cell.control != "none"
            else _through_the_chain(cell, checkpoint, folders, clips),
        }
        write_whole(folders.result(cell), json.dumps(found))


def windows_done(cell: Cell, folders: Folders) -> int:
    """Windows that the cell has been trained on up to its last report."""
    curves = folders.of(cell) / "curves.csv"
    return int(max((row["windows"] for row in read_curves(curves)), default=0)) if curves.is_file() else 0


def spec_of(cell: Cell, budget: Budget) -> NetworkSpec:
    """The network of a cell; raises UsageError for one that cannot be."""
    settings = {"window_steps": budget.steps, "interval_steps": cell.interval, "step_us": budget.step_us}
    spec = replace(parse_name(cell.network, **settings), control=cell.control)
    if cell.sized_like is None:
        return spec
    return widened(spec, parameters(parse_name(cell.sized_like, **settings)))


def parameters(spec: NetworkSpec) -> int:
    """Trained numbers of a network."""
    return _parameters(HybridNetwork(spec))


def widened(spec: NetworkSpec, wanted: int) -> NetworkSpec:
    """``spec`` with the hidden width that brings its number of parameters closest to ``wanted``."""
    one, two = (parameters(replace(spec, hidden=width)) for width in (1, 2))
    width = max(1, round((wanted - one) / (two - one)) + 1)
    return replace(spec, hidden=width)


def _parameters(network: HybridNetwork) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def _plan(cell: Cell, budget: Budget) -> TrainingPlan:
    plan = TrainingPlan(windows=budget.windows, seed=cell.seed, patience=_NEVER, validation_clips=_VALIDATION_CLIPS)
    return replace(plan, report_every=max(1, plan.updates // _REPORTS))


def _derive(source: Path, spec: NetworkSpec, target: Path) -> None:
    """The checkpoint of a cell that shares the training of another one."""
    trained, record = load_checkpoint(source)
    network = HybridNetwork(spec)
    network.load_state_dict(trained.state_dict())
    save_checkpoint(target, network, record)


def _through_the_chain(cell: Cell, checkpoint: Path, folders: Folders, clips: ClipSet) -> Summary:
    """Exports the network and measures the bundle as it runs."""
    bundle = folders.of(cell) / "bundle"
    title = f"Study: {cell.network}, I = {cell.interval}, seed {cell.seed}"
    export_bundle(checkpoint, bundle, clips, BundleText(title), at_most=_VALIDATION_CLIPS)
    quiet = {kind: read_cases(folders.quiet / kind) for kind in KINDS}
    return evaluate_bundle(load_model(bundle), read_cases(folders.test), LaneSettings(), quiet=quiet)["summary"]


def _in_torch(network: HybridNetwork, folders: Folders) -> Accuracy:
    """Measures a control, which is no network that the chain runs."""
    test = open_clips(folders.test, "test")
    found = validate(network, test, range(len(test.clips)), warm=False)
    return {
        "windows": len(found.labels),
        "window_accuracy": {"value": round(found.window_accuracy, 4), "interval": None},
        "clip_accuracy": {"value": round(found.clip_accuracy, 4), "interval": None},
    }
