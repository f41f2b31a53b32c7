"""Event Stream (``.es``): a header of 16 or 20 bytes, then events of 5 bytes (3 in version 1) with the time since the
one before; longer times come as bytes of overflow between the events. y counts from the bottom.

Version 2.0 as its specification says (github.com/neuromorphic-paris/event_stream, README.md), version 1.0 as that did
until April 2018.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import Sensor
from spikebridge.recordings import scanning
from spikebridge.recordings.indexed import CHUNK_EVENTS, IndexedRecording, Oddities

# Compiled into what is kept for this file. numba looks at its time alone: save it after a change of the other.
from spikebridge.recordings.ordering import (
    BLOCK,
    OUTSIDE,
    STATE_SIZE,
    WORDS_DTYPE,
    block_for,
    new_state,
)
from spikebridge.recordings.partial_blocks import give_some
from spikebridge.recordings.recording_file import RecordingFile, Scratch
from spikebridge.recordings.scanning import Scan
from spikebridge.settings import ReadSettings

_TYPE_AT, _SIZE_AT = 15, 16
#: Types of streams by version.
_TYPES = {
    1: ("DVS", "ATIS", "display", "color", "generic", "liquid"),
    2: ("generic", "DVS", "ATIS", "display", "color"),
}
# Slots after those of ``ordering``.
_TIME = STATE_SIZE  # of the latest event, with the overflows after it, µs
_AHEAD = STATE_SIZE + 1  # bytes of the next piece that belong to the last event of this one
_EXPOSURES = STATE_SIZE + 2  # events that measure exposure
_CUT = STATE_SIZE + 3  # bytes of an event that the file ends inside
_STATE_SIZE = STATE_SIZE + 4
_DVS2, _ATIS2, _DVS1, _ATIS1 = range(4)
#: A number in compiled code.
_Number: TypeAlias = int | np.int64


@dataclass(frozen=True, slots=True)
class _Layout:
    """start : byte of the first event. kind : one of ``_DVS2`` and so on. largest : width and height that fit."""

    start: int
    kind: int
    event_bytes: int
    largest: Sensor
    sensor: Sensor | None
    notes: tuple[str, ...] = ()


def open_recording(path: Path, settings: ReadSettings) -> IndexedRecording:
    """The recording in an Event Stream of a DVS or an ATIS, indexed by one pass over its bytes."""
    file = RecordingFile(path)
    layout = _read_header(file)
    sensor = layout.sensor or (Sensor(*settings.size) if settings.size else None)
    if sensor is None:
        sensor = _sensor_of_events(_open(file, layout, layout.largest))
        note = f"Version 1 names no sensor; {sensor.width}x{sensor.height} px hold all events."
        layout = replace(layout, notes=(note,))
    return _open(file, layout, sensor)


def _open(file: RecordingFile, layout: _Layout, sensor: Sensor) -> IndexedRecording:
    scratch = Scratch()
    chunk_bytes = CHUNK_EVENTS * layout.event_bytes

    def run(piece: int, state: NDArray[np.int64], out: NDArray[np.void]) -> int:
        n_bytes = min(chunk_bytes, file.size - piece)
        # The last event may end in the next piece.
        size = min(n_bytes + layout.event_bytes - 1, file.size - piece)
        content = scratch.of(size)[:size]
        file.read_into(content.data, piece)
        return int(decode_event_stream(content, n_bytes, layout.kind, sensor.width, sensor.height, state, out))

    def report(state: NDArray[np.int64]) -> Oddities:
        found = scanning.report(state)
        cut, exposures = int(state[_CUT]), int(state[_EXPOSURES])
        notes = layout.notes + found.notes
        if cut:
            notes += (f"The file ends inside an event; its last {cut} bytes were skipped.",)
        return replace(
            found,
            skipped_bytes=found.skipped_bytes + cut,
            truncated=found.truncated or cut > 0,
            notes=notes,
            samples={**found.samples, "exposure": exposures} if exposures else found.samples,
        )

    before = np.zeros(_STATE_SIZE, np.int64)
    before[:STATE_SIZE] = new_state()
    pieces = range(layout.start, file.size, chunk_bytes)
    return IndexedRecording(file.path, "Event Stream", sensor, Scan(file.path, pieces, run, report, before))


def _read_header(file: RecordingFile) -> _Layout:
    head = file.read(0, 20)
    if len(head) <= _TYPE_AT:
        raise InputError(f"expected the header of {file.path} to have 16 bytes, found {len(head)}; copy it again.")
    major, types = head[12], _TYPES.get(head[12], ())
    kind = types[head[_TYPE_AT]] if head[_TYPE_AT] < len(types) else "unknown"
    if not types:
        raise InputError(
            f"expected {file.path} to be an Event Stream of version 1 or 2, found version {major}.{head[13]}; convert "
            "it with the program that wrote it."
        )
    if kind not in ("DVS", "ATIS"):
        raise InputError(
            f"expected {file.path} to be an Event Stream of a DVS or an ATIS, found one of {kind} events, which say "
            "nothing of changes of light; use another file."
        )
    if major == 1:
        if kind == "DVS":
            return _Layout(_SIZE_AT, _DVS1, 3, Sensor(1 << 10, 1 << 9), None)
        return _Layout(_SIZE_AT, _ATIS1, 3, Sensor(1 << 9, 1 << 8), None)
    width, height = int.from_bytes(head[16:18], "little"), int.from_bytes(head[18:20], "little")
    if width < 1 or height < 1:
        raise InputError(
            f"expected the header of {file.path} to name a sensor, found one of {width}x{height} px; copy it again."
        )
    sensor = Sensor(width, height)
    return _Layout(_SIZE_AT + 4, _DVS2 if kind == "DVS" else _ATIS2, 5, sensor, sensor)


def _sensor_of_events(recording: IndexedRecording) -> Sensor:
    """The smallest that holds all events of a recording that was opened as of the largest one."""
    largest = recording.info.sensor
    width, height = 1, 1
    for events in recording.beginning():
        width = max(width, int(events["x"].max()) + 1)
        height = max(height, largest.height - int(events["y"].min()))
    recording.close()
    return Sensor(width, height)


@njit(cache=True, nogil=True)
def decode_event_stream(
    content: NDArray[np.uint8],
    n_bytes: int,
    kind: int,
    width: int,
    height: int,
    state: NDArray[np.int64],
    out: NDArray[np.void],
) -> int:
    """Decodes the events that begin in the first ``n_bytes`` of ``content``; returns how many.

    content : with the bytes after them that belong to the last event. kind : one of ``_DVS2`` and so on.
    """
    spare = np.empty(BLOCK, WORDS_DTYPE)
    event_bytes = 5 if kind <= _ATIS2 else 3
    i, time = state[_AHEAD], state[_TIME]
    n = 0
    while i < n_bytes:
        block = block_for(state, n, BLOCK, out, spare)
        k = 0
        while i < n_bytes and k < BLOCK:
            passed, overflow = _time_passed(content[i], kind)
            time += passed
            if overflow:
                i += 1
                continue
            if i + event_bytes > content.size:
                state[_CUT] = content.size - i
                i = np.int64(content.size)
                break
            x, y, polarity, exposure = _place(content, i, kind)
            i += event_bytes
            if exposure:
                state[_EXPOSURES] += 1
            elif x >= width or y >= height:
                state[OUTSIDE] += 1
            else:
                block[np.uint64(k)].t = time
                block[np.uint64(k)].rest = x | (height - 1 - y) << 16 | polarity << 32
                k += 1
        n = give_some(state, block, k, n, out)
    state[_AHEAD], state[_TIME] = i - n_bytes, time
    return n


@njit(cache=True, nogil=True, inline="always")
def _time_passed(byte: int, kind: int) -> tuple[_Number, int]:
    """Time that the first byte of an event adds, µs, and whether it is no event but an overflow or a reset."""
    first = np.int64(byte)
    if kind == _DVS2:
        if first >= 0xFE:
            return 127 * (first & 1), 1
        return first >> 1, 0
    if kind == _ATIS2:
        if first >= 0xFC:
            return 63 * (first & 3), 1
        return first >> 2, 0
    bits = 4 if kind == _DVS1 else 5
    longest = (1 << bits) - 1
    if first & longest == longest:
        return longest * (first >> bits), 1
    return first & longest, 0


@njit(cache=True, nogil=True, inline="always")
def _place(content: NDArray[np.uint8], i: int, kind: int) -> tuple[_Number, _Number, _Number, _Number]:
    """x, y, polarity of the event at byte ``i``, and whether it measures exposure."""
    a, b, c = np.int64(content[i]), np.int64(content[i + 1]), np.int64(content[i + 2])
    if kind <= _ATIS2:
        x, y = b | c << 8, np.int64(content[i + 3]) | np.int64(content[i + 4]) << 8
        if kind == _DVS2:
            return x, y, a & 1, 0
        return x, y, a >> 1 & 1, a & 1
    y = b >> 6 | (c & 0x7F) << 2
    if kind == _DVS1:
        return a >> 4 | (b & 0x3F) << 4, y, c >> 7, 0
    return a >> 5 | (b & 0x3F) << 3, y & 0xFF, c >> 7, c >> 6 & 1
