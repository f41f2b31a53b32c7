"""LabelledClip recordings and sets of clips as cases; runs without torch."""

from __future__ import annotations

import pytest

from spikebridge.contracts import LABELS
from spikebridge.datasets.clips import write_shard
from spikebridge.errors import InputError
from spikebridge.evaluation.cases import read_cases
from spikebridge.events import Sensor
from spikebridge.recordings.aedat.aedat4_writing import Aedat4Writer
from spikebridge.recordings.labels import Span, labels_path, write_labels
from standin_clips import blob_clip


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


def record(path, duration_us=2_000_000):
    with Aedat4Writer(path, Sensor(128, 128, "test")) as writer:
        writer.write(blob_clip(0, 0, duration_us).events)


def test_the_longest_label_that_a_name_starts_with_counts(tmp_path):
    record(tmp_path / "right_arm_counter_clockwise_2.aedat4")
    (case,) = read_cases(tmp_path)
    assert case.label == LABELS.index("right_arm_counter_clockwise")


def test_labels_beside_recordings_count_more_than_names(tmp_path):
    for person, label in (("anna", 3), ("ben", 7)):
        (tmp_path / person).mkdir()
        path = tmp_path / person / "hand_clap.aedat4"
        record(path)
        write_labels(labels_path(path), [Span(label, 200_000, 900_000), Span(10, 900_000, 1_500_000)])
    cases = list(read_cases(tmp_path))
    assert [(case.person, case.label, case.t_start_us, case.t_stop_us) for case in cases] == [
        (0, 3, 200_000, 900_000),
        (0, 10, 900_000, 1_500_000),
        (1, 7, 200_000, 900_000),
        (1, 10, 900_000, 1_500_000),
    ]
    assert all(c.t_start_us <= c.events["t"][0] and c.events["t"][-1] < c.t_stop_us for c in cases)
    assert len({case.name for case in cases}) == 2


def test_labels_that_a_spreadsheet_saved(tmp_path):
    record(tmp_path / "some.aedat4")
    rows = "\ufeffclass;startTime_usec;endTime_usec\r\n4;200000;900000\r\n11;900000;1500000\r\n;;\r\n"
    (tmp_path / "some_labels.csv").write_bytes(rows.encode())
    assert [(case.label, case.t_start_us) for case in read_cases(tmp_path)] == [(3, 200_000), (10, 900_000)]


def test_clips_keep_their_events(tmp_path):
    clip = blob_clip(4, 7)
    write_shard(tmp_path, "one", [clip])
    (case,) = read_cases(tmp_path)
    assert (case.label, case.person, case.t_stop_us, case.onset_us) == (4, 7, clip.duration_us, None)
    assert (case.events["x"] == clip.events["x"]).all()
    assert (case.events["polarity"] == clip.events["polarity"]).all()
    assert abs(case.events["t"] - clip.events["t"]).max() < 100
