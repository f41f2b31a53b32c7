from __future__ import annotations

import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from hdf5_files import RECORD, ecf_chunk, records
from recording_files import random_events
from spikebridge.recordings.hdf5 import filters
from spikebridge.recordings.hdf5.file import DEFLATE, ECF, FLETCHER32, LZF, SHUFFLE

VALUES = np.random.default_rng(1).integers(0, 50, 1001).cumsum().astype("<i4")


def packed(path: Path, **options: object) -> np.ndarray:
    with h5py.File(path / "a.h5", "w") as file:
        _, content = file.create_dataset("a", data=VALUES, chunks=VALUES.shape, **options).id.read_direct_chunk((0,))
    return np.frombuffer(content, np.uint8)


@pytest.mark.parametrize(
    ("options", "codes"),
    [
        ({"compression": "gzip"}, (DEFLATE,)),
        ({"compression": "gzip", "shuffle": True}, (SHUFFLE, DEFLATE)),
        ({"compression": "lzf", "shuffle": True, "fletcher32": True}, (SHUFFLE, LZF, FLETCHER32)),
        ({"fletcher32": True}, (FLETCHER32,)),
    ],
)
def test_what_h5py_packs_is_unpacked(tmp_path: Path, options: dict[str, object], codes: tuple[int, ...]) -> None:
    content = packed(tmp_path, **options)
    assert filters.undo(content, codes, 0, 4, VALUES.nbytes).tobytes() == VALUES.tobytes()
    for damaged in (content[:-5], content[: len(content) // 2], content[:3]):
        with pytest.raises(filters.DamagedChunkError):
            filters.undo(damaged, codes, 0, 4, VALUES.nbytes)


def test_a_wrong_checksum_is_damage(tmp_path: Path) -> None:
    content = packed(tmp_path, fletcher32=True).copy()
    content[100] ^= 1
    with pytest.raises(filters.DamagedChunkError, match="checksum"):
        filters.undo(content, (FLETCHER32,), 0, 4, VALUES.nbytes)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 1000])
def test_checksums_of_any_length(tmp_path: Path, n: int) -> None:
    data = np.full(n + 1, 255, np.uint8)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        _, content = file.create_dataset("a", data=data, chunks=(n + 1,), fletcher32=True).id.read_direct_chunk((0,))
    assert filters.undo(np.frombuffer(content, np.uint8), (FLETCHER32,), 0, 1, n + 1).tobytes() == data.tobytes()


def test_filters_that_a_chunk_did_not_go_through_are_left_out() -> None:
    raw = VALUES.view(np.uint8)
    assert filters.undo(raw, (SHUFFLE, DEFLATE), 0b11, 4, raw.size) is raw


def test_ecf_under_gzip() -> None:
    events = random_events(100)
    content = np.frombuffer(zlib.compress(ecf_chunk(events, "xp")), np.uint8)
    unpacked = filters.undo(content, (ECF, DEFLATE), 0, 16, 16 * 100)
    assert np.array_equal(unpacked.view(RECORD), records(events))


def test_what_unpacks_without_end_is_damage() -> None:
    bomb = np.frombuffer(zlib.compress(bytes(10_000_000)), np.uint8)
    with pytest.raises(filters.DamagedChunkError):
        filters.undo(bomb, (DEFLATE,), 0, 1, 1000)
