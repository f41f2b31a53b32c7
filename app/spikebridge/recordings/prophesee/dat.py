"""DAT: text header, two bytes of type and size, then records of time and address."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import Sensor
from spikebridge.recordings import scanning
from spikebridge.recordings.extent import size_of_events
from spikebridge.recordings.indexed import CHUNK_EVENTS, IndexedRecording, Oddities
from spikebridge.recordings.prophesee import decoding
from spikebridge.recordings.prophesee.header import Header, check_size, find_sensor, read_header
from spikebridge.recordings.recording_file import RecordingFile, Scratch
from spikebridge.recordings.scanning import Scan
from spikebridge.settings import ReadSettings

_EVENT_BYTES = 8
_CHUNK_BYTES = CHUNK_EVENTS * _EVENT_BYTES
_EVENT = np.dtype([("t", "<u4"), ("address", "<u4")])
#: Types of records that are change detections; 0 is the older number (``dat_tools.py`` in OpenEB 5.1).
_CHANGES = (0x00, 0x0C)
_OTHERS = {0x0E: "external triggers", 0x28: "optical flow"}
#: Bits of x and y by version of the format; version 1 as in faery 0.7.1 (``dat/decoder.rs``).
_BITS = {1: (9, 8), 2: (14, 14)}


@dataclass(frozen=True, slots=True)
class _Layout:
    """start : byte of the first record. bits : of x and y."""

    start: int
    bits: tuple[int, int]
    offset_us: int
    notes: tuple[str, ...] = ()


def open_recording(path: Path, settings: ReadSettings) -> IndexedRecording:
    """The recording in a DAT file, indexed by one pass over its records."""
    file = RecordingFile(path)
    header = read_header(file)
    layout = _find_layout(file, header)
    largest = 1 << max(layout.bits)
    sensor = find_sensor(header) or (Sensor(*settings.size) if settings.size else None)
    if sensor is None:
        sensor = Sensor(*size_of_events(_open(file, layout, Sensor(largest, largest))))
        note = f"The header names no sensor; {sensor.width}x{sensor.height} px hold all events."
        layout = replace(layout, notes=(note, *layout.notes))
    return _open(file, layout, check_size(sensor, largest, file))


def _open(file: RecordingFile, layout: _Layout, sensor: Sensor) -> IndexedRecording:
    trailing = (file.size - layout.start) % _EVENT_BYTES
    end = file.size - trailing
    scratch = Scratch()

    def run(piece: int, state: NDArray[np.int64], out: NDArray[np.void]) -> int:
        n_bytes = min(_CHUNK_BYTES, end - piece)
        content = scratch.of(n_bytes)[:n_bytes]
        file.read_into(content.data, piece)
        events = content.view(_EVENT)
        return int(decoding.decode_dat(events, *layout.bits, sensor.width, sensor.height, layout.offset_us, state, out))

    def report(state: NDArray[np.int64]) -> Oddities:
        found = scanning.report(state)
        notes = layout.notes + found.notes
        if trailing:
            notes += (f"The file ends inside an event; its last {trailing} bytes were skipped.",)
        return replace(
            found, skipped_bytes=found.skipped_bytes + trailing, truncated=found.truncated or trailing > 0, notes=notes
        )

    return IndexedRecording(
        file.path, "DAT", sensor, Scan(file.path, range(layout.start, end, _CHUNK_BYTES), run, report)
    )


def _find_layout(file: RecordingFile, header: Header) -> _Layout:
    content = file.read(header.start, 2 + _CHUNK_BYTES)
    if len(content) < 2:
        raise InputError(f"expected records after the header of {file.path}, found none; it was cut, copy it again.")
    kind, size = content[0], content[1]
    if kind not in _CHANGES or size != _EVENT_BYTES:
        what = _OTHERS.get(kind, f"type {kind}")
        raise InputError(
            f"expected {file.path} to hold change detections of {_EVENT_BYTES} bytes, found records of {size} bytes of "
            f"{what}; use the file with the events."
        )
    version, notes = _find_version(header, content[2:])
    return _Layout(header.start + 2, _BITS[version], header.t0_us, notes)


def _find_version(header: Header, records: bytes) -> tuple[int, tuple[str, ...]]:
    """The version that the header gives; else 1 where no record has a bit beyond those that version 1 uses."""
    said = re.match(r"([12])(\.0)?$", header.fields.get("version", ""))
    if said:
        return int(said[1]), ()
    addresses = np.frombuffer(records, _EVENT, len(records) // _EVENT_BYTES)["address"]
    version = 1 if addresses.size and not (addresses >> 18).any() and (addresses >> 14).any() else 2
    return version, (f"The header names no version that is known; records were read as of version {version}.",)
