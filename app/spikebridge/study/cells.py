"""The cells of the study: a network with one interval and one seed each, and controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spikebridge.errors import UsageError
from spikebridge.evaluation.controls import Control

#: The family, by the number of spiking layers and so by how long a training lasts.
NETWORKS = ("ann", "s1a5", "s2a4", "s3a3", "s4a2", "s5a1", "s6a0", "snn")


@dataclass(frozen=True, slots=True)
class Budget:
    """What every cell gets, so that they can be compared. windows : trained on. steps, step_us : T, and length of a
    step."""

    windows: int
    steps: int = 16
    step_us: int = 10_000


@dataclass(frozen=True, slots=True)
class Cell:
    """One network to train and measure.

    network : as on the command line. interval : I of the accumulator. control : see ``evaluation.controls``.
    sized_like : for an ordinary network, another one whose number of parameters it gets by a wider head, for a
    comparison at equal size.
    """

    network: str
    interval: int
    seed: int
    control: Control = "none"
    sized_like: str | None = None

    @property
    def name(self) -> str:
        extra = "" if self.control == "none" else f"-{self.control}"
        size = f"-sized-like-{self.sized_like}" if self.sized_like else ""
        return f"{self.network}{extra}{size}-i{self.interval}-seed{self.seed}"

    @property
    def is_control(self) -> bool:
        """Whether it is there to compare with, not to be compared."""
        return self.control != "none" or self.sized_like is not None


@dataclass(frozen=True, slots=True)
class Folders:
    """cells : results, one folder each. data : clips to train on. test, quiet : persons never trained on, and minutes
    in which nobody makes a gesture."""

    cells: Path
    data: Path
    test: Path
    quiet: Path

    def of(self, cell: Cell) -> Path:
        return self.cells / cell.name

    def result(self, cell: Cell) -> Path:
        return self.of(cell) / "result.json"


def make_cells(
    networks: Sequence[str], intervals: Sequence[int], seeds: Sequence[int], controls_of: str | None
) -> list[Cell]:
    """Networks times intervals times seeds, and controls of ``controls_of`` at the middle interval.

    Raises UsageError for a network that is not of the family.
    """
    for name in (*networks, *([controls_of] if controls_of else ())):
        if name not in NETWORKS:
            raise UsageError(f"expected networks among {', '.join(NETWORKS)}, found '{name}'.")
    cells = [Cell(network, interval, seed) for seed in seeds for interval in intervals for network in networks]
    if controls_of:
        interval = sorted(intervals)[len(intervals) // 2]
        for seed in seeds:
            cells += [
                Cell(controls_of, interval, seed, "shuffled"),
                Cell(controls_of, interval, seed, "accumulated"),
                Cell("ann", interval, seed, sized_like=controls_of),
            ]
    return list(dict.fromkeys(cells))


def trainings_of(cells: Sequence[Cell]) -> list[tuple[Cell, ...]]:
    """Cells that share a training, those with the longest first.

    A pure SNN learns the same whatever the interval, since its last part adds the intervals up again.
    """
    groups: dict[tuple[str, int] | Cell, list[Cell]] = {}
    for cell in cells:
        shared = cell.network == "snn" and not cell.is_control
        groups.setdefault((cell.network, cell.seed) if shared else cell, []).append(cell)
    return sorted((tuple(group) for group in groups.values()), key=lambda group: -NETWORKS.index(group[0].network))
