"""Which cells a study has and which of them share a training."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="training needs the train extra (torch)")

from spikebridge.study.cells import Budget, Cell, parameters  # noqa: E402
from spikebridge.study.grid import make_cells, tasks_of  # noqa: E402
from spikebridge.training.network import parse_name  # noqa: E402


def test_all_networks_times_intervals_times_seeds_and_controls_at_the_middle_interval():
    cells = make_cells(["ann", "snn"], [8, 2, 4], [0, 1], "s2a4")
    assert len(cells) == len({cell.name for cell in cells}) == 2 * 3 * 2 + 3 * 2
    assert {cell.interval for cell in cells if cell.is_control} == {4}


def test_a_pure_snn_is_trained_once_and_the_longest_come_first():
    tasks = tasks_of(make_cells(["ann", "s2a4", "snn"], [2, 4], [0], None))
    assert [len(task) for task in tasks] == [2, 1, 1, 1, 1]
    assert [task[0].network for task in tasks] == ["snn", "s2a4", "s2a4", "ann", "ann"]


def test_an_ordinary_network_is_sized_like_a_hybrid():
    cell = Cell("ann", 4, 0, sized_like="s3a3")
    wanted = parameters(parse_name("s3a3", interval_steps=4))
    assert abs(parameters(cell.spec(Budget(1))) / wanted - 1) < 0.01
