"""The contract (``model.toml``) and the model card (``README.md``) of a bundle."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikebridge.bundle import FORMAT
from spikebridge.contracts import LABELS
from spikebridge.evaluation.calibration import OTHER_ODDS
from spikebridge.evaluation.card_sections import HEADING
from spikebridge.training.network import INPUT_SIZE, HybridNetwork, NetworkSpec

#: What the clips of a title show.
_SHOWN = {
    "simulated camera": "simulated persons",
    "DVS128 Gesture": "persons of DVS128 Gesture",
    "own recordings": "persons in recordings of one's own",
}


@dataclass(frozen=True, slots=True)
class BundleText:
    """What a reader of the bundle is told. gate : lines on real recordings and how often they were looked at.
    notes : sentences on the training that its command does not tell."""

    title: str
    gate: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    licence: str = "GPL-3.0-or-later"


def write_contract(
    path: Path,
    spec: NetworkSpec,
    files: dict[str, str],
    figures: dict[str, Any],
    record: dict[str, Any],
    text: BundleText,
    smoothing_us: int,
) -> None:
    """Writes model.toml. files : sha256 of snn.net and ann.onnx. figures, record : measured at export, at training."""
    tables: dict[str, dict[str, Any]] = {
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
            "threshold": figures["threshold"],
            "temperature": figures["temperature"],
            "other_odds": OTHER_ODDS,
        },
        "training": {
            "network": spec.name,
            "data": record["data"],
            "clips": record["clips"],
            "persons": record["persons"],
            "windows": record["progress"]["windows"],
            "seed": record["plan"]["seed"],
            "command": train_command(spec, record["plan"]),
            **({"started_from": record["plan"]["initial"]} if record["plan"]["initial"] else {}),
            "notes": list(text.notes),
        },
        "accuracy": {
            "measured_on": f"{_validated(figures, record)}, {figures['validation_clips']} clips",
            "window": figures["window"],
            "window_streaming": figures["streaming"],
            "clip": figures["clip"],
            "calibration_error": figures["calibration_error"],
            "spikes_per_window": figures["spikes_per_window"],
        },
    }
    if not spec.spiking:
        del tables["snn"]
    path.write_text("\n".join(_table(name, values) for name, values in tables.items()), encoding="utf-8")


def write_card(
    path: Path, network: HybridNetwork, figures: dict[str, Any], record: dict[str, Any], text: BundleText
) -> None:
    """Writes the model card."""
    spec, plan = network.spec, record["plan"]
    parameters = sum(parameter.numel() for parameter in network.parameters())
    wide = f" of {', '.join(map(str, spec.ordinary_channels))} channels" if spec.width > 1 else ""
    head = "a spiking head whose output spikes are counted" if spec.spiking_head else "an ordinary head"
    lines = [
        f"# {text.title}",
        "",
        f"Network {spec.name}: {spec.spiking} spiking and {6 - spec.spiking} ordinary convolutions{wide}, "
        f"{head}, {parameters} parameters, T = {spec.window_steps} steps of {spec.step_us / 1000:g} ms, "
        f"I = {spec.interval_steps}. "
        "State persists between steps, a decision comes every step; windows with a reset between them work as well.",
        "",
        "## Training",
        *_origin(record),
        f"- {record['progress']['windows']} windows, {record['progress']['elapsed_s'] / 60:.0f} minutes, "
        f"seed {plan['seed']}. Command: `{train_command(spec, plan)}`.",
        *(f"- {note}" for note in text.notes),
        "- Exported after "
        + ("the emulator gave the same counts as the trained network, bit for bit, and " if spec.spiking else "")
        + "the ONNX graph gave the same logits within 1e-4.",
        "",
        f"## Measured on {_validated(figures, record)}",
        "Selection and calibration used these too, so expect slightly less on others.",
        "",
        "| what | value |",
        "|---|---|",
        f"| 160 ms windows from reset | {figures['window']:.3f} |",
        f"| windows while streaming, every 4 steps | {figures['streaming']:.3f} |",
        f"| clips (mean probability over windows) | {figures['clip']:.3f} |",
        f"| expected calibration error at temperature {figures['temperature']} | {figures['calibration_error']:.3f} |",
        f"| spikes for one window | {figures['spikes_per_window']:.0f} |",
        "",
        f"Threshold {figures['threshold']}: at most 0.2 % of windows with noise alone name a gesture. While streaming, "
        f"`other` is taken to be {OTHER_ODDS:g} times as likely as in training, where each class came as often: before "
        "a camera nobody makes a gesture most of the time.",
        "",
        "Windows by true class (rows) and named class (columns), in the order of the labels:",
        "",
        *_confusion(figures["confusion"]),
        "",
        HEADING,
        *(text.gate or ("- Not measured yet.",)),
        "",
        f"Licence: {text.licence}.",
        "",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")


def train_command(spec: NetworkSpec, plan: dict[str, Any]) -> str:
    """The command that trains the network again from a set of clips."""
    common = f"--windows {plan['windows']} --seed {plan['seed']} --spike-cost {plan['spike_cost']}"
    if plan["initial"]:
        frozen = "" if plan["spiking_rate"] else "--freeze-spiking "
        return f"spikebridge train --fine-tune {plan['initial']} DATA OUT {frozen}{common}"
    begun = f"--spiking-from {plan['spiking_from']} " if plan.get("spiking_from") else ""
    begun += "" if plan["spiking_rate"] or not spec.spiking else "--freeze-spiking "
    return (
        f"spikebridge train {spec.name} DATA OUT --interval {spec.interval_steps} --steps {spec.window_steps} "
        f"--step-us {spec.step_us} {f'--width {spec.width} ' if spec.width > 1 else ''}{begun}{common}"
    )


def _origin(record: dict[str, Any]) -> list[str]:
    """Lines on what was trained on, and from where on."""
    plan, data, persons = record["plan"], record["data"], record["persons"]
    if persons == 1:
        who = f"{record['clips']} clips of one person ({data}), the last of every four of a class validated on"
    else:
        who = f"{record['clips']} clips of {persons} {_shown(data)}, every {plan['held_out']}th validated on"
    if plan["initial"]:
        start = f"- Fine-tuned from `{plan['initial']}`" + ("." if plan["spiking_rate"] else ", its spiking part kept.")
        return [start, f"- {who}."]
    return [f"- {who}" + ("; no real recording was used." if data == "simulated camera" else ".")]


def _validated(figures: dict[str, Any], record: dict[str, Any]) -> str:
    if record["persons"] == 1:
        return f"other clips of the one person trained on ({record['data']})"
    return f"{figures['validation_persons']} {_shown(record['data'])} that were validated on, none trained on"


def _shown(data: str) -> str:
    return _SHOWN.get(data, f"persons ({data})")


def _confusion(table: list[list[int]]) -> list[str]:
    head = "| | " + " | ".join(str(i) for i in range(len(LABELS))) + " |"
    rows = [
        f"| {i} {label} | " + " | ".join(str(n) for n in row) + " |"
        for i, (label, row) in enumerate(zip(LABELS, table, strict=True))
    ]
    return [head, "|---" * (len(LABELS) + 1) + "|", *rows]


def _table(name: str, values: dict[str, Any]) -> str:
    lines = [f"[{name}]"] if name else []
    lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"
