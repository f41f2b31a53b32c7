"""The results of the cells as rows, for CSV and for the report."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from spikebridge.evaluation.records import DecisionCost, Estimate, QuietSummary, Share, Summary
from spikebridge.study.cells import NETWORKS
from spikebridge.study.published import ACCURACY
from spikebridge.study.results import CellResult, is_control, through_the_chain

#: By the names of ``COLUMNS``; None where a figure does not exist.
Row: TypeAlias = dict[str, str | int | float | None]

#: Columns of results.csv and what they hold.
COLUMNS: dict[str, str] = {
    "name": "cell",
    "network": "as on the command line",
    "interval": "I, steps",
    "seed": "of weights, order and augmentation",
    "control": "none, shuffled, accumulated, or sized like another network",
    "parameters": "trained numbers",
    "window_accuracy": "share of 160 ms windows, from reset",
    "window_low": "95 % interval over persons",
    "window_high": "95 % interval over persons",
    "clip_accuracy": "share of clips",
    "clip_low": "95 % interval over persons",
    "clip_high": "95 % interval over persons",
    "stream_accuracy": "share of streaming decisions",
    "published_accuracy": "share of windows on DVS128 Gesture, the paper's",
    "first_right_median_ms": "from the onset",
    "first_right_p90_ms": "from the onset",
    "stable_median_ms": "from the onset",
    "false_per_minute_still": "gestures named while nobody moves",
    "false_per_minute_walking": "gestures named while somebody walks in",
    "calibration_error": "expected, ten bins",
    "spikes_per_window": "all spiking layers",
    "spikes_per_decision": "all spiking layers, streaming",
    "bridge_spikes_per_window": "that cross from Loihi to the ordinary part",
    "bridge_bitmap_bytes": "a window",
    "bridge_address_event_bytes": "a window",
    "bridge_count_bytes": "a window",
    "snn_host_us": "a window, emulator on this host, measured",
    "accumulator_host_us": "a window, this host, measured",
    "ann_host_us": "a decision, ONNX Runtime on this host, measured",
    "loihi_window_us": "a window, cost model, estimated",
    "loihi_dynamic_mj": "a window, cost model, estimated",
    "loihi_dynamic_streaming_mj": "a streaming decision, cost model, estimated",
    "loihi_static_mj": "a window of 160 ms, estimated",
    "ann_host_mj": "a decision, CPU time times assumed watts, estimated",
    "window_ms": "length of a window",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """A network with one interval. rows : of all its seeds."""

    network: str
    interval: int
    rows: tuple[Row, ...]

    def mean(self, column: str) -> float | None:
        """Over the seeds; None where the figure does not exist."""
        values = [value for row in self.rows if isinstance(value := row[column], (int, float))]
        return sum(values) / len(values) if values else None

    def range(self, kind: str) -> tuple[float, float] | None:
        """Of ``window`` or ``clip`` accuracy: over the seeds if there are several, else the interval over persons."""
        columns = [f"{kind}_accuracy"] if len(self.rows) > 1 else [f"{kind}_low", f"{kind}_high"]
        values = [value for row in self.rows for name in columns if isinstance(value := row[name], (int, float))]
        return (min(values), max(values)) if values else None


def settings_of(rows: Sequence[Row]) -> list[Setting]:
    """Rows without controls by network and interval, in the order of the family."""
    groups: dict[tuple[int, int], list[Row]] = {}
    for row in rows:
        groups.setdefault((NETWORKS.index(str(row["network"])), int(str(row["interval"]))), []).append(row)
    return [Setting(NETWORKS[n], interval, tuple(groups[n, interval])) for n, interval in sorted(groups)]


def row_of(result: CellResult) -> Row:
    """One cell as a flat row."""
    cell, accuracy, summary = result["cell"], result["summary"], through_the_chain(result)
    nothing: Row = dict.fromkeys(COLUMNS)
    return {
        **nothing,
        "name": result["name"],
        "network": cell["network"],
        "interval": cell["interval"],
        "seed": cell["seed"],
        "control": cell["control"] if not cell["sized_like"] else f"sized like {cell['sized_like']}",
        "parameters": result["parameters"],
        **_share(accuracy["window_accuracy"], "window"),
        **_share(accuracy["clip_accuracy"], "clip"),
        "published_accuracy": None if is_control(result) else ACCURACY.get((cell["network"], cell["interval"])),
        **(_of_the_chain(summary) if summary else {}),
        "window_ms": result["budget"]["steps"] * result["budget"]["step_us"] / 1000,
    }


def as_csv(rows: Sequence[Row]) -> str:
    """The rows under the names of ``COLUMNS``."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _share(found: Share, kind: str) -> Row:
    low, high = found["interval"] or (None, None)
    return {f"{kind}_accuracy": found["value"], f"{kind}_low": low, f"{kind}_high": high}


def _of_the_chain(summary: Summary) -> Row:
    """What only a bundle that runs has."""
    window, decision = summary["per_window"], summary["per_decision"]
    bridge, host, quiet = window["bridge_bytes"], window["host_us"], summary.get("quiet", {})
    onset, stable = summary["onset_to_first_right_ms"], summary["onset_to_stable_ms"]
    return {
        "stream_accuracy": summary["stream_accuracy"]["value"],
        "first_right_median_ms": onset["median"],
        "first_right_p90_ms": onset["p90"],
        "stable_median_ms": stable["median"],
        "false_per_minute_still": _per_minute(quiet, "still"),
        "false_per_minute_walking": _per_minute(quiet, "walking in"),
        "calibration_error": summary["calibration"]["error"],
        "spikes_per_window": _spikes(window),
        "spikes_per_decision": _spikes(decision),
        "bridge_spikes_per_window": window["spikes_across_the_bridge"],
        "bridge_bitmap_bytes": bridge["bitmap"],
        "bridge_address_event_bytes": bridge["address_event"],
        "bridge_count_bytes": bridge["counts"],
        "snn_host_us": host["snn"],
        "accumulator_host_us": host["accumulator"],
        "ann_host_us": host["ann"],
        "loihi_window_us": _value(window.get("loihi_us")),
        "loihi_dynamic_mj": _value(window.get("loihi_dynamic_mj")),
        "loihi_dynamic_streaming_mj": _value(decision.get("loihi_dynamic_mj")),
        "loihi_static_mj": _value(window.get("loihi_static_mj")),
        "ann_host_mj": window["ann_mj"]["value"],
    }


def _value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate["value"]


def _spikes(cost: DecisionCost) -> float | None:
    return cost["spikes"]["total"] if "spikes" in cost else None


def _per_minute(quiet: Mapping[str, QuietSummary], kind: str) -> float | None:
    return quiet[kind]["per_minute"] if kind in quiet else None
