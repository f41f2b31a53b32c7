"""AEDAT4 with several streams, as the vendor's own library writes them, whole and damaged."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import dv_processing as dv
import numpy as np
import pytest

from recording_files import random_events, same, write
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.aedat.aedat4 import _read_header
from spikebridge.recordings.aedat.aedat4_header import Compression
from spikebridge.recordings.aedat.aedat4_writing import Aedat4Writer
from spikebridge.recordings.indexed import IndexedRecording
from spikebridge.recordings.recording_file import RecordingFile

LEFT = random_events(600)
RIGHT = random_events(250, seed=1, width=346, height=260)
COMPRESSIONS: tuple[Compression, ...] = ("NONE", "LZ4", "ZSTD")


def everything(recording: IndexedRecording) -> EventArray:
    return np.concatenate(list(recording.chunks()))


def stores(events: EventArray, per_packet: int = 50) -> list[dv.EventStore]:
    found = []
    for start in range(0, events.size, per_packet):
        found.append(dv.EventStore())
        for t, x, y, polarity in events[start : start + per_packet].tolist():
            found[-1].push_back(t, x, y, bool(polarity))
    return found


def config(name: str, compression: str, *resolutions: tuple[int, int]) -> dv.io.MonoCameraWriter.Config:
    made = dv.io.MonoCameraWriter.Config(name, getattr(dv.CompressionType, compression))
    for number, resolution in enumerate(resolutions):
        made.addEventStream(resolution, f"events{number or ''}")
    return made


def two_cameras(path: Path, compression: str) -> Path:
    left, right = config("DVS128_L", compression, (128, 128)), config("DAVIS346_R", compression, (346, 260))
    writer = dv.io.StereoCameraWriter(str(path), left, right)
    for store in stores(LEFT):
        writer.left.writeEvents(store)
    for store in stores(RIGHT):
        writer.right.writeEvents(store)
    del writer  # the file is finished only when the writer is gone
    return path


def all_streams(path: Path, compression: str, first: EventArray = LEFT[:0]) -> Path:
    """Two streams of events, two frames, seven samples of IMU in two packets, three triggers."""
    streams = config("DAVIS346", compression, (128, 128), (346, 260))
    streams.addImuStream()
    streams.addTriggerStream()
    streams.addFrameStream((346, 260))
    writer = dv.io.MonoCameraWriter(str(path), streams)
    for store in [dv.EventStore(), *stores(first)]:
        writer.writeEvents(store, "events")
    for store in stores(RIGHT):
        writer.writeEvents(store, "events1")
    writer.setPackagingCount(4)
    for t in range(1000, 1007):
        writer.writeImu(dv.IMU(t, *[0.5] * 10))
    for t in (1000, 1500, 2000):
        writer.writeTrigger(dv.Trigger(t, dv.TriggerType.EXTERNAL_SIGNAL_RISING_EDGE))
    for t in (1100, 1900):
        writer.writeFrame(dv.Frame(t, np.full((260, 346), 77, np.uint8)))
    del writer
    return path


def table_at(path: Path) -> int:
    return _read_header(RecordingFile(path))[0].table_at


def without_table(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[: table_at(path)])
    return path


def packets_of(path: Path) -> list[tuple[int, int, int]]:
    """(byte of the header, stream, size) of each packet."""
    header, start = _read_header(RecordingFile(path))
    content, at, found = path.read_bytes(), start, []
    while at < header.table_at:
        stream, size = struct.unpack_from("<ii", content, at)
        found.append((at, stream, size))
        at += 8 + size
    return found


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("table", [True, False])
def test_of_two_cameras_the_first_is_read_and_the_other_counted(tmp_path: Path, compression: str, table: bool) -> None:
    path = two_cameras(tmp_path / "a.aedat4", compression)
    recording = open_recording(path if table else without_table(path))
    assert same(everything(recording), LEFT)
    assert recording.info.sensor == Sensor(128, 128, "DVS128_L")
    counters = recording.counters()
    assert counters.dropped == RIGHT.size
    assert counters.notes[0] == "250 events of another camera in the file, 'DAVIS346_R' (346x260 px), left out."
    assert len(counters.notes) == (1 if table else 2)
    assert counters.skipped_bytes == 0


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("table", [True, False])
def test_an_empty_stream_of_events_before_a_full_one(tmp_path: Path, compression: str, table: bool) -> None:
    path = all_streams(tmp_path / "a.aedat4", compression)
    recording = open_recording(path if table else without_table(path))
    assert same(everything(recording), RIGHT)
    assert (recording.info.sensor.width, recording.info.sensor.height) == (346, 260)
    assert recording.samples == {"frames": 2, "imu": 7, "triggers": 3}
    counters = recording.counters()
    assert (counters.dropped, counters.skipped_bytes) == (0, 0)
    assert counters.notes == () if table else len(counters.notes) == 1


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("table", [True, False])
def test_a_packet_whose_header_is_damaged(tmp_path: Path, compression: Compression, table: bool) -> None:
    """Whatever stands there instead, all other packets are kept, and what is lost is counted."""
    path = tmp_path / "a.aedat4"
    with Aedat4Writer(path, Sensor(128, 128, "DVS128"), compression) as writer:
        for start in range(0, LEFT.size, 50):
            writer.write(LEFT[start : start + 50])
    packets = packets_of(path)
    content = (path if table else without_table(path)).read_bytes()
    random = np.random.default_rng(0)
    for number in (0, 1, 6, 10, 11):
        at, _, size = packets[number]
        others = np.concatenate([LEFT[: 50 * number], LEFT[50 * number + 50 :]])
        sizes = [0, 1, 9, size - 1, size + 1, size + 8, size + 700, 5 * size, 0x7FFFFFFF, -1, -0x80000000]
        headers = [struct.pack("<ii", 0, n) for n in sizes]
        headers += [struct.pack("<ii", n, size) for n in (1, -1, 0x01000000)]
        headers += [struct.pack("<i", 0) + random.bytes(2) + bytes(2) for _ in range(9)] + [random.bytes(8)]
        for header in headers:
            damaged = bytearray(content)
            damaged[at : at + 8] = header
            recording = open_recording(write(tmp_path, bytes(damaged), "damaged.aedat4"))
            events, counters = everything(recording), recording.counters()
            assert same(events, LEFT) or (not table and same(events, others)), (number, header)
            assert same(events, LEFT) or counters.skipped_bytes >= size, (number, header)
            assert not table or counters.notes == ()


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_packet_that_hides_the_next_one_is_no_packet(tmp_path: Path, compression: Compression) -> None:
    """Its size reaches just to the end of the next: without a table nothing but its content tells."""
    path = tmp_path / "a.aedat4"
    with Aedat4Writer(path, Sensor(128, 128, "DVS128"), compression) as writer:
        for start in range(0, LEFT.size, 50):
            writer.write(LEFT[start : start + 50])
    packets = packets_of(path)
    content = bytearray(without_table(path).read_bytes())
    struct.pack_into("<i", content, packets[3][0] + 4, packets[3][2] + 8 + packets[4][2])
    recording = open_recording(write(tmp_path, bytes(content), "damaged.aedat4"))
    if compression == "NONE":  # says its own size
        assert same(everything(recording), LEFT)
    else:
        assert same(everything(recording), np.concatenate([LEFT[:150], LEFT[250:]]))
        assert recording.counters().skipped_bytes == packets[3][2] + 8 + packets[4][2]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_large_packets_end_where_they_should(tmp_path: Path, compression: Compression) -> None:
    """Those of more than some kB are unpacked another way."""
    events = random_events(40_000, longest_us=3)
    path = tmp_path / "a.aedat4"
    with Aedat4Writer(path, Sensor(128, 128, "DVS128"), compression) as writer:
        for start in range(0, events.size, 10_000):
            writer.write(events[start : start + 10_000])
    packets = packets_of(path)
    content = bytearray(without_table(path).read_bytes())
    assert same(everything(open_recording(path)), events)
    struct.pack_into("<i", content, packets[1][0] + 4, packets[1][2] + 8 + packets[2][2])
    recording = open_recording(write(tmp_path, bytes(content), "damaged.aedat4"))
    kept = everything(recording)
    assert same(kept, events) or same(kept, np.concatenate([events[:10_000], events[30_000:]]))
    assert same(kept, events) or recording.counters().skipped_bytes == packets[1][2] + 8 + packets[2][2]


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize(("of", "to"), [("EVTS", "IMUS"), ("IMUS", "EVTS"), ("IMUS", "TRIG"), ("IMUS", "FRME")])
def test_a_packet_in_the_wrong_stream_is_counted(tmp_path: Path, compression: str, of: str, to: str) -> None:
    """Its number in the file is wrong, and no table says so."""
    path = all_streams(tmp_path / "a.aedat4", compression, first=LEFT)
    streams = _read_header(RecordingFile(path))[0].streams
    first = {kind: number for number, kind in reversed(streams.items())}
    at, _, size = next(packet for packet in packets_of(path) if packet[1] == first[of])
    content = bytearray(without_table(path).read_bytes())
    struct.pack_into("<i", content, at, first[to])
    recording = open_recording(write(tmp_path, bytes(content), "damaged.aedat4"))
    lost = LEFT[:50] if of == "EVTS" else LEFT[:0]
    assert same(everything(recording), LEFT[lost.size :])
    assert recording.samples == {"frames": 2, "imu": 7 if of == "EVTS" else 3, "triggers": 3}
    counters = recording.counters()
    assert (counters.dropped, counters.skipped_bytes) == (RIGHT.size, size)
    assert counters.notes[-1] == "1 packet damaged and skipped."


@pytest.mark.parametrize("n_cut", [1, 7, 9, 40])
def test_damage_just_before_a_cut(tmp_path: Path, n_cut: int) -> None:
    """The last whole packet has only a part of one behind it to tell that it is one."""
    path = tmp_path / "a.aedat4"
    with Aedat4Writer(path, Sensor(128, 128), "LZ4") as writer:
        for start in range(0, LEFT.size, 50):
            writer.write(LEFT[start : start + 50])
    packets = packets_of(path)
    content = bytearray(path.read_bytes()[: packets[-1][0] + n_cut])
    content[packets[-3][0] : packets[-3][0] + 4] = b"\xff" * 4
    recording = open_recording(write(tmp_path, bytes(content), "damaged.aedat4"))
    assert same(everything(recording), np.concatenate([LEFT[:450], LEFT[500:550]]))
    assert recording.counters().skipped_bytes == 8 + packets[-3][2] + n_cut
    assert recording.counters().truncated


def by_faery(path: Path) -> EventArray:
    import faery

    parts = list(faery.events_stream_from_file(str(path)))
    found = np.concatenate(parts)
    return make_events(found["t"], found["x"], found["y"], found["on"])


def by_aedat(path: Path) -> EventArray:
    import aedat

    parts: Sequence[np.ndarray] = [packet["events"] for packet in aedat.Decoder(str(path)) if "events" in packet]
    found = np.concatenate(parts)
    return make_events(found["t"], found["x"], found["y"], found["on"])


def by_vendor(path: Path) -> EventArray:
    recording = dv.io.MonoCameraRecording(str(path))
    parts = []
    while recording.isRunning():
        if (store := recording.getNextEventBatch()) is not None:
            parts.append(store.numpy())
    found = np.concatenate(parts)
    return make_events(found["timestamp"], found["x"], found["y"], found["polarity"])


@pytest.mark.parametrize("name", ["", " ", "DVS & <friends>", "Kamera Ü", "'quoted' \"twice\""])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_every_name_of_a_sensor_is_written_so_that_all_read_it(
    tmp_path: Path, name: str, compression: Compression
) -> None:
    path = tmp_path / "a.aedat4"
    with Aedat4Writer(path, Sensor(128, 128, name), compression) as writer:
        writer.write(LEFT)
    assert open_recording(path).info.sensor.name == name.strip()
    for reader in (by_faery, by_aedat, by_vendor):
        assert same(reader(path), LEFT), reader


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_damaged_files_of_the_vendor_are_refused_or_counted(tmp_path: Path, compression: str) -> None:
    """Cut anywhere, bytes changed anywhere: a sentence, or events in order with a word on what is missing."""
    content = all_streams(tmp_path / "a.aedat4", compression, first=LEFT).read_bytes()
    random = np.random.default_rng(7)
    for number in range(120):
        damaged = bytearray(content[: random.integers(0, len(content)) if number % 3 == 0 else len(content)])
        for at in random.integers(0, max(1, len(damaged)), number % 4):
            damaged[at : at + 1] = random.bytes(1)
        try:
            recording = open_recording(write(tmp_path, bytes(damaged), "damaged.aedat4"))
        except InputError:
            continue
        events, counters = everything(recording), recording.counters()
        assert np.all(np.diff(events["t"]) >= 0)
        assert events.size == recording.n_events
        if events.size < LEFT.size and recording.info.sensor.width == 128:
            assert counters.notes, number
