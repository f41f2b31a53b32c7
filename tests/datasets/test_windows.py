"""Windows cut from clips: where they lie, how often which class comes, what they start with."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from spikebridge.contracts import LABELS
from spikebridge.datasets.augmentation import Augmentation
from spikebridge.datasets.clips import ClipSet, write_shard
from spikebridge.datasets.windows import WindowSpec, draw_batch, fixed_windows
from standin_clips import blob_clip, write_set


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


def test_the_target_of_an_empty_window_is_undecided(tmp_path):
    clips = write_set(tmp_path, persons=1)
    by_label = [[k] for k in range(len(LABELS))]
    randoms = [np.random.default_rng(n) for n in range(8)]
    batch = draw_batch(clips, by_label, WindowSpec(8, 0, 100), Augmentation(empty=1.0), 0.0, randoms)
    np.testing.assert_allclose(batch.targets, 1 / len(LABELS), rtol=1e-6)
    batch = draw_batch(clips, by_label, WindowSpec(8, 0, 100), Augmentation(empty=0, sparse=0), 0.0, randoms)
    assert np.array_equal(batch.targets, np.eye(len(LABELS), dtype=np.float32)[batch.labels])
