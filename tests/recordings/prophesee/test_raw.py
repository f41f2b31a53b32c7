from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prophesee_files import evt2, evt3, evt21, raw, swapped
from recording_files import SHARED, needs_shared, random_events, same, write
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.indexed import IndexedRecording
from spikebridge.recordings.prophesee import raw as raw_module
from spikebridge.recordings.prophesee.header import Header
from spikebridge.recordings.prophesee.words import EVT2, EVT3, EVT21, Kind
from spikebridge.recordings.recording_file import RecordingFile
from spikebridge.settings import ReadSettings

EVENTS = random_events(3000, width=640, height=480)
FILES = {
    "EVT2": raw(b"EVT2", evt2(EVENTS)),
    "EVT3": raw(b"EVT3", evt3(EVENTS)),
    "EVT2.1": raw(b"EVT21;endianness=little", evt21(EVENTS)),
}


def everything(recording: IndexedRecording) -> EventArray:
    return np.concatenate(list(recording.chunks()))


@pytest.mark.parametrize("kind", FILES)
def test_events_come_back(tmp_path: Path, kind: str) -> None:
    recording = open_recording(write(tmp_path, FILES[kind], "a.raw"))
    assert recording.format == kind
    assert recording.info.sensor == Sensor(640, 480)
    assert same(everything(recording), EVENTS)
    assert recording.counters().notes == ()
    assert recording.streams == ("events",)


@pytest.mark.parametrize(
    ("header", "words", "format_name", "sensor"),
    [
        (b"% Date 2020-09-14\n% evt 2.0\n% system_ID 21\n", evt2(EVENTS), "EVT2", Sensor(640, 480, "Gen3.0")),
        (b"% evt 3.0\n% geometry 640x480\n", evt3(EVENTS), "EVT3", Sensor(640, 480)),
        (b"% format EVT3;height=480;width=640\n% end\n", evt3(EVENTS), "EVT3", Sensor(640, 480)),
        (b"% evt 2.1\n% geometry 640x480\n% endianness little\n", evt21(EVENTS), "EVT2.1", Sensor(640, 480)),
        (
            b"% format EVT21;endianness=legacy;height=480;width=640\n% end\n",
            swapped(evt21(EVENTS)),
            "EVT2.1",
            Sensor(640, 480),
        ),
    ],
)
def test_headers_of_many_years(
    tmp_path: Path, header: bytes, words: np.ndarray, format_name: str, sensor: Sensor
) -> None:
    recording = open_recording(write(tmp_path, header + words.tobytes(), "a.raw"))
    assert (recording.format, recording.info.sensor) == (format_name, sensor)
    assert same(everything(recording), EVENTS)
    assert recording.counters().notes == ()


@pytest.mark.parametrize("words", [evt2(EVENTS), evt3(EVENTS)])
def test_a_header_without_format(tmp_path: Path, words: np.ndarray) -> None:
    header = b"% Date 2017-01-01\n% integrator_name Prophesee\n% geometry 640x480\n"
    recording = open_recording(write(tmp_path, header + words.tobytes(), "a.raw"))
    assert same(everything(recording), EVENTS)
    assert "names no format" in recording.counters().notes[0]


@pytest.mark.parametrize("swap", [False, True])
def test_the_order_of_evt21_is_told_from_its_words(tmp_path: Path, swap: bool) -> None:
    words = swapped(evt21(EVENTS)) if swap else evt21(EVENTS)
    recording = open_recording(write(tmp_path, b"% format EVT21;height=480;width=640\n" + words.tobytes(), "a.raw"))
    assert same(everything(recording), EVENTS)
    assert "byte order" in recording.counters().notes[0]


@pytest.mark.parametrize(("system", "legacy"), [(b"49", True), (b"55", False), (b"0", False)])
def test_too_few_words_of_evt21_are_read_as_such_cameras_send_them(tmp_path: Path, system: bytes, legacy: bool) -> None:
    words = swapped(evt21(EVENTS[:1])) if legacy else evt21(EVENTS[:1])
    header = b"% format EVT21;height=480;width=640\n% system_ID " + system + b"\n% end\n"
    recording = open_recording(write(tmp_path, header + words.tobytes(), "a.raw"))
    assert same(everything(recording), EVENTS[:1])


def test_a_sensor_that_nothing_but_the_events_tells(tmp_path: Path) -> None:
    events = make_events(range(100, 180), [7] * 80, [299] * 80, [1] * 80)
    recording = open_recording(write(tmp_path, b"% evt 3.0\n" + evt3(events).tobytes(), "a.raw"))
    assert recording.info.sensor == Sensor(8, 300)
    assert "8x300 px hold all events" in recording.counters().notes[0]
    given = open_recording(recording.info.uri, ReadSettings(size=(640, 480)))
    assert given.info.sensor == Sensor(640, 480)
    assert given.counters().notes == ()


def test_what_the_header_says_counts_more_than_what_is_given(tmp_path: Path) -> None:
    recording = open_recording(write(tmp_path, FILES["EVT3"], "a.raw"), ReadSettings(size=(1, 1)))
    assert recording.info.sensor == Sensor(640, 480)


