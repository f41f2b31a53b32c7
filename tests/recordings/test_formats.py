from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from prophesee_files import evt2, evt3, evt21, swapped
from recording_files import SHARED, aedat2, aedat3, aedat3_packet, dvs128_words, needs_shared, random_events, write
from spikebridge.errors import InputError
from spikebridge.recordings import open_recording
from spikebridge.recordings.formats import is_recording, recognise


def test_content_counts_and_not_the_name(tmp_path: Path) -> None:
    events = random_events(3)
    assert recognise(write(tmp_path, aedat2(b"DVS128", dvs128_words(events)), "a.raw")).name == "AEDAT 2.0"
    assert recognise(write(tmp_path, aedat3(aedat3_packet(events)), "b.aedat4")).name == "AEDAT 3.1"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b"\x00\x01\x02\x03" * 8, "unknown content that starts with 00 01 02 03"),
        (b"#!AER-DAT1.0\r\n", "AEDAT 1.0"),
        (b"#!AER-DAT9.0\r\n", "AEDAT of an unknown version"),
        (b"\xff\xfet\0,\0x\0", "UTF-16"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, content: bytes, found: str) -> None:
    with pytest.raises(InputError, match=found) as caught:
        recognise(write(tmp_path, content))
    assert "expected" in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_missing_path_and_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found nothing there"):
        recognise(tmp_path / "typo.aedat")
    with pytest.raises(InputError, match="found a directory"):
        recognise(tmp_path)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"Event Stream\x02\x00\x00", "Event Stream"),
        (b"% date 2020-01-01\n% evt 3.0\n% end\n", "EVT3"),
        (b"% camera_integrator_name Prophesee\n% format EVT3;height=720\n", "EVT3"),
        (b"% format EVT21;endianness=legacy\n", "EVT2.1"),
        (b"% evt 2.0\n", "EVT2"),
        (b"% Data file containing CD events.\n% Version 2\n", "DAT"),
        (b"% Date 2017-01-01\n% integrator_name Prophesee\n", "RAW without a format in its header"),
    ],
)
def test_formats_are_told_from_the_first_lines(tmp_path: Path, content: bytes, name: str) -> None:
    assert recognise(write(tmp_path, content)).name == name


def test_words_without_header_are_told_from_their_types(tmp_path: Path) -> None:
    events = random_events(2000)
    for words in (evt2(events), evt3(events), evt21(events), swapped(evt21(events))):
        assert recognise(write(tmp_path, words.tobytes())).name == "RAW without a header"


@pytest.mark.parametrize(
    "content",
    [
        np.random.default_rng(1).bytes(5000),
        b"some text\n" * 500,
        bytes(range(256)) * 20,
        dvs128_words(random_events(999)),
    ],
)
def test_other_content_is_no_raw_file(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match="unknown content"):
        recognise(write(tmp_path, content))


@needs_shared
@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("evt2_dot.raw", "EVT2"),
        ("evt3_gen41.raw", "EVT3"),
        ("dvs.es", "Event Stream"),
        ("ncars.dat", "DAT"),
        ("headerless_evt2_dirty.bin", "RAW without a header"),
    ],
)
def test_real_files_are_recognised(file: str, name: str) -> None:
    assert recognise(SHARED / "formats" / file).name == name


def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.aedat")
    (tmp_path / "one").symlink_to(tmp_path / "two")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    for path in (tmp_path / "pipe.aedat", tmp_path / "one", Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(InputError, match=r"regular file|nothing there"):
            recognise(path)


def test_a_name_that_is_no_text_is_read_and_said(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.aedat"))
    path.write_bytes(aedat2(b"DVS128", dvs128_words(random_events(10))))
    recording = open_recording(path)
    assert recording.n_events == 10
    json.dumps(recording.info.title)


def test_of_common_names_only_what_is_a_recording_counts(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("day,mood\nmonday,good\n")
    (tmp_path / "broken.aedat4").write_bytes(b"nothing of that kind")
    assert not is_recording(tmp_path / "notes.csv")
    assert not is_recording(tmp_path / "notes.md")
    assert is_recording(tmp_path / "broken.aedat4")  # to be told what is wrong with it
