from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bag_files import BagMaker, mono_words
from recording_files import SHARED, needs_shared, random_events, same
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.formats import recognise
from spikebridge.recordings.indexed import IndexedRecording
from spikebridge.recordings.prophesee.header import read_header
from spikebridge.recordings.recording_file import RecordingFile
from spikebridge.recordings.ros import reader

SIZE = (128, 100)
EVENTS = random_events(3000, width=128, height=100)
KINDS = [(1, ""), (2, "mcap"), (2, "sqlite3")]


def everything(recording: IndexedRecording) -> EventArray:
    return np.concatenate(list(recording.chunks()))


def bag_path(folder: Path, version: int) -> Path:
    return folder / ("a.bag" if version == 1 else "a")


def file_of(path: Path) -> Path:
    """The file in the folder of a bag, or the bag itself."""
    return path if path.is_file() else next(p for p in path.iterdir() if p.suffix in (".mcap", ".db3"))


def parts(events: EventArray, size: int = 70) -> list[EventArray]:
    return [events[start : start + size] for start in range(0, events.size, size)]


@pytest.mark.parametrize(("version", "storage"), KINDS)
@pytest.mark.parametrize("package", ["dvs_msgs", "prophesee_event_msgs"])
@pytest.mark.parametrize("frame", ["", "c", "camera"])
def test_arrays_of_events(tmp_path: Path, version: int, storage: str, package: str, frame: str) -> None:
    path = bag_path(tmp_path, version)
    with BagMaker(path, version, storage) as bag:
        for part in parts(EVENTS):
            bag.array(part, SIZE, package=package, frame=frame)
    for each in {path, file_of(path)}:
        recording = open_recording(each)
        assert same(everything(recording), EVENTS)
        assert recording.info.sensor == Sensor(128, 100, "/dvs/events")
        assert (recording.counters().notes, recording.samples) == ((), {})


@pytest.mark.parametrize(("version", "storage"), KINDS)
def test_stretches_of_time_give_what_one_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int, storage: str
) -> None:
    path = bag_path(tmp_path, version)
    with BagMaker(path, version, storage) as bag:
        for part in parts(EVENTS):
            bag.array(part, SIZE)
    monkeypatch.setattr(reader, "CHUNK_EVENTS", 200)
    recording = open_recording(path)
    assert recording.index.events.size > 5
    assert same(everything(recording), EVENTS)
    middle_us = int(EVENTS["t"][1700])
    assert same(
        recording.read(middle_us, middle_us + 900), EVENTS[(EVENTS["t"] >= middle_us) & (EVENTS["t"] < middle_us + 900)]
    )


@needs_shared
@pytest.mark.parametrize(("version", "storage"), KINDS)
def test_evt3_goes_on_from_message_to_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int, storage: str
) -> None:
    raw = SHARED / "formats" / "evt3_gen41.raw"
    content = raw.read_bytes()
    start = read_header(RecordingFile(raw)).start
    path = bag_path(tmp_path, version)
    with BagMaker(path, version, storage) as bag:
        for number, at in enumerate(range(start, len(content), 10_000)):
            bag.packet(content[at : at + 10_000], "evt3", (1280, 720), 1000 * number)
    monkeypatch.setattr(reader, "CHUNK_EVENTS", 20_000)
    whole, recording = open_recording(raw), open_recording(path)
    assert same(everything(recording), everything(whole))
    assert recording.index.events.size > 3


@pytest.mark.parametrize(("version", "storage"), KINDS)
@pytest.mark.parametrize("kind", ["event_camera_msgs/msg/EventPacket", "event_array_msgs/msg/EventArray"])
def test_words_of_64_bits(tmp_path: Path, version: int, storage: str, kind: str) -> None:
    path = bag_path(tmp_path, version)
    with BagMaker(path, version, storage) as bag:
        for part in parts(EVENTS):
            base_ns = int(part["t"][0]) * 1000 - 7000
            bag.packet(mono_words(part, base_ns), "mono", SIZE, base_ns, base_ns, kind=kind)
    assert same(everything(open_recording(path)), EVENTS)