def test_t0_is_added(tmp_path: Path) -> None:
    header = b"% evt 3.0\n% geometry 640x480\n% t0 1700000000000000\n% end\n"
    recording = open_recording(write(tmp_path, header + evt3(EVENTS).tobytes(), "a.raw"))
    assert (everything(recording)["t"] - EVENTS["t"] == 1_700_000_000_000_000).all()


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (b"% format EVT4;height=480;width=640\n", "the format 'EVT4'"),
        (b"% format HISTO3D\n", "the format 'HISTO3D'"),
        (b"% evt 3.0\n% geometry 100000x1\n", "100000x1"),
        (b"% evt 3.0\n% geometry 640x480\n% end\n", "without any"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, header: bytes, found: str) -> None:
    with pytest.raises(InputError, match=found):
        open_recording(write(tmp_path, header, "a.raw"))


@pytest.mark.parametrize("words", [evt2(EVENTS), evt3(EVENTS), evt21(EVENTS), swapped(evt21(EVENTS))])
def test_no_header_at_all(tmp_path: Path, words: np.ndarray) -> None:
    path = write(tmp_path, words.tobytes(), "a.bin")
    with pytest.raises(InputError, match="pass the size of the camera with --sensor"):
        open_recording(path)
    recording = open_recording(path, ReadSettings(size=(640, 480)))
    assert same(everything(recording), EVENTS)
    assert "no header" in recording.counters().notes[0]
    with pytest.raises(InputError, match="no words of a camera of 64x64 px"):
        open_recording(path, ReadSettings(size=(64, 64)))


@pytest.mark.parametrize(("kind", "cut"), [("EVT2", 3), ("EVT3", 1), ("EVT2.1", 7)])
def test_a_file_that_ends_inside_a_word(tmp_path: Path, kind: str, cut: int) -> None:
    recording = open_recording(write(tmp_path, FILES[kind][:-1], "a.raw"))
    counters = recording.counters()
    assert (counters.skipped_bytes, counters.truncated) == (cut, True)
    assert same(everything(recording), EVENTS[:-1])
    assert f"last {cut} bytes" in counters.notes[-1]


def test_every_loss_is_in_the_counters(tmp_path: Path) -> None:
    odd = [5, 0x2001, 0x9000, 0xA001, 0xE014, 0xF064, 0xF000, 0x7000, 0xE016, 0xF00A, 0xF000, 0x7000, 0xE200]
    recording = open_recording(write(tmp_path, raw(b"EVT3", odd, evt3(EVENTS)), "a.raw"))
    counters = recording.counters()
    assert same(everything(recording), EVENTS)
    assert counters.dropped == 1 + 90
    assert counters.skipped_bytes == 2
    assert dict(recording.samples) == {"triggers": 1, "monitoring": 3}
    text = " ".join(counters.notes)
    for part in ("rate control dropped 90 events", "1 words were of an unknown type", "1 events came before the first"):
        assert part in text


def test_rate_counts_that_do_not_match_drop_nothing(tmp_path: Path) -> None:
    odd = [0xE014, 0xF001, 0xF000, 0x7000, 0xE016, 0xF00A, 0xF000, 0x7000]
    recording = open_recording(write(tmp_path, raw(b"EVT3", odd, evt3(EVENTS)), "a.raw"))
    assert recording.counters().dropped == 0
    assert recording.counters().notes == ()


VECTOR = np.array([0x8000, 0x6000, 3, 0x3000 | 5, 0x4A0F, 0x4FFF, 0x5011], np.uint16)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([EVT2, EVT3, EVT21]),
    st.integers(1, 60),
    st.lists(st.tuples(st.integers(0, 5999), st.integers(0, 0xFFFF)), max_size=12),
    st.integers(0, 9),
)
def test_small_pieces_give_what_one_gives(
    tmp_path: Path, kind: Kind, per_piece: int, odd: list[tuple[int, int]], cut: int
) -> None:
    make = {EVT2: evt2, EVT3: evt3, EVT21: evt21}[kind]
    words = np.frombuffer(make(EVENTS[:600]).tobytes(), "<u2").copy()
    if kind is EVT3:
        words = np.concatenate((words[:400], VECTOR, words[400:]))
    for at, value in odd:
        words[at % words.size] = value
    file = RecordingFile(write(tmp_path, words.tobytes()[: 2 * words.size - cut], "a.raw"))
    whole, recording = (
        raw_module._open(file, Header(0, {}), each, Sensor(640, 480), ())
        for each in (kind, replace(kind, chunk_bytes=kind.word_bytes * per_piece))
    )
    assert len(whole.index.events) == 1 < len(recording.index.events)
    assert same(everything(recording), everything(whole))
    assert recording.counters() == whole.counters()
    assert recording.samples == whole.samples
    assert recording.info == whole.info


@needs_shared
def test_a_dirty_capture_without_header() -> None:
    path = SHARED / "formats" / "headerless_evt2_dirty.bin"
    with pytest.raises(InputError, match="--sensor"):
        open_recording(path)
    recording = open_recording(path, ReadSettings(size=(320, 320)))
    counters = recording.counters()
    assert recording.n_events + 9 == 326_476 + 414_790  # words of OFF and ON
    assert counters.dropped == 9
    assert counters.out_of_order >= 1260  # words whose time is before the one before
    assert counters.skipped_bytes == 0
