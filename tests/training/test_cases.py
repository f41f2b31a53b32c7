"""Labelled recordings and sets of clips as cases; runs without torch."""

from __future__ import annotations

import pytest

from spikebridge.contracts import LABELS
from spikebridge.errors import InputError
from spikebridge.training.cases import read_cases
from spikebridge.training.clips import write_shard
from training.standin import blob_clip


def test_a_recording_without_a_label_is_named(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "dance.aedat").touch()
    with pytest.raises(InputError, match=r"dance\.aedat"):
        list(read_cases(tmp_path))
    with pytest.raises(InputError, match="found none"):
        list(read_cases(empty))
    with pytest.raises(InputError, match="found nothing there"):
        list(read_cases(tmp_path / "nowhere"))


def test_every_label_is_read_from_its_own_name():
    for label in LABELS:
        fitting = [other for other in LABELS if f"{label}_far".startswith(other)]
        assert max(fitting, key=len) == label


def test_clips_keep_their_events(tmp_path):
    clip = blob_clip(4, 7)
    write_shard(tmp_path, "one", [clip])
    (case,) = read_cases(tmp_path)
    assert (case.label, case.person, case.t_stop_us, case.onset_us) == (4, 7, clip.duration_us, None)
    assert (case.events["x"] == clip.events["x"]).all()
    assert (case.events["polarity"] == clip.events["polarity"]).all()
    assert abs(case.events["t"] - clip.events["t"]).max() < 100
