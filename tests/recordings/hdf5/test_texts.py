from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from spikebridge.recordings.hdf5.texts import texts_at
from spikebridge.recordings.recording_file import RecordingFile


def written(path: Path, n: int = 3) -> tuple[Path, int]:
    """A file with texts at its root, and where the header of that is."""
    with h5py.File(path / "a.h5", "w") as file:
        file.attrs["geometry"] = "1280x720"
        file.attrs["width"] = 5
        file.attrs["fixed"] = np.bytes_("no text of variable length")
        for number in range(n):
            file.attrs[f"text {number}"] = "é" * number
        return path / "a.h5", h5py.h5o.get_info(file.id).addr


@pytest.mark.parametrize("n", [0, 3, 30])
def test_what_h5py_writes_is_read(tmp_path: Path, n: int) -> None:
    path, at = written(tmp_path, n)
    texts = texts_at(RecordingFile(path), at)
    assert texts.pop("geometry") == "1280x720"
    assert texts == {f"text {number}": "é" * number for number in range(n)}


def test_a_header_of_the_new_kind_is_left_alone(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        file.attrs["geometry"] = "1280x720"
        at = h5py.h5o.get_info(file.id).addr
    assert texts_at(RecordingFile(tmp_path / "a.h5"), at) == {}


def test_a_heap_of_texts_without_length_ends(tmp_path: Path) -> None:
    """From one like this, HDF5's library never returns."""
    path, at = written(tmp_path)
    content = bytearray(path.read_bytes())
    heap = content.index(b"GCOL")
    content[heap + 24 : heap + 32] = bytes(8)
    path.write_bytes(content)
    assert texts_at(RecordingFile(path), at).get("geometry", "") == ""


def test_damage_anywhere_ends_in_fewer_texts(tmp_path: Path) -> None:
    path, at = written(tmp_path)
    whole = path.read_bytes()
    for place in range(at, min(at + 600, len(whole))):
        path.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
        texts_at(RecordingFile(path), at)
        path.write_bytes(whole[:place])
        texts_at(RecordingFile(path), at)
