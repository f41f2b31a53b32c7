"""RAW: text header, then the words of EVT2, EVT2.1 or EVT3 as a camera of Prophesee sends them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import Sensor
from spikebridge.recordings import scanning
from spikebridge.recordings.extent import size_of_events
from spikebridge.recordings.indexed import IndexedRecording, Oddities
from spikebridge.recordings.prophesee import word_state
from spikebridge.recordings.prophesee.guessing import GUESSED_BYTES, guess_kind, guess_order
from spikebridge.recordings.prophesee.header import (
    Header,
    check_size,
    find_sensor,
    options,
    read_header,
)
from spikebridge.recordings.prophesee.words import EVT2, EVT3, EVT21, EVT21_LEGACY, LARGEST_PX, Kind
from spikebridge.recordings.recording_file import RecordingFile, Scratch
from spikebridge.recordings.scanning import Scan
from spikebridge.settings import ReadSettings

_LARGEST = Sensor(LARGEST_PX, LARGEST_PX)
#: Cameras below this ``system_ID`` send EVT2.1 in the older order (OpenEB 5.1, ``psee_raw_file_header.cpp``).
_FIRST_LITTLE_SYSTEM = 0x37
#: As a format is named in headers, and in those from before there were formats.
_NAMES: dict[str, Kind] = {
    "evt2": EVT2,
    "evt2.0": EVT2,
    "2.0": EVT2,
    "evt21": EVT21,
    "evt2.1": EVT21,
    "2.1": EVT21,
    "evt3": EVT3,
    "evt3.0": EVT3,
    "3.0": EVT3,
}
_SENTENCES = (
    (word_state.UNPLACED, "{} events came before the first words that say their time and row and were dropped."),
    (word_state.RATE_DROPPED, "The camera's event rate control dropped {} events before they were sent."),
    (word_state.UNKNOWN, "{} words were of an unknown type and were skipped."),
    (word_state.LOST_TIME, "{} time words were lost where time went into its next part; it was counted on."),
    (word_state.JUMPS, "Time jumped away and back at {} time words, which are damaged."),
)


def open_recording(path: Path, settings: ReadSettings) -> IndexedRecording:
    """The recording in a RAW file, indexed by one pass over its words.

    A file without a header is read only if the sensor's size is given and its words look like such words.
    """
    file = RecordingFile(path)
    header = read_header(file)
    kind, notes = _find_kind(file, header, settings)
    sensor = find_sensor(header) or (Sensor(*settings.size) if settings.size else None)
    if sensor is None:
        sensor = Sensor(*size_of_events(_open(file, header, kind, _LARGEST, ())))
        notes += (f"The header names no sensor; {sensor.width}x{sensor.height} px hold all events.",)
    return _open(file, header, kind, check_size(sensor, LARGEST_PX, file), notes)


def _open(file: RecordingFile, header: Header, kind: Kind, sensor: Sensor, notes: tuple[str, ...]) -> IndexedRecording:
    trailing = (file.size - header.start) % kind.word_bytes
    end = file.size - trailing
    scratch = Scratch()

    def run(piece: int, state: NDArray[np.int64], out: NDArray[np.void]) -> int:
        n_bytes = min(kind.chunk_bytes, end - piece)
        content = scratch.of(n_bytes)[:n_bytes]
        file.read_into(content.data, piece)
        return kind.decode(content, sensor.width, sensor.height, state, out)

    def report(state: NDArray[np.int64]) -> Oddities:
        return _report(state, kind, notes, trailing)

    before = word_state.new_word_state(header.t0_us)
    pieces = range(header.start, end, kind.chunk_bytes)
    return IndexedRecording(file.path, kind.name, sensor, Scan(file.path, pieces, run, report, before))


def _report(state: NDArray[np.int64], kind: Kind, notes: tuple[str, ...], trailing: int) -> Oddities:
    found = scanning.report(state)
    samples = dict(found.samples)
    if state[word_state.MONITORING]:
        samples["monitoring"] = int(state[word_state.MONITORING])
    notes += found.notes + tuple(text.format(state[slot]) for slot, text in _SENTENCES if state[slot] > 0)
    if trailing:
        notes += (f"The file ends inside a word; its last {trailing} bytes were skipped.",)
    return replace(
        found,
        dropped=found.dropped + int(state[word_state.UNPLACED]) + max(0, int(state[word_state.RATE_DROPPED])),
        skipped_bytes=found.skipped_bytes + int(state[word_state.UNKNOWN]) * kind.word_bytes + trailing,
        truncated=found.truncated or trailing > 0,
        notes=notes,
        samples=samples,
    )


def _find_kind(file: RecordingFile, header: Header, settings: ReadSettings) -> tuple[Kind, tuple[str, ...]]:
    """The kind of words, and a note where the header does not say it."""
    content = file.read(header.start, GUESSED_BYTES)
    size = settings.size or (LARGEST_PX, LARGEST_PX)
    if not header.fields:
        guessed = guess_kind(content, size)
        if guessed is None or settings.size is None:
            raise _no_header(file, guessed, settings)
        return guessed, (f"The file has no header; its words look like {guessed.name}, and were read so.",)
    name, given = options(header.fields.get("format", "") or header.fields.get("evt", ""))
    if not name:
        guessed = guess_kind(content, size) or EVT2
        return guessed, (f"The header names no format; its words were read as {guessed.name}.",)
    kind = _NAMES.get(name.lower())
    if kind is None:
        raise InputError(
            f"expected {file.path} to hold words of EVT2, EVT2.1 or EVT3, found the format '{name}', which this "
            "version cannot read; convert it with the vendor's tools."
        )
    if kind is not EVT21:
        return kind, ()
    return _find_order(header, given.get("endianness") or header.fields.get("endianness", ""), content)


def _find_order(header: Header, said: str, content: bytes) -> tuple[Kind, tuple[str, ...]]:
    """Which half of EVT2.1's words comes first, as the header says, the words look, or such cameras do."""
    if said in ("little", "legacy"):
        return (EVT21_LEGACY if said == "legacy" else EVT21), ()
    usual = EVT21_LEGACY if 0 < header.system < _FIRST_LITTLE_SYSTEM else EVT21
    guessed = guess_order(content, (LARGEST_PX, LARGEST_PX))
    return guessed or usual, ("The header does not say the byte order of EVT2.1; it was told from the words.",)


def _no_header(file: RecordingFile, guessed: Kind | None, settings: ReadSettings) -> InputError:
    if guessed is None:
        size = "x".join(map(str, settings.size or (LARGEST_PX, LARGEST_PX)))
        return InputError(
            f"expected {file.path} to begin with a header of lines with '%', found none, and no words of a camera of "
            f"{size} px; check that it is the right file, and --sensor if you gave it."
        )
    return InputError(
        f"expected {file.path} to begin with a header of lines with '%', found none, but words that look like "
        f"{guessed.name}; pass the size of the camera with --sensor WIDTHxHEIGHT to read it."
    )
