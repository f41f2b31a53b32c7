from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recording_files import AEDAT3_HEADER, aedat3, aedat3_other_packet, aedat3_packet, random_events, same, write
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.indexed import IndexedRecording

EVENTS = random_events(100)
PACKETS = [aedat3_packet(EVENTS[i : i + 20]) for i in range(0, 100, 20)]


def everything(recording: IndexedRecording) -> EventArray:
    return np.concatenate(list(recording.chunks()))


def test_event_bits(tmp_path: Path) -> None:
    packet = struct.pack("<HHiiiiii", 1, 1, 8, 4, 0, 1, 1, 1) + struct.pack("<Ii", 1 | 1 << 1 | 7 << 2 | 9 << 17, 42)
    assert everything(open_recording(write(tmp_path, aedat3(packet)))).tolist() == [(42, 9, 7, 1)]


def test_other_packets_are_left_out_and_noted(tmp_path: Path) -> None:
    others = [aedat3_other_packet(0, 8, 3), aedat3_other_packet(2, 1000, 1), aedat3_other_packet(3, 36, 2)]
    content = aedat3(PACKETS[0], *others, *PACKETS[1:])
    recording = open_recording(write(tmp_path, content))
    assert same(everything(recording), EVENTS)
    assert recording.streams == ("events", "triggers", "frames", "imu")
    assert recording.samples == {"triggers": 3, "frames": 1, "imu": 2}
    assert (recording.counters().skipped_bytes, recording.counters().notes) == (0, ())


def test_a_second_camera_is_left_out(tmp_path: Path) -> None:
    recording = open_recording(write(tmp_path, aedat3(PACKETS[0], aedat3_packet(EVENTS, source=2), *PACKETS[1:])))
    assert same(everything(recording), EVENTS)
    assert recording.counters().notes == (f"{EVENTS.size} events of another camera in the file, left out.",)
    assert recording.counters().dropped == EVENTS.size


def test_invalid_events_and_events_outside_are_dropped_and_counted(tmp_path: Path) -> None:
    outside = make_events([EVENTS["t"][19]] * 2, [128, 5], [5, 200], [1, 1])
    invalid = aedat3_packet(outside[:1], valid=0)
    recording = open_recording(write(tmp_path, aedat3(PACKETS[0], aedat3_packet(outside), invalid, *PACKETS[1:])))
    assert same(everything(recording), EVENTS)
    assert [note[:8] for note in recording.counters().notes] == ["2 events", "1 event "]
    assert recording.counters().dropped == 3


def test_the_overflow_of_a_packet_extends_its_time(tmp_path: Path) -> None:
    late = make_events([(1 << 31) - 5, (1 << 31) + 10], [1, 2], [3, 4], [0, 1])
    content = aedat3(aedat3_packet(late[:1]), aedat3_packet(late[1:], overflow=1))
    assert same(everything(open_recording(write(tmp_path, content))), late)


def test_time_running_backwards_is_clamped_in_order(tmp_path: Path) -> None:
    events = make_events([100, 90, 95, 120], [1, 2, 3, 4], [5] * 4, [1] * 4)
    recording = open_recording(write(tmp_path, aedat3(aedat3_packet(events[:2]), aedat3_packet(events[2:]))))
    assert everything(recording)["t"].tolist() == [100, 100, 100, 120]
    assert everything(recording)["x"].tolist() == [1, 2, 3, 4]
    assert "2 events given the newest time" in recording.counters().notes[0]


def test_a_damaged_overflow_does_not_make_years_of_silence(tmp_path: Path) -> None:
    content = aedat3(PACKETS[0], aedat3_packet(EVENTS[20:40], overflow=1 << 30), *PACKETS[2:])
    recording = open_recording(write(tmp_path, content))
    assert everything(recording).size == 100
    assert recording.info.t_last_us is not None
    assert recording.info.t_last_us < 1_000_000
    assert "set 2 times" in recording.counters().notes[0]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(n_bytes=st.integers(0, sum(map(len, PACKETS))))
def test_a_file_cut_anywhere_keeps_all_whole_events(tmp_path: Path, n_bytes: int) -> None:
    body = b"".join(PACKETS)[:n_bytes]
    path = write(tmp_path, AEDAT3_HEADER + body)
    n_packets, rest = divmod(n_bytes, len(PACKETS[0]))
    n_events = n_packets * 20 + max(0, rest - 28) // 8
    if n_events == 0:
        with pytest.raises(InputError, match="to hold events"):
            open_recording(path)
        return
    recording = open_recording(path)
    counters = recording.counters()
    assert same(everything(recording), EVENTS[:n_events])
    assert counters.truncated == (rest > 0)
    assert counters.skipped_bytes == (0 if rest == 0 else rest if rest < 28 else (rest - 28) % 8)


@pytest.mark.parametrize("garbage", [b"\x00" * 50, b"\xff" * 33, b"\x01\x00" * 40])
def test_garbage_between_packets_is_skipped_and_counted(tmp_path: Path, garbage: bytes) -> None:
    recording = open_recording(write(tmp_path, aedat3(*PACKETS[:2], garbage, *PACKETS[2:])))
    assert same(everything(recording), EVENTS)
    assert recording.counters().skipped_bytes == len(garbage)
    assert not recording.counters().truncated


@pytest.mark.parametrize(
    ("at", "value"), [(4, 7), (4, -8), (4, 0), (20, -1), (20, 1_000_000), (0, 60_000), (12, -1), (16, 3)]
)
def test_a_packet_with_wrong_sizes_costs_that_packet(tmp_path: Path, at: int, value: int) -> None:
    broken = bytearray(PACKETS[1])
    struct.pack_into("<i", broken, at, value)
    recording = open_recording(write(tmp_path, aedat3(PACKETS[0], bytes(broken), *PACKETS[2:])))
    assert same(everything(recording), np.concatenate([EVENTS[:20], EVENTS[40:]]))
    assert recording.counters().skipped_bytes == len(broken)
    assert "no packet could be read" in " ".join(recording.counters().notes)


def test_a_cut_header_and_another_coding_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="END-HEADER"):
        open_recording(write(tmp_path, AEDAT3_HEADER[:-5]))
    with pytest.raises(InputError, match="SerializedTS"):
        open_recording(write(tmp_path, AEDAT3_HEADER.replace(b"RAW", b"SerializedTS") + PACKETS[0]))


@pytest.mark.parametrize(("name", "told"), [(b" Novelty", "Novelty"), (b"", ""), (b" ", "")])
def test_a_sensor_of_unknown_size_is_the_smallest_that_holds_its_events(tmp_path: Path, name: bytes, told: str) -> None:
    header = AEDAT3_HEADER.replace(b" DVS128", name)
    recording = open_recording(write(tmp_path, aedat3(*PACKETS, header=header)))
    assert recording.info.sensor == Sensor(128, 128, told)
    assert (told or "no sensor") in recording.counters().notes[0]
    assert same(everything(recording), EVENTS)


def test_what_holds_no_event_is_refused_with_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"without any .*12 events marked invalid"):
        open_recording(write(tmp_path, aedat3(aedat3_packet(random_events(12), valid=0))))
    with pytest.raises(InputError, match=r"without any .*2 samples of imu"):
        open_recording(write(tmp_path, aedat3(aedat3_other_packet(3, 36, 2))))
