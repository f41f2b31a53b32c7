from __future__ import annotations

from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import faery
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recording_files import random_events, same, write
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor
from spikebridge.recordings import open_recording
from spikebridge.recordings.indexed import IndexedRecording
from spikebridge.recordings.tables import text_table
from spikebridge.settings import ReadSettings

FOUR = [(1000, 96, 133, 0), (1010, 7, 132, 1), (1010, 105, 0, 1), (1025, 18, 9, 0)]


def opened(folder: Path, text: str | bytes, told: ReadSettings | None = None) -> IndexedRecording:
    content = text if isinstance(text, bytes) else text.encode()
    return open_recording(write(folder, content, "table.txt"), told)


def everything(recording: IndexedRecording) -> EventArray:
    return np.concatenate(list(recording.chunks()))


#: How each tool writes FOUR, the sensor that is then known, and a part of the note that says how it was read.
FORMS = {
    "names": ("t,x,y,p\n1000,96,133,0\n1010,7,132,1\n1010,105,0,1\n1025,18,9,0\n", None, "txyp with time in µs"),
    "faery": ("t,x,y,on\n1000,96,133,0\n1010,7,132,1\n1010,105,0,1\n1025,18,9,0\n", None, "as its header names"),
    "another order, words": (
        "Polarity;Row;Column;Timestamp [ms]\nOFF;133;96;1,000\nON;132;7;1,010\ntrue;0;105;1,01\nF;9;18;1,025\n",
        None,
        "pyxt with time in ms",
    ),
    "pandas, with its index": (
        ",timestamp_ns,x,y,polarity\n0,1000000,96,133,0\n1,1010000,7,132,1\n2,1010000,105,0,1\n3,1025000,18,9,0\n",
        None,
        "_txyp with time in ns",
    ),
    "rpg": (
        "240 180\n0.001000000 96 133 0\n0.001010000 7 132 1\n0.001010000 105 0 1\n0.001025000 18 9 0\n",
        (240, 180),
        "txyp with time in s, an order told from the numbers",
    ),
    "v2e": (
        "#!events.txt\n# This is a text DVS created by v2e (see https://github.com/SensorsINI/v2e)\n"
        "# Format is time (float s), x, y, polarity (0=off, 1=on) as specified at "
        "http://rpg.ifi.uzh.ch/davis_data.html\n"
        "# Creation time: 03:14PM May 01 2023\n"
        "0.001 96 133 0\n0.00101 7 132 1\n101e-05 105 0 1\n0.0010250000001 18 9 0\n",
        None,
        "txyp with time in s, as a comment",
    ),
    "jAER, signed": (
        "# jAER DAVIS/DVS camera text file output\r\n"
        "# dvs-events: One event per line:  timestamp(int32 us) x y polarity(off/on=-1/+1)\r\n"
        "1000 96 133 -1\r\n1010 7 132 1\r\n1010 105 0 1\r\n1025 18 9 -1\r\n",
        None,
        "txyp with time in µs, as a comment",
    ),
    "jAER, time last, special": (
        "# x,y,polarity(off/on=0/1),timestamp(int32 us),special(1=special,0=normal)\n"
        "96,133,0,1000,0\n7,132,1,1010,0\n105,0,1,1010,1\n18,9,0,1025,0\n",
        None,
        "xypt with time in µs, as a comment",
    ),
    "Metavision": ("96,133,0,1000\n7,132,1,1010\n105,0,1,1010\n18,9,0,1025\n", None, "xypt with time in µs, an order"),
    "Metavision 5": (
        "%geometry:640,480\n96,133,0,1000\n7,132,1,1010\n105,0,1,1010\n18,9,0,1025\n",
        (640, 480),
        "x before y is assumed",
    ),
    "numpy.savetxt": (
        "# t x y p\n" + "".join(" ".join(f"{number:.18e}" for number in row) + "\n" for row in FOUR),
        None,
        "txyp with time in µs, as a comment",
    ),
    "spreadsheet": (
        "\ufefft,x,y,p\r\n1000,96,133,0\r\n1010,7,132,1\r\n\r\n1010,105,0,1\r\n1025,18,9,0\r\n\r\n",
        None,
        "txyp",
    ),
    "spreadsheet, no names": ("\ufeff1000;96;133;0\r\n1010;7;132;1\r\n1010;105;0;1\r\n1025;18;9;0", None, "txyp"),
    "blanks and tabs": (
        "  1000\t96  133\t0 \n 1010 7 132 1\n// a comment\n1010\t105\t0\t+1\n1025 18 9 0",
        None,
        "txyp with time in µs",
    ),
    "lines of an old Mac": ("t,x,y,p\r1000,96,133,0\r1010,7,132,1\r1010,105,0,1\r1025,18,9,0\r", None, "txyp"),
    "blanks behind commas": (
        "t, x, y, p\n1000, 96, 133, 0\n1010, 7, 132, 1\n1010, 105, 0, 1\n1025, 18, 9, 0",
        None,
        "txyp",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_what_each_tool_writes(tmp_path: Path, name: str) -> None:
    text, size, note = FORMS[name]
    recording = opened(tmp_path, text)
    assert everything(recording).tolist() == FOUR
    sensor = recording.info.sensor
    assert (sensor.width, sensor.height) == (size or (208, 192))
    counters = recording.counters()
    assert note in counters.notes[0]
    assert (size is None) == any("does not say the size" in each for each in counters.notes)
    assert (counters.skipped_bytes, counters.truncated, counters.dropped) == (0, False, 0)


def test_seconds_are_rounded_exactly_half_a_microsecond_up(tmp_path: Path) -> None:
    times = [
        "0.0000004999999999",
        "5e-7",  # one by one: what is too small would run back behind the others and be given their time
        "+5.0e-07",
        "0.0000005",
        "0.00000149999999999999999999",
        "1.9999994",
        "1.9999995",
        "12",
    ]
    recording = opened(tmp_path, "".join(f"{t} 1 2 1\n" for t in times), ReadSettings(None, "txyp", "s"))
    assert everything(recording)["t"].tolist() == [0, 1, 1, 1, 1, 1_999_999, 2_000_000, 12_000_000]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.decimals(0, 99_999, allow_nan=False, places=9), min_size=1, max_size=9),
    st.sampled_from([("s", 10**6), ("ms", 1000), ("us", 1), ("ns", Fraction(1, 1000))]),
    st.booleans(),
)
def test_any_decimal_is_rounded_exactly(tmp_path: Path, times: list, unit: tuple, exponents: bool) -> None:
    ordered = sorted(times)
    text = "".join(f"{format(t, 'e' if exponents else 'f')},1,2,1\n" for t in ordered)
    recording = opened(tmp_path, text, ReadSettings((8, 8), "txyp", unit[0]))
    expected = [int((Fraction(t) * unit[1] + Fraction(1, 2)) // 1) for t in ordered]
    if max(np.diff(expected), default=0) < 100_000:
        assert everything(recording)["t"].tolist() == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1000,3,4,1\n", "none that fits; pass the right one, such as --columns txyp"),
        ("1,3,10,1\n2,4,11,1\n3,5,12,1\n", "ptxy or ptyx|txyp or .*; pass the right one, such as --columns"),
        ("a,b,c,d\n1,2,3,1\n", "found 'a, b, c, d'; pass which is which, such as --columns txyp"),
        ("1,2,3,4,5\n2,2,3,4,5\n", "found 5 without names; .* --columns txyp_"),
        ("t,x,y,p\n", "unknown content"),
        ("# t,x,y\n# 1,2,3\n", "lines of four numbers"),
        ("t,x,y,p\n1,2,3,9\n2,3,4,8\n", "that most|an event on each line"),
        ("t,x,y,p\n0.0,1,2,1\n1.0,1,2,1\n", "found 0 to 1 for 2 events; pass it, such as --time-unit us"),
        ("t,x,y,p\n" + "".join(f"{100 * i}.5,1,2,1\n" for i in range(200)), "tell their unit"),
    ],
)
def test_what_is_ambiguous_is_refused_with_what_to_pass(tmp_path: Path, text: str, found: str) -> None:
    with pytest.raises(InputError, match=found) as caught:
        opened(tmp_path, text)
    assert str(caught.value).count("\n") == 0


