from __future__ import annotations

from pathlib import Path

import pytest

from recording_files import SHARED, aedat2, aedat3, aedat3_packet, dvs128_words, needs_shared, random_events, write
from spikebridge.errors import InputError
from spikebridge.recordings import open_recording
from spikebridge.recordings.formats import recognise


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
        (b"Event Stream\x02\x00\x00", "Event Stream"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"% date 2020-01-01\n% evt 3.0\n% end\n", "EVT3"),
        (b"% camera_integrator_name Prophesee\n% format EVT3;height=720\n", "EVT3"),
        (b"% evt 2.0\n", "EVT2"),
        (b"% Data file containing CD events.\n% Version 2\n", "DAT"),
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


@needs_shared
@pytest.mark.parametrize(
    ("name", "found"),
    [("evt2_dot.raw", "EVT2"), ("evt3_gen41.raw", "EVT3"), ("dvs.es", "Event Stream"), ("ncars.dat", "DAT")],
)
def test_real_files_of_other_formats_are_named(name: str, found: str) -> None:
    with pytest.raises(InputError, match=found):
        recognise(SHARED / "formats" / name)


@needs_shared
def test_a_capture_without_header_is_refused() -> None:
    with pytest.raises(InputError, match="found time running back"):
        open_recording(SHARED / "formats" / "headerless_evt2_dirty.bin")
