"""``realism`` as a user calls it."""

from __future__ import annotations

import json

from calling import call
from spikebridge.commands.realism import realism
from spikebridge.errors import InputError
from standin_clips import write_set


def test_a_table_and_an_object_with_the_same_figures(tmp_path):
    write_set(tmp_path, persons=2)
    lines = call(realism, tmp_path, tmp_path).stdout.splitlines()
    assert lines[0].startswith("| class | clips | k events/s |")
    assert sum(line.startswith("| – real | 2 |") for line in lines) == 11
    found = json.loads(call(realism, tmp_path, "--json").stdout)
    assert found["recordings"] == {}
    assert found["data"]["arm_roll"]["clips"] == 2
    low, middle, high = found["data"]["arm_roll"]["rate_khz"]
    assert low <= middle <= high
    assert f"| arm_roll | 2 | {middle:.0f} (" in "\n".join(lines)


def test_what_is_not_there_is_named(tmp_path):
    call(realism, tmp_path / "nowhere", fails=InputError)
