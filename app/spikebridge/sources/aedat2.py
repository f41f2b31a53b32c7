"""AEDAT 2.0 (jAER): text header, then pairs of big-endian 32-bit address and time stamp."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import Sensor
from spikebridge.sources import decoding
from spikebridge.sources.formats import AEDAT2
from spikebridge.sources.indexed import CHUNK_EVENTS, IndexedRecording, Oddities
from spikebridge.sources.scanning import describe_state, map_bytes, scan, streams_of

_WORD_BYTES = 8
_CHUNK_BYTES = CHUNK_EVENTS * _WORD_BYTES
#: Start of the chip's class name in the header → width, height, whether addresses are laid out as the DAVIS does.
_CHIPS: tuple[tuple[str, int, int, bool], ...] = (
    ("dvs128", 128, 128, False),
    ("tmpdiff128", 128, 128, False),
    ("davis128", 128, 128, True),
    ("davis208", 208, 192, True),
    ("davis240", 240, 180, True),
    ("sbret10", 240, 180, True),
    ("davis346", 346, 260, True),
    ("davis640", 640, 480, True),
)


@dataclass(frozen=True, slots=True)
class _Chip:
    sensor: Sensor
    davis: bool
    notes: tuple[str, ...] = ()


def open_aedat2(path: Path) -> IndexedRecording:
    """The recording in an AEDAT 2.0 file, indexed by one pass over its words."""
    data = map_bytes(path)
    start = _header_end(data)
    chip = _read_chip(path, bytes(data[:start]))
    trailing = (data.size - start) % _WORD_BYTES
    end = data.size - trailing

    def run(piece: int, state: NDArray[np.int64], out: NDArray[np.int64]) -> int:
        n_words = min(_CHUNK_BYTES, end - piece) // _WORD_BYTES
        width, height = chip.sensor.width, chip.sensor.height
        return int(decoding.decode_aedat2(data, piece, n_words, chip.davis, width, height, state, out))

    result = scan(path, data, range(start, end, _CHUNK_BYTES), run)
    notes = chip.notes + describe_state(result.state)
    if trailing:
        notes += (f"The file ends inside an event; its last {trailing} bytes were skipped.",)
    return IndexedRecording(
        path,
        AEDAT2,
        chip.sensor,
        result.index,
        result.decode,
        streams_of(result.state),
        Oddities(trailing, trailing > 0, notes),
    )


def _header_end(data: NDArray[np.uint8]) -> int:
    """Byte of the first word: after the last line of text that starts with ``#``.

    An address may begin with the byte of ``#`` as well, so a line counts only when it is text up to its end. Text
    is what has no control characters but tab and carriage return; words hold zero bytes within a few events.
    """
    start = 0
    while start < data.size and data[start] == ord("#"):
        end = _find_newline(data, start)
        line = data[start:end]
        if end == data.size or np.any((line < 32) & (line != 9) & (line != 13)):
            break
        start = end + 1
    return start


def _find_newline(data: NDArray[np.uint8], start: int) -> int:
    """Byte of the next newline from ``start``, or the size of the data."""
    for block in range(start, data.size, 4096):
        found = np.flatnonzero(data[block : block + 4096] == ord("\n"))
        if found.size:
            return block + int(found[0])
    return int(data.size)


def _read_chip(path: Path, header: bytes) -> _Chip:
    named = re.search(rb"^#\s*AEChip:\s*([\w.$]+)", header, re.MULTILINE)
    if named is None:
        return _Chip(Sensor(128, 128, "DVS128"), False, ("The header names no sensor; it was read as a DVS128.",))
    name = named[1].decode("ascii", "replace").rsplit(".", 1)[-1]
    for prefix, width, height, davis in _CHIPS:
        if name.lower().startswith(prefix):
            return _Chip(Sensor(width, height, name), davis)
    raise InputError(
        f"expected {path} to come from a DVS128 or DAVIS sensor, found the chip '{name}', whose addresses this version "
        "cannot read; convert the file with jAER."
    )
