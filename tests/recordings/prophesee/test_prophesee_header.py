from __future__ import annotations

from pathlib import Path

import pytest

from recording_files import write
from spikebridge.errors import InputError
from spikebridge.events import Sensor
from spikebridge.recordings.prophesee.header import Header, check_size, find_sensor, options, read_header
from spikebridge.recordings.recording_file import RecordingFile


def header_of(folder: Path, content: bytes) -> Header:
    return read_header(RecordingFile(write(folder, content, "a.raw")))


def test_lines_up_to_the_end_line(tmp_path: Path) -> None:
    header = header_of(tmp_path, b"% evt 3.0\n% System_ID  49 \r\n%\n% end\n%\x80% evt 2.0\n")
    assert header.start == 36
    assert header.fields == {"evt": "3.0", "system_id": "49", "": ""}


@pytest.mark.parametrize(
    "words",
    [
        b"\x25\x80\x00\x01\n",  # a word with the byte of %
        b"% \x00\n",
        b"%abc\n",
        b"% no end of the line",
        b"%",
        b"",
    ],
)
def test_words_that_look_like_a_line_are_none(tmp_path: Path, words: bytes) -> None:
    header = header_of(tmp_path, b"% evt 3.0\n" + words)
    assert (header.start, dict(header.fields)) == (10, {"evt": "3.0"})


def test_no_header(tmp_path: Path) -> None:
    assert header_of(tmp_path, b"\x10\x85\x0e") == Header(0, {})


def test_what_cannot_be_printed_is_not_kept(tmp_path: Path) -> None:
    assert header_of(tmp_path, b"% sensor_name a\x9bb\tc\n% end\n").fields == {"sensor_name": "a b c"}


@pytest.mark.parametrize(("text", "t0_us"), [("17", 17), ("", 0), ("-1", 0), ("1e9", 0), ("9" * 30, 0)])
def test_t0(text: str, t0_us: int) -> None:
    assert Header(0, {"t0": text}).t0_us == t0_us


def test_options() -> None:
    assert options("EVT21;endianness=legacy; width=3") == ("EVT21", {"endianness": "legacy", "width": "3"})
    assert options("EVT3") == ("EVT3", {})
    assert options("") == ("", {})


@pytest.mark.parametrize(
    ("fields", "sensor"),
    [
        ({"format": "EVT3;height=720;width=1280"}, Sensor(1280, 720)),
        ({"format": "EVT3;width=3;height=4", "geometry": "1280x720"}, Sensor(3, 4)),
        ({"format": "EVT3", "geometry": "320x321"}, Sensor(320, 321)),
        ({"height": "240", "width": "304"}, Sensor(304, 240)),
        ({"system_id": "21"}, Sensor(640, 480, "Gen3.0")),
        ({"system_id": "49", "geometry": "1280x720"}, Sensor(1280, 720, "IMX636")),
        ({"sensor_generation": "4.2"}, Sensor(1280, 720, "IMX636")),
        ({"sensor_generation": "3.1"}, Sensor(640, 480, "Gen3.1")),
        ({"sensor_name": "GenX320"}, Sensor(320, 320, "GenX320")),
        ({"plugin_name": "hal_plugin_gen31_fx3"}, Sensor(640, 480)),
        ({"plugin_name": "hal_plugin_genx320_cx3"}, Sensor(320, 320)),
        ({"plugin_name": "hal_plugin_prophesee"}, None),
        ({"geometry": "x", "system_id": "999999999999"}, None),
        ({"geometry": "0x0", "height": "-3", "width": "4"}, None),
        ({}, None),
    ],
)
def test_the_sensor_that_a_header_says_or_implies(fields: dict[str, str], sensor: Sensor | None) -> None:
    assert find_sensor(Header(0, fields)) == sensor


def test_a_size_that_no_word_can_hold(tmp_path: Path) -> None:
    file = RecordingFile(write(tmp_path, b"x"))
    assert check_size(Sensor(2048, 2048), 2048, file) == Sensor(2048, 2048)
    with pytest.raises(InputError, match="at most 2048x2048 px, found 2049x1"):
        check_size(Sensor(2049, 1), 2048, file)
