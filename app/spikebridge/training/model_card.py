"""The model card of a bundle, its ``README.md``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from spikebridge.contracts import LABELS
from spikebridge.evaluation.calibration import OTHER_ODDS
from spikebridge.evaluation.card_sections import HEADING
from spikebridge.training.checkpoint import TrainingRecord
from spikebridge.training.contract import BundleText, ValidationFigures, persons_of, train_command, validated_on
from spikebridge.training.network import HybridNetwork, NetworkSpec


def write_card(
    path: Path, network: HybridNetwork, figures: ValidationFigures, record: TrainingRecord, text: BundleText
) -> None:
    """Writes the card; ``evaluation.card_sections`` fills in later what was measured on others."""
    lines = [
        f"# {text.title}",
        "",
        *_network(network),
        "",
        "## Training",
        *_training(network.spec, record, text),
        "",
        f"## Measured on {validated_on(figures, record)}",
        *_figures(figures),
        "",
        HEADING,
        *(text.gate or ("- Not measured yet.",)),
        "",
        f"Licence: {text.licence}.",
        "",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")


def _network(network: HybridNetwork) -> list[str]:
    spec = network.spec
    parameters = sum(parameter.numel() for parameter in network.parameters())
    wide = f" of {', '.join(map(str, spec.ordinary_channels))} channels" if spec.width > 1 else ""
    head = "a spiking head whose output spikes are counted" if spec.spiking_head else "an ordinary head"
    return [
        f"Network {spec.name}: {spec.spiking} spiking and {6 - spec.spiking} ordinary convolutions{wide}, "
        f"{head}, {parameters} parameters, T = {spec.window_steps} steps of {spec.step_us / 1000:g} ms, "
        f"I = {spec.interval_steps}. "
        "State persists between steps, a decision comes every step; windows with a reset between them work as well."
    ]


def _training(spec: NetworkSpec, record: TrainingRecord, text: BundleText) -> list[str]:
    plan = record.plan
    return [
        *_origin(record),
        f"- {record.progress.windows} windows, seed {plan.seed}. Command: `{train_command(spec, plan)}`.",
        *(f"- {note}" for note in text.notes),
        "- Exported after "
        + ("the emulator gave the same counts as the trained network, bit for bit, and " if spec.spiking else "")
        + "the ONNX graph gave the same logits within 1e-4.",
    ]


def _origin(record: TrainingRecord) -> list[str]:
    """Lines on what was trained on, and from where on."""
    plan, data = record.plan, record.data
    if record.persons == 1:
        who = f"{record.clips} clips of one person ({data}), the last of every four of a class validated on"
    else:
        who = (
            f"{record.clips} clips of {record.persons} {persons_of(data)}, every {_ordinal(plan.held_out)} validated on"
        )
    if plan.initial:
        start = f"- Fine-tuned from `{plan.initial}`" + ("." if plan.spiking_rate else ", its spiking part kept.")
        return [start, f"- {who}."]
    return [f"- {who}" + ("; no real recording was used." if data == "simulated camera" else ".")]


def _figures(figures: ValidationFigures) -> list[str]:
    return [
        "Selection and calibration used these too, so expect slightly less on others.",
        "",
        "| what | value |",
        "|---|---|",
        f"| 160 ms windows from reset | {figures.window:.3f} |",
        f"| windows while streaming, every 4 steps | {figures.streaming:.3f} |",
        f"| clips (mean probability over windows) | {figures.clip:.3f} |",
        f"| expected calibration error at temperature {figures.temperature} | {figures.calibration_error:.3f} |",
        f"| spikes for one window | {figures.spikes_per_window:.0f} |",
        "",
        f"Threshold {figures.threshold}: at most 0.2 % of windows with noise alone name a gesture. While streaming, "
        f"`other` is taken to be {OTHER_ODDS:g} times as likely as in training, where each class came as often: before "
        "a camera nobody makes a gesture most of the time.",
        "",
        "Windows by true class (rows) and named class (columns), in the order of the labels:",
        "",
        *_confusion(figures.confusion),
    ]


def _confusion(table: Sequence[Sequence[int]]) -> list[str]:
    head = "| | " + " | ".join(str(i) for i in range(len(LABELS))) + " |"
    rows = [
        f"| {i} {label} | " + " | ".join(str(n) for n in row) + " |"
        for i, (label, row) in enumerate(zip(LABELS, table, strict=True))
    ]
    return [head, "|---" * (len(LABELS) + 1) + "|", *rows]


def _ordinal(number: int) -> str:
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else endings.get(number % 10, 'th')}"
