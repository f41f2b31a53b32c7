"""Results of a small study with round numbers: two hybrids' intervals, an ordinary network, controls."""

from __future__ import annotations

import copy

from spikebridge.study.results import About, CellResult
from standin_reports import report

ABOUT: About = {
    "windows": 640,
    "steps": 16,
    "step_us": 10_000,
    "data": "99 clips of 9 persons in data",
    "test": "24 clips of 3 persons in test",
    "command": "spikebridge paper out --data data",
    "processes": 2,
}


def result(
    network: str, interval: int, windows: float, *, seed: int = 0, control: str = "none", sized_like: str | None = None
) -> CellResult:
    """A cell whose share of right windows is ``windows``; all else is of ``standin_reports.report``."""
    summary = copy.deepcopy(report(spiking=network != "ann")["summary"])
    summary["window_accuracy"] = {"value": windows, "interval": [round(windows - 0.1, 3), round(windows + 0.1, 3)]}
    summary["clip_accuracy"] = {"value": 0.5, "interval": None}
    if control != "none":
        wanted = ("windows", "window_accuracy", "clip_accuracy")
        summary = {name: summary[name] for name in wanted}
        summary["window_accuracy"] = {"value": windows, "interval": None}
    cell = {"network": network, "interval": interval, "seed": seed, "control": control, "sized_like": sized_like}
    extra = ("" if control == "none" else f"-{control}") + (f"-sized-like-{sized_like}" if sized_like else "")
    return {
        "cell": cell,
        "budget": {"windows": 640, "steps": 16, "step_us": 10_000},
        "training": {"curves": []},
        "parameters": 1000,
        "summary": summary,
        "name": f"{network}{extra}-i{interval}-seed{seed}",
    }


RESULTS = [
    result("s2a4", 4, 0.8),
    result("s2a4", 2, 0.7),
    result("ann", 4, 0.6),
    result("s2a4", 4, 0.55, control="shuffled"),
    result("ann", 4, 0.65, sized_like="s2a4"),
]
