"""Against scipy, which writes the files."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy import io

from recording_files import random_events, same
from spikebridge.errors import InputError
from spikebridge.recordings import open_recording
from spikebridge.settings import ReadSettings

EVENTS = random_events(2500, width=640, height=480)
SIZED = ReadSettings(size=(640, 480))


def variables(times: str = "ts", polarities: str = "p", kind: type | str = "i4") -> dict[str, np.ndarray]:
    names = (("x", "x"), ("y", "y"), (times, "t"), (polarities, "polarity"))
    return {name: EVENTS[field].astype(kind) for name, field in names}


def written(path: Path, content: dict[str, object], packed: bool = False) -> Path:
    io.savemat(path / "a.mat", content, do_compression=packed)
    return path / "a.mat"


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("place", ["", "TD", "events"])
@pytest.mark.parametrize("names", [("t", "pol"), ("ts", "p"), ("timestamp", "polarity")])
def test_vectors_and_structs(tmp_path: Path, packed: bool, place: str, names: tuple[str, str]) -> None:
    content = variables(*names)
    recording = open_recording(written(tmp_path, {place: content} if place else content, packed), SIZED)
    assert recording.format == "MATLAB 5"
    assert same(recording.read(0, 1 << 60), EVENTS)
    assert recording.counters().notes == ()


@pytest.mark.parametrize("kind", ["i4", "u4", "i8", "u8", "f8", "f4"])
@pytest.mark.parametrize("shape", [(1, -1), (-1, 1), (-1, 1, 1)])
def test_numbers_of_any_kind_and_shape(tmp_path: Path, kind: str, shape: tuple[int, ...]) -> None:
    content = {name: values.reshape(shape) for name, values in variables(kind=kind).items()}
    recording = open_recording(written(tmp_path, content), ReadSettings(size=(640, 480), time_unit="us"))
    assert same(recording.read(0, 1 << 60), EVENTS)


def test_what_lies_beside_the_events_is_passed_over(tmp_path: Path) -> None:
    content = {
        "frames": np.zeros((20, 30, 4)), "note": "a text", "cells": np.array([1, "a"], object), "TD": variables(),
        "empty": np.zeros((0, 0)), "other": {"a": 1.5},
    }  # fmt: skip
    assert same(open_recording(written(tmp_path, content), SIZED).read(0, 1 << 60), EVENTS)


def test_the_second_struct_is_counted(tmp_path: Path) -> None:
    few = {name: values[:10] for name, values in variables().items()}
    recording = open_recording(written(tmp_path, {"b": few, "a": variables()}), SIZED)
    assert same(recording.read(0, 1 << 60), EVENTS)
    assert recording.samples == {"events of b": 10}
    assert recording.counters().notes == ("b has 10 events too, which were left out.",)


def test_a_file_of_the_other_byte_order(tmp_path: Path) -> None:
    def element(kind: int, content: bytes) -> bytes:
        return struct.pack(">II", kind, len(content)) + content + bytes(-len(content) % 8)

    def vector(name: str, values: list[int]) -> bytes:
        numbers = np.array(values, ">i4").tobytes()
        head = element(6, struct.pack(">II", 12, 0)) + element(5, struct.pack(">ii", 1, len(values)))
        return element(14, head + element(1, name.encode()) + element(5, numbers))

    path = tmp_path / "a.mat"
    body = vector("x", [1, 2]) + vector("y", [3, 4]) + vector("t", [5, 600_000]) + vector("p", [0, 1])
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI" + body)
    assert open_recording(path, SIZED).read(0, 1 << 60).tolist() == [(5, 1, 3, 0), (600_000, 2, 4, 1)]


def test_what_a_file_holds_instead(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found frames, x; save it with these"):
        open_recording(written(tmp_path, {"frames": np.zeros((3, 4)), "x": np.zeros(4)}))


def test_matrices_are_no_columns(tmp_path: Path) -> None:
    content = {name: values.reshape(50, 50) for name, values in variables().items()}
    with pytest.raises(InputError, match="found x, y, ts, p"):
        open_recording(written(tmp_path, content))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_file_that_was_cut(tmp_path: Path, packed: bool, part: float) -> None:
    path = written(tmp_path, variables(), packed)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(InputError, match="before it is damaged"):
        open_recording(path)


def test_damage_behind_the_events_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, variables())
    path.write_bytes(path.read_bytes() + b"\xff" * 20)
    recording = open_recording(path, SIZED)
    assert same(recording.read(0, 1 << 60), EVENTS)
    assert "The file is damaged after these" in recording.counters().notes[0]


@pytest.mark.parametrize("packed", [False, True])
def test_more_than_fits_into_memory_is_refused_before_it_is_read(tmp_path: Path, packed: bool) -> None:
    path = written(tmp_path, {"x": np.zeros(10)})
    content = path.read_bytes()
    matrix = struct.pack("<II", 14, 400 << 20) + content[136:]
    if packed:
        squeezed = zlib.compress(matrix)
        matrix = struct.pack("<II", 15, len(squeezed)) + squeezed
    path.write_bytes(content[:128] + matrix)
    with pytest.raises(InputError, match=r"found 400 MiB; save it with -v7\.3 in MATLAB"):
        open_recording(path)
