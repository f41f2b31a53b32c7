from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from recording_files import SHARED, aedat2, davis_words, needs_shared, random_events, same, write
from spikebridge.errors import InputError, UsageError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.aedat.aedat4_writing import Aedat4Writer
from spikebridge.recordings.conversion import Conversion, Converted, Crop, Part
from spikebridge.recordings.formats import FORMATS
from spikebridge.recordings.labels import Span, labels_path, read_labels, write_labels

WRITTEN = sorted({kind.suffixes[0] for kind in FORMATS if kind.writer})


def recorded(path: Path, events: EventArray, sensor: Sensor | None = None) -> Path:
    with Aedat4Writer(path, sensor or Sensor(128, 128, "DVS128")) as writer:
        writer.write(events)
    return path


def converted(path: Path, out: Path, part: Part | None = None, *, overwrite: bool = False) -> Converted:
    with closing(open_recording(path)) as recording:
        return Conversion(recording, path, out, part or Part(), overwrite=overwrite).run()


def everything(path: Path) -> tuple[EventArray, Sensor]:
    with closing(open_recording(path)) as recording:
        return np.concatenate(list(recording.chunks())), recording.info.sensor


@pytest.mark.parametrize("suffix", WRITTEN)
def test_what_every_format_holds_comes_back(tmp_path: Path, suffix: str) -> None:
    events = random_events(70_000, seed=3)
    path = recorded(tmp_path / "a.aedat4", events)
    assert converted(path, tmp_path / f"b{suffix}") == Converted(70_000, 0)
    back, sensor = everything(tmp_path / f"b{suffix}")
    assert same(back, events)
    assert (sensor.width, sensor.height) == (128, 128)


@needs_shared
@pytest.mark.parametrize("suffix", WRITTEN)
def test_a_real_recording_to_every_format_and_back(tmp_path: Path, suffix: str) -> None:
    path = SHARED / "formats" / "davis346.aedat4"
    converted(path, tmp_path / f"b{suffix}")
    converted(tmp_path / f"b{suffix}", tmp_path / "c.aedat4")
    (events, sensor), (back, size) = everything(path), everything(tmp_path / "c.aedat4")
    if suffix in (".raw", ".es", ".dat"):  # their time begins anew
        back = back.copy()
        back["t"] += events["t"][0] - back["t"][0]
    assert same(back, events)
    assert (size.width, size.height) == (sensor.width, sensor.height)


def test_a_part_in_time_is_half_open_and_counts_from_the_first_event(tmp_path: Path) -> None:
    events = make_events([5000, 6000, 6999, 7000, 9000], [1, 2, 3, 4, 5], [0] * 5, [1] * 5)
    path = recorded(tmp_path / "a.aedat4", events)
    assert converted(path, tmp_path / "b.aedat4", Part(1000, 2000)).events == 2
    assert everything(tmp_path / "b.aedat4")[0]["t"].tolist() == [6000, 6999]
    assert converted(path, tmp_path / "c.aedat4", Part(2000)).events == 2


def test_a_crop_begins_at_zero(tmp_path: Path) -> None:
    events = make_events(range(6), [9, 10, 11, 12, 13, 10], [5, 5, 6, 7, 7, 8], [1, 0, 1, 0, 1, 0])
    path = recorded(tmp_path / "a.aedat4", events)
    assert converted(path, tmp_path / "b.aedat4", Part(crop=Crop(10, 5, 3, 3))).events == 3
    cut, sensor = everything(tmp_path / "b.aedat4")
    assert (cut["x"].tolist(), cut["y"].tolist(), cut["polarity"].tolist()) == ([0, 1, 2], [0, 1, 2], [0, 1, 0])
    assert sensor == Sensor(3, 3, "DVS128")


@pytest.mark.parametrize("crop", [Crop(126, 0, 3, 3), Crop(0, 127, 2, 2), Crop(0, 0, 0, 5)])
def test_a_crop_beyond_the_sensor_is_refused(tmp_path: Path, crop: Crop) -> None:
    path = recorded(tmp_path / "a.aedat4", random_events(10))
    with pytest.raises(UsageError, match="128x128 px of the sensor"):
        converted(path, tmp_path / "b.aedat4", Part(crop=crop))


