"""The results of the cells as rows, for CSV, JSON and the report."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spikebridge.study.published import ACCURACY

#: Columns of results.csv: name, unit or meaning.
COLUMNS: dict[str, str] = {
    "name": "cell",
    "network": "as on the command line",
    "interval": "I, steps",
    "seed": "of weights, order and augmentation",
    "control": "none, shuffled or accumulated",
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
    "training_minutes": "on one core",
}
#: Networks in the order of the figures.
_ORDER = ("ann", "s1a5", "s2a4", "s3a3", "s4a2", "s5a1", "s6a0", "snn")


@dataclass(frozen=True, slots=True)
class Setting:
    """A network with one interval; ``rows`` of all its seeds."""

    network: str
    interval: int
    rows: tuple[dict[str, Any], ...]

    def __getitem__(self, column: str) -> Any:
        """Mean over the seeds; None where the figure does not exist."""
        values = [row[column] for row in self.rows if row[column] is not None]
        return sum(values) / len(values) if values else None

    def range(self, kind: str) -> tuple[float, float] | None:
        """Of ``window`` or ``clip`` accuracy: over the seeds if there are several, else the interval over persons."""
        if len(self.rows) > 1:
            values = [row[f"{kind}_accuracy"] for row in self.rows]
            return min(values), max(values)
        low, high = (self.rows[0][f"{kind}_{side}"] for side in ("low", "high"))
        return None if low is None else (low, high)


def settings_of(rows: Sequence[dict[str, Any]]) -> list[Setting]:
    """Rows without controls by network and interval, in the order of the figures."""
    keys = sorted({(_ORDER.index(row["network"]), row["interval"]) for row in rows})
    return [
        Setting(_ORDER[n], interval, tuple(r for r in rows if (r["network"], r["interval"]) == (_ORDER[n], interval)))
        for n, interval in keys
    ]


def row_of(result: dict[str, Any]) -> dict[str, Any]:
    """One cell as a flat row; None where a figure does not exist for it."""
    cell, summary = result["cell"], result["summary"]
    window = summary.get("per_window", {})
    bridge, host, quiet = window.get("bridge_bytes", {}), window.get("host_us", {}), summary.get("quiet", {})
    published = None if result_is_control(result) else ACCURACY.get((cell["network"], cell["interval"]))

    def at(*path: str) -> Any:
        value: Any = summary
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def bound(key: str, side: int) -> float | None:
        interval = at(key, "interval")
        return None if interval is None else float(interval[side])

    return {
        "name": result["name"],
        "network": cell["network"],
        "interval": cell["interval"],
        "seed": cell["seed"],
        "control": cell["control"] if not cell["sized_like"] else f"sized like {cell['sized_like']}",
        "parameters": result["parameters"],
        "window_accuracy": at("window_accuracy", "value"),
        "window_low": bound("window_accuracy", 0),
        "window_high": bound("window_accuracy", 1),
        "clip_accuracy": at("clip_accuracy", "value"),
        "clip_low": bound("clip_accuracy", 0),
        "clip_high": bound("clip_accuracy", 1),
        "stream_accuracy": at("stream_accuracy", "value"),
        "published_accuracy": published,
        "first_right_median_ms": at("onset_to_first_right_ms", "median"),
        "first_right_p90_ms": at("onset_to_first_right_ms", "p90"),
        "stable_median_ms": at("onset_to_stable_ms", "median"),
        "false_per_minute_still": quiet.get("still", {}).get("per_minute"),
        "false_per_minute_walking": quiet.get("walking in", {}).get("per_minute"),
        "calibration_error": at("calibration", "error"),
        "spikes_per_window": at("per_window", "spikes", "total"),
        "spikes_per_decision": at("per_decision", "spikes", "total"),
        "bridge_spikes_per_window": window.get("spikes_across_the_bridge"),
        "bridge_bitmap_bytes": bridge.get("bitmap"),
        "bridge_address_event_bytes": bridge.get("address_event"),
        "bridge_count_bytes": bridge.get("counts"),
        "snn_host_us": host.get("snn"),
        "accumulator_host_us": host.get("accumulator"),
        "ann_host_us": host.get("ann"),
        "loihi_window_us": at("per_window", "loihi_us", "value"),
        "loihi_dynamic_mj": at("per_window", "loihi_dynamic_mj", "value"),
        "loihi_dynamic_streaming_mj": at("per_decision", "loihi_dynamic_mj", "value"),
        "loihi_static_mj": at("per_window", "loihi_static_mj", "value"),
        "ann_host_mj": at("per_window", "ann_mj", "value"),
        "window_ms": result["budget"]["steps"] * result["budget"]["step_us"] / 1000,
        "training_minutes": result["training"]["minutes"],
    }


def result_is_control(result: dict[str, Any]) -> bool:
    """Whether the cell is there to compare with, not to be compared."""
    return result["cell"]["control"] != "none" or result["cell"]["sized_like"] is not None


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """The rows under the names of ``COLUMNS``."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
