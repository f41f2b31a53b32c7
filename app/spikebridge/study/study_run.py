"""The whole study, in parallel processes and resumable: what is done is kept, what was interrupted goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import asdict, dataclass
from pathlib import Path

from spikebridge.contracts import Say
from spikebridge.datasets.dvs_gesture import import_dvs_gesture
from spikebridge.datasets.loader import open_clips
from spikebridge.datasets.plan_file import keep_plan
from spikebridge.datasets.quiet_minutes import KINDS, write_quiet
from spikebridge.datasets.simulated_persons import simulate_set
from spikebridge.datasets.simulated_takes import SimulationPlan
from spikebridge.datasets.worker_pool import worker_pool
from spikebridge.errors import UsageError
from spikebridge.study.cell_run import run_cells, spec_of, windows_done
from spikebridge.study.cells import Budget, Cell, Folders, make_cells, trainings_of
from spikebridge.study.report import write_results
from spikebridge.study.results import About, read_results
from spikebridge.training.training_run import OpenBar

#: The test persons' seed; sets to train on take others.
_TEST_SEED = 880_088
_REFRESH_S = 5.0
_PLAN_NAME = "study.json"


@dataclass(frozen=True, slots=True)
class StudySettings:
    """The options of ``spikebridge paper``.

    out : the study's folder. data, gesture : set of clips, or DVS128 Gesture, to train on; one of them. test : set of
    other persons to measure on; None to simulate some, or for the test subjects of DVS128 Gesture. networks, intervals,
    seeds : of the cells. controls_of : network that gets controls, or None. windows : of each training. test_persons,
    quiet_minutes : to simulate. processes : at the same time. results : folder of tables and figures. command : for the
    report.
    """

    out: Path
    data: Path | None
    gesture: Path | None
    test: Path | None
    networks: tuple[str, ...]
    intervals: tuple[int, ...]
    seeds: tuple[int, ...]
    controls_of: str | None
    windows: int
    test_persons: int
    quiet_minutes: float
    processes: int
    results: Path
    command: str


def run_study(settings: StudySettings, say: Say, open_bar: OpenBar) -> None:
    """Trains and measures all cells that are not done yet, and writes the report after each. say : takes lines for the
    user."""
    if (settings.data is None) == (settings.gesture is None):
        raise UsageError("expected either --data or --dvs-gesture to train on, found both or none; give one.")
    trained_on = open_clips(settings.data or settings.gesture or settings.out)
    out, budget = settings.out, Budget(settings.windows)
    folders = Folders(out / "cells", trained_on.folder, settings.test or out / "test", out / "quiet")
    cells = make_cells(settings.networks, settings.intervals, settings.seeds, settings.controls_of)
    for cell in cells:
        spec_of(cell, budget)
    keep_plan(out / _PLAN_NAME, _plan_record(settings, budget, folders), "a study")
    _prepare(settings, folders)
    about: About = {
        "windows": budget.windows,
        "steps": budget.steps,
        "step_us": budget.step_us,
        "data": _described(settings.data or settings.gesture or out),
        "test": _described(folders.test),
        "command": settings.command,
        "processes": settings.processes,
    }
    trainings, started = trainings_of(cells), time.monotonic()

    def show(done: Sequence[Cell]) -> None:
        for line in write_results(settings.results, read_results(folders, cells), about):
            if any(line.startswith(cell.name) for cell in done):
                say(f"{line}, after {(time.monotonic() - started) / 60:.0f} min")

    with open_bar(len(trainings) * budget.windows, "windows") as advance:
        _run(trainings, budget, folders, settings.processes, show, advance)
    show(())
    say(f"wrote {settings.results}/report.html")


def _run(
    trainings: Sequence[tuple[Cell, ...]],
    budget: Budget,
    folders: Folders,
    processes: int,
    on_done: Callable[[Sequence[Cell]], None],
    on_windows: Callable[[int], None],
) -> None:
    """on_done : told the cells of each training that is done. on_windows : told now and then the windows of all."""
    todo = [cells for cells in trainings if not all(folders.result(cell).is_file() for cell in cells)]
    with worker_pool(processes, "paper") as pool:
        jobs: dict[Future[None], tuple[Cell, ...]] = {pool.submit(run_cells, c, budget, folders): c for c in todo}
        pending = set(jobs)
        while pending:
            done, pending = wait(pending, _REFRESH_S, FIRST_COMPLETED)
            for job in done:
                job.result()
                on_done(jobs[job])
            on_windows(sum(windows_done(cells[0], folders) for cells in trainings))


def _prepare(settings: StudySettings, folders: Folders) -> None:
    """Makes what is measured on and is not there yet: test persons and quiet minutes."""
    if settings.test is None and settings.gesture is not None:
        import_dvs_gesture(settings.gesture, folders.test, "test")
    elif settings.test is None:
        simulate_set(folders.test, settings.test_persons, SimulationPlan(_TEST_SEED), settings.processes)
    write_quiet(folders.quiet, settings.quiet_minutes)


def _plan_record(settings: StudySettings, budget: Budget, folders: Folders) -> dict[str, object]:
    """What must not change between runs into one folder."""
    measured = {"test_persons": settings.test_persons, "quiet": [*KINDS, settings.quiet_minutes]}
    return {**asdict(budget), "data": str(folders.data), **measured}


def _described(folder: Path) -> str:
    """A set by its size rather than by where it lies."""
    clips = open_clips(folder)
    return f"{len(clips.clips)} clips of {len(clips.persons())} persons in {folder.name}"