def test_options_tell_what_the_numbers_do_not(tmp_path: Path) -> None:
    recording = opened(tmp_path, "7,1000,3,4,1\n7,1001,4,3,0\n", ReadSettings((30, 20), "_tyxp", "ms"))
    assert everything(recording).tolist() == [(1_000_000, 4, 3, 1), (1_001_000, 3, 4, 0)]
    assert recording.info.sensor == Sensor(30, 20)
    with pytest.raises(InputError, match="--columns to name t, x, y and p once"):
        opened(tmp_path, "1,2,3,4\n", ReadSettings(None, "txxp"))


def test_x_is_second_where_no_sensor_is_so_high(tmp_path: Path) -> None:
    rows = [(1000, 3, 1100, 1), (1005, 500, 20, 0), (1009, 4, 7, 1)]
    recording = opened(tmp_path, "".join(",".join(map(str, row)) + "\n" for row in rows))
    assert everything(recording)["x"].tolist() == [1100, 20, 7]
    assert "tyxp" in recording.counters().notes[0]


def test_bad_lines_are_counted_and_the_others_kept(tmp_path: Path) -> None:
    bad = [
        "10,1",
        "x,1,2,1",
        "11,1.5,2,1",
        "11,1,2,2",
        "11,1,2,1e",
        "99999999999999999999,1,2,1",
        "-,1,2,1",
        "11,1,2,o",
    ]
    good = [f"{t},1,2,1" for t in range(1, 12)]
    recording = opened(tmp_path, "t,x,y,p\n" + "\n".join(good[:5] + bad + good[5:]) + "\n")
    assert everything(recording)["t"].tolist() == list(range(1, 12))
    counters = recording.counters()
    assert counters.skipped_bytes == sum(len(line) + 1 for line in bad)
    assert f"{len(bad)} lines are no events" in counters.notes[2]


