"""Whatever holds labelled clips is opened, and said what it is."""

from __future__ import annotations

import numpy as np
import pytest

from spikebridge.datasets.loader import has_clips, open_clips
from spikebridge.errors import InputError
from spikebridge.events import Sensor
from spikebridge.recordings.aedat.aedat4_writing import Aedat4Writer
from spikebridge.recordings.labels import Span, labels_path, write_labels
from standin_clips import blob_clip, write_aedat3, write_set


def test_a_set_is_opened_where_it_lies(tmp_path):
    write_set(tmp_path, persons=1)
    assert has_clips(tmp_path)
    clips = open_clips(tmp_path)
    assert (clips.folder, clips.title, len(clips.clips)) == (tmp_path, "clips", 11)


def test_own_recordings_are_packed_first(tmp_path):
    with Aedat4Writer(tmp_path / "a.aedat4", Sensor(128, 128)) as writer:
        writer.write(blob_clip(0, 0).events)
    write_labels(labels_path(tmp_path / "a.aedat4"), [Span(0, 0, 300_000)])
    clips = open_clips(tmp_path)
    assert (clips.folder, clips.title) == (tmp_path / "packed", "own recordings")


def test_each_split_of_dvs_gesture_is_packed_apart_and_oddities_are_said(tmp_path, caplog):
    for user, split in ((1, "train"), (24, "test")):
        t = np.arange(0, 1_000_000, 500)
        write_aedat3(tmp_path / f"user{user:02d}_led.aedat", t, t // 500 % 128, np.full(t.size, user), t // 500 % 2)
        table = "class,startTime_usec,endTime_usec\n1,0,600000\n2,500000,900000\n"
        (tmp_path / f"user{user:02d}_led_labels.csv").write_text(table)
        (tmp_path / f"trials_to_{split}.txt").write_text(f"user{user:02d}_led.aedat\n")
    train, test = open_clips(tmp_path), open_clips(tmp_path, "test")
    assert (train.title, train.folder.name, train.persons()) == ("DVS128 Gesture", "packed", [1])
    assert (test.folder.name, test.persons()) == ("packed-test", [24])
    assert caplog.messages[0].startswith("user01_led_labels.csv: line 2 ends 100000 µs after")


def test_nothing_of_these_is_named(tmp_path):
    with pytest.raises(InputError, match="expected clips in"):
        open_clips(tmp_path)
    with pytest.raises(InputError, match="expected a folder with clips or recordings"):
        open_clips(tmp_path / "nowhere")