@pytest.mark.parametrize("part", [Part(2000, 1000), Part(10_000_000), Part(500, 500)])
def test_a_part_that_is_none_is_refused(tmp_path: Path, part: Part) -> None:
    path = recorded(tmp_path / "a.aedat4", random_events(10))
    with pytest.raises(UsageError, match="begins before it ends"):
        converted(path, tmp_path / "b.aedat4", part)


def test_a_part_without_events_leaves_nothing(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.aedat4", make_events([0, 1_000_000], [1, 2], [0, 0], [1, 1]))
    with pytest.raises(InputError, match="found none"):
        converted(path, tmp_path / "b.aedat4", Part(10, 20))
    assert os.listdir(tmp_path) == ["a.aedat4"]


def test_labels_come_along_cut_to_the_part(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.aedat4", make_events(range(0, 100, 10), [1] * 10, [2] * 10, [0] * 10))
    write_labels(labels_path(path), [Span(0, 0, 20), Span(1, 20, 50), Span(2, 50, 100)])
    assert converted(path, tmp_path / "b.aedat4", Part(30, 60)) == Converted(3, 2)
    assert read_labels(tmp_path / "b_labels.csv")[0] == [Span(1, 30, 50), Span(2, 50, 60)]


def test_the_recording_itself_is_never_written(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.aedat4", random_events(10))
    before = path.read_bytes()
    (tmp_path / "link.aedat4").symlink_to(path)
    os.link(path, tmp_path / "same.aedat4")
    for name in ("a.aedat4", "link.aedat4", "same.aedat4"):
        with pytest.raises(UsageError, match="another name"):
            converted(path, tmp_path / name, overwrite=True)
    assert path.read_bytes() == before


def test_nor_are_its_labels(tmp_path: Path) -> None:
    path = write(tmp_path, aedat2(b"davis.DAVIS346", davis_words(random_events(10), 346, 260)), "a.aedat")
    write_labels(labels_path(path), [Span(0, 0, 10**9)])
    with pytest.raises(UsageError, match="take the place of"):
        converted(path, tmp_path / "a.aedat4", overwrite=True)


def test_what_is_there_stays_unless_told_otherwise(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.aedat4", random_events(10))
    other = recorded(tmp_path / "b.aedat4", random_events(3))
    with pytest.raises(UsageError, match="--overwrite"):
        converted(path, other)
    assert everything(other)[0].size == 3
    converted(path, other, overwrite=True)
    assert everything(other)[0].size == 10


def test_a_conversion_that_is_broken_off_leaves_nothing(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.aedat4", random_events(10_000))

    def interrupt(done_us: int) -> None:
        raise KeyboardInterrupt

    for suffix in WRITTEN:
        with closing(open_recording(path)) as recording:
            conversion = Conversion(recording, path, tmp_path / f"b{suffix}", Part(), overwrite=False)
            with pytest.raises(KeyboardInterrupt):
                conversion.run(interrupt)
    assert os.listdir(tmp_path) == ["a.aedat4"]


def test_progress_ends_with_the_whole_length(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.aedat4", random_events(100_000))
    done: list[int] = []
    with closing(open_recording(path)) as recording:
        conversion = Conversion(recording, path, tmp_path / "b.aedat4", Part(), overwrite=False)
        conversion.run(done.append)
    assert done == sorted(done)
    assert done[-1] == conversion.length_us
    assert len(done) > 3


@needs_shared
def test_what_is_lost_is_said_before(tmp_path: Path) -> None:
    path = SHARED / "formats" / "davis346.aedat4"
    with closing(open_recording(path)) as recording:
        (lost,) = Conversion(recording, path, tmp_path / "b.aedat4", Part(), overwrite=False).lost
    assert "frames" in lost
    assert "imu" in lost
    assert os.listdir(tmp_path) == []


def test_a_name_of_no_format_is_refused(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.aedat4", random_events(10))
    with pytest.raises(UsageError, match=r"a name like .*\.aedat4"):
        converted(path, tmp_path / "b.mp3")
