"""What a study measures on, and what it refuses; whole studies are in the tests of the command."""

from __future__ import annotations

import json
from contextlib import nullcontext

import pytest

torch = pytest.importorskip("torch", reason="training needs the train extra (torch)")
pytest.importorskip("matplotlib", reason="the study's report needs the report extra (matplotlib)")

from standin_study import result  # noqa: E402

from spikebridge.datasets import worker_pool  # noqa: E402
from spikebridge.datasets.clips import PLAN_NAME  # noqa: E402
from spikebridge.errors import UsageError  # noqa: E402
from spikebridge.study import study_run  # noqa: E402
from spikebridge.study.study_run import StudySettings, run_study  # noqa: E402
from standin_clips import HerePool, write_set  # noqa: E402


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a study of one cell, whose training and measuring is left out."""
    write_set(tmp_path / "data", persons=2)
    monkeypatch.setattr(worker_pool, "ProcessPoolExecutor", HerePool)
    monkeypatch.setattr(study_run, "write_quiet", lambda *_: None)
    simulated = []

    def simulate(folder, persons, *_):
        simulated.append(persons)
        write_set(folder, persons=persons)

    def measure(cells, budget, folders):
        for cell in cells:
            folders.of(cell).mkdir(parents=True, exist_ok=True)
            folders.result(cell).write_text(json.dumps(result(cell.network, cell.interval, 0.5)))

    monkeypatch.setattr(study_run, "simulate_set", simulate)
    monkeypatch.setattr(study_run, "run_cells", measure)

    def start(**changes):
        said = []
        options = {"data": tmp_path / "data", "gesture": None, "test": None, "networks": ("ann",), "intervals": (4,)}
        options |= {"seeds": (0,), "controls_of": None, "windows": 64, "test_persons": 3, "quiet_minutes": 1.0}
        options |= {"processes": 1, "results": tmp_path / "out/results", "command": "spikebridge paper"}
        settings = StudySettings(out=tmp_path / "out", **options | changes)
        run_study(settings, said.append, lambda length, label: nullcontext(lambda done: None))
        return said, simulated

    return start


def test_test_persons_are_simulated_unless_they_are_given(run, tmp_path):
    said, simulated = run()
    assert simulated == [3]
    assert said[0].startswith("ann-i4-seed0: windows 0.500, clips 0.500, after")
    assert said[-1].endswith("results/report.html")
    about = json.loads((tmp_path / "out/results/results.json").read_text())["about"]
    assert about["data"] == "22 clips of 2 persons in data"
    assert about["test"] == "33 clips of 3 persons in test"


def test_a_simulated_set_may_be_given_as_test_persons(run, tmp_path):
    """It has a plan of its own, which is not the study's."""
    write_set(tmp_path / "mine", persons=1)
    (tmp_path / "mine" / PLAN_NAME).write_text('{"seed": 7}')
    _, simulated = run(test=tmp_path / "mine")
    assert simulated == []
    about = json.loads((tmp_path / "out/results/results.json").read_text())["about"]
    assert about["test"] == "11 clips of 1 persons in mine"


def test_what_does_not_fit_is_named(run, tmp_path):
    with pytest.raises(UsageError, match="either --data or --dvs-gesture"):
        run(gesture=tmp_path)
    with pytest.raises(UsageError, match="divide"):
        run(intervals=(5,))
    run()
    with pytest.raises(UsageError, match="found other windows;"):
        run(windows=128)