def test_another_camera_is_named_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.bag"
    with BagMaker(path, 1) as bag:
        bag.array(EVENTS[:0], SIZE, topic="/empty/events")
        bag.array(EVENTS[:100], SIZE, topic="/left/events")
        bag.array(EVENTS[:37], SIZE, topic="/right/events")
    recording = open_recording(path)
    assert recording.info.sensor.name == "/left/events"
    assert same(everything(recording), EVENTS[:100])
    counters = recording.counters()
    assert counters.dropped == 37
    assert counters.notes == ("37 events of another camera in the bag, topic /right/events, left out.",)


def test_events_outside_are_counted_and_imu_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.bag"
    events = make_events([10, 20, 30], [1, 128, 2], [1, 1, 100], [1, 0, 1])
    with BagMaker(path, 1) as bag:
        bag.array(events, SIZE)
        types = bag.store.types
        zero = types["geometry_msgs/msg/Vector3"](x=0.0, y=0.0, z=0.0)
        imu = types["sensor_msgs/msg/Imu"](
            header=bag.header(),
            orientation=types["geometry_msgs/msg/Quaternion"](x=0.0, y=0.0, z=0.0, w=1.0),
            orientation_covariance=np.zeros(9),
            angular_velocity=zero,
            angular_velocity_covariance=np.zeros(9),
            linear_acceleration=zero,
            linear_acceleration_covariance=np.zeros(9),
        )
        bag.add("/imu", "sensor_msgs/msg/Imu", imu, 5)
    # more outside than inside would be another sensor
    with pytest.raises(InputError, match="2 outside"):
        open_recording(path)
    with BagMaker(tmp_path / "b.bag", 1) as bag:
        bag.array(np.concatenate([events, EVENTS[:50]]), SIZE)
        bag.add("/imu", "sensor_msgs/msg/Imu", imu, 5)
    recording = open_recording(tmp_path / "b.bag")
    assert recording.counters().dropped == 2
    assert recording.samples == {"imu": 1}


def test_a_bag_without_events_says_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.bag"
    with BagMaker(path, 1) as bag:
        bag.add("/words", "std_msgs/msg/String", bag.store.types["std_msgs/msg/String"](data="hello"), 5)
    with pytest.raises(InputError, match=r"dvs_msgs/EventArray.*found std_msgs/String"):
        open_recording(path)


@pytest.mark.parametrize(("version", "storage"), KINDS)
def test_a_message_that_is_none_is_counted(tmp_path: Path, version: int, storage: str) -> None:
    path = bag_path(tmp_path, version)
    with BagMaker(path, version, storage) as bag:
        bag.array(EVENTS[:100], SIZE)
        t_ns = int(EVENTS["t"][100]) * 1000
        bag.writer.write(
            bag._connections["/dvs/events"], t_ns, b"\x00\x01\x00\x00nothing of that kind, but long enough"
        )
        bag.array(EVENTS[100:200], SIZE)
    recording = open_recording(path)
    assert same(everything(recording), EVENTS[:200])
    assert recording.counters().notes == ("1 packet damaged and skipped.",)
    assert recording.counters().skipped_bytes == 41


@pytest.mark.parametrize(("version", "storage"), KINDS)
def test_a_bag_that_is_cut_is_refused_or_read_in_part(tmp_path: Path, version: int, storage: str) -> None:
    path = bag_path(tmp_path, version)
    with BagMaker(path, version, storage) as bag:
        for part in parts(EVENTS):
            bag.array(part, SIZE)
    file = file_of(path)
    content = file.read_bytes()
    for kept in (20, 5000, len(content) // 2, len(content) - 10):
        cut = tmp_path / f"cut{file.suffix}"
        cut.write_bytes(content[:kept])
        try:
            recording = open_recording(cut)
        except InputError:
            continue
        events = everything(recording)
        assert events.size <= EVENTS.size
        assert recording.counters().truncated
        assert recording.counters().notes


def test_the_folder_of_a_bag_and_its_index_are_the_bag(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with BagMaker(path, 2) as bag:
        bag.array(EVENTS, SIZE)
    assert recognise(path).name == "ROS 2 bag (folder)"
    assert same(everything(open_recording(path / "metadata.yaml")), EVENTS)
    with pytest.raises(InputError, match="a directory"):
        recognise(tmp_path)
