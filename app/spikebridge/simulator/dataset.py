"""Data sets of simulated persons: one compressed file per person, made in parallel, reproducible from one seed.

OUT/dataset.json        seed, persons, clips per person, duration, labels, ranges, format version
OUT/person_0000.npz     t (E,) uint32 µs from the clip's start, x, y (E,) uint8 px, p (E,) uint8 (ON = 1),
                        offsets (C+1,) int64: clip c holds events [offsets[c], offsets[c + 1]),
                        label (C,) int8 index into the labels, seed (C,) int64, person () int64,
                        start_us, stop_us (C,) int32: the gesture lasts over [start_us, stop_us)
"""

from __future__ import annotations

import json
import multiprocessing
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spikebridge.contracts import LABELS
from spikebridge.errors import InputError, UsageError
from spikebridge.simulator.body import between
from spikebridge.simulator.camera import simulate_clip
from spikebridge.simulator.ranges import DEFAULT_RANGES, Ranges

FORMAT_VERSION = 1
#: (persons done, persons in all) after each person.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class DatasetPlan:
    """What a data set holds; equal plans give equal events on any number of workers."""

    persons: int
    clips_per_person: int
    seed: int
    duration_us: int
    ranges: Ranges = DEFAULT_RANGES

    def as_json(self) -> dict[str, Any]:
        return {"version": FORMAT_VERSION, "labels": list(LABELS), **asdict(self)}


def simulate_dataset(
    out: Path | str, persons: int, clips_per_person: int, seed: int, workers: int | None = None,
    duration_us: int = 1_450_000, ranges: Ranges = DEFAULT_RANGES, progress: Progress | None = None,
) -> Path:  # fmt: skip
    """Writes the data set into folder ``out`` and returns it; takes up an interrupted one with the same plan.

    A clip's label is its number modulo the labels, so that every person performs each of them equally often.
    workers : processes, None for one per core.
    """
    if persons < 1 or clips_per_person < 1 or duration_us < 1:
        raise UsageError(
            f"Expected at least one person, clip and µs, found {persons}, {clips_per_person} and {duration_us}; "
            "give positive numbers."
        )
    out, plan = Path(out), DatasetPlan(persons, clips_per_person, seed, duration_us, ranges)
    _open_folder(out, plan)
    todo = [(out, plan, person) for person in range(persons) if not person_file(out, person).exists()]
    done = persons - len(todo)
    n_workers = max(1, min(workers or os.cpu_count() or 1, len(todo)))
    if n_workers == 1:
        for task in todo:
            _write_person(task)
            done += 1
            if progress:
                progress(done, persons)
        return out
    # spawn: a fork would copy the threads' locks of whoever calls, Qt's and numba's among them.
    with multiprocessing.get_context("spawn").Pool(n_workers) as pool:
        for _ in pool.imap_unordered(_write_person, todo):
            done += 1
            if progress:
                progress(done, persons)
    return out


def person_file(folder: Path, person: int) -> Path:
    """Where the clips of one person lie."""
    return folder / f"person_{person:04d}.npz"


def read_plan(folder: Path | str) -> dict[str, Any]:
    """The contents of ``dataset.json``."""
    path = Path(folder) / "dataset.json"
    try:
        plan: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"Expected a simulated data set in {folder}, found no readable {path.name}: {error}."
        ) from error
    if plan.get("version") != FORMAT_VERSION:
        raise InputError(
            f"Expected data set version {FORMAT_VERSION} in {folder}, found {plan.get('version')}; simulate it again."
        )
    return plan


def _open_folder(out: Path, plan: DatasetPlan) -> None:
    wanted = json.loads(json.dumps(plan.as_json()))
    try:
        out.mkdir(parents=True, exist_ok=True)
        if (out / "dataset.json").exists():
            if read_plan(out) != wanted:
                raise UsageError(
                    f"Expected an empty folder or the same data set in {out}, found another; choose a new one."
                )
            return
        if any(out.glob("person_*.npz")):
            raise UsageError(f"Expected an empty folder, found clips without dataset.json in {out}; choose a new one.")
        _write(out / "dataset.json", lambda file: file.write(json.dumps(wanted, indent=1).encode()))
    except OSError as error:
        raise UsageError(f"Expected a folder to write to, found {out}: {error.strerror}; choose another.") from error


def _write(path: Path, write: Callable[[Any], object]) -> None:
    """All or nothing: into a neighbouring file, then renamed."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _write_person(task: tuple[Path, DatasetPlan, int]) -> int:
    out, plan, person = task
    arrays = simulate_person(plan, person)
    try:
        _write(person_file(out, person), lambda file: np.savez_compressed(file, **arrays))
    except OSError as error:
        raise InputError(
            f"Expected room for {person_file(out, person)}, found: {error.strerror}; free some and run it again."
        ) from error
    return person


def simulate_person(plan: DatasetPlan, person: int) -> dict[str, Any]:
    """All clips of one person as the arrays of the file (see the module)."""
    rng = np.random.default_rng([plan.seed, person])
    person_seed = int(rng.integers(2**31))
    clips, starts, stops = [], [], []
    seeds = rng.integers(2**31, size=plan.clips_per_person)
    for number, seed in enumerate(seeds):
        label = LABELS[(number + person * plan.clips_per_person) % len(LABELS)]
        delayed = rng.random() < plan.ranges.onset_share
        after = between(rng, plan.ranges.onset_after_s)
        onset_us = int(min(after, 0.5e-6 * plan.duration_us) * 1e6) if delayed else None
        events, spans = simulate_clip(label, int(seed), plan.duration_us, person_seed, onset_us, plan.ranges)
        span = next((s for s in spans if s.label == label), None)
        starts.append(span.t_start_us if span else plan.duration_us)
        stops.append(span.t_stop_us if span else plan.duration_us)
        clips.append(events)
    merged = np.concatenate(clips)
    return {
        "t": merged["t"].astype(np.uint32),
        "x": merged["x"].astype(np.uint8),
        "y": merged["y"].astype(np.uint8),
        "p": merged["polarity"],
        "offsets": np.cumsum([0, *(clip.size for clip in clips)]).astype(np.int64),
        "label": ((np.arange(seeds.size) + person * plan.clips_per_person) % len(LABELS)).astype(np.int8),
        "seed": seeds.astype(np.int64),
        "start_us": np.array(starts, np.int32),
        "stop_us": np.array(stops, np.int32),
        "person": np.int64(person),
    }
