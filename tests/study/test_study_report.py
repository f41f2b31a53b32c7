"""The study on disk."""

from __future__ import annotations

import json
import shutil

import pytest
from standin_study import ABOUT, RESULTS

from spikebridge.resources import assets_folder
from spikebridge.study.paper_figures import FIGURES
from spikebridge.study.report import rewrite_results, write_results

pytest.importorskip("matplotlib", reason="REPORTS NOT TESTED: matplotlib is not installed (the report extra)")


def test_everything_is_written_and_every_cell_told(tmp_path):
    lines = write_results(tmp_path / "results", RESULTS, ABOUT)
    assert lines[0] == "s2a4-i4-seed0: windows 0.800, clips 0.500"
    assert len(lines) == len(RESULTS)
    figures = [f"{name}.svg" for name in FIGURES]
    expected = sorted([*figures, "report.html", "results.csv", "results.json"])
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == expected
    assert json.loads((tmp_path / "results/results.json").read_text())["cells"] == RESULTS


def test_the_page_compares_controls_with_what_they_take_from(tmp_path):
    write_results(tmp_path, RESULTS, ABOUT)
    page = (tmp_path / "report.html").read_text()
    assert page.count("<svg") == len(FIGURES) + 1
    controls = page.split("<h2>Controls</h2>")[1].split("</table>")[0]
    assert [row.split("</td>")[0].split(">")[-1] for row in controls.split("<tr>")[2:]] == [
        *("s2a4-i4-seed0", "ann-i4-seed0"),
        *("s2a4-shuffled-i4-seed0", "ann-sized-like-s2a4-i4-seed0"),
    ]
    # The best interval of each network is shown; the hybrid's is the one with 80 %.
    assert "80.0 % (70.0–90.0)" in page.split("Each network with its best interval")[1].split("</table>")[0]
    assert "training_minutes" not in page
    assert "https://" not in page


def test_a_study_without_results_says_so(tmp_path):
    assert write_results(tmp_path, [], ABOUT) == []
    assert "No cell is done yet." in (tmp_path / "report.html").read_text()
    assert not list(tmp_path.glob("*.svg"))


def test_it_is_written_again_from_what_is_stored(tmp_path):
    write_results(tmp_path, RESULTS, ABOUT)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for path in tmp_path.iterdir():
        if path.name != "results.json":
            path.unlink()
    rewrite_results(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_shipped_study_is_what_the_program_writes(tmp_path):
    """Tables and words to the byte; pictures may differ from one version of matplotlib to the next."""
    shutil.copy(assets_folder() / "study/results.json", tmp_path)
    rewrite_results(tmp_path)
    for name in ("results.json", "results.csv"):
        assert (tmp_path / name).read_bytes() == (assets_folder() / "study" / name).read_bytes()
    pages = [(folder / "report.html").read_text() for folder in (tmp_path, assets_folder() / "study")]
    new, shipped = ([part.rpartition("</svg>")[2] for part in page.split("<figure>")] for page in pages)
    assert new == shipped
