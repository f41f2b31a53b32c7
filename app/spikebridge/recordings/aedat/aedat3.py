"""AEDAT 3.1 (the format of DVS128 Gesture): text header, then packets; see ``aedat3_packets``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import Sensor
from spikebridge.recordings import ordering, scanning
from spikebridge.recordings.aedat import decoding
from spikebridge.recordings.aedat.aedat3_packets import EVENT_BYTES, Packets, packets_of_frames
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
#: The file's bytes after which a piece ends, however few events are in it: so that none takes long to find.
_GROUP_BYTES = 64 << 20
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
    """The recording in an AEDAT 3.1 file: packets are found, and their events counted, in one pass."""
    file = RecordingFile(path)
    start, header = _read_header(file)
    packets = Packets(file, start)
    coming = _divide(packets)
    looked_at = list(islice(coming, 1))
    scratch = Scratch()

    def read(piece: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Memory, valid until the thread's next call, and packets in it as ``decode_aedat3`` takes them."""
        data, places = read_pieces(file, piece[:, 0].tolist(), (piece[:, 1] * EVENT_BYTES).tolist(), scratch)
        rows = piece.copy()
        rows[:, 0] = places
        return data, rows

    named = _named_sensor(header, packets.source)
    if not named.width:
        looked_at += islice(coming, _LOOKED_AT_PIECES - 1)
    sensor, sensor_notes = _find_sensor(named, map(read, looked_at))

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

    def place(piece: NDArray[np.int64]) -> float:
        return float(piece[-1, 0] / file.size) if len(piece) else 0.0

    frames = frames_of_aedat3(file, packets_of_frames(file, start), sensor.width, sensor.height)
    scan = Scan(path, chain(looked_at, coming), run, report, place=place)
    return IndexedRecording(path, "AEDAT 3.1", sensor, scan, frames=frames)


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


def _divide(packets: Packets) -> Iterator[NDArray[np.int64]]:
    """Packets in groups of about CHUNK_EVENTS events, while they are found; larger ones are divided.

    A group is (P, 3) int64: byte of the first event, number of events, overflow. One ends after _GROUP_BYTES of the
    file as well, with no event in it where there is none.
    """
    waiting = [np.empty((0, 3), np.int64)]
    n_events, begin = 0, 0
    for position, found in packets:
        waiting.append(found)
        n_events += int(found[:, 1].sum())
        if n_events <= CHUNK_EVENTS and position - begin < _GROUP_BYTES:
            continue
        *whole, rest = _groups(np.concatenate(waiting))
        if position - begin >= _GROUP_BYTES:
            whole, rest = [*whole, rest], rest[:0]
        yield from whole
        waiting, n_events, begin = [rest], int(rest[:, 1].sum()), position
    yield from (each for each in _groups(np.concatenate(waiting)) if len(each))


def _groups(packets: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """One at least; the last may still grow."""
    parts = -(-packets[:, 1] // CHUNK_EVENTS)
    which = np.repeat(np.arange(parts.size), parts)
    skipped = (np.arange(which.size) - np.repeat(np.cumsum(parts) - parts, parts)) * CHUNK_EVENTS
    number = np.minimum(packets[which, 1] - skipped, CHUNK_EVENTS)
    rows = np.column_stack((packets[which, 0] + skipped * EVENT_BYTES, number, packets[which, 2]))
    return [rows[start:stop] for start, stop in pairwise(group(number, CHUNK_EVENTS).tolist())] or [rows]


def _named_sensor(header: str, source: int) -> Sensor:
    """The sensor that the header names for the source of the events, of no size where that is not known."""
    named = re.search(rf"^#Source {max(source, 0)}:[ \t]*(\S*)", header, re.MULTILINE) or re.search(
        r"^#Source \d+:[ \t]*(\S*)", header, re.MULTILINE
    )
    name = named[1] if named else ""
    for prefix, width, height in _SENSORS:
        if name.lower().startswith(prefix):
            return Sensor(width, height, name)
    return Sensor(0, 0, name)


def _find_sensor(
    named: Sensor, pieces: Iterable[tuple[NDArray[np.uint8], NDArray[np.int64]]]
) -> tuple[Sensor, tuple[str, ...]]:
    """The one that is named; else one as large as its events ask for."""
    if named.width:
        return named, ()
    width, height = 1, 1
    for data, packets in pieces:
        for at, number, _ in packets.tolist():
            addresses = np.frombuffer(data, "<u4", 2 * number, at)[::2]
            addresses = addresses[addresses & 1 == 1]
            width = max(width, int((addresses >> 17).max(initial=0)) + 1)
            height = max(height, int((addresses >> 2 & 0x7FFF).max(initial=0)) + 1)
    what = f"the sensor '{named.name}', whose size is not known" if named.name else "no sensor"
    width, height = smallest_sensor(width, height)
    return Sensor(width, height, named.name), (f"The header names {what}; by its events it has {width}x{height} px.",)


def _describe(packets: Packets) -> tuple[str, ...]:
    notes: tuple[str, ...] = ()
    if packets.broken:
        notes += (f"At {packets.broken} places no packet could be read; reading went on at the next one.",)
    if packets.truncated:
        notes += ("The file ends inside a packet; the events before were kept.",)
    return notes
