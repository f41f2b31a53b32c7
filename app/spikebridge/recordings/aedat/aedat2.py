"""AEDAT 2.0 (jAER): text header, then pairs of big-endian 32-bit address and time stamp."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import Sensor
from spikebridge.recordings import ordering, scanning
from spikebridge.recordings.aedat import decoding
from spikebridge.recordings.aedat.frames import frames_of_aedat2
from spikebridge.recordings.indexed import CHUNK_EVENTS, IndexedRecording, Oddities
from spikebridge.recordings.recording_file import RecordingFile, Scratch
from spikebridge.recordings.scanning import Scan
from spikebridge.settings import ReadSettings

_WORD_BYTES = 8
_CHUNK_BYTES = CHUNK_EVENTS * _WORD_BYTES
#: From which the layout of addresses is told where the header names no chip.
_LOOKED_AT_BYTES = 32 << 20
#: Longest line of a header; known ones hold some hundred characters.
_LINE_BYTES = 1 << 20
_CHIP = re.compile(rb"#\s*AEChip:\s*([\w.$]+)")
_END_OF_HEADER = b"#End Of ASCII Header"
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
#: Start of the chip's class name in the header → width, height, how its addresses are laid out.
_CHIPS: tuple[tuple[str, int, int, decoding.AddressLayout], ...] = (
    ("dvs128stereopair", 128, 128, decoding.DVS128_PAIR_ADDRESS),
    ("dvs128", 128, 128, decoding.DVS128_ADDRESS),
    ("tmpdiff128stereopair", 128, 128, decoding.DVS128_PAIR_ADDRESS),
    ("tmpdiff128", 128, 128, decoding.DVS128_ADDRESS),
    ("davis128", 128, 128, decoding.DAVIS_ADDRESS),
    ("davis208", 208, 192, decoding.DAVIS_ADDRESS),
    ("davis240", 240, 180, decoding.DAVIS_ADDRESS),
    ("dvs240", 240, 180, decoding.DAVIS_ADDRESS),
    ("sbret10", 240, 180, decoding.DAVIS_ADDRESS),
    ("davis346", 346, 260, decoding.DAVIS_ADDRESS),
    ("davis640", 640, 480, decoding.DAVIS_ADDRESS),
    ("dvs640", 640, 480, decoding.DVS640_ADDRESS),
)


@dataclass(frozen=True, slots=True)
class _Chip:
    sensor: Sensor
    layout: decoding.AddressLayout
    notes: tuple[str, ...] = ()


def open_recording(path: Path, settings: ReadSettings) -> IndexedRecording:
    """The recording in an AEDAT 2.0 file, indexed by one pass over its words."""
    file = RecordingFile(path)
    start, name = _read_header(file)
    chip = _guess_chip(file.read(start, _LOOKED_AT_BYTES)) if name is None else _describe_chip(path, name)
    trailing = (file.size - start) % _WORD_BYTES
    end = file.size - trailing
    scratch = Scratch()

    def run(piece: int, state: NDArray[np.int64], out: NDArray[np.void]) -> int:
        n_bytes = min(_CHUNK_BYTES, end - piece)
        content = scratch.of(n_bytes)[:n_bytes]
        file.read_into(content.data, piece)
        words = content.view(decoding.ADDRESS_DTYPE)
        return int(decoding.decode_aedat2(words, chip.layout, chip.sensor.width, chip.sensor.height, state, out))

    def report(state: NDArray[np.int64]) -> Oddities:
        found = scanning.report(state)
        notes = chip.notes + found.notes
        if trailing:
            notes += (f"The file ends inside an event; its last {trailing} bytes were skipped.",)
        return replace(found, skipped_bytes=trailing, truncated=trailing > 0, notes=notes)

    frames = None
    if chip.layout.frames:
        frames = frames_of_aedat2(file, start, end, chip.sensor.width, chip.sensor.height)
    before = ordering.new_state(extra=decoding.AEDAT2_SLOTS)
    scan = Scan(path, range(start, end, _CHUNK_BYTES), run, report, before)
    return IndexedRecording(path, "AEDAT 2.0", chip.sensor, scan, frames=frames)


def _read_header(file: RecordingFile) -> tuple[int, str | None]:
    """Byte of the first word, after the last line of text that starts with ``#``, and the chip that a line names.

    An address may begin with the byte of ``#`` as well, so a line counts only when it is text up to its end, and none
    after the one that says that the header ends. Text is what has no control characters but tab and carriage return;
    words hold zero bytes within a few events.
    """
    chip = None
    block_at, at = 0, 0
    block = file.read(0, _LINE_BYTES)
    while True:
        end = block.find(b"\n", at)
        if end < 0 and at:
            block_at, at = block_at + at, 0
            block = file.read(block_at, _LINE_BYTES)
            end = block.find(b"\n")
        if end < 0 and block[at : at + 1] == b"#" and not _CONTROL.search(block, at):
            return file.size, chip  # cut inside the header
        if end < 0 or block[at : at + 1] != b"#" or _CONTROL.search(block, at, end):
            return block_at + at, chip
        if block[at:end].rstrip() == _END_OF_HEADER:
            return block_at + end + 1, chip
        named = None if chip else _CHIP.match(block, at, end)
        chip = named[1].decode("ascii", "replace").rsplit(".", 1)[-1] if named else chip
        at = end + 1


def _describe_chip(path: Path, name: str) -> _Chip:
    for prefix, width, height, layout in _CHIPS:
        if name.lower().startswith(prefix):
            pair = ("Of the stereo pair the left eye is read.",) if layout.other else ()
            return _Chip(Sensor(width, height, name), layout, pair)
    raise InputError(
        f"expected {path} to come from a DVS128 or DAVIS sensor, found the chip '{name}', whose addresses this version "
        "cannot read; convert the file with jAER."
    )


def _guess_chip(words: bytes) -> _Chip:
    """Told from the addresses: those of a DVS128 leave the upper half of their bits empty, those of a DAVIS do not."""
    addresses = np.frombuffer(words, ">u4", len(words) // _WORD_BYTES * 2)[::2]
    dvs128 = np.count_nonzero(addresses & decoding.DVS128_ADDRESS.special == 0)
    if 2 * dvs128 >= addresses.size:
        name, layout, (width, height) = "DVS128", decoding.DVS128_ADDRESS, (128, 128)
    else:
        layout = decoding.DAVIS_ADDRESS
        events = addresses[addresses & layout.special == 0]
        x = int((events >> layout.x_shift & layout.x_mask).max(initial=0))
        y = int((events >> layout.y_shift & layout.y_mask).max(initial=0))
        sizes = [(w, h) for _, w, h, each in _CHIPS if each == layout and x < w and y < h]
        width, height = min(sizes, default=(x + 1, y + 1))
        name = "DAVIS"
    note = f"The header names no sensor; by its addresses it was read as a {name} of {width}x{height} px."
    return _Chip(Sensor(width, height, name), layout, (note,))
