from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdf5_files import Packing, ecf_chunk, records
from recording_files import random_events
from spikebridge.events import EventArray, make_events
from spikebridge.recordings.hdf5.ecf import RECORD_DTYPE, unpack_ecf

PACKINGS: tuple[Packing, ...] = ("yxp", "xp", "masked")


def decoded(chunk: bytes, room: int = 70_000) -> np.ndarray | None:
    out = np.zeros(room, RECORD_DTYPE)
    n = unpack_ecf(np.frombuffer(chunk, np.uint8), out)
    return None if n < 0 else out[:n]


def chunk(n: int, flags: int, *parts: bytes, t: int = 1000) -> bytes:
    return struct.pack("<IQ", n << 2 | flags, t) + b"".join(parts)


def test_one_event_packed_by_hand() -> None:
    # y << 12 | x << 1 | p = 2 << 12 | 1 << 1 | 1 = 0x2003, in the upper 24 bits of the first of three words
    (event,) = decoded(chunk(1, 2, b"\x01", struct.pack("<III", 0x2003 << 8, 0, 0), t=4)).tolist()
    assert event == (1, 2, 1, 4)


def test_x_and_p_packed_by_hand() -> None:
    # x << 1 | p in 12 bits: 0xABC, 0x123, 0x456, 0x789 over the words ABC|3, 12|56, 4|789
    packed = struct.pack("<HHH", 0xABC3, 0x1256, 0x4789)
    events = decoded(chunk(4, 1, b"\x04", struct.pack("<H", 7 << 5 | 4), packed))
    assert events["x"].tolist() == [0xABC >> 1, 0x123 >> 1, 0x456 >> 1, 0x789 >> 1]
    assert events["p"].tolist() == [0, 1, 0, 1]
    assert events["y"].tolist() == [7, 7, 7, 7]


def test_masks_by_hand() -> None:
    # 10, then of 11 … 15 the first and the last; then 3 alone, whose mask goes on behind the last event
    masks = struct.pack("<HH", 10 << 5 | 0b10001, 3 << 5 | 0b11111)
    events = decoded(chunk(4, 0, b"\x04", struct.pack("<H", 7 << 5 | 4), masks, b"\x84"))
    assert events["x"].tolist() == [10, 11, 15, 3]
    assert events["p"].tolist() == [1, 1, 1, 1]


def test_a_mask_that_goes_on_writes_nothing_behind_the_last_event() -> None:
    masks = struct.pack("<HH", 10 << 5 | 0b10001, 3 << 5 | 0b11111)
    data = np.frombuffer(chunk(4, 0, b"\x04", struct.pack("<H", 7 << 5 | 4), masks, b"\x84"), np.uint8)
    out = np.full(6, 77, np.int64).repeat(2).view(RECORD_DTYPE)
    behind = out[4:].copy()
    assert unpack_ecf(data, out[:4]) == 4
    assert np.array_equal(out[4:], behind)


def test_times_by_hand() -> None:
    # +2 for two events; a longer step of 0x12 (2, then 1), then + 0 for one; a run of 15 in the next 16 bits
    times = bytes([0x22, 0xF2, 0xF1, 0x01, 0x3F, 15, 0])
    events = decoded(chunk(18, 1, times, struct.pack("<H", 18), bytes(30)))
    assert events["t"].tolist() == [1002, 1002, 1020] + [1023] * 15


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6, 7, 14, 15, 16, 30, 31, 32, 126, 127, 128, 300, 65_535])
def test_runs_of_any_length(packing: Packing, n: int) -> None:
    i = np.arange(n)
    same = make_events(np.full(n, 10_000), i % 1278, np.full(n, 873), np.ones(n))
    assert np.array_equal(decoded(ecf_chunk(same, packing)), records(same))


@pytest.mark.parametrize("packing", PACKINGS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_the_encoder_writes_is_read(packing: Packing, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 40))

    def column(most: int) -> list[int]:
        return data.draw(st.lists(st.integers(0, most), min_size=n, max_size=n))

    steps = data.draw(st.lists(st.sampled_from([0, 1, 14, 15, 16, 255, 256, 10**6, 2**40]), min_size=n, max_size=n))
    events = make_events(np.cumsum(steps), np.cumsum(column(6)) % 2048, column(2047), column(1))
    assert np.array_equal(decoded(ecf_chunk(events, packing)), records(events))


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_chunk_that_is_cut_anywhere_or_goes_on_is_damaged(packing: Packing) -> None:
    whole = ecf_chunk(random_events(50, longest_us=40), packing)
    assert all(decoded(whole[:n]) is None for n in range(len(whole)))
    assert decoded(whole + b"\x00") is None


@pytest.mark.parametrize("packing", PACKINGS)
def test_no_flipped_bit_leads_astray(packing: Packing) -> None:
    whole = bytearray(ecf_chunk(random_events(40, longest_us=40), packing))
    for bit in range(8 * len(whole)):
        whole[bit // 8] ^= 1 << bit % 8
        out = np.full(50, -1, RECORD_DTYPE)
        n = unpack_ecf(np.frombuffer(bytes(whole), np.uint8), out[:41])
        assert -1 <= n <= 41
        assert (out[41:] == out[-1]).all()  # nothing is written behind the room that there is
        whole[bit // 8] ^= 1 << bit % 8


def test_more_events_than_there_is_room_for() -> None:
    events: EventArray = random_events(10)
    assert decoded(ecf_chunk(events, "yxp"), room=10) is not None
    assert decoded(ecf_chunk(events, "yxp"), room=9) is None


def test_a_step_longer_than_time_itself() -> None:
    assert decoded(chunk(1, 2, b"\xf1" * 40 + b"\x01", bytes(12))) is None
