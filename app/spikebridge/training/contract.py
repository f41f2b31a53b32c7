"""The contract of a bundle, ``model.toml``, and the command that trains its network again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from spikebridge.bundle import FORMAT
from spikebridge.contracts import LABELS
from spikebridge.evaluation.calibration import OTHER_ODDS
from spikebridge.training.checkpoint import TrainingRecord
from spikebridge.training.network import INPUT_SIZE, NetworkSpec
from spikebridge.training.plan import TrainingPlan

#: What the clips of a title show.
_SHOWN = {
    "simulated camera": "simulated persons",
    "DVS128 Gesture": "persons of DVS128 Gesture",
    "own recordings": "persons in recordings of one's own",
}


@dataclass(frozen=True, slots=True)
class BundleText:
    """What a reader of the bundle is told.

    gate : lines on real recordings and how often they were looked at. notes : sentences on the training that its
    command does not tell.
    """

    title: str
    gate: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    licence: str = "GPL-3.0-or-later"


@dataclass(frozen=True, slots=True)
class ValidationFigures:
    """Chosen and measured at export, on the persons of the training's set that were validated on.

    temperature, threshold : of the decision. persons, clips : how many. window, streaming, clip : shares that are
    right, of windows from reset, of windows with steps before them, and of clips. confusion : windows by true (row) and
    named (column) class.
    """

    temperature: float
    threshold: float
    persons: int
    clips: int
    window: float
    streaming: float
    clip: float
    calibration_error: float
    spikes_per_window: float
    confusion: list[list[int]]


def write_contract(
    path: Path,
    spec: NetworkSpec,
    files: Mapping[str, str],
    figures: ValidationFigures,
    record: TrainingRecord,
    text: BundleText,
    smoothing_us: int,
) -> None:
    """Writes model.toml. files : sha256 of snn.net, if there are spiking layers, and of ann.onnx."""
    tables: dict[str, dict[str, object]] = {
        "": {"format": FORMAT, "title": text.title, "licence": text.licence},
        "input": {
            "width": INPUT_SIZE,
            "height": INPUT_SIZE,
            "step_us": spec.step_us,
            "max_count": 1,
            "fit": "center",
        },
        "snn": {
            "file": "snn.net",
            "sha256": files.get("snn.net"),
            "layers": spec.spiking_layers,
            "delay_steps": spec.spiking_layers,
            "output_shape": list(spec.spikes_shape),
        },
        "accumulator": {
            "window_steps": spec.window_steps,
            "interval_steps": spec.interval_steps,
            "hop_steps": 1,
        },
        "ann": {"file": "ann.onnx", "sha256": files["ann.onnx"], "input_shape": list(spec.features_shape)},
        "decision": {
            "labels": list(LABELS),
            "smoothing_us": smoothing_us,
            "threshold": figures.threshold,
            "temperature": figures.temperature,
            "other_odds": OTHER_ODDS,
        },
        "training": _training(spec, record, text),
        "accuracy": {
            "measured_on": f"{validated_on(figures, record)}, {figures.clips} clips",
            "window": figures.window,
            "window_streaming": figures.streaming,
            "clip": figures.clip,
            "calibration_error": figures.calibration_error,
            "spikes_per_window": figures.spikes_per_window,
        },
    }
    if not spec.spiking:
        del tables["snn"]
    path.write_text("\n".join(_table(name, values) for name, values in tables.items()), encoding="utf-8")


def train_command(spec: NetworkSpec, plan: TrainingPlan) -> str:
    """The command that trains the network again from a set of clips."""
    common = f"--windows {plan.windows} --seed {plan.seed} --spike-cost {plan.spike_cost}"
    if plan.initial:
        frozen = "" if plan.spiking_rate else "--freeze-spiking "
        return f"spikebridge train --fine-tune {plan.initial} DATA OUT {frozen}{common}"
    begun = f"--spiking-from {plan.spiking_from} " if plan.spiking_from else ""
    begun += "" if plan.spiking_rate or not spec.spiking else "--freeze-spiking "
    return (
        f"spikebridge train {spec.name} DATA OUT --interval {spec.interval_steps} --steps {spec.window_steps} "
        f"--step-us {spec.step_us} {f'--width {spec.width} ' if spec.width > 1 else ''}{begun}{common}"
    )


def validated_on(figures: ValidationFigures, record: TrainingRecord) -> str:
    """Who was validated on, in words."""
    if record.persons == 1:
        return f"other clips of the one person trained on ({record.data})"
    return f"{figures.persons} {persons_of(record.data)} that were validated on, none trained on"


def persons_of(data: str) -> str:
    """Who is in clips with the title ``data``, in words."""
    return _SHOWN.get(data, f"persons ({data})")


def _training(spec: NetworkSpec, record: TrainingRecord, text: BundleText) -> dict[str, object]:
    plan = record.plan
    return {
        "network": spec.name,
        "data": record.data,
        "clips": record.clips,
        "persons": record.persons,
        "windows": record.progress.windows,
        "seed": plan.seed,
        "command": train_command(spec, plan),
        **({"started_from": plan.initial} if plan.initial else {}),
        "notes": list(text.notes),
    }


def _table(name: str, values: Mapping[str, object]) -> str:
    lines = [f"[{name}]"] if name else []
    lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"
