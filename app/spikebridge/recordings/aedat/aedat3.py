"""AEDAT 3.1 (the format of DVS128 Gesture): text header, then packets; see ``aedat3_packets``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import Sensor
from spikebridge.recordings import ordering, scanning
from spikebridge.recordings.aedat import decoding
from spikebridge.recordings.aedat.aedat3_packets import EVENT_BYTES, Packets, walk
from spikebridge.recordings.aedat.frames import frames_of_aedat3
from spikebridge.recordings.indexed import CHUNK_EVENTS, IndexedRecording, Oddities
from spikebridge.recordings.recording_file import RecordingFile, Scratch, read_pieces
from spikebridge.recordings.scanning import Scan, group
from spikebridge.recordings.sensors import smallest_sensor
from spikebridge.settings import ReadSettings

_END_OF_HEADER = b"#!END-HEADER\r\n"
_HEADER_LIMIT = 1 << 20
#: From which the size of an unknown sensor is told: some four million events.
_LOOKED_AT_PIECES = 64
_SENSORS: tuple[tuple[str, int, int], ...] = (
    ("dvs128", 128, 128),
    ("edvs", 128, 128),
    ("davis128", 128, 128),
    ("davis208", 208, 192),
    ("davis240", 240, 180),
    ("davis346", 346, 260),
    ("davis640", 640, 480),
    ("dvs132", 132, 104),
    ("dvxplorer", 640, 480),
)


def open_recording(path: Path, settings: ReadSettings) -> IndexedRecording:
    """The recording in an AEDAT 3.1 file: packets are found first, then their events counted in one pass."""
    file = RecordingFile(path)
    start, header = _read_header(file)
    packets = walk(file, start)
    pieces = _divide(packets)
    scratch = Scratch()

    def read(piece: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Memory, valid until the thread's next call, and packets in it as ``decode_aedat3`` takes them."""
        data, places = read_pieces(file, piece[:, 0].tolist(), (piece[:, 1] * EVENT_BYTES).tolist(), scratch)
        rows = piece.copy()
        rows[:, 0] = places
        return data, rows

    sensor, sensor_notes = _find_sensor(header, packets.source, map(read, pieces))

    def run(piece: NDArray[np.int64], state: NDArray[np.int64], out: NDArray[np.void]) -> int:
        return int(decoding.decode_aedat3(*read(piece), sensor.width, sensor.height, state, out))

    def report(state: NDArray[np.int64]) -> Oddities:
        state[ordering.OTHERS] = packets.of_others
        found = scanning.report(state)
        return replace(
            found,
            skipped_bytes=packets.skipped_bytes,
            truncated=packets.truncated,
            notes=sensor_notes + _describe(packets) + found.notes,
            samples=packets.others,
        )

    frames = frames_of_aedat3(file, packets.frames, sensor.width, sensor.height)
    return IndexedRecording(path, "AEDAT 3.1", sensor, Scan(path, pieces, run, report), frames=frames)


def _read_header(file: RecordingFile) -> tuple[int, str]:
    head = file.read(0, _HEADER_LIMIT)
    end = head.find(_END_OF_HEADER)
    if end < 0:
        raise InputError(
            f"expected the header of {file.path} to end with '#!END-HEADER', found no such line; the file was cut, "
            "copy it again."
        )
    header = head[:end].decode("latin-1")
    coding = re.search(r"^#Format:\s*(\S+)", header, re.MULTILINE)
    if coding and "serialized" in coding[1].lower():
        raise InputError(
            f"expected {file.path} to hold AEDAT 3.1 packets in the format RAW, found {coding[1]}; export it as RAW."
        )
    return end + len(_END_OF_HEADER), header


def _divide(packets: Packets) -> list[NDArray[np.int64]]:
    """Packets in groups of about CHUNK_EVENTS events; larger ones are divided.

    A group is (P, 3) int64: byte of the first event, number of events, overflow.
    """
    parts = -(-packets.number // CHUNK_EVENTS)
    which = np.repeat(np.arange(parts.size), parts)
    skipped = (np.arange(which.size) - np.repeat(np.cumsum(parts) - parts, parts)) * CHUNK_EVENTS
    number = np.minimum(packets.number[which] - skipped, CHUNK_EVENTS)
    rows = np.column_stack((packets.first[which] + skipped * EVENT_BYTES, number, packets.overflow[which]))
    return [rows[start:stop] for start, stop in pairwise(group(number, CHUNK_EVENTS).tolist())]


def _find_sensor(
    header: str, source: int, pieces: Iterable[tuple[NDArray[np.uint8], NDArray[np.int64]]]
) -> tuple[Sensor, tuple[str, ...]]:
    """The sensor that the header names for the source of the events; else one as large as its events ask for."""
    named = re.search(rf"^#Source {max(source, 0)}:[ \t]*(\S*)", header, re.MULTILINE) or re.search(
        r"^#Source \d+:[ \t]*(\S*)", header, re.MULTILINE
    )
    name = named[1] if named else ""
    for prefix, width, height in _SENSORS:
        if name.lower().startswith(prefix):
            return Sensor(width, height, name), ()
    width, height = 1, 1
    for data, packets in islice(pieces, _LOOKED_AT_PIECES):
        for at, number, _ in packets.tolist():
            addresses = np.frombuffer(data, "<u4", 2 * number, at)[::2]
            addresses = addresses[addresses & 1 == 1]
            width = max(width, int((addresses >> 17).max(initial=0)) + 1)
            height = max(height, int((addresses >> 2 & 0x7FFF).max(initial=0)) + 1)
    what = f"the sensor '{name}', whose size is not known" if name else "no sensor"
    width, height = smallest_sensor(width, height)
    return Sensor(width, height, name), (f"The header names {what}; by its events it has {width}x{height} px.",)


def _describe(packets: Packets) -> tuple[str, ...]:
    notes: tuple[str, ...] = ()
    if packets.broken:
        notes += (f"At {packets.broken} places no packet could be read; reading went on at the next one.",)
    if packets.truncated:
        notes += ("The file ends inside a packet; the events before were kept.",)
    return notes
