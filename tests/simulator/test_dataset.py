import numpy as np
import pytest

from spikebridge.contracts import LABELS
from spikebridge.errors import InputError, UsageError
from spikebridge.simulator import dataset
from spikebridge.simulator.dataset import person_file, read_plan, simulate_dataset

SMALL = {"persons": 2, "clips_per_person": 3, "seed": 9, "duration_us": 200_000}


def contents(folder):
    return [dict(np.load(person_file(folder, person))) for person in range(2)]


def test_layout_of_the_files(tmp_path):
    calls = []
    folder = simulate_dataset(tmp_path / "a", workers=1, progress=lambda *done: calls.append(done), **SMALL)
    assert calls == [(1, 2), (2, 2)]
    assert read_plan(folder)["labels"] == list(LABELS)
    for person, file in enumerate(contents(folder)):
        assert file["person"] == person
        assert list(file["label"]) == [3 * person, 3 * person + 1, 3 * person + 2]
        assert file["offsets"][0] == 0
        assert file["offsets"][-1] == file["t"].size
        for start, stop in zip(file["offsets"][:-1], file["offsets"][1:], strict=True):
            assert np.all(np.diff(file["t"][start:stop].astype(np.int64)) >= 0)
        assert np.all(file["start_us"] < file["stop_us"])
        assert np.all(file["stop_us"] <= SMALL["duration_us"])


def test_same_seed_same_bytes_on_one_or_two_workers(tmp_path):
    one, two = (contents(simulate_dataset(tmp_path / str(n), workers=n, **SMALL)) for n in (1, 2))
    for a, b in zip(one, two, strict=True):
        assert all(np.array_equal(a[key], b[key]) for key in a)


def test_an_interrupted_data_set_is_taken_up(tmp_path):
    folder = simulate_dataset(tmp_path, workers=1, **SMALL)
    before = contents(folder)
    kept = person_file(folder, 0).stat().st_mtime_ns
    person_file(folder, 1).unlink()
    simulate_dataset(folder, workers=1, **SMALL)
    assert person_file(folder, 0).stat().st_mtime_ns == kept
    assert np.array_equal(contents(folder)[1]["t"], before[1]["t"])


def test_nothing_half_written_stays(tmp_path, monkeypatch):
    def full(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dataset.np, "savez_compressed", full)
    with pytest.raises(InputError, match="No space left"):
        simulate_dataset(tmp_path, workers=1, **SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["dataset.json"]


def test_another_plan_in_the_same_folder_is_refused(tmp_path):
    simulate_dataset(tmp_path, workers=1, **SMALL)
    with pytest.raises(UsageError, match="found another"):
        simulate_dataset(tmp_path, workers=1, **{**SMALL, "seed": 10})


def test_zero_persons_are_refused(tmp_path):
    with pytest.raises(UsageError, match="at least one person"):
        simulate_dataset(tmp_path, workers=1, **{**SMALL, "persons": 0})


def test_a_folder_without_a_plan_is_named(tmp_path):
    with pytest.raises(InputError, match=r"dataset\.json"):
        read_plan(tmp_path)
