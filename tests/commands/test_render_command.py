"""The command ``render`` as a user calls it."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from calling import call
from small_recordings import moving_column, write_aedat31
from spikebridge.commands.render import render
from spikebridge.errors import InputError, UsageError


@pytest.fixture
def column(tmp_path: Path) -> Path:
    return write_aedat31(tmp_path / "a.aedat", moving_column(400_000))


def test_times_speed_and_size_are_as_asked_for(column: Path, tmp_path: Path) -> None:
    options = ("--style", "events", "--from", 0.1, "--to", 0.2, "--speed", 0.5, "--fps", 20, "--size", "64x32")
    result = call(render, column, tmp_path / "a.mp4", *options)
    assert result.stdout == ""
    assert "4 frames" in result.stderr
    with av.open(str(tmp_path / "a.mp4")) as film:
        stream = film.streams.video[0]
        assert (stream.width, stream.height, stream.average_rate) == (64, 32, 20)
        assert len(list(film.decode(video=0))) == 4


def test_what_is_there_stays_unless_told_otherwise(column: Path, tmp_path: Path) -> None:
    taken = tmp_path / "a.png"
    taken.write_bytes(b"mine")
    call(render, column, taken, "--style", "events", fails=UsageError)
    assert taken.read_bytes() == b"mine"
    call(render, column, taken, "--style", "events", "--overwrite")
    assert taken.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("options", [("--size", "64"), ("--speed", "max"), ("--fade", "7"), ("--from", "9")])
def test_wrong_options_are_told_in_a_sentence(column: Path, tmp_path: Path, options: tuple[str, str]) -> None:
    result = call(render, column, tmp_path / "a.mp4", *options, fails=UsageError)
    assert "expected" in str(result.exception)


def test_a_file_that_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("nothing of that kind")
    call(render, tmp_path / "a.txt", tmp_path / "a.mp4", fails=InputError)
