from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from recording_files import aedat2 as aedat2_file
from recording_files import davis_words, dvs128_words, random_events, same, write
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.aedat import aedat2
from spikebridge.recordings.indexed import IndexedRecording


def everything(recording: IndexedRecording) -> EventArray:
    return np.concatenate(list(recording.chunks()))


def test_dvs128_bits(tmp_path: Path) -> None:
    word = struct.pack(">II", 1 | 10 << 1 | 20 << 8, 5)
    recording = open_recording(write(tmp_path, aedat2_file(b"DVS128", word)))
    assert everything(recording).tolist() == [(5, 117, 107, 0)]
    assert recording.info.sensor.width == 128


@pytest.mark.parametrize(("chip", "width", "height"), [(b"DAVIS240C", 240, 180), (b"Davis346mini", 346, 260)])
def test_davis_events_are_told_from_frames_imu_and_triggers(
    tmp_path: Path, chip: bytes, width: int, height: int
) -> None:
    events = random_events(300, width=width, height=height)
    words = davis_words(events, width, height)
    frame, imu, trigger = 1 << 31 | 5, 1 << 31 | 3 << 10, 1 << 10
    others = b"".join(struct.pack(">II", address, 0) for address in (frame, imu, imu, trigger))
    recording = open_recording(write(tmp_path, aedat2_file(chip, words[:800], others, words[800:])))
    assert same(everything(recording), events)
    assert recording.streams == ("events", "frames", "imu", "triggers")
    assert recording.counters().skipped_bytes == 0


def test_a_first_word_that_looks_like_a_header_line(tmp_path: Path) -> None:
    events = make_events([7, 8], [3, 4], [179 - 0x23 * 4, 9], [1, 0])
    words = davis_words(events, 240, 180)
    assert words[:1] == b"#"
    assert same(everything(open_recording(write(tmp_path, aedat2_file(b"DAVIS240C", words)))), events)


def test_a_first_word_that_looks_like_a_line_of_text(tmp_path: Path) -> None:
    word = b"@BCD\nEFG"
    recording = open_recording(write(tmp_path, aedat2_file(b"Davis346mini", word)))
    assert everything(recording).tolist() == [(0x0A454647, 345 - 0x24, 259 - 0x101, 0)]


def test_time_is_unwrapped(tmp_path: Path) -> None:
    wrap = 1 << 32
    events = make_events([wrap - 20, wrap - 10, wrap + 5, wrap + 90], [1] * 4, [2] * 4, [1] * 4)
    recording = open_recording(write(tmp_path, aedat2_file(b"DVS128", dvs128_words(events))))
    assert same(everything(recording), events)
    assert recording.counters().notes == ()


def test_disorder_across_the_wrap_is_clamped(tmp_path: Path) -> None:
    wrap = 1 << 32
    events = make_events([wrap - 20, wrap + 5, wrap - 10, wrap + 6], [1] * 4, [2] * 4, [1] * 4)
    recording = open_recording(write(tmp_path, aedat2_file(b"DVS128", dvs128_words(events))))
    assert everything(recording)["t"].tolist() == [wrap - 20, wrap + 5, wrap + 5, wrap + 6]
    assert "1 event given the newest time" in recording.counters().notes[0]


def test_a_reset_of_the_clock_goes_on_from_the_newest_time(tmp_path: Path) -> None:
    before, after = np.arange(5_000_000, 5_000_070), np.arange(0, 80, 10)
    n = before.size + after.size
    events = make_events(np.concatenate([before, after]), [1] * n, [2] * n, [1] * n)
    recording = open_recording(write(tmp_path, aedat2_file(b"DVS128", dvs128_words(events))))
    assert everything(recording)["t"].tolist() == [*before, *(5_000_069 + after)]
    assert recording.counters().notes == (
        "The camera's clock was set once; time goes on from the newest event before it.",
    )
    counters = recording.counters()
    assert (counters.dropped, counters.out_of_order) == (0, 0)


def stretch(start_us: int, n: int = 100, every_us: int = 200) -> list[int]:
    return [start_us + every_us * i for i in range(n)]


