"""Tables of text (CSV, TXT): one event on each line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import EventArray, empty_events
from spikebridge.recordings import ordering, scanning
from spikebridge.recordings.indexed import CHUNK_EVENTS, IndexedRecording, Oddities
from spikebridge.recordings.recording_file import RecordingFile, Scratch
from spikebridge.recordings.scanning import Scan
from spikebridge.recordings.tables.decoding import (
    BAD_LINES,
    EXTRA_SLOTS,
    GOOD_LINES,
    LONGEST_LINE,
    decode_text,
)
from spikebridge.recordings.tables.digits import PADDING
from spikebridge.recordings.tables.sensor_size import ANY_SIZE, PLACES, choose_sensor, some_places
from spikebridge.recordings.tables.text_layout import HEAD_BYTES, Layout, find_layout
from spikebridge.settings import ReadSettings

_LOOKED_AT_BYTES = _SHORTEST_PIECE = 1 << 16


def open_recording(path: Path, settings: ReadSettings) -> IndexedRecording:
    """The recording in a table of text."""
    file = RecordingFile(path)
    layout = find_layout(file.read(0, HEAD_BYTES), settings, path)
    scratch = Scratch()
    looked = [_look(file, layout, at, scratch) for at in _places(file, layout)] if layout.sensor is None else []
    sensor, size_note = choose_sensor(layout.sensor, settings, looked)
    piece_bytes = max(_SHORTEST_PIECE, int(CHUNK_EVENTS * layout.line_bytes))
    pieces = range(layout.start, file.size, piece_bytes)
    size = (sensor.width, sensor.height)

    def run(piece: int, state: NDArray[np.int64], out: NDArray[np.void]) -> int:
        return _decode(file, layout, (piece, min(piece + piece_bytes, file.size)), size, scratch, state, out)

    truncated = _ends_in_a_line(file, layout, scratch)

    def report(state: NDArray[np.int64]) -> Oddities:
        found = scanning.report(state)
        n_bad = int(state[BAD_LINES])
        if n_bad > state[GOOD_LINES]:
            raise InputError(
                f"expected an event on each line of {path}, found {n_bad} lines that are none and "
                f"{state[GOOD_LINES]} that are; check the file, or pass --columns."
            )
        notes: tuple[str, ...] = (layout.note, size_note) if size_note else (layout.note,)
        if n_bad:
            notes += (f"{n_bad:,} lines are no events and were skipped.",)
        if truncated:
            notes += ("The file ends inside a line.",)
        return replace(found, truncated=truncated, notes=notes + found.notes)

    scan = Scan(path, pieces, run, report, ordering.new_state(extra=EXTRA_SLOTS))
    return IndexedRecording(path, "a table of text (CSV)", sensor, scan)


def _decode(
    file: RecordingFile,
    layout: Layout,
    part: tuple[int, int],
    size: tuple[int, int],
    scratch: Scratch,
    state: NDArray[np.int64],
    out: NDArray[np.void],
) -> int:
    """Decodes the lines that begin in a part of the file."""
    begin = max(part[0] - 1, layout.start)
    n_bytes = min(part[1] + LONGEST_LINE, file.size) - begin
    data = scratch.of(n_bytes + PADDING)[: n_bytes + PADDING]
    file.read_into(data[:n_bytes].data, begin)
    data[n_bytes:] = ord("\n")
    columns = np.array(layout.roles, np.int64)
    return int(decode_text(data, part[0] - begin, part[1] - begin, columns, layout.style, size, state, out))


def _places(file: RecordingFile, layout: Layout) -> list[int]:
    blocks = range(layout.start, file.size, _LOOKED_AT_BYTES)
    return [blocks[i] for i in some_places(len(blocks), PLACES)]


def _look(file: RecordingFile, layout: Layout, at: int, scratch: Scratch) -> EventArray:
    """The events of a few lines, wherever they lie."""
    part = (at, min(at + _LOOKED_AT_BYTES, file.size))
    out = empty_events(_LOOKED_AT_BYTES // 8)  # no line of four columns is shorter
    state = ordering.new_state(extra=EXTRA_SLOTS)
    words = ordering.as_words(out)
    n = _decode(file, layout, part, ANY_SIZE, scratch, state, words)
    return out[: ordering.finish(state, True, n, words)]


def _ends_in_a_line(file: RecordingFile, layout: Layout, scratch: Scratch) -> bool:
    """Whether the last line has no end and is no event."""
    tail = file.read(max(file.size - LONGEST_LINE, layout.start), LONGEST_LINE)
    last = max(tail.rfind(b"\n"), tail.rfind(b"\r")) + 1
    if last == len(tail):
        return False
    state = ordering.new_state(extra=EXTRA_SLOTS)
    part = (file.size - len(tail) + last, file.size)
    _decode(file, layout, part, ANY_SIZE, scratch, state, ordering.as_words(empty_events()))
    return bool(state[BAD_LINES])
