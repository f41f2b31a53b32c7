"""A recording with a table of contents gives what it would give without one, whatever is wrong with either."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import numpy as np
import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from recording_files import random_events, same, write
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.recordings import indexed, open_recording
from spikebridge.recordings.aedat import aedat4
from spikebridge.recordings.aedat.aedat4_header import Compression
from spikebridge.recordings.aedat.aedat4_packets import PacketDecoder
from spikebridge.recordings.aedat.aedat4_writing import Aedat4Writer
from spikebridge.recordings.indexed import IndexedRecording
from spikebridge.recordings.recording_file import RecordingFile

SENSOR = Sensor(128, 128, "DVS128")
EVENTS = random_events(3000, longest_us=100)
COMPRESSIONS: tuple[Compression, ...] = ("NONE", "LZ4", "ZSTD")
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small recording has many chunks, of which none but both ends is checked when it is opened."""
    monkeypatch.setattr(aedat4, "CHUNK_EVENTS", 60)
    monkeypatch.setattr(indexed, "_CHECKED_CHUNKS", 1)


def recorded(path: Path, events: EventArray, compression: Compression = "LZ4", per_packet: int = 25) -> Path:
    with Aedat4Writer(path, SENSOR, compression) as writer:
        for start in range(0, events.size, per_packet):
            writer.write(events[start : start + per_packet])
    return path


def table_at(content: bytes) -> int:
    return int(struct.unpack_from("<q", content, 46)[0])


def everything(recording: IndexedRecording) -> EventArray:
    return np.concatenate(list(recording.chunks()))


def measured(path: Path, monkeypatch: pytest.MonkeyPatch) -> IndexedRecording | str:
    """The recording, taken on trust in nothing, or why it cannot be read."""
    with monkeypatch.context() as patch:
        patch.setattr(aedat4, "_said_index", lambda packets, pieces: None)
        try:
            return open_recording(path)
        except InputError as error:
            return str(error)


def check_same(path: Path, windows: list[tuple[float, float]], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = measured(path, monkeypatch)
    if isinstance(expected, str):
        with pytest.raises(InputError, match=re.escape(expected)):
            open_recording(path)
        return
    whole = everything(expected)
    recording = open_recording(path)
    span_us = int(whole["t"][-1] - whole["t"][0]) + 2
    for start, stop in windows:
        start_us, stop_us = (int(whole["t"][0]) - 1 + int(part * span_us) for part in (start, stop))
        inside = (whole["t"] >= start_us) & (whole["t"] < stop_us)
        assert recording.count(start_us, stop_us) == inside.sum()
        assert same(recording.read(start_us, stop_us), whole[inside])
    assert same(everything(recording), whole)
    assert recording.info == expected.info
    left, right = recording.counters(), expected.counters()
    assert (left.skipped_bytes, left.truncated, left.notes) == (right.skipped_bytes, right.truncated, right.notes)
    assert recording.n_events == expected.n_events


WINDOWS = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=4)
JUMPS = st.sampled_from([-1, -60, -100_000, -100_001, -998_999, 70, 1_000_000, 600_000_001])


@SLOW
@given(
    st.sampled_from(COMPRESSIONS),
    st.sampled_from([1, 7, 25, 100]),
    st.lists(st.tuples(st.integers(0, 2999), JUMPS, st.sampled_from([1, 1, 3, 30, 3000])), max_size=4),
    st.lists(st.integers(0, 2999), max_size=5),
    WINDOWS,
)
@example("LZ4", 25, [(1510, -60_000, 1)], [], [])
def test_odd_events(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    compression: Compression,
    per_packet: int,
    jumps: list[tuple[int, int, int]],
    outside: list[int],
    windows: list[tuple[float, float]],
) -> None:
    events = EVENTS.copy()
    for start, jump_us, length in jumps:
        events["t"][start : start + length] += jump_us
    events["x"][outside] = 128
    check_same(recorded(tmp_path / "a.aedat4", events, compression, per_packet), windows, monkeypatch)