@pytest.mark.parametrize(
    ("times", "given", "dropped", "moved", "notes"),
    [
        # single events far back, in order again with the next one
        (
            [*stretch(5_000_000), 4_021_001, *stretch(5_020_000), 3_000_000, *stretch(5_040_000)],
            [*stretch(5_000_000), 5_019_800, *stretch(5_020_000), 5_039_800, *stretch(5_040_000)],
            *(0, 2, 1),
        ),
        # a single one ahead
        (
            [*stretch(5_000_000), 65_019_900, *stretch(5_020_000)],
            [*stretch(5_000_000), 5_019_800, *stretch(5_020_000)],
            *(0, 1, 1),
        ),
        # several strays behind each other, less than make a new clock
        (
            [*stretch(5_000_000), *stretch(1_000_000, 7), *stretch(5_020_000)],
            [*stretch(5_000_000), *[5_019_800] * 7, *stretch(5_020_000)],
            *(0, 7, 1),
        ),
        # left over from before, and as many as no driver's buffer holds
        ([*stretch(900_000_000, 64), *stretch(0)], stretch(0), 64, 0, 1),
        ([*stretch(900_000_000, 65), *stretch(0)], [*stretch(900_000_000, 65), *stretch(900_012_800)], 0, 0, 1),
        # a first event of time zero, long before the clock was set
        ([0, *stretch(2_840_207_360)], stretch(2_840_207_360), 1, 0, 1),
        # pauses, also of a single event between two
        (
            [*stretch(0), 5_000_000, *stretch(10_000_000), *stretch(700_000_000)],
            [*stretch(0), 5_000_000, *stretch(10_000_000), *stretch(700_000_000)],
            *(0, 0, 0),
        ),
        # at the end: few back are strays, one ten minutes ahead is, two are a pause
        ([*stretch(5_000_000), *stretch(0, 7)], [*stretch(5_000_000), *[5_019_800] * 7], 0, 7, 1),
        ([*stretch(5_000_000), 605_019_801], [*stretch(5_000_000), 5_019_800], 0, 1, 1),
        ([*stretch(5_000_000), 605_019_801, 605_019_802], None, 0, 0, 0),
        ([*stretch(5_000_000), 9_000_000], None, 0, 0, 0),
    ],
)
def test_strays_pauses_and_clocks_that_are_set(
    tmp_path: Path, times: list[int], given: list[int] | None, dropped: int, moved: int, notes: int
) -> None:
    n = len(times)
    events = make_events(times, [1] * n, [2] * n, [1] * n)
    recording = open_recording(write(tmp_path, aedat2_file(b"DVS128", dvs128_words(events))))
    counters = recording.counters()
    assert everything(recording)["t"].tolist() == (times if given is None else given)
    assert (counters.dropped, counters.out_of_order, len(counters.notes)) == (dropped, moved, notes)


def test_an_event_may_begin_like_a_line_of_the_header(tmp_path: Path) -> None:
    first = struct.pack(">II", 0x23456820, 0x3040500A)  # '#Eh ' and '0@P', line feed
    events = make_events(np.arange(0x3040500B, 0x3040500B + 50), [1] * 50, [2] * 50, [1] * 50)
    words = first + davis_words(events, 346, 260)
    header = b"#!AER-DAT2.0\r\n# AEChip: x.Davis346blue\r\n#End Of ASCII Header\r\n"
    recording = open_recording(write(tmp_path, header + words))
    assert recording.n_events == 51


@pytest.mark.parametrize(
    ("width", "height", "name"), [(128, 128, "DVS128"), (240, 180, "DAVIS"), (346, 260, "DAVIS"), (640, 480, "DAVIS")]
)
def test_without_a_chip_the_layout_is_told_from_the_addresses(
    tmp_path: Path, width: int, height: int, name: str
) -> None:
    events = random_events(20_000, width=width, height=height)
    words = dvs128_words(events) if name == "DVS128" else davis_words(events, width, height)
    recording = open_recording(write(tmp_path, b"#!AER-DAT2.0\r\n# a file of some tool\r\n" + words))
    assert recording.info.sensor == Sensor(width, height, name)
    assert same(everything(recording), events)
    assert f"read as a {name} of {width}x{height} px" in recording.counters().notes[0]


@pytest.mark.parametrize("chip", [b"retina.DVS128StereoPair", b"stereopsis.Tmpdiff128StereoPair"])
def test_of_a_stereo_pair_one_eye_is_read_and_the_other_counted(tmp_path: Path, chip: bytes) -> None:
    events = random_events(2000)
    words = np.frombuffer(dvs128_words(events), ">u4").reshape(-1, 2).copy()
    words[1::2, 0] |= 1 << 15
    recording = open_recording(write(tmp_path, aedat2_file(chip, words.tobytes())))
    assert same(everything(recording), events[::2])
    counters = recording.counters()
    assert counters.dropped == 1000
    assert counters.notes == (
        "Of the stereo pair the left eye is read.",
        "1,000 events of another camera in the file, left out.",
    )
    assert recording.samples == {}


def test_samples_of_imu_have_seven_words(tmp_path: Path) -> None:
    imu = b"".join(struct.pack(">II", 1 << 31 | code << 28 | 3 << 10, 50) for code in range(7))
    events = random_events(10, width=240, height=180)
    recording = open_recording(write(tmp_path, aedat2_file(b"DAVIS240C", imu, davis_words(events, 240, 180), imu, imu)))
    assert recording.samples == {"imu": 3}


