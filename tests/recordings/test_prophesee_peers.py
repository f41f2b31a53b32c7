"""Independent readers find the same events, one by one: in real files, and in those that are written here.

event_stream and expelliarmus exist up to Python 3.11, expelliarmus and evt3 for x86-64 only.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from prophesee_files import evt2, raw
from recording_files import SHARED, needs_shared, random_events
from spikebridge.events import EventArray, Sensor
from spikebridge.recordings import open_recording
from spikebridge.recordings.formats import written_as

SENSOR = Sensor(640, 480)
old_python = pytest.mark.skipif(sys.version_info >= (3, 12), reason="that reader has no wheel for this Python")
x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="that reader has no wheel for this machine")

Columns = tuple[Any, Any, Any, Any]


def ours(path: Path) -> EventArray:
    return np.concatenate(list(open_recording(path).chunks()))


def faery(path: Path) -> Columns:
    import faery

    events = np.concatenate(list(faery.events_stream_from_file(path)))
    return events["t"], events["x"], events["y"], events["on"]


def evt3(path: Path) -> Columns:
    import evt3

    events = evt3.decode_file(str(path))
    return events.t, events.x, events.y, events.p


def expelliarmus(path: Path, encoding: str) -> Columns:
    import expelliarmus

    events = expelliarmus.Wizard(encoding=encoding).read(str(path))
    return events["t"], events["x"], events["y"], events["p"]


def event_stream(path: Path) -> Columns:
    """That reader gives y as the file has it: from the bottom."""
    import event_stream

    decoder = event_stream.Decoder(str(path))
    events = np.concatenate(list(decoder))
    return events["t"], events["x"], decoder.height - 1 - events["y"].astype(np.int64), events["on"]


def assert_same(events: EventArray, theirs: Columns, offset_us: int = 0) -> None:
    for column, name in zip(theirs, ("t", "x", "y", "polarity"), strict=True):
        wanted = events[name].astype(np.int64) - (offset_us if name == "t" else 0)
        assert np.array_equal(np.asarray(column).astype(np.int64), wanted), name


def written(folder: Path, suffix: str, first_us: int, longest_us: int = 300) -> tuple[Path, EventArray]:
    """Events of which some follow each other in a row at one time, so that vectors are among them."""
    events = random_events(30_000, width=600, height=480, longest_us=longest_us)
    events["t"] += first_us - events["t"][0]
    for start in range(0, events.size - 20, 100):
        row = events[start : start + 20]
        row["t"], row["y"], row["polarity"], row["x"] = row["t"][0], row["y"][0], row["polarity"][0], range(100, 120)
    events["t"] = np.maximum.accumulate(events["t"])
    path = folder / f"a{suffix}"
    with written_as(path).writing().open_writer(path, SENSOR) as writer:  # type: ignore[attr-defined]
        writer.write(events)
    return path, events


@pytest.mark.parametrize("first_us", [0, (1 << 24) - 2_000_000, 0xFFF000, 1_700_000_000_123_456])
@pytest.mark.parametrize("suffix", [".raw", ".dat", ".es"])
def test_faery_reads_what_is_written(tmp_path: Path, suffix: str, first_us: int) -> None:
    path, events = written(tmp_path, suffix, first_us)
    assert_same(events, faery(path), first_us if suffix == ".es" and first_us > 1 << 27 else 0)
    assert_same(ours(path), faery(path))


@x86
@pytest.mark.parametrize("first_us", [0, (1 << 24) - 2_000_000, 0xFFF000, 1_700_000_000_123_456])
def test_evt3_reads_what_is_written(tmp_path: Path, first_us: int) -> None:
    """It begins at the time modulo 2^24, as the words have it."""
    path, events = written(tmp_path, ".raw", first_us)
    assert_same(events, evt3(path), first_us >> 24 << 24)


@x86
@old_python
def test_expelliarmus_reads_what_is_written(tmp_path: Path) -> None:
    """It adds 4096 µs whenever the lower part of EVT3's time begins again, also where the upper one is there as well;
    so times are compared in DAT only."""
    path, events = written(tmp_path, ".dat", 5)
    assert_same(events, expelliarmus(path, "dat"))
    path, events = written(tmp_path, ".raw", 5)
    assert_same(events, (events["t"], *expelliarmus(path, "evt3")[1:]))


@old_python
def test_event_stream_reads_what_is_written(tmp_path: Path) -> None:
    path, events = written(tmp_path, ".es", 5, 3000)
    assert_same(events, event_stream(path))


def test_time_of_evt2_after_hours_is_that_of_faery(tmp_path: Path) -> None:
    events = random_events(20_000, width=640, height=480, longest_us=90)
    events["t"] += (1 << 34) - 400_000
    path = tmp_path / "a.raw"
    path.write_bytes(raw(b"EVT2", evt2(events)))
    assert_same(ours(path), faery(path))
    wrapped = events["t"][0] >> 34 << 34
    assert_same(events, faery(path), int(wrapped))


READERS: tuple[tuple[str, Callable[[Path], Columns]], ...] = (
    ("evt2_dot.raw", faery),
    ("evt2_sparks.raw", faery),
    ("evt3_gen41.raw", faery),
    ("dvs.es", faery),
)


@needs_shared
@pytest.mark.parametrize(("name", "reader"), READERS)
def test_real_files_are_read_as_faery_reads_them(name: str, reader: Callable[[Path], Columns]) -> None:
    path = SHARED / "formats" / name
    assert_same(ours(path), reader(path))


@needs_shared
@x86
@old_python
@pytest.mark.parametrize(
    ("name", "encoding"), [("evt2_dot.raw", "evt2"), ("evt2_sparks.raw", "evt2"), ("ncars.dat", "dat")]
)
def test_real_files_are_read_as_expelliarmus_reads_them(name: str, encoding: str) -> None:
    path = SHARED / "formats" / name
    assert_same(ours(path), expelliarmus(path, encoding))


@needs_shared
@old_python
def test_a_real_file_is_read_as_event_stream_reads_it() -> None:
    path = SHARED / "formats" / "dvs.es"
    assert_same(ours(path), event_stream(path))


@needs_shared
@x86
def test_a_real_file_is_read_as_evt3_reads_it_but_for_time_that_runs_back() -> None:
    """That reader lets time run back by the up to 11 µs by which a time word each millisecond is ahead."""
    path = SHARED / "formats" / "evt3_gen41.raw"
    recording = open_recording(path)
    events, theirs = ours(path), evt3(path)
    assert_same(events, (events["t"], *theirs[1:]))
    late = events["t"] - theirs[0].astype(np.int64)
    assert np.count_nonzero(late) == recording.counters().out_of_order
    assert 0 <= late.min() <= late.max() == 11