@pytest.mark.parametrize(("n_cut", "kept", "truncated"), [(0, 4, False), (1, 4, False), (2, 3, True), (8, 3, True)])
def test_a_file_cut_inside_a_line(tmp_path: Path, n_cut: int, kept: int, truncated: bool) -> None:
    text = FORMS["names"][0]
    recording = opened(tmp_path, text[: len(text) - n_cut])
    counters = recording.counters()
    assert everything(recording).tolist() == FOUR[:kept]
    assert (counters.truncated, "inside a line" in str(counters.notes)) == (truncated, truncated)
    assert counters.skipped_bytes == (len("1025,18,9,0\n") - n_cut if truncated else 0)


def test_coordinates_outside_are_dropped_and_a_single_odd_one_does_not_make_the_sensor(tmp_path: Path) -> None:
    events = random_events(3000, width=240, height=180)
    lines = [f"{t},{x},{y},{p}" for t, x, y, p in events.tolist()]
    lines[7] = lines[7].split(",")[0] + ",60000,3,1"
    lines[9] = lines[9].split(",")[0] + ",-3,3,1"
    recording = opened(tmp_path, "t,x,y,p\n" + "\n".join(lines))
    assert recording.info.sensor == Sensor(240, 180)
    assert recording.counters().dropped == 2
    assert recording.n_events == 2998


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=60).map(lambda junk: junk.replace(b"\0", b"n")),
    st.integers(0, 3000),
    st.sampled_from([0, 4090, 5000, 9000, 30_000]),
    st.integers(1, 400),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
)
def test_small_pieces_give_what_one_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, junk: bytes, at: int, long: int, per_chunk: int, end: bytes
) -> None:
    events = random_events(1500)
    lines = [f"{t},{x},{y},{p}".encode() for t, x, y, p in events.tolist()]
    content = b"t,x,y,p" + end + end.join(lines)
    at = 5000 + 4 * at  # what comes first tells what the columns are
    path = write(tmp_path, content[:at] + junk + b"7" * long + content[at:], "t.csv")
    whole = open_recording(path, ReadSettings((128, 128)))
    with monkeypatch.context() as patch:
        patch.setattr(text_table, "CHUNK_EVENTS", per_chunk)
        patch.setattr(text_table, "_SHORTEST_PIECE", 1)
        parts = open_recording(path, ReadSettings((128, 128)))
        assert parts.index.events.size >= 2
        assert same(everything(parts), everything(whole))
        assert (parts.counters().notes, parts.counters().skipped_bytes) == (
            whole.counters().notes,
            whole.counters().skipped_bytes,
        )


def test_an_independent_reader_agrees(tmp_path: Path) -> None:
    events = random_events(70_000, width=346, height=260)
    path = write(tmp_path, b"t,x,y,p\n" + b"".join(b"%d,%d,%d,%d\n" % row for row in events.tolist()), "a.csv")
    theirs = np.concatenate(list(faery.events_stream_from_file(path, dimensions_fallback=(346, 260))))
    ours = everything(open_recording(path))
    assert same(ours, events)
    for name, their_name in (("x", "x"), ("y", "y"), ("polarity", "on")):
        assert np.array_equal(ours[name], theirs[their_name])
    # faery counts from 1970 or from the first event: differences have to be the same.
    assert np.array_equal(np.diff(ours["t"]), np.diff(theirs["t"].astype(np.int64)))


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_table_is_a_sentence_or_a_count(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    content = bytearray(FORMS[list(FORMS)[seed % len(FORMS)]][0].encode())
    for _ in range(random.integers(1, 5)):
        content[random.integers(len(content))] = random.integers(256)
    cut = bytes(content[: random.integers(1, len(content) + 1)])
    with suppress(InputError):
        recording = opened(tmp_path, cut)
        assert everything(recording).size == recording.n_events


def test_a_comma_in_a_table_of_blanks_is_a_bad_line(tmp_path: Path) -> None:
    recording = opened(tmp_path, "0.001 3 4 1\n0.002 4 3 0\n0,003 4 3 0\n0.004 4 ,3 0\n0.005 4 3 0\n")
    assert everything(recording)["t"].tolist() == [1000, 2000, 5000]
    assert "2 lines are no events" in recording.counters().notes[2]


def test_a_time_that_64_bits_do_not_hold_and_a_line_without_end_are_bad_lines(tmp_path: Path) -> None:
    bad = ["99999999999999.5 1 2 1", "0.003 1 2 1 " + "7 " * 2500, "1e300 1 2 1", "0.003 1 2 1" + " 7" * 200_000]
    good = [f"{t / 1e6:.6f} 1 2 1" for t in range(9)]
    recording = opened(tmp_path, "\n".join([*good[:5], *bad, *good[5:]]), ReadSettings((8, 8), "txyp", "s"))
    assert everything(recording)["t"].tolist() == list(range(9))
    assert recording.counters().skipped_bytes == sum(len(line) + 1 for line in bad)
    assert recording.counters().notes[1] == "4 lines are no events and were skipped."
