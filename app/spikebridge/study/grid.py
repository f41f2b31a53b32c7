"""All cells of a study, in parallel processes, resumable: what is done is kept, what was interrupted goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict
from pathlib import Path
from typing import Any

from spikebridge.datasets.dvs_gesture import import_dvs_gesture
from spikebridge.datasets.loader import open_clips
from spikebridge.datasets.quiet_minutes import KINDS, write_quiet
from spikebridge.datasets.simulated_persons import Plan as SimulationPlan
from spikebridge.datasets.simulated_persons import simulate_set
from spikebridge.datasets.worker_pool import worker_pool
from spikebridge.study.cells import Budget, Cell, Folders, run_cells, windows_done

#: The test persons' seed; sets to train on take others.
_TEST_SEED = 880_088
_REFRESH_S = 5.0
PLAN_NAME = "study.json"


def make_cells(
    networks: Sequence[str], intervals: Sequence[int], seeds: Sequence[int], controls_of: str | None
) -> list[Cell]:
    """Networks times intervals times seeds, and the controls of one of the networks at the middle interval."""
    cells = [Cell(network, interval, seed) for seed in seeds for interval in intervals for network in networks]
    if controls_of:
        interval = sorted(intervals)[len(intervals) // 2]
        for seed in seeds:
            cells += [
                Cell(controls_of, interval, seed, "shuffled"),
                Cell(controls_of, interval, seed, "accumulated"),
                Cell("ann", interval, seed, sized_like=controls_of),
            ]
    return cells


def tasks_of(cells: Sequence[Cell]) -> list[tuple[Cell, ...]]:
    """Cells that share one training, longest first: a pure SNN learns the same whatever the interval, whose counts its
    last part adds up."""
    groups: dict[Any, list[Cell]] = {}
    for cell in cells:
        key = (cell.network, cell.seed) if cell.network == "snn" and not cell.is_control else cell
        groups.setdefault(key, []).append(cell)
    order = {"snn": 9, "ann": 0}
    return sorted(
        (tuple(group) for group in groups.values()),
        key=lambda group: (
            -order.get(group[0].network, int(group[0].network[1]) if group[0].network[1:2].isdigit() else 0)
        ),
    )


def prepare(folders: Folders, test_persons: int, quiet_minutes: float, gesture: Path | None, workers: int) -> None:
    """Makes what is measured on as far as it is not there: test persons, quiet minutes."""
    if gesture is not None:
        import_dvs_gesture(gesture, folders.test, "test")
    elif not any(folders.test.glob("*.npy")) or (folders.test / "plan.json").is_file():
        simulate_set(folders.test, test_persons, SimulationPlan(_TEST_SEED), workers)
    write_quiet(folders.quiet, quiet_minutes)
    open_clips(folders.data)


def run_study(
    tasks: Sequence[tuple[Cell, ...]],
    budget: Budget,
    folders: Folders,
    processes: int,
    on_done: Callable[[tuple[Cell, ...]], None],
    on_windows: Callable[[int], None],
) -> None:
    """Runs the tasks; ``on_done`` after each, ``on_windows`` now and then with the windows trained on in all."""
    todo = [task for task in tasks if not all(folders.result(cell).is_file() for cell in task)]
    with worker_pool(processes, "paper") as pool:
        jobs: dict[Future[None], tuple[Cell, ...]] = {pool.submit(run_cells, t, budget, folders): t for t in todo}
        pending = set(jobs)
        while pending:
            done, pending = wait(pending, _REFRESH_S, FIRST_COMPLETED)
            for job in done:
                job.result()
                on_done(jobs[job])
            on_windows(sum(windows_done(task[0], folders) for task in tasks))


def read_results(folders: Folders, cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Results of the cells that are done."""
    done = [json.loads(folders.result(cell).read_text()) for cell in cells if folders.result(cell).is_file()]
    return [{**result, "name": Cell(**result["cell"]).name} for result in done]


def plan_record(budget: Budget, data: Path, test_persons: int, quiet_minutes: float) -> dict[str, Any]:
    """What must not change between runs into one folder."""
    return {**asdict(budget), "data": str(data), "test_persons": test_persons, "quiet": [*KINDS, quiet_minutes]}
