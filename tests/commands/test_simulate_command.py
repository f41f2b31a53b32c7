"""``simulate`` as a user calls it."""

from __future__ import annotations

import json

from calling import call
from spikebridge.commands.simulate import simulate
from spikebridge.errors import UsageError


def test_simulate_goes_on_where_it_was(tmp_path):
    call(simulate, tmp_path, "--persons", 1, "--clips", 2, "--seconds", 0.8, "--workers", 1)
    shard = tmp_path / "person-00000.npy"
    written = shard.stat().st_mtime_ns
    again = call(simulate, tmp_path, "--persons", 1, "--clips", 2, "--seconds", 0.8, "--workers", 1)
    assert "1 persons in" in again.stderr
    assert shard.stat().st_mtime_ns == written
    assert len(json.loads(shard.with_suffix(".json").read_text())) >= 2


def test_takes_are_written_as_recordings_too(tmp_path):
    options = ("--persons", 1, "--clips", 1, "--seconds", 0.8, "--workers", 1)
    call(simulate, tmp_path, *options, "--recordings")
    recordings = tmp_path / "recordings/person-00000"
    assert sorted(path.name for path in recordings.iterdir()) == ["000-hand_clap.aedat4", "000-hand_clap_labels.csv"]
    call(simulate, tmp_path, *options, "--seed", 2, fails=UsageError)
