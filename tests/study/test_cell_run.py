"""The networks of the cells."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="training needs the train extra (torch)")

from spikebridge.errors import UsageError  # noqa: E402
from spikebridge.study.cell_run import parameters, run_cells, spec_of, widened, windows_done  # noqa: E402
from spikebridge.study.cells import Budget, Cell, Folders  # noqa: E402
from spikebridge.training.curves import Progress, append_progress  # noqa: E402
from spikebridge.training.network import NetworkSpec, parse_name  # noqa: E402


def test_an_ordinary_network_is_sized_like_a_hybrid():
    cell = Cell("ann", 4, 0, sized_like="s3a3")
    wanted = parameters(parse_name("s3a3", interval_steps=4))
    assert abs(parameters(spec_of(cell, Budget(1))) / wanted - 1) < 0.01
    assert widened(NetworkSpec(0), 1).hidden == 1


def test_parameters_by_hand():
    """The pure SNN: 9 (2·4 + 4·8 + 8·16 + 16·32 + 32·64 + 64·128) of convolutions, 512·128 + 128·11, and its gain."""
    assert parameters(parse_name("snn")) == 9 * 10920 + 512 * 128 + 128 * 11 + 1


def test_a_cell_that_cannot_be_is_named():
    assert spec_of(Cell("s2a4", 8, 0, "shuffled"), Budget(1)).control == "shuffled"
    with pytest.raises(UsageError, match="divide the window of 16 steps, found 5"):
        spec_of(Cell("s2a4", 5, 0), Budget(1))


def test_windows_are_counted_from_the_last_report(tmp_path):
    folders = Folders(tmp_path, tmp_path, tmp_path, tmp_path)
    cell = Cell("ann", 4, 0)
    assert windows_done(cell, folders) == 0
    folders.of(cell).mkdir()
    for update in (1, 2):
        append_progress(folders.of(cell) / "curves.csv", Progress(update, 64 * update, 1, 0, 0, 0, 0, 0, 0))
    assert windows_done(cell, folders) == 128


def test_a_cell_that_is_measured_is_left_alone(tmp_path):
    from standin_clips import write_set

    write_set(tmp_path / "data", persons=1)
    folders = Folders(tmp_path, tmp_path / "data", tmp_path / "nowhere", tmp_path / "nowhere")
    cell = Cell("ann", 4, 0)
    folders.of(cell).mkdir()
    folders.result(cell).write_text("{}")
    run_cells((cell,), Budget(64), folders)
    assert [path.name for path in folders.of(cell).iterdir()] == ["result.json"]