@pytest.mark.parametrize("skipped", [0, 1, 5 * 4 * 2 - 1])
@pytest.mark.parametrize("chunk", [64, 8 * 65_536])
def test_frames_are_counted_and_not_their_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, skipped: int, chunk: int
) -> None:
    """Each of 5x4 pixels is read twice for a frame; skipped : words of the first frame that are lost."""
    monkeypatch.setattr(aedat2, "_CHUNK_BYTES", chunk)
    reads = [(read, x, y) for read in (0, 1) for x in range(5) for y in range(4)]
    frame = [struct.pack(">II", 1 << 31 | y << 22 | x << 12 | read << 10 | 200 + x, 50) for read, x, y in reads]
    events = random_events(10, width=240, height=180)
    words = davis_words(events, 240, 180)
    content = aedat2_file(b"DAVIS240C", *frame[skipped:], words[:40], *frame, words[40:], *frame[:-1])
    recording = open_recording(write(tmp_path, content))
    # That of which only the last word is there begins anew with it, and the very last ends before it.
    assert recording.samples == {"frames": 2 if skipped == 39 else 3}
    assert same(everything(recording), events)


@pytest.mark.parametrize(
    ("chip", "width", "height"),
    [(b"x.DVS240", 240, 180), (b"eu.Davis346red", 346, 260), (b"chips.DAVIS240A", 240, 180)],
)
def test_chips_with_the_addresses_of_a_davis(tmp_path: Path, chip: bytes, width: int, height: int) -> None:
    events = random_events(100, width=width, height=height)
    recording = open_recording(write(tmp_path, aedat2_file(chip, davis_words(events, width, height))))
    assert same(everything(recording), events)
    assert (recording.info.sensor.width, recording.info.sensor.height) == (width, height)


def test_dvs640_bits(tmp_path: Path) -> None:
    words = struct.pack(">IIII", 1 | 10 << 1 | 20 << 11, 5, 639 << 1 | 479 << 11, 6)
    recording = open_recording(write(tmp_path, aedat2_file(b"retina.DVS640", words)))
    assert everything(recording).tolist() == [(5, 629, 459, 1), (6, 0, 0, 0)]
    assert (recording.info.sensor.width, recording.info.sensor.height) == (640, 480)


def test_coordinates_outside_are_dropped_and_counted(tmp_path: Path) -> None:
    inside = make_events([1, 2], [3, 4], [5, 6], [1, 0])
    outside = struct.pack(">II", 250 << 12 | 3 << 22, 2)
    recording = open_recording(
        write(
            tmp_path,
            aedat2_file(b"DAVIS240C", davis_words(inside[:1], 240, 180), outside, davis_words(inside[1:], 240, 180)),
        )
    )
    assert same(everything(recording), inside)
    assert recording.counters().notes == ("1 event outside the sensor, dropped.",)
    assert recording.counters().dropped == 1


@pytest.mark.parametrize("n_cut", range(1, 8))
def test_a_file_cut_inside_an_event(tmp_path: Path, n_cut: int) -> None:
    events = random_events(10)
    recording = open_recording(write(tmp_path, aedat2_file(b"DVS128", dvs128_words(events)[:-n_cut])))
    assert same(everything(recording), events[:9])
    assert recording.counters().truncated
    assert recording.counters().skipped_bytes == 8 - n_cut


def test_a_header_without_chip_is_read_as_dvs128_and_said(tmp_path: Path) -> None:
    events = random_events(4)
    recording = open_recording(write(tmp_path, b"#!AER-DAT2.0\r\n" + dvs128_words(events)))
    assert same(everything(recording), events)
    assert "names no sensor" in recording.counters().notes[0]


def test_an_unknown_chip_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="CochleaAMS1c"):
        open_recording(write(tmp_path, aedat2_file(b"cochlea.CochleaAMS1c", bytes(80))))


@pytest.mark.parametrize("length", [14, 30, 80])
def test_a_header_alone_holds_no_events(tmp_path: Path, length: int) -> None:
    with pytest.raises(InputError, match="to hold events"):
        open_recording(write(tmp_path, aedat2_file(b"DVS128")[:length]))


def test_many_chunks_are_continuous(tmp_path: Path) -> None:
    events = random_events(150_000)
    recording = open_recording(write(tmp_path, aedat2_file(b"DVS128", dvs128_words(events))))
    assert recording.index.events.size == 3
    assert same(everything(recording), events)


def test_events_of_another_sensor_are_refused(tmp_path: Path) -> None:
    words = davis_words(random_events(100, width=346, height=260), 346, 260)
    outside = struct.pack(">II", 250 << 12 | 200 << 22, 2) * 200
    with pytest.raises(InputError, match="outside it"):
        open_recording(write(tmp_path, aedat2_file(b"DAVIS240C", words, outside)))
