from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recording_files import aedat3, aedat3_packet, random_events, write
from spikebridge.errors import InputError
from spikebridge.evaluation.cases import read_cases
from spikebridge.recordings.boxes import boxes_beside, read_boxes
from spikebridge.recordings.formats import recognise
from spikebridge.recordings.info import describe
from spikebridge.recordings.labels import read_labels

#: As in GEN1; 1 Mpx has ``t`` for ``ts`` and another order.
GEN1 = [("ts", "<u8"), ("x", "<f4"), ("y", "<f4"), ("w", "<f4"), ("h", "<f4"), ("class_id", "u1"),
        ("confidence", "<f4"), ("track_id", "<u4")]  # fmt: skip


def boxes(path: Path, classes: list[int]) -> Path:
    rows = np.zeros(len(classes), GEN1)
    rows["class_id"] = classes
    np.save(path, rows)
    return path


def recording(path: Path, name: str = "town_td.aedat") -> Path:
    return write(path, aedat3(aedat3_packet(random_events(100))), name)


def test_boxes_are_counted_by_class(tmp_path: Path) -> None:
    found = read_boxes(boxes(tmp_path / "town_bbox.npy", [1, 0, 0, 6]))
    assert found.by_class == {0: 2, 1: 1, 6: 1}
    assert str(found) == (
        "town_bbox.npy beside it holds 4 boxes of objects (2 of class 0, 1 of class 1, 1 of class 6), which are no "
        "gestures."
    )
    assert read_boxes(boxes(tmp_path / "many_bbox.npy", [3] * 70_000)).by_class == {3: 70_000}
    assert read_boxes(boxes(tmp_path / "none_bbox.npy", [])).n_boxes == 0


@pytest.mark.parametrize("name", ["town_td.dat", "town.raw", "town_td.h5", "town_td_labels.csv"])
def test_which_boxes_belong_to_a_recording(tmp_path: Path, name: str) -> None:
    assert boxes_beside(tmp_path / name) is None
    path = boxes(tmp_path / "town_bbox.npy", [1])
    assert boxes_beside(tmp_path / name) == path
    assert boxes_beside(tmp_path / f"down{name}") is None


def test_info_has_the_boxes_beside_a_recording(tmp_path: Path) -> None:
    path = recording(tmp_path)
    assert "boxes" not in describe(path)["samples"]
    boxes(tmp_path / "town_bbox.npy", [1, 0])
    told = describe(path)
    assert told["samples"] == {"boxes": 2}
    assert told["notes"][-1].startswith("town_bbox.npy beside it holds 2 boxes of objects")
    (tmp_path / "town_bbox.npy").write_bytes(b"\x93NUMPY")
    told = describe(path)
    assert (told["samples"], told["events"]) == ({}, 100)
    assert told["notes"][-1].startswith("expected boxes of objects in")


def test_boxes_are_no_recording(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found box labels of objects \(\*_bbox.npy\).*name the recording"):
        recognise(boxes(tmp_path / "town_bbox.npy", [1]))


def test_boxes_are_no_labels_of_gestures(tmp_path: Path) -> None:
    path = recording(tmp_path)
    boxes(tmp_path / "town_bbox.npy", [1])
    with pytest.raises(InputError, match=r"found only town_bbox\.npy, whose boxes are objects and no gestures"):
        read_labels(tmp_path / "town_td_labels.csv")
    with pytest.raises(InputError, match=r"found only town_bbox\.npy, whose boxes are objects and no gestures"):
        list(read_cases(path))


@pytest.mark.parametrize("cut", [0, 5, 60, -1])
def test_a_file_that_was_cut(tmp_path: Path, cut: int) -> None:
    path = boxes(tmp_path / "town_bbox.npy", [1, 2])
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match="expected boxes of objects"):
        read_boxes(path)


def test_arrays_that_are_no_boxes(tmp_path: Path) -> None:
    for values in (np.zeros(3), np.zeros((2, 2), GEN1), np.array([{}], object)):
        np.save(tmp_path / "a_bbox.npy", values, allow_pickle=True)
        with pytest.raises(InputError, match="without the class of each box"):
            read_boxes(tmp_path / "a_bbox.npy")


def test_a_size_that_nothing_has(tmp_path: Path) -> None:
    path = boxes(tmp_path / "town_bbox.npy", [1, 2])
    path.write_bytes(path.read_bytes().replace(b"(2,)", b"(4294967295,)").replace(b" " * 10, b" ", 1))
    with pytest.raises(InputError, match="expected boxes of objects"):
        read_boxes(path)
