from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spikebridge.errors import InputError
from spikebridge.recordings.recording_file import RecordingFile, Scratch, read_pieces

CONTENT = np.random.default_rng(0).integers(0, 256, 50_000, np.uint8).tobytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "recording"
    path.write_bytes(CONTENT)
    return path


def test_it_reads_what_is_there_and_no_more(path: Path) -> None:
    file = RecordingFile(path)
    assert file.size == len(CONTENT)
    assert file.read(100, 50) == CONTENT[100:150]
    assert file.read(49_990, 50) == CONTENT[49_990:]
    assert file.read(60_000, 50) == b""


def test_a_file_that_was_cut_meanwhile_is_said(path: Path) -> None:
    file = RecordingFile(path)
    path.write_bytes(CONTENT[:1000])
    with pytest.raises(InputError, match=r"expected 100 bytes at byte 950 of .*, found 50; the file was cut"):
        file.read(950, 100)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected to read .*missing, found: No such file"):
        RecordingFile(tmp_path / "missing")
    with pytest.raises(InputError, match="found: Is a directory"):
        RecordingFile(tmp_path).read_into(memoryview(bytearray(1)), 0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.tuples(st.one_of(st.integers(0, 40), st.integers(4000, 4200)), st.integers(0, 1500)), min_size=1, max_size=9
    )
)
def test_pieces_near_and_far(path: Path, pieces: list[tuple[int, int]]) -> None:
    at, sizes, end = [], [], 0
    for gap, size in pieces:
        at.append(end + gap)
        sizes.append(size)
        end += gap + size
    data, places = read_pieces(RecordingFile(path), at, sizes, Scratch())
    for begin, size, place in zip(at, sizes, places, strict=True):
        assert data[place : place + size].tobytes() == CONTENT[begin : begin + size]
    # Pieces whose distance is a multiple of a number's size lie as their first one does.
    if all(gap % 8 == 0 and size % 8 == 0 for gap, size in pieces):
        assert all(place % 8 == 0 for place in places)


def test_memory_is_used_again_and_not_shared_between_threads() -> None:
    scratch = Scratch()
    first = scratch.of(100)
    assert scratch.of(50).ctypes.data == first.ctypes.data
    assert scratch.of(0).ctypes.data % 8 == 0
    others: list[int] = []
    thread = threading.Thread(target=lambda: others.append(scratch.of(100).ctypes.data))
    thread.start()
    thread.join()
    assert others != [first.ctypes.data]
