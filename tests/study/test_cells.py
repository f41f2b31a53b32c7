"""Which cells a study has and which of them share a training."""

from __future__ import annotations

from pathlib import Path

import pytest

from spikebridge.errors import UsageError
from spikebridge.study.cells import Cell, Folders, make_cells, trainings_of


def test_all_networks_times_intervals_times_seeds_and_controls_at_the_middle_interval():
    cells = make_cells(["ann", "snn"], [8, 2, 4], [0, 1], "s2a4")
    assert len(cells) == len({cell.name for cell in cells}) == 2 * 3 * 2 + 3 * 2
    assert {cell.interval for cell in cells if cell.is_control} == {4}


def test_nothing_is_trained_twice_and_only_the_family():
    assert len(make_cells(["ann", "ann"], [4, 4], [0], None)) == 1
    for names, control in ((["cnn"], None), (["ann"], "s9a9")):
        with pytest.raises(UsageError, match="expected networks among ann, s1a5"):
            make_cells(names, [4], [0], control)


def test_a_pure_snn_is_trained_once_and_the_longest_come_first():
    trainings = trainings_of(make_cells(["ann", "s2a4", "snn"], [2, 4], [0], None))
    assert [len(cells) for cells in trainings] == [2, 1, 1, 1, 1]
    assert [cells[0].network for cells in trainings] == ["snn", "s2a4", "s2a4", "ann", "ann"]


def test_names_tell_cells_apart():
    cells = [Cell("s2a4", 4, 1), Cell("s2a4", 4, 1, "shuffled"), Cell("ann", 4, 1, sized_like="s2a4")]
    names = ["s2a4-i4-seed1", "s2a4-shuffled-i4-seed1", "ann-sized-like-s2a4-i4-seed1"]
    assert [cell.name for cell in cells] == names
    assert [cell.is_control for cell in cells] == [False, True, True]
    folders = Folders(Path("cells"), Path("data"), Path("test"), Path("quiet"))
    assert folders.result(cells[0]) == Path("cells/s2a4-i4-seed1/result.json")
