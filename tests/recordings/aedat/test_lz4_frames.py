"""Against the library: the same bytes, never a byte too far, and nothing taken that the library refuses."""

from __future__ import annotations

import lz4.frame
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from spikebridge.recordings.aedat.lz4_frames import unpack_frame

#: From what does not compress to what repeats itself after a few bytes, of all lengths around the steps of copies.
CONTENT = st.one_of(
    st.binary(max_size=300),
    st.builds(lambda unit, n: (unit * n)[: n * 3], st.binary(min_size=1, max_size=40), st.integers(1, 2000)),
    st.builds(
        lambda seed, n, k: np.random.default_rng(seed).integers(0, k, n, np.uint8).tobytes(),
        st.integers(0, 99),
        st.integers(0, 150_000),
        st.sampled_from([2, 5, 256]),
    ),
)
#: How frames may be made that are taken.
PLAIN = st.fixed_dictionaries(
    {
        "store_size": st.booleans(),
        "block_linked": st.booleans(),
        "block_size": st.sampled_from([0, 4, 5, 6, 7]),
        "compression_level": st.sampled_from([0, 3, 12]),
    }
)


def unpack(frame: bytes, room: int) -> bytes | None:
    """What is unpacked to ``room`` bytes; fails when a byte beyond them changes."""
    memory = np.full(room + 100, 0xA5, np.uint8)
    n = unpack_frame(np.frombuffer(bytearray(frame), np.uint8), memory[:room])
    assert np.all(memory[room:] == 0xA5)
    return None if n < 0 else memory[:n].tobytes()


@settings(deadline=None, max_examples=150)
@given(CONTENT, PLAIN, st.integers(0, 70))
def test_what_the_library_packs_is_unpacked(content: bytes, how: dict[str, int], spare: int) -> None:
    frame = lz4.frame.compress(content, **how)
    assert unpack(frame, len(content) + spare) == content
    assert unpack(frame + b"more", len(content)) is None
    if content:
        assert unpack(frame, len(content) - 1) is None


@settings(deadline=None, max_examples=300)
@given(
    CONTENT, PLAIN, st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=3), st.data()
)
def test_nothing_is_taken_that_the_library_refuses(
    content: bytes, how: dict[str, int], flips: list[tuple[float, int]], data: st.DataObject
) -> None:
    frame = bytearray(lz4.frame.compress(content, **how))
    for place, bits in flips:
        frame[int(place * len(frame))] ^= bits
    frame = frame[: data.draw(st.integers(0, len(frame)))]
    found = unpack(bytes(frame), len(content) + 1000)
    if found is not None:
        assert lz4.frame.decompress(bytes(frame)) == found


@pytest.mark.parametrize("how", [{"content_checksum": True}, {"block_checksum": True}])
def test_frames_with_checksums_are_left_to_the_library(how: dict[str, bool]) -> None:
    assert unpack(lz4.frame.compress(b"events" * 9, **how), 100) is None


def block(*sequences: tuple[int, bytes, int]) -> bytes:
    """A frame of one block from (token, literals, bytes back; 0 at the end)."""
    content = b"".join(
        bytes([token]) + literals + (back.to_bytes(2, "little") if back else b"") for token, literals, back in sequences
    )
    header = lz4.frame.compress(b"", store_size=False)[:7]
    return header + len(content).to_bytes(4, "little") + content + bytes(4)


@pytest.mark.parametrize(
    ("frame", "content"),
    [
        (block((0x30, b"abc", 1), (0x50, b"vwxyz", 0)), b"abcccccvwxyz"),
        (block((0x34, b"abc", 3), (0x50, b"vwxyz", 0)), b"abcabcabcabvwxyz"),
        (block((0x30, b"abc", 4), (0x50, b"vwxyz", 0)), None),  # before the beginning
        (block((0x30, b"abc", 3), (0x00, b"", 3), (0x50, b"vwxyz", 0)), b"abcabcabcabvwxyz"),
        (block((0x30, b"abc", 3), (0x10, b"v", 0)), None),  # too few literal bytes at the end
        (block((0x30, b"ab", 0)), None),  # fewer literal bytes than said
        (block((0xF0, b"\xff\xff", 0)), None),  # a length without an end
    ],
)
def test_sequences_by_hand(frame: bytes, content: bytes | None) -> None:
    assert unpack(frame, 200) == content


def test_half_a_gigabyte_from_two_megabytes_stops_at_the_room() -> None:
    def of(n: int) -> NDArray[np.uint8]:
        return np.frombuffer(bytearray(lz4.frame.compress(bytes(n))), np.uint8)

    room = np.zeros(1 << 16, np.uint8)
    assert unpack_frame(of(1 << 16), room) == 1 << 16
    assert unpack_frame(of(1 << 29), room) == -1
