"""A folder is made in one way only."""

from __future__ import annotations

import json

import pytest

from spikebridge.datasets.plan_file import keep_plan
from spikebridge.errors import InputError, UsageError


def test_the_same_plan_is_taken_and_another_one_refused(tmp_path):
    path = tmp_path / "deep/plan.json"
    keep_plan(path, {"seed": 1, "quiet": ["still", 2.0]}, "a set")
    assert json.loads(path.read_text()) == {"seed": 1, "quiet": ["still", 2.0]}
    keep_plan(path, {"seed": 1, "quiet": ["still", 2.0]}, "a set")
    with pytest.raises(UsageError, match=r"expected a set made with the same settings in .*, found other seed, more;"):
        keep_plan(path, {"seed": 2, "quiet": ["still", 2.0], "more": 1}, "a set")


@pytest.mark.parametrize("text", ["{", "[1]", "null"])
def test_a_broken_plan_is_named(tmp_path, text):
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(InputError, match="expected a folder for a set"):
        keep_plan(path, {"seed": 1}, "a set")
    assert path.read_text() == text
