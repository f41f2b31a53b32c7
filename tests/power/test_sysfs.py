from __future__ import annotations

from pathlib import Path

import pytest

from spikebridge.power.sysfs import read_number, read_text


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "value"


def test_a_value_ends_with_its_line(path: Path) -> None:
    path.write_bytes(b"1234\n")
    assert (read_number(path), read_text(path)) == (1234, "1234")


def test_bytes_that_are_no_text_do_not_break_it(path: Path) -> None:
    path.write_bytes(b"VDD\xff_IN\n")
    assert read_text(path) == "VDD\ufffd_IN"


def test_what_is_not_there_is_no_text_and_no_number(path: Path) -> None:
    assert read_text(path) == ""
    with pytest.raises(OSError, match="value"):
        read_number(path)


@pytest.mark.parametrize("words", [b"", b"many", b"1.5"])
def test_what_is_no_number_is_an_error(path: Path, words: bytes) -> None:
    path.write_bytes(words)
    with pytest.raises(ValueError, match="invalid literal"):
        read_number(path)
