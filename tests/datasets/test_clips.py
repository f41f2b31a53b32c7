"""Sets of clips on disk: shards, splits, broken files."""

from __future__ import annotations

import json
from dataclasses import fields

import numpy as np
import pytest

from spikebridge.contracts import LABELS
from spikebridge.datasets.augmentation import Augmentation
from spikebridge.datasets.clips import ClipSet, WindowSpec, draw_batch, fixed_windows, write_shard
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


def test_windows_cover_each_clip(tmp_path):
    clips = write_set(tmp_path, persons=1)
    batches = list(fixed_windows(clips, [0, 5], WindowSpec(8, 4, 100), 8, 64))
    assert [len(batch.labels) for batch in batches] == [8]  # 320 ms hold four windows of 80 ms
    assert batches[0].labels.tolist() == [0] * 4 + [5] * 4
    assert batches[0].events.steps == 12


def test_a_gesture_fills_a_good_part_of_a_window(tmp_path):
    clip = blob_clip(2, 0)
    clip.events["t"] += 160_000
    write_shard(tmp_path, "late", [type(clip)(clip.events, 2, 0, 480_000, onset_us=160_000)])
    clips = ClipSet(tmp_path)
    still = Augmentation(**dict.fromkeys((f.name for f in fields(Augmentation)), 0) | {"haze_px": (1.0, 1.0)})
    by_label = [[0] if label == 2 else [] for label in range(len(LABELS))]
    randoms = [np.random.default_rng(n) for n in range(40)]
    batch = draw_batch(clips, by_label, WindowSpec(16, 0, 100), still, 0.0, randoms)
    per_step = np.diff(batch.events.offsets, axis=1) > 0
    assert per_step[:, -6:].all()
    assert not per_step.all()


def test_some_windows_are_as_after_a_start(tmp_path):
    """Nothing before their last steps, in the warm-up neither; the others are whole."""
    clips = write_set(tmp_path, persons=1)
    by_label = [[k] for k in range(len(LABELS))]
    plain = Augmentation(**dict.fromkeys((f.name for f in fields(Augmentation)), 0) | {"haze_px": (1.0, 1.0)})
    randoms = [np.random.default_rng(n) for n in range(1000)]
    batch = draw_batch(clips, by_label, WindowSpec(16, 4, 100), plain, 1.0, randoms)
    seen = np.diff(batch.events.offsets, axis=1) > 0
    assert seen[:, -5:].all()
    started = ~seen[:, 4]
    assert started.mean() == pytest.approx(0.07, abs=0.03)
    assert not seen[started, :4].any()
    assert seen[~started, 4:].all()


def test_other_is_drawn_twice_as_often(tmp_path):
    clips = write_set(tmp_path, persons=1)
    by_label = [[index for index, (_, c) in enumerate(clips.clips) if c.label == k] for k in range(len(LABELS))]
    randoms = [np.random.default_rng(n) for n in range(1200)]
    labels = draw_batch(clips, by_label, WindowSpec(8, 0, 100), Augmentation(mirror=0.0), 0.0, randoms).labels
    counts = np.bincount(labels, minlength=len(LABELS))
    assert counts[:10] == pytest.approx(100, abs=40)
    assert counts[10] == pytest.approx(200, abs=50)


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
