from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from spikebridge.recordings.hdf5.unpacking import unpack_lzf, unshuffle


def unpacked(data: bytes, room: int = 100) -> bytes | None:
    out = np.zeros(room, np.uint8)
    n = unpack_lzf(np.frombuffer(data, np.uint8), out)
    return None if n < 0 else out[:n].tobytes()


def test_by_hand() -> None:
    assert unpacked(b"\x02abc") == b"abc"
    # two bytes of text, then 1 + 2 from 2 back, which repeats itself
    assert unpacked(b"\x01ab" + bytes([1 << 5, 1])) == b"ababa"
    # a length of 7 + 2 + 2
    assert unpacked(b"\x00z" + bytes([7 << 5, 2, 0])) == b"z" * 12
    assert unpacked(b"") == b""


@pytest.mark.parametrize("data", [b"\x03abc", b"\x20\x00", b"\x00z\x20", b"\x00z\xe0\x00", b"\x00z\x20\x01"])
def test_what_leads_out_of_the_text_is_damaged(data: bytes) -> None:
    assert unpacked(data) is None


def test_no_more_than_there_is_room_for() -> None:
    assert unpacked(b"\x02abc", room=2) is None
    assert unpacked(b"\x00z" + bytes([7 << 5, 2, 0]), room=12) == b"z" * 12
    assert unpacked(b"\x00z" + bytes([7 << 5, 2, 0]), room=11) is None


def test_what_h5py_packs(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 3, 20_000).cumsum()
    with h5py.File(tmp_path / "a.h5", "w") as file:
        packed = file.create_dataset("a", data=values, chunks=values.shape, compression="lzf")
        mask, content = packed.id.read_direct_chunk((0,))
    assert mask == 0
    assert unpacked(content, room=values.nbytes) == values.tobytes()


def test_bytes_are_put_back_by_hand() -> None:
    # three items of two bytes, and a byte that belongs to none
    assert unshuffle(np.frombuffer(b"ACEBDF!", np.uint8), 2).tobytes() == b"ABCDEF!"
    assert unshuffle(np.frombuffer(b"abc", np.uint8), 1).tobytes() == b"abc"
    assert unshuffle(np.frombuffer(b"abc", np.uint8), 4).tobytes() == b"abc"
