"""Sets of simulated persons: a shard of clips for each person, made in parallel, reproducible from one seed.

    OUT/plan.json            what the set was made with: seed, takes by each person, their length, ranges, simulator
    OUT/person-00000.npy     events of one person's clips, and OUT/person-00000.json, their list (see ``clips``)

A person's shard depends on the plan and on the person's number alone, not on how many persons or processes there are.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from spikebridge.contracts import LABELS
from spikebridge.datasets.clips import PLAN_NAME, write_shard
from spikebridge.datasets.plan_file import keep_plan
from spikebridge.datasets.simulated_takes import SimulationPlan, Take, clips_of, simulate_person
from spikebridge.datasets.worker_pool import end_with_parent, worker_pool
from spikebridge.errors import UsageError
from spikebridge.events import Sensor
from spikebridge.files import remove_leftovers
from spikebridge.recordings.aedat.aedat4_writing import Aedat4Writer
from spikebridge.recordings.labels import Span, labels_path, write_labels

_PACKET_EVENTS = 4096


def simulate_set(
    folder: Path,
    persons: int,
    plan: SimulationPlan,
    workers: int | None = None,
    recordings: bool = False,
    on_person: Callable[[int], None] = lambda _: None,
) -> None:
    """Makes the shards of persons ``0 … persons - 1`` that are not there yet.

    workers : processes; None for one on each core. recordings : whether every take is also written as AEDAT4 with its
    labels, below ``folder/recordings``. on_person : gets the number of persons that are there, at first and after each.
    Raises UsageError when the folder holds a set made with another plan or simulator, InputError when it can't be
    written to.
    """
    open_folder(folder, plan)
    todo = [n for n in range(persons) if not _is_done(folder, n, recordings)]
    done = persons - len(todo)
    on_person(done)
    if not todo:
        return
    with worker_pool(min(workers or os.cpu_count() or 1, len(todo)), "simulate") as pool:
        jobs: list[Future[None]] = [pool.submit(simulate_shard, folder, n, plan, recordings) for n in todo]
        for job in as_completed(jobs):
            job.result()
            done += 1
            on_person(done)


@contextmanager
def simulating(folder: Path, plan: SimulationPlan, at_least: int, at_most: int) -> Iterator[None]:
    """Makes persons in another process for as long as the context lasts, which begins when ``at_least`` are there.

    When a training sees which persons depends on the machine then; the persons themselves do not.
    """
    open_folder(folder, plan)
    process = get_context("spawn").Process(target=_simulate_shards, args=(folder, plan, at_most), daemon=True)
    process.start()
    try:
        while len(list(folder.glob("person-*.json"))) < at_least:
            process.join(0.2)
            if process.exitcode:
                # The same again in this process, where its error reaches the caller.
                simulate_set(folder, at_least, plan, workers=1)
        yield
    finally:
        process.terminate()
        process.join()
        remove_leftovers(folder, older_than_s=0)


def _simulate_shards(folder: Path, plan: SimulationPlan, persons: int) -> None:
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the training, which then ends this process
    for person in range(persons):
        if not _is_done(folder, person, recordings=False):
            simulate_shard(folder, person, plan)


def simulate_shard(folder: Path, person: int, plan: SimulationPlan, recordings: bool = False) -> None:
    """Writes one person's clips as a shard, and, if wanted, the takes as recordings."""
    takes = list(simulate_person(person, plan))
    if recordings:
        for number, take in enumerate(takes):
            _write_recording(folder / "recordings" / _name(person), number, take)
    write_shard(folder, _name(person), (clip for take in takes for clip in clips_of(take)))


def open_folder(folder: Path, plan: SimulationPlan) -> None:
    """Makes the folder for a set of this plan, or finds one; raises UsageError when another set is there."""
    path = folder / PLAN_NAME
    if not path.is_file() and any(folder.glob("*.npy")):
        raise UsageError(f"expected no clips or a {PLAN_NAME} in {folder}, found clips alone; take another.")
    keep_plan(path, plan.record(), "a set")
    remove_leftovers(folder)


def _write_recording(folder: Path, number: int, take: Take) -> None:
    path = folder / f"{number:03d}-{LABELS[take.label]}.aedat4"
    with Aedat4Writer(path, Sensor(128, 128, "Simulated DVS")) as writer:
        for begin in range(0, take.events.size, _PACKET_EVENTS):
            writer.write(take.events[begin : begin + _PACKET_EVENTS])
    spans = [Span(LABELS.index(s.label), s.t_start_us, s.t_stop_us) for s in take.spans if s.label]
    write_labels(labels_path(path), spans or [Span(take.label, 0, take.duration_us)])


def _is_done(folder: Path, person: int, recordings: bool) -> bool:
    # The list of clips is written last: what was asked for together with it is there as well.
    return (folder / f"{_name(person)}.json").is_file() and (
        not recordings or (folder / "recordings" / _name(person)).is_dir()
    )


def _name(person: int) -> str:
    return f"person-{person:05d}"