@SLOW
@given(
    st.sampled_from(COMPRESSIONS),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=4),
    st.floats(0.5, 1.0),
    WINDOWS,
)
def test_flipped_bytes_and_a_cut(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    compression: Compression,
    flips: list[tuple[float, int]],
    kept: float,
    windows: list[tuple[float, float]],
) -> None:
    path = recorded(tmp_path / "a.aedat4", EVENTS, compression)
    content = bytearray(path.read_bytes())
    for place, bits in flips:
        content[int(place * len(content))] ^= bits
    path.write_bytes(content[: int(kept * len(content)) if kept < 0.9 else len(content)])
    check_same(path, windows, monkeypatch)


@SLOW
@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=6), WINDOWS)
def test_a_table_that_lies_costs_no_event(
    tmp_path: Path, flips: list[tuple[float, int]], windows: list[tuple[float, float]]
) -> None:
    path = recorded(tmp_path / "a.aedat4", EVENTS, "NONE")
    content = bytearray(path.read_bytes())
    start = table_at(content)
    for place, bits in flips:
        content[start + int(place * (len(content) - start))] ^= bits
    recording = open_recording(write(tmp_path, bytes(content)))
    for a, b in windows:
        start_us, stop_us = (int(part * EVENTS["t"][-1]) for part in (a, b))
        found = recording.read(start_us, stop_us)
        assert same(found, EVENTS[(EVENTS["t"] >= start_us) & (EVENTS["t"] < stop_us)])
    assert same(everything(recording), EVENTS)
    assert recording.counters().skipped_bytes == 0
    assert recording.n_events == EVENTS.size


