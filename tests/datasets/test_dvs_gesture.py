"""The importer of DVS128 Gesture on a small folder of the same layout."""

from __future__ import annotations

import numpy as np
import pytest

from spikebridge.datasets.clips import ClipSet
from spikebridge.datasets.dvs_gesture import import_dvs_gesture
from spikebridge.errors import InputError
from standin_clips import write_aedat3

HEADER = "class,startTime_usec,endTime_usec\n"


@pytest.fixture
def folder(tmp_path):
    for user in (1, 24):
        t = np.arange(0, 1_000_000, 500)
        write_aedat3(tmp_path / f"user{user:02d}_led.aedat", t, t // 500 % 128, np.full(t.size, user), t // 500 % 2)
        (tmp_path / f"user{user:02d}_led_labels.csv").write_text(HEADER + "1,0,400000\n11,500000,900000\n")
    (tmp_path / "trials_to_train.txt").write_text("user01_led.aedat\n\n")
    (tmp_path / "trials_to_test.txt").write_text("user24_led.aedat\n")
    return tmp_path


def test_splits_keep_subjects_apart(folder):
    assert import_dvs_gesture(folder, folder / "train", "train") == []
    import_dvs_gesture(folder, folder / "test", "test")
    train, test = ClipSet(folder / "train"), ClipSet(folder / "test")
    assert (train.persons(), test.persons()) == ([1], [24])
    assert [(clip.label, clip.ticks) for _, clip in train.clips] == [(0, 4000), (10, 4000)]
    events, clip = train.clips[1]
    assert events[clip.begin].tolist() == [0, (0 << 14) | (1 << 7) | (1000 % 128)]
    assert clip.end - clip.begin == 800


def test_tables_as_a_spreadsheet_saves_them(folder):
    (folder / "trials_to_train.txt").write_bytes("\ufeffuser01_led.aedat\r\n\r\n".encode())
    rows = "\ufeff" + HEADER.strip() + "\r\n1,0,400000\r\n11,500000,900000\r\n,,\r\n"
    (folder / "user01_led_labels.csv").write_bytes(rows.encode())
    assert import_dvs_gesture(folder, folder / "train", "train") == []
    assert [(clip.label, clip.ticks) for _, clip in ClipSet(folder / "train").clips] == [(0, 4000), (10, 4000)]


def test_a_list_that_is_no_text_is_refused(folder):
    (folder / "trials_to_train.txt").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(InputError, match="found no text"):
        import_dvs_gesture(folder, folder / "train", "train")


def test_missing_files_are_named(folder):
    (folder / "user01_led_labels.csv").unlink()
    with pytest.raises(InputError, match="user01_led_labels"):
        import_dvs_gesture(folder, folder / "out", "train")
    (folder / "user24_led.aedat").unlink()
    with pytest.raises(InputError, match=r"user24_led\.aedat"):
        import_dvs_gesture(folder, folder / "out", "test")
    with pytest.raises(InputError, match="trials_to_train"):
        import_dvs_gesture(folder / "nowhere", folder / "out", "train")
    assert not (folder / "out").exists()
