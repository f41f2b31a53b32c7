"""How a training went: its reports, and their table ``curves.csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from spikebridge.files import write_whole


@dataclass(frozen=True, slots=True)
class Progress:
    """One report.

    update, windows : done so far. loss : mean since the last report. accuracy_window, accuracy_streaming : share of
    right windows of validation persons, from reset and with steps before them. accuracy_clip : share of right clips.
    spikes : of a window, mean over validation. windows_per_s, elapsed_s : while updating, by the clock on the wall, so
    with whatever else the machine did; no measure of what a training costs.
    """

    update: int
    windows: int
    loss: float
    accuracy_window: float
    accuracy_streaming: float
    accuracy_clip: float
    spikes: float
    windows_per_s: float
    elapsed_s: float


def read_curves(path: Path) -> Iterator[dict[str, float]]:
    """The rows of a ``curves.csv``, by the names of ``Progress``."""
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            yield {key: float(value) for key, value in row.items()}


def append_progress(path: Path, progress: Progress) -> None:
    """Adds a row; rows of the same or later updates, from a run that was not resumed, go."""
    new: dict[str, float] = asdict(progress)
    rows = [old for old in read_curves(path) if old["update"] < progress.update] if path.is_file() else []
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(new))
    writer.writeheader()
    writer.writerows([*rows, new])
    write_whole(path, text.getvalue(), fix="free some space and resume")
