"""The part of a model card on what the network was never trained on: reports of ``evaluate`` as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from spikebridge.errors import InputError
from spikebridge.evaluation.records import DecisionCost, Report, Share, Times
from spikebridge.files import write_whole

#: Where this part of a card begins and ends.
HEADING = "## Real recordings (a gate, never training data)"
_END = "Licence:"


def rewrite_card(path: Path, sections: Iterable[list[str]]) -> None:
    """Puts the sections in the place of this part of the card at ``path``; raises InputError where it has none."""
    try:
        card = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"expected a model card at {path}, found: {error.strerror}; name a bundle's folder."
        ) from error
    before, heading, after = card.partition(HEADING)
    _, end, licence = after.rpartition(_END)
    if not heading or not end:
        raise InputError(f"expected a model card written by 'export' at {path}, found another text; export it again.")
    body = "\n\n".join("\n".join(lines) for lines in sections)
    write_whole(path, f"{before}{body}\n\n{end}{licence}", what="the model card")


def recordings_section(report: Report, notes: Iterable[str]) -> list[str]:
    """report : on real recordings. notes : lines below the table."""
    lines = [
        HEADING,
        "Label of the whole clip, its 160 ms windows that are right, how often each gesture was named while streaming "
        "('nothing': below the threshold), and the highest probability that any other gesture ever had.",
        "",
        "| clip | named | windows right | named while streaming | highest other |",
        "|---|---|---|---|---|",
    ]
    for case in report["cases"]:
        decisions = sum(case["named"].values())
        named = sorted(case["named"].items(), key=lambda item: -item[1])
        shares = ", ".join(f"{_words(label)} {100 * n / decisions:.0f}%" for label, n in named)
        clip = case["clip"] if case["clip"] == case["label"] else f"**{case['clip']}**"
        lines.append(
            f"| {_words(case['name'])} | {_words(clip)} | {case['windows_right']} of {case['windows']} | {shares} "
            f"| {case['highest_wrong_gesture']:.2f} |"
        )
    return [*lines, *(f"\n{note}" for note in notes)]


def persons_section(report: Report, notes: Iterable[str]) -> list[str]:
    """report : on simulated persons never seen, with quiet minutes. notes : lines below the table."""
    found = report["summary"]
    window, decision = found["per_window"], found["per_decision"]
    rows = [
        ("160 ms windows", _share(found["window_accuracy"])),
        ("clips", _share(found["clip_accuracy"])),
        ("share of streaming decisions that name the right gesture", _share(found["stream_named_right"])),
        ("onset to the first right decision, median / 90 %", _times(found["onset_to_first_right_ms"])),
        ("onset to the stable decision, median / 90 %", _times(found["onset_to_stable_ms"])),
        ("expected calibration error", f"{found['calibration']['error']:.3f}"),
    ]
    if "spikes" in window:
        sizes = window["bridge_bytes"]
        rows += [
            ("spikes for a window / a streaming decision", f"{_total(window):.0f} / {_total(decision):.0f}"),
            (
                "bytes across the bridge for a window: bitmap / address-event / counts",
                f"{sizes['bitmap']} / {sizes['address_event']:.0f} / {sizes['counts']}",
            ),
            *(
                (f"Loihi 1, estimated, for {name}: dynamic / static", _loihi(costs))
                for name, costs in (("a window", window), ("a streaming decision", decision))
            ),
        ]
    rows += [
        (f"false gestures a minute, {kind.replace('_', ' ')}", f"{quiet['per_minute']:g} in {quiet['minutes']:g} min")
        for kind, quiet in found.get("quiet", {}).items()
    ]
    return [
        "## Simulated persons never seen in training or selection",
        f"{found['persons']} persons, {found['cases']} clips, {found['windows']} windows; 95 % intervals over persons.",
        "",
        "| what | value |",
        "|---|---|",
        *(f"| {what} | {value} |" for what, value in rows),
        *(f"\n{note}" for note in notes),
    ]


def realism_section(table: str, notes: Iterable[str]) -> list[str]:
    """table : as 'realism' prints it. notes : lines below it."""
    return [
        "## The simulated camera beside a real one",
        "Medians and 5 to 95 %, below them those of real clips where there are some (`spikebridge realism`).",
        "",
        table.strip(),
        *(f"\n{note}" for note in notes),
    ]


def _words(label: str) -> str:
    return "nothing" if label == "None" else label.replace("_", " ")


def _share(share: Share) -> str:
    if share["value"] is None:
        return "–"
    low, high = share["interval"] or (None, None)
    return f"{share['value']:.3f}" + ("" if low is None else f" ({low:.3f}–{high:.3f})")


def _times(times: Times) -> str:
    never = f" ({times['missing']} of {times['n']} never)" if times["missing"] else ""
    median, late = ("–" if time is None else f"{time:.0f}" for time in (times["median"], times["p90"]))
    return f"{median} / {late} ms{never}"


def _total(costs: DecisionCost) -> float:
    return costs["spikes"]["total"]


def _loihi(costs: DecisionCost) -> str:
    dynamic, static = costs["loihi_dynamic_mj"]["value"], costs["loihi_static_mj"]["value"]
    return f"{1e3 * dynamic:.3g} µJ / {static:.3g} mJ"
