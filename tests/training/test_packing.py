"""Data sets of the simulator as training clips."""

from __future__ import annotations

import numpy as np
import pytest

from spikebridge.errors import InputError
from spikebridge.simulator.dataset import person_file, simulate_dataset
from spikebridge.training.packing import open_clips


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return simulate_dataset(tmp_path_factory.mktemp("set"), 2, 3, seed=1, workers=1, duration_us=200_000)


def test_clips_keep_events_labels_and_persons(dataset):
    clips = open_clips(dataset)
    assert clips.persons() == [0, 1]
    for person in (0, 1):
        stored = np.load(person_file(dataset, person))
        mine = [(events, clip) for events, clip in clips.clips if clip.person == person]
        assert [clip.label for _, clip in mine] == stored["label"].tolist()
        for number, (events, clip) in enumerate(mine):
            begin, end = stored["offsets"][number : number + 2]
            assert np.array_equal(events[clip.begin : clip.end, 0], stored["t"][begin:end] // 100)
            assert np.array_equal(events[clip.begin : clip.end, 1] & 127, stored["x"][begin:end])


def test_packed_once(dataset):
    open_clips(dataset)
    before = {path: path.stat().st_mtime_ns for path in (dataset / "packed").iterdir()}
    open_clips(dataset)
    assert {path: path.stat().st_mtime_ns for path in (dataset / "packed").iterdir()} == before


def test_a_broken_person_is_named(dataset, tmp_path):
    (tmp_path / "dataset.json").write_bytes((dataset / "dataset.json").read_bytes())
    person_file(tmp_path, 0).write_bytes(b"cut")
    with pytest.raises(InputError, match="person_0000"):
        open_clips(tmp_path)