@pytest.mark.parametrize("lie", [-1, 1])
@pytest.mark.parametrize("at", [20, 28, 36])
@pytest.mark.parametrize("packet", [60, 61])  # the first and the last of a chunk
def test_small_lies_of_the_table_are_seen_where_they_matter(tmp_path: Path, packet: int, at: int, lie: int) -> None:
    """at : of the number of events, the first and the last time in the entry of the packet."""
    content = bytearray(recorded(tmp_path / "a.aedat4", EVENTS, "NONE").read_bytes())
    at += len(content) - 48 * (EVENTS.size // 25 - packet)
    struct.pack_into("<q", content, at, struct.unpack_from("<q", content, at)[0] + lie)
    path = write(tmp_path, bytes(content))
    for t_us in EVENTS["t"][[1499, 1500, 1524, 1525, 1549, 1550]].tolist():
        assert same(open_recording(path).read(t_us, t_us + 1), EVENTS[EVENTS["t"] == t_us])
    assert same(everything(open_recording(path)), EVENTS)


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_packets_whose_headers_are_damaged_are_found_in_the_table(tmp_path: Path, compression: Compression) -> None:
    path = recorded(tmp_path / "a.aedat4", EVENTS, compression)
    content = bytearray(path.read_bytes())
    first = 18 + struct.unpack_from("<I", content, 14)[0]
    second = first + 8 + struct.unpack_from("<i", content, first + 4)[0]
    content[second : second + 8] = b"\xff" * 8
    recording = open_recording(write(tmp_path, bytes(content)))
    assert same(everything(recording), EVENTS)
    assert recording.counters().notes == ()


def test_each_chunk_is_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces: list[tuple[int, int]] = []

    class Counted(PacketDecoder):
        def __call__(self, piece: tuple[int, int], *rest: object) -> int:
            pieces.append(piece)
            return super().__call__(piece, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(aedat4, "PacketDecoder", Counted)
    recording = open_recording(recorded(tmp_path / "a.aedat4", EVENTS))
    n = recording.index.events.size
    assert n == 120
    assert pieces == [(119, 120), (0, 1)]
    pieces.clear()
    assert same(recording.read(0, 1 << 40), EVENTS)
    assert sorted(pieces) == [(i, i + 1) for i in range(n)]
    pieces.clear()
    recording = open_recording(tmp_path / "a.aedat4")
    assert recording.read(int(EVENTS["t"][-1]), 1 << 40).size
    assert sorted(set(pieces)) == [(i, i + 1) for i in range(n)]
    assert len(pieces) == n + 1  # a jump to the end checks what it jumped over, and that only once
    recording.read(int(EVENTS["t"][1500]), int(EVENTS["t"][1500]) + 1)
    assert len(pieces) == n + 2


@pytest.mark.parametrize("n_between", [1, 3, 5])
def test_a_chunk_of_few_events_confirms_no_stray(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_between: int
) -> None:
    """Between two long packets lies a short one, and only the third tells that what is far ahead are strays."""
    far_us = 50_000_000
    packets = [
        [*range(0, 900, 10), far_us],
        [far_us + 1 + i for i in range(n_between)],
        [far_us + 90, *range(900, 1800, 10), far_us + 91],
        *([far_us + 100 * k + i for i in range(90)] for k in range(2, 30)),
    ]
    path = tmp_path / "a.aedat4"
    with Aedat4Writer(path, SENSOR) as writer:
        for times in packets:
            one = [1] * len(times)
            writer.write(make_events(times, one, one, one))
    check_same(path, [(0.0, 0.1)], monkeypatch)
    recording = open_recording(path)
    assert recording.read(0, far_us // 2).size == 182 + n_between  # the strays have the times of their neighbours
    assert recording.counters().out_of_order == n_between + 2


def test_a_jump_far_ahead_is_prepared_in_steps(tmp_path: Path) -> None:
    recording = open_recording(recorded(tmp_path / "a.aedat4", EVENTS))
    assert recording.ready_for(0, 1)
    last_us = int(EVENTS["t"][-1])
    n_steps = 1
    while not recording.ready_for(last_us, last_us + 1):
        n_steps += 1
    assert n_steps == recording.index.events.size - 2
    assert same(recording.read(last_us, last_us + 1), EVENTS[EVENTS["t"] == last_us])


def test_a_table_early_in_a_sparse_file_is_all_that_is_read_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = recorded(tmp_path / "a.aedat4", EVENTS)
    n_bytes = path.stat().st_size
    os.truncate(path, 10 << 30)
    read: list[int] = []

    def counted(file: RecordingFile, at: int, n: int) -> bytes:
        read.append(n)
        return original(file, at, n)

    original = RecordingFile.read
    monkeypatch.setattr(RecordingFile, "read", counted)
    recording = open_recording(path)
    assert sum(read) < 20 * n_bytes
    assert recording._measure is not None  # the table was used
    assert same(everything(recording), EVENTS)
    assert not recording.counters().truncated


def packed_zeros(n_bytes: int, how: Callable[[bytes], bytes]) -> bytes:
    """An events' packet that claims, and holds, far more than any."""
    return how(struct.pack("<II4s", n_bytes, 16, b"EVTS") + bytes(n_bytes))


@pytest.mark.parametrize(
    ("compression", "how"),
    [
        ("ZSTD", zstandard.ZstdCompressor().compress),
        ("ZSTD", zstandard.ZstdCompressor(write_content_size=False).compress),
        ("LZ4", lz4.frame.compress),
        ("LZ4", lambda content: lz4.frame.compress(content, store_size=False, content_checksum=True)),
    ],
)
def test_a_packet_that_unpacks_to_too_much_is_damaged(
    tmp_path: Path, compression: Compression, how: Callable[[bytes], bytes]
) -> None:
    path = recorded(tmp_path / "a.aedat4", EVENTS[:50], compression)
    content = bytearray(path.read_bytes())
    packets = content[: table_at(content)]
    packets[46:54] = struct.pack("<q", -1)
    bomb = packed_zeros(300 << 20, how)
    path.write_bytes(packets + struct.pack("<ii", 0, len(bomb)) + bomb)
    code = (
        "import sys, resource\n"
        "from spikebridge.recordings import open_recording\n"
        "open_recording(sys.argv[2])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "recording = open_recording(sys.argv[1])\n"
        "print(recording.n_events, recording.counters().skipped_bytes, recording.counters().notes[-1])\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    small = recorded(tmp_path / "small.aedat4", EVENTS, compression)
    arguments = [sys.executable, "-c", code, str(path), str(small)]
    lines = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[0] == f"50 {len(bomb)} 1 packet damaged and skipped."
    assert int(lines[1]) < 150
