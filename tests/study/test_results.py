"""What the study has found comes back from JSON, without what older programs stored besides."""

from __future__ import annotations

import json

import pytest
from standin_study import ABOUT, RESULTS, result

from spikebridge.errors import InputError
from spikebridge.study.cells import Cell, Folders
from spikebridge.study.results import is_control, read_results, read_study, through_the_chain


def test_cells_that_are_done_are_read(tmp_path):
    folders = Folders(tmp_path, tmp_path, tmp_path, tmp_path)
    cells = [Cell("s2a4", 4, 0), Cell("s2a4", 8, 0)]
    path = folders.result(cells[0])
    path.parent.mkdir()
    stored = {key: value for key, value in RESULTS[0].items() if key != "name"}
    path.write_text(json.dumps({**stored, "training": {"curves": [], "minutes": 12.5}}))
    assert read_results(folders, cells) == [RESULTS[0]]


def test_a_study_comes_back(tmp_path):
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"about": ABOUT, "columns": {}, "cells": RESULTS}))
    assert read_study(path) == {"about": ABOUT, "columns": {}, "cells": RESULTS}
    for other in ("{", "{}", "[]", '{"cells": [{}]}'):
        path.write_text(other)
        with pytest.raises(InputError, match=r"expected a study's results\.json"):
            read_study(path)
    with pytest.raises(InputError, match="No such file"):
        read_study(tmp_path / "nowhere.json")


def test_controls_are_told_from_what_is_compared():
    assert [is_control(one) for one in RESULTS] == [False, False, False, True, True]
    assert through_the_chain(RESULTS[3]) is None
    assert through_the_chain(RESULTS[4])["cases"] == 2
    assert through_the_chain(result("ann", 4, 0.5))["window_accuracy"]["value"] == 0.5
