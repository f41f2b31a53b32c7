from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prophesee_files import event_stream
from recording_files import SHARED, needs_shared, random_events, same, write
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.recordings import event_stream as module
from spikebridge.recordings import open_recording
from spikebridge.recordings.indexed import IndexedRecording
from spikebridge.settings import ReadSettings

EVENTS = random_events(3000, width=640, height=480, longest_us=400)
ATIS2 = b"Event Stream\x02\x00\x00\x02\x30\x01\xf0\x00"
DVS1, ATIS1 = b"Event Stream\x01\x00\x00\x00", b"Event Stream\x01\x00\x00\x01"


def everything(recording: IndexedRecording) -> EventArray:
    return np.concatenate(list(recording.chunks()))


def rows(folder: Path, content: bytes, size: tuple[int, int] | None = None) -> list[tuple[int, int, int, int]]:
    return everything(open_recording(write(folder, content, "a.es"), ReadSettings(size=size))).tolist()


def test_events_come_back(tmp_path: Path) -> None:
    recording = open_recording(write(tmp_path, event_stream(EVENTS), "a.es"))
    assert (recording.format, recording.info.sensor) == ("Event Stream", Sensor(640, 480))
    assert same(everything(recording), EVENTS)
    assert recording.counters().notes == ()


def test_dvs_by_hand(tmp_path: Path) -> None:
    content = event_stream(EVENTS[:0]) + bytes((0xFE, 0xFF, 126 << 1 | 1, 0x7F, 0x02, 0xDF, 0x01, 0, 0, 0, 0, 0))
    assert rows(tmp_path, content) == [(127 + 126, 639, 0, 1), (253, 0, 479, 0)]


def test_atis_by_hand(tmp_path: Path) -> None:
    change, exposure = (5 << 2 | 2, 3, 0, 239, 0), (4 << 2 | 3, 3, 0, 239, 0)
    content = ATIS2 + bytes((0xFC, 0xFE, *change, 0xFF, *exposure, 0xFD, *change))
    recording = open_recording(write(tmp_path, content, "a.es"))
    assert everything(recording).tolist() == [(131, 3, 0, 1), (131 + 189 + 4 + 63 + 5, 3, 0, 1)]
    assert dict(recording.samples) == {"exposure": 1}
    assert recording.info.sensor == Sensor(304, 240)


def test_version_1_by_hand(tmp_path: Path) -> None:
    x, y = 0b1100110101, 0b101100111
    event = (14 | (x & 15) << 4, x >> 4 | (y & 3) << 6, y >> 2 | 1 << 7)
    assert rows(tmp_path, DVS1 + bytes((0x0F, 0x2F, *event)), (1024, 512)) == [(44, x, 511 - y, 1)]
    x, y = 0b110011010, 0b10110011
    event = (30 | (x & 7) << 5, x >> 3 | (y & 3) << 6, y >> 2 | 1 << 7)
    exposure = (0, 0, 1 << 6)
    assert rows(tmp_path, ATIS1 + bytes((0x1F, 0x5F, *event, *exposure)), (512, 256)) == [(92, x, 255 - y, 1)]


def test_version_1_without_a_size(tmp_path: Path) -> None:
    recording = open_recording(write(tmp_path, DVS1 + bytes((0x10, 0, 0, 0x50, 0x80, 1)), "a.es"))
    assert recording.info.sensor == Sensor(6, 7)
    assert everything(recording).tolist() == [(0, 1, 6, 0), (0, 5, 0, 0)]
    assert "6x7 px hold all events" in recording.counters().notes[0]


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"\x02\x00\x00\x00", "generic events"),
        (b"\x02\x00\x00\x03", "display events"),
        (b"\x02\x00\x00\x04", "color events"),
        (b"\x01\x00\x00\x03", "color events"),
        (b"\x02\x00\x00\x09", "unknown events"),
        (b"\x03\x01\x00\x01", "version 3.1"),
        (b"\x02\x00\x00", "found 15"),
        (b"\x02\x00\x00\x01\x00\x00\x05\x00", "0x5 px"),
        (b"\x02\x00\x00\x01\x05", "5x0 px"),
        (b"\x02\x00\x00\x01\x05\x00\x05\x00\xff\xff", "without any"),
        (b"\x02\x00\x00\x01\x05\x00\x05\x00", "without any"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, head: bytes, found: str) -> None:
    with pytest.raises(InputError, match=found):
        open_recording(write(tmp_path, b"Event Stream" + head, "a.es"))


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_a_file_that_ends_inside_an_event(tmp_path: Path, cut: int) -> None:
    recording = open_recording(write(tmp_path, event_stream(EVENTS)[:-cut], "a.es"))
    counters = recording.counters()
    assert (counters.skipped_bytes, counters.truncated) == (5 - cut, True)
    assert same(everything(recording), EVENTS[:-1])


def test_a_cut_event_that_spans_two_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = make_events([1, 2], [5, 6], [0, 0], [1, 1])
    content = event_stream(events)
    monkeypatch.setattr(module, "CHUNK_EVENTS", 1)
    path = write(tmp_path, content[:20] + b"\xfe\xfe" + content[20:-1], "a.es")  # the last event begins at byte 7 of 11
    recording = open_recording(path)
    assert same(everything(recording), events[:1])
    assert recording.counters().skipped_bytes == 4


def test_events_outside_are_counted(tmp_path: Path) -> None:
    content = event_stream(make_events([1, 2, 3], [5, 640, 7], [0, 0, 479], [1, 1, 1]))
    recording = open_recording(write(tmp_path, content, "a.es"))
    assert everything(recording)["x"].tolist() == [5, 7]
    assert recording.counters().dropped == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([event_stream(EVENTS[:0]), ATIS2, DVS1, ATIS1]),
    st.integers(2, 50),
    st.lists(st.tuples(st.integers(0, 2999), st.integers(0, 255)), max_size=12),
    st.integers(0, 9),
)
def test_small_pieces_give_what_one_gives(
    tmp_path: Path,
    head: bytes,
    per_piece: int,
    odd: list[tuple[int, int]],
    cut: int,
) -> None:
    body = bytearray(event_stream(EVENTS[:500])[20:])
    for at, value in odd:
        body[at % len(body)] = value
    path = write(tmp_path, head + bytes(body[: len(body) - cut]), "a.es")
    size = ReadSettings(size=(640, 480))
    try:
        whole = open_recording(path, size)
    except InputError:
        return
    events = everything(whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK_EVENTS", per_piece)
        recording = open_recording(path, size)
        assert same(everything(recording), events)
        assert replace(recording.counters(), read=0) == replace(whole.counters(), read=0)
        assert recording.samples == whole.samples


@needs_shared
def test_a_real_file() -> None:
    events = everything(open_recording(SHARED / "formats" / "dvs.es"))
    assert (events.size, events["t"][0], events["t"][-1]) == (473_225, 0, 999_000)
    assert (events["x"].sum(), events["y"].sum(), events["polarity"].sum()) == (72_946_016, 56_007_796, 270_001)
