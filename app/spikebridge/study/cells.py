"""One cell of the study: a network with one interval and seed, trained, exported and measured."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from spikebridge.bundle import load_model
from spikebridge.datasets.clips import ClipSet
from spikebridge.datasets.quiet_minutes import KINDS
from spikebridge.evaluation.cases import read_cases
from spikebridge.evaluation.controls import Control
from spikebridge.evaluation.evaluator import evaluate_cases
from spikebridge.files import write_whole
from spikebridge.runtime import RunSettings
from spikebridge.training.checkpoint import load_checkpoint, save_checkpoint
from spikebridge.training.export import export_bundle
from spikebridge.training.loop import Plan, read_curves, train
from spikebridge.training.model_card import BundleText
from spikebridge.training.network import HybridNetwork, NetworkSpec, parse_name
from spikebridge.training.validation import measure

#: Reports on validation persons in one training; the best of them is kept.
_REPORTS = 6
_VALIDATION_CLIPS = 150
_NEVER = 1_000_000


@dataclass(frozen=True, slots=True)
class Budget:
    """What every cell gets, so that they can be compared. windows : trained on. steps, step_us : T and its steps."""

    windows: int
    steps: int = 16
    step_us: int = 10_000


@dataclass(frozen=True, slots=True)
class Cell:
    """network : as on the command line. control : see ``NetworkSpec``. sized_like : the network whose number of
    parameters this ordinary one gets through a wider head, for a comparison at equal size."""

    network: str
    interval: int
    seed: int
    control: Control = "none"
    sized_like: str | None = None

    @property
    def name(self) -> str:
        extra = "" if self.control == "none" else f"-{self.control}"
        size = f"-sized-like-{self.sized_like}" if self.sized_like else ""
        return f"{self.network}{extra}{size}-i{self.interval}-seed{self.seed}"

    @property
    def is_control(self) -> bool:
        return self.control != "none" or self.sized_like is not None

    def spec(self, budget: Budget) -> NetworkSpec:
        settings = {"window_steps": budget.steps, "interval_steps": self.interval, "step_us": budget.step_us}
        spec = replace(parse_name(self.network, **settings), control=self.control)
        if self.sized_like is None:
            return spec
        return widened(spec, parameters(parse_name(self.sized_like, **settings)))


@dataclass(frozen=True, slots=True)
class Folders:
    """cells : results, one folder each. data : clips to train on. test, quiet : persons never trained on, and minutes
    in which nobody makes a gesture."""

    cells: Path
    data: Path
    test: Path
    quiet: Path

    def of(self, cell: Cell) -> Path:
        return self.cells / cell.name

    def result(self, cell: Cell) -> Path:
        return self.of(cell) / "result.json"


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
            train(cell.spec(budget), _plan(cell, budget), clips, folders.of(cell), resume=True)
        else:
            _derive(folders.of(first) / "best.npz", cell.spec(budget), checkpoint)
        result = (
            _measure_control(cell, folders) if cell.control != "none" else _measure(cell, checkpoint, folders, clips)
        )
        record = {"cell": asdict(cell), "budget": asdict(budget), **_training(folders.of(first)), **result}
        _write(folders.result(cell), record)


def _write(path: Path, record: dict[str, Any]) -> None:
    write_whole(path, json.dumps(record))


def windows_done(cell: Cell, folders: Folders) -> int:
    """Windows that the cell has been trained on so far, as far as it has reported."""
    curves = folders.of(cell) / "curves.csv"
    return int(max((row["windows"] for row in read_curves(curves)), default=0)) if curves.is_file() else 0


def parameters(spec: NetworkSpec) -> int:
    """Trained numbers of a network."""
    return sum(parameter.numel() for parameter in HybridNetwork(spec).parameters())


def widened(spec: NetworkSpec, wanted: int) -> NetworkSpec:
    """``spec`` with the hidden width whose number of parameters comes closest to ``wanted``."""
    one, two = (parameters(replace(spec, hidden=width)) for width in (1, 2))
    width = max(1, round((wanted - one) / (two - one)) + 1)
    return replace(spec, hidden=width)


def _plan(cell: Cell, budget: Budget) -> Plan:
    plan = Plan(windows=budget.windows, seed=cell.seed, patience=_NEVER, validation_clips=_VALIDATION_CLIPS)
    return replace(plan, report_every=max(1, plan.updates // _REPORTS))


def _derive(source: Path, spec: NetworkSpec, target: Path) -> None:
    trained, record, _ = load_checkpoint(source)
    network = HybridNetwork(spec)
    network.load_state_dict(trained.state_dict())
    save_checkpoint(target, network, record)


def _training(folder: Path) -> dict[str, Any]:
    rows = list(read_curves(folder / "curves.csv"))
    return {"training": {"curves": rows, "minutes": round(rows[-1]["elapsed_s"] / 60, 2) if rows else None}}


def _measure(cell: Cell, checkpoint: Path, folders: Folders, clips: ClipSet) -> dict[str, Any]:
    """Through the chain, as it runs."""
    bundle_folder = folders.of(cell) / "bundle"
    title = f"Study: {cell.network}, I = {cell.interval}, seed {cell.seed}"
    export_bundle(checkpoint, bundle_folder, clips, BundleText(title), at_most=_VALIDATION_CLIPS)
    bundle = load_model(bundle_folder)
    network, _, _ = load_checkpoint(checkpoint)
    quiet = {kind: read_cases(folders.quiet / kind) for kind in KINDS}
    summary = evaluate_cases(bundle, read_cases(folders.test), RunSettings(), quiet)
    return {"parameters": sum(p.numel() for p in network.parameters()), "summary": summary}


def _measure_control(cell: Cell, folders: Folders) -> dict[str, Any]:
    """In torch: a control is no network that the chain runs."""
    network, _, _ = load_checkpoint(folders.of(cell) / "best.npz")
    test = ClipSet(folders.test)
    measured = measure(network, test, list(range(len(test.clips))), warm=False)
    return {
        "parameters": sum(p.numel() for p in network.parameters()),
        "summary": {
            "windows": len(measured.labels),
            "window_accuracy": {"value": round(measured.window_accuracy, 4), "interval": None},
            "clip_accuracy": {"value": round(measured.clip_accuracy, 4), "interval": None},
        },
    }
