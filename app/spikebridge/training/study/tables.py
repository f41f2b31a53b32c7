"""The results of the cells as rows, for CSV, JSON and the report."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from spikebridge.training.study.published import ACCURACY

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
    "bridge_spikes_per_window": "that cross from Loihi to the ordinary part",
    "bridge_bitmap_bytes": "a window",
    "bridge_address_event_bytes": "a window",
    "bridge_count_bytes": "a window",
    "snn_host_us": "a window, emulator on this host, measured",
    "accumulator_host_us": "a window, this host, measured",
    "ann_host_us": "a decision, ONNX Runtime on this host, measured",
    "loihi_window_us": "a window, cost model, estimated",
    "loihi_dynamic_mj": "a window, cost model, estimated",
    "loihi_static_mj": "a window of 160 ms, estimated",
    "ann_host_mj": "a decision, CPU time times assumed watts, estimated",
    "training_minutes": "on one core",
}


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
        "bridge_spikes_per_window": window.get("spikes_across_the_bridge"),
        "bridge_bitmap_bytes": bridge.get("bitmap"),
        "bridge_address_event_bytes": bridge.get("address_event"),
        "bridge_count_bytes": bridge.get("counts"),
        "snn_host_us": host.get("snn"),
        "accumulator_host_us": host.get("accumulator"),
        "ann_host_us": host.get("ann"),
        "loihi_window_us": at("per_window", "loihi_window_us", "value"),
        "loihi_dynamic_mj": at("per_window", "loihi_dynamic_mj", "value"),
        "loihi_static_mj": at("per_window", "loihi_static_mj", "value"),
        "ann_host_mj": at("per_window", "ann_mj", "value"),
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
