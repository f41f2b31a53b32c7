"""``spikebridge bench``: measures this machine against the figures the program is built for.

Each measure runs in a process of its own (``python -m spikebridge.bench NAME``), so that none warms up or burdens the
next one.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from spikebridge.errors import StageError, UsageError

MEASURES = (
    "latency",
    "lanes",
    "throughput",
    "reading",
    "opening",
    "filters",
    "emulator",
    "drawing",
    "start",
    "memory",
    "overload",
    "camera",
)


@dataclass(frozen=True, slots=True)
class BenchSettings:
    """quick : shorter runs. recordings : folder of recordings to replay, None for simulated ones. model : bundle.
    gigabytes : of the recordings that are opened, None for as many as fit ``quick``."""

    quick: bool
    recordings: Path | None
    model: str
    gigabytes: float | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table. bound : the value to reach, None where there is none. value : None where it could not be
    measured here; ``note`` says why."""

    name: str
    value: float | None
    unit: str
    bound: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def reached(self) -> bool | None:
        if self.bound is None or self.value is None:
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def run_benchmarks(settings: BenchSettings, only: tuple[str, ...], *, as_json: bool) -> None:
    """Runs the measures one after the other and prints a table, or one JSON object ``{"figures": […]}``."""
    if unknown := set(only) - set(MEASURES):
        raise UsageError(f"expected --only to be of {', '.join(MEASURES)}, found {', '.join(sorted(unknown))}.")
    figures: list[Figure] = []
    for name in only or MEASURES:
        Console(stderr=True).print(f"measuring {name} …", style="dim")
        figures += _in_own_process(name, settings)
    if as_json:
        rows = [{**dataclasses.asdict(figure), "reached": figure.reached} for figure in figures]
        sys.stdout.write(json.dumps({"figures": rows}) + "\n")
    else:
        Console().print(_table(figures))
        for figure in figures:
            if figure.note:
                Console().print(f"{figure.name}: {figure.note}", soft_wrap=True, highlight=False)


def _in_own_process(name: str, settings: BenchSettings) -> list[Figure]:
    arguments = json.dumps({**dataclasses.asdict(settings), "recordings": str(settings.recordings or "")})
    child = subprocess.run(
        [sys.executable, "-m", "spikebridge.bench", name, arguments], stdout=subprocess.PIPE, text=True, check=False
    )
    if child.returncode:
        raise StageError("bench", f"expected the measure '{name}' to finish, found exit code {child.returncode}.")
    return [Figure(**row) for row in json.loads(child.stdout.splitlines()[-1])]


def _shown(value: float | None) -> str:
    if value is None:
        return "—"
    return f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"


def _table(figures: list[Figure]) -> Table:
    table = Table("figure", "measured", "unit", "to reach", "")
    for figure in figures:
        bound = "" if figure.bound is None else f"{'≥' if figure.at_least else '≤'} {figure.bound:g}"
        verdict = {None: "", True: "reached", False: "missed"}[figure.reached]
        table.add_row(
            figure.name,
            _shown(figure.value),
            figure.unit,
            bound,
            verdict,
        )
    return table
