"""Sets of clips on disk: shards, splits, broken files."""

from __future__ import annotations

import json

import numpy as np
import pytest

from spikebridge.contracts import LABELS
from spikebridge.datasets.clips import ClipSet, write_shard
from spikebridge.errors import InputError
from standin_clips import blob_clip, write_set


def test_events_come_back(tmp_path):
    clip = blob_clip(3, 1)
    write_shard(tmp_path, "one", [clip])
    stored, entry = ClipSet(tmp_path).clips[0]
    rows = stored[entry.begin : entry.end]
    assert (entry.label, entry.person, entry.ticks) == (3, 1, 3200)
    assert np.array_equal(rows[:, 0], clip.events["t"] // 100)
    assert np.array_equal(rows[:, 1] & 127, clip.events["x"])
    assert np.array_equal((rows[:, 1] >> 7) & 127, clip.events["y"])
    assert np.array_equal(rows[:, 1] >> 14, clip.events["polarity"])


def test_a_set_may_grow(tmp_path):
    clips = write_set(tmp_path, persons=2)
    write_shard(tmp_path, "later", [blob_clip(0, 7)])
    clips.refresh()
    assert clips.persons() == [0, 1, 7]
    assert len(clips.clips) == 2 * len(LABELS) + 1


def test_persons_are_kept_apart(tmp_path):
    clips = write_set(tmp_path, persons=4)
    training, validation = clips.split(3)
    assert {clips.clips[i][1].person for i in training} == {1, 2}
    assert {clips.clips[i][1].person for i in validation} == {0, 3}


@pytest.mark.parametrize("damage", ["cut", "label", "json"])
def test_a_broken_shard_is_named(tmp_path, damage):
    write_shard(tmp_path, "one", [blob_clip(0, 0)])
    index = tmp_path / "one.json"
    entries = json.loads(index.read_text())
    if damage == "cut":
        entries[0]["end"] += 1
    if damage == "label":
        entries[0]["label"] = 11
    index.write_text("{" if damage == "json" else json.dumps(entries))
    with pytest.raises(InputError, match=r"one\.json"):
        ClipSet(tmp_path)


def test_an_empty_set_says_how_to_make_one(tmp_path):
    with pytest.raises(InputError, match="spikebridge simulate"):
        ClipSet(tmp_path)


def test_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(file, _):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(InputError, match="No space left"):
        write_shard(tmp_path, "one", [blob_clip(0, 0)])
    assert list(tmp_path.iterdir()) == []


def test_a_single_person_validates_on_every_fourth_clip_of_a_class(tmp_path):
    write_shard(tmp_path, "me", [blob_clip(label, 3) for label in (0, 1) for _ in range(5)])
    training, validation = ClipSet(tmp_path).split(8)
    assert validation == [3, 8]
    assert len(training) == 8


def test_a_shard_is_not_read_while_it_is_written_anew(tmp_path, monkeypatch):
    """Its list goes first: new events never stand beside the old list."""
    write_shard(tmp_path, "one", [blob_clip(0, 0)])
    save = np.save
    seen = []

    def look(file, values):
        seen.append((tmp_path / "one.json").exists())
        save(file, values)

    monkeypatch.setattr(np, "save", look)
    write_shard(tmp_path, "one", [blob_clip(1, 0)])
    assert seen == [False]
    assert ClipSet(tmp_path).clips[0][1].label == 1


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="expected a folder at"):
        write_shard(tmp_path / "file/clips", "one", [blob_clip(0, 0)])
