from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recording_files import random_events
from spikebridge.errors import InputError
from spikebridge.events import Sensor, make_events
from spikebridge.recordings import event_stream_writing
from spikebridge.recordings.encoded_file import EncodedFile, header_lines
from spikebridge.recordings.prophesee import dat_writing, evt3_writing

SENSOR = Sensor(128, 128)
EVENTS = random_events(3000)
Open = Callable[[Path, Sensor], EncodedFile]
WRITERS = pytest.mark.parametrize(
    "open_writer", [evt3_writing.open_writer, dat_writing.open_writer, event_stream_writing.open_writer]
)


@WRITERS
def test_the_file_appears_when_it_is_closed(tmp_path: Path, open_writer: Open) -> None:
    writer = open_writer(tmp_path / "new" / "a", SENSOR)
    writer.write(EVENTS)
    assert not (tmp_path / "new" / "a").exists()
    writer.close()
    writer.abort()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a"]


@WRITERS
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_error_leaves_what_was_there(tmp_path: Path, open_writer: Open, error: type[BaseException]) -> None:
    (tmp_path / "a").write_bytes(b"before")
    writer = open_writer(tmp_path / "a", SENSOR)
    writer.write(EVENTS)
    writer.__exit__(error, error(), None)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"before"]


@WRITERS
def test_no_events_are_a_header(tmp_path: Path, open_writer: Open) -> None:
    with open_writer(tmp_path / "a", SENSOR) as writer:
        writer.write(EVENTS[:0])
    assert 0 < (tmp_path / "a").stat().st_size < 200


@WRITERS
@pytest.mark.parametrize("n", [3000, 10])  # more than the buffer, or all of it only when the file is closed
def test_a_disk_that_takes_no_more_leaves_nothing(tmp_path: Path, open_writer: Open, n: int) -> None:
    fill(open_writer(tmp_path / "a", SENSOR), n)
    (tmp_path / "a").unlink()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
    try:
        with pytest.raises(InputError, match="expected to write the recording"):
            fill(open_writer(tmp_path / "a", SENSOR), n)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def fill(writer: EncodedFile, n: int) -> None:
    with writer:
        writer.write(EVENTS[:n])


@WRITERS
def test_slices_and_padding_make_no_difference(tmp_path: Path, open_writer: Open) -> None:
    other = np.frombuffer(b"\xff" * 2 * EVENTS.nbytes, EVENTS.dtype).copy()
    for name in ("t", "x", "y", "polarity"):
        other[name][::2] = EVENTS[name]
    for name, events in (("a", EVENTS), ("b", other[::2])):
        with open_writer(tmp_path / name, SENSOR) as writer:
            writer.write(events)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@WRITERS
@pytest.mark.parametrize("times", [(5, 4), (-1, 3)])
def test_time_that_runs_back_is_a_fault_of_who_calls(tmp_path: Path, open_writer: Open, times: tuple[int, int]) -> None:
    for parts in (slice(0, 2),), (slice(0, 1), slice(1, 2)):
        writer = open_writer(tmp_path / "a", SENSOR)
        with pytest.raises(ValueError, match="in order"):
            write_parts(writer, times, parts)
        writer.abort()


def write_parts(writer: EncodedFile, times: tuple[int, int], parts: tuple[slice, ...]) -> None:
    events = make_events(times, [1, 1], [2, 2], [1, 1])
    for part in parts:
        writer.write(events[part])


@WRITERS
@pytest.mark.parametrize(("x", "y"), [(128, 0), (0, 128), (65535, 0)])
def test_events_outside_the_sensor_are_not_written(tmp_path: Path, open_writer: Open, x: int, y: int) -> None:
    writer = open_writer(tmp_path / "a", SENSOR)
    with pytest.raises(InputError, match="128x128 px"):
        writer.write(make_events([1], [x], [y], [1]))
    writer.abort()
    assert list(tmp_path.iterdir()) == []


def test_header_lines() -> None:
    fields = {"evt": "3.0", "sensor_name": " a\nb\t\u00b5 ", "t0": ""}
    assert header_lines(fields) == b"% evt 3.0\n% sensor_name a b ?\n% end\n"
