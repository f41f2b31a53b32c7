"""Sets of simulated persons: reproducible and resumable."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from spikebridge.contracts import LABELS
from spikebridge.datasets import simulated_takes, worker_pool
from spikebridge.datasets.clips import PLAN_NAME, ClipSet
from spikebridge.datasets.simulated_persons import simulate_set
from spikebridge.datasets.simulated_takes import ROUND, SimulationPlan
from spikebridge.errors import InputError, UsageError
from spikebridge.recordings import open_recording
from spikebridge.recordings.labels import labels_path, read_labels
from spikebridge.simulator.ranges import DEFAULT_RANGES
from standin_clips import HerePool

SMALL = SimulationPlan(seed=9, clips=3, duration_us=800_000)
OTHER = LABELS.index("other")


def make(folder: Path, plan: SimulationPlan = SMALL, persons: int = 2, **settings) -> Path:
    simulate_set(folder, persons, plan, **{"workers": 1, **settings})
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("person-*"))}


@pytest.fixture
def inline(monkeypatch):
    """Persons made in this process, so that what a test puts in place holds for them."""
    monkeypatch.setattr(worker_pool, "ProcessPoolExecutor", HerePool)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return make(tmp_path_factory.mktemp("set"), workers=2)


def test_persons_take_the_gestures_in_turn(folder):
    clips = ClipSet(folder)
    assert clips.persons() == [0, 1]
    performed = [[c.label for _, c in clips.clips if c.person == person] for person in (0, 1)]
    assert [label for label in performed[0] if label != OTHER] == list(ROUND[:3])
    assert [label for label in performed[1] if label != OTHER] == list(ROUND[3:6])
    for rows, clip in clips.clips:
        times = rows[clip.begin : clip.end, 0].astype(int)
        assert np.all(np.diff(times) >= 0)
        assert times.max(initial=0) < clip.ticks <= 8000
        assert 0 <= clip.onset < clip.ticks


def test_same_bytes_whoever_makes_them(folder, tmp_path, inline):
    """Two processes or one, two persons or three: a person stays the same."""
    again = contents(make(tmp_path, persons=3))
    assert contents(folder) == {name: again[name] for name in contents(folder)}
    assert len(again) == 6


def test_an_interrupted_set_is_taken_up(tmp_path, inline):
    make(tmp_path)
    before = contents(tmp_path)
    kept = (tmp_path / "person-00000.npy").stat().st_mtime_ns
    (tmp_path / "person-00001.json").unlink()
    (tmp_path / ".spikebridge-0.part").write_bytes(b"[{")
    os.utime(tmp_path / ".spikebridge-0.part", (0, 0))
    done: list[int] = []
    make(tmp_path, on_person=done.append)
    assert done == [1, 2]
    assert contents(tmp_path) == before
    assert (tmp_path / "person-00000.npy").stat().st_mtime_ns == kept
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("place", ["person-00000.npy", "person-00000.json"])
def test_a_full_disk_leaves_nothing_half_written(tmp_path, monkeypatch, inline, place):
    replace = Path.replace

    def full(self, target):
        if Path(target).name == place:
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match="No space left"):
        make(tmp_path, persons=1)
    assert [path.name for path in tmp_path.iterdir()] == [PLAN_NAME]


def test_another_plan_in_the_same_folder_is_refused(tmp_path, inline, monkeypatch):
    make(tmp_path, persons=1)
    with pytest.raises(UsageError, match="found other seed, duration_us;"):
        make(tmp_path, dataclasses.replace(SMALL, seed=10, duration_us=900_000))
    monkeypatch.setattr(simulated_takes, "_fingerprint", lambda: "another")
    with pytest.raises(UsageError, match="found other simulator;"):
        make(tmp_path)


def test_folders_that_hold_something_else_are_refused(tmp_path):
    (tmp_path / "clips.npy").write_bytes(b"")
    with pytest.raises(UsageError, match=PLAN_NAME):
        make(tmp_path)
    (tmp_path / PLAN_NAME).write_text("{")
    with pytest.raises(InputError, match=r"expected a folder for a set"):
        make(tmp_path)
    with pytest.raises(InputError, match=r"expected a folder for a set"):
        make(tmp_path / PLAN_NAME)


def test_the_plan_says_what_was_drawn_from(folder):
    plan = json.loads((folder / PLAN_NAME).read_text())
    assert plan["seed"] == 9
    assert plan["labels"] == list(LABELS)
    assert plan["ranges"]["wave"]["hz"] == list(DEFAULT_RANGES.wave.hz)


def test_takes_as_recordings_with_labels(tmp_path, inline):
    make(tmp_path, persons=1, recordings=True)
    paths = sorted((tmp_path / "recordings/person-00000").glob("*.aedat4"))
    assert [path.stem for path in paths] == [f"{n:03d}-{LABELS[n]}" for n in range(3)]
    recording = open_recording(paths[1])
    spans, notes = read_labels(labels_path(paths[1]))
    assert notes == []
    assert {span.label for span in spans} == {1}
    clips = ClipSet(tmp_path)
    stored, clip = next((rows, clip) for rows, clip in clips.clips if clip.label == 1)
    events = recording.read(0, spans[0].stop_us)
    assert np.array_equal(stored[clip.begin : clip.end, 0], events["t"] // 100)
    assert clip.onset == spans[0].start_us // 100
