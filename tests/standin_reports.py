"""A small report of ``evaluate`` with round numbers."""

from __future__ import annotations

from spikebridge.contracts import LABELS
from spikebridge.evaluation.records import Report


def report(spiking: bool = True) -> Report:
    """Two clips of five persons; the second was named wrongly."""
    costs = {
        "host_us": {"bin": 10.0, "snn": 800.0, "accumulator": 20.0, "ann": 400.0, "decision": 5.0},
        "ann_mj": {"value": 3.2, "provenance": "estimated", "scope": "this host"},
    }
    estimates = {
        "spikes": {"total": 1800.0, "conv1": 1800.0},
        "loihi_cores": 3,
        "loihi_problems": [],
        "loihi_us": {"value": 180.0, "provenance": "estimated"},
        "loihi_dynamic_mj": {"value": 0.0217, "provenance": "estimated"},
        "loihi_static_mj": {"value": 40.8, "provenance": "estimated"},
        "loihi_source": "a model",
    }
    decision = {**costs, **({**estimates, "spikes": {"total": 110.0}} if spiking else {})}
    window = {
        "spikes_across_the_bridge": 900.0,
        "bridge_bytes": {"bitmap": 16384, "address_event": 900.0, "counts": 32768},
        **costs,
        **(estimates if spiking else {}),
    }
    nothing = {"value": None, "interval": None}
    onset = {"n": 5, "missing": 1, "median": 120.0, "p90": None}
    table = [[4 * (row == column) for column in range(len(LABELS))] for row in range(len(LABELS))]
    return {
        "control": "none",
        "summary": {
            "cases": 2,
            "persons": 5,
            "windows": 8,
            "window_accuracy": {"value": 0.75, "interval": [0.6, 0.9]},
            "clip_accuracy": nothing,
            "stream_accuracy": {"value": 0.5, "interval": None},
            "stream_named_right": {"value": 0.5, "interval": None},
            "confusion": table,
            "clip_confusion": table,
            "calibration": {"error": 0.031, "bins": [{"confidence": 0.95, "right": 0.9, "share": 1.0}]},
            "observation": {
                "ms": [10.0, 20.0],
                "right": [0.25, 1.0],
                "named_right": [0.0, 1.0],
                "cases": [2.0, 2.0],
            },
            "onset_to_first_right_ms": onset,
            "onset_to_stable_ms": onset,
            "latency_us": {stage: {"p50": 1.0, "p95": 2.0, "p99": 3.0} for stage in costs["host_us"]},
            "per_window": window,
            "per_decision": decision,
            "quiet": {
                kind: {"minutes": 4.0, "false_gestures": 10, "per_minute": 2.5, "share_of_decisions": 0.1}
                for kind in ("still", "walking in")
            },
        },
        "cases": [
            case("a", "hand_clap", "hand_clap", 3, {"hand_clap": 3, "None": 1}, 0.2),
            case("b_c", "arm_roll", "hand_clap", 1, {"other": 2}, 0.7),
        ],
    }


def case(name: str, label: str, clip: str, right: int, named: dict[str, int], wrong: float):
    return {
        "name": name,
        "label": label,
        "clip": clip,
        "windows_right": right,
        "windows": 4,
        "named": named,
        "highest_wrong_gesture": wrong,
        "first_right_ms": None,
        "stable_ms": None,
    }
