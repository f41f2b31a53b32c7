"""AEDAT 3.1 (the format of DVS128 Gesture): text header, then packets with a 28-byte header each."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import Sensor
from spikebridge.sources import decoding
from spikebridge.sources.formats import AEDAT3
from spikebridge.sources.indexed import CHUNK_EVENTS, IndexedRecording, Oddities
from spikebridge.sources.scanning import describe_state, map_bytes, scan

_END_OF_HEADER = b"#!END-HEADER\r\n"
_HEADER_LIMIT = 1 << 20
#: u16 type, u16 source, i32 size of an event, time stamp's offset, overflow, capacity, number, valid.
_PACKET = struct.Struct("<HHiiiiii")
_POLARITY = 1
_POLARITY_BYTES = 8
_STREAM_NAMES = {0: "triggers", 1: "events", 2: "frames", 3: "imu", 4: "imu"}
#: Packet types run from 0 (special) to 12 (spike); larger ones are the writer's own and never seen in files.
_TYPES = 32
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


@dataclass(slots=True)
class _Walk:
    """What a walk over the packets found. ``packets``: (byte of the first event, number, overflow)."""

    packets: list[tuple[int, int, int]] = field(default_factory=list)
    source: int = -1
    others: dict[str, int] = field(default_factory=dict)
    skipped_bytes: int = 0
    broken: int = 0
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class _PacketHeader:
    kind: int
    source: int
    event_bytes: int
    overflow: int
    number: int


def open_aedat3(path: Path) -> IndexedRecording:
    """The recording in an AEDAT 3.1 file: packets are found first, then their events counted in one pass."""
    data = map_bytes(path)
    start, header = _read_header(path, data)
    walk = _walk(data, start)
    sensor, sensor_notes = _find_sensor(header, data, walk)

    def run(piece: NDArray[np.int64], state: NDArray[np.int64], out: NDArray[np.int64]) -> int:
        return int(decoding.decode_aedat3(data, piece, sensor.width, sensor.height, state, out))

    result = scan(path, data, list(_group(walk.packets)), run)
    return IndexedRecording(
        path,
        AEDAT3,
        sensor,
        result.index,
        result.decode,
        tuple(dict.fromkeys(("events", *walk.others))),
        Oddities(walk.skipped_bytes, walk.truncated, sensor_notes + _describe(walk) + describe_state(result.state)),
    )


def _read_header(path: Path, data: NDArray[np.uint8]) -> tuple[int, str]:
    head = bytes(data[:_HEADER_LIMIT])
    end = head.find(_END_OF_HEADER)
    if end < 0:
        raise InputError(
            f"expected the header of {path} to end with '#!END-HEADER', found no such line; the file was cut, copy it "
            "again."
        )
    header = head[:end].decode("latin-1")
    coding = re.search(r"^#Format:\s*(\S+)", header, re.MULTILINE)
    if coding and "serialized" in coding[1].lower():
        raise InputError(
            f"expected {path} to hold AEDAT 3.1 packets in the format RAW, found {coding[1]}; export it as RAW."
        )
    return end + len(_END_OF_HEADER), header


def _walk(data: NDArray[np.uint8], start: int) -> _Walk:
    """All packets from byte ``start``; where no packet can be, on to the next place where one is."""
    walk = _Walk()
    position = start
    while position < data.size:
        header = _header_at(data, position)
        if header is None:
            found = _next_packet(data, position + 1)
            walk.skipped_bytes += found - position
            walk.truncated |= found == data.size
            walk.broken += found < data.size
            position = found
            continue
        first = position + _PACKET.size
        whole = min(header.number, (data.size - first) // header.event_bytes)
        _note_packet(walk, header, first, whole)
        position = first + header.number * header.event_bytes
        if position > data.size:
            walk.truncated = True
            walk.skipped_bytes += data.size - first - whole * header.event_bytes
    return walk


def _note_packet(walk: _Walk, header: _PacketHeader, first: int, whole: int) -> None:
    if header.kind != _POLARITY:
        name = _STREAM_NAMES.get(header.kind, f"type {header.kind}")
        walk.others[name] = walk.others.get(name, 0) + 1
    elif walk.source not in (-1, header.source):
        walk.others["events of other cameras"] = walk.others.get("events of other cameras", 0) + 1
    else:
        walk.source = header.source
        if whole:
            walk.packets.append((first, whole, header.overflow))


def _header_at(data: NDArray[np.uint8], position: int) -> _PacketHeader | None:
    """The packet header at a byte, or None where the fields cannot be one."""
    if position + _PACKET.size > data.size:
        return None
    kind, source, size, offset, overflow, capacity, number, valid = _PACKET.unpack_from(data.data, position)
    plausible = (
        kind < _TYPES
        and size > 0
        and 0 <= offset < size
        and overflow >= 0
        and 0 <= valid <= number <= capacity
        and (kind != _POLARITY or (size == _POLARITY_BYTES and offset == 4))
    )
    return _PacketHeader(kind, source, size, overflow, number) if plausible else None


def _next_packet(data: NDArray[np.uint8], start: int) -> int:
    """Byte of the next polarity packet from ``start`` on, or the size of the data.

    Looks for the constant fields of a polarity packet (event size 8, time at byte 4) and takes the place when the
    packet after it, or the end of the file, comes where its length says: eight bytes alone may be chance.
    """
    pattern = struct.pack("<ii", _POLARITY_BYTES, 4)
    buffer = data.data
    for block in range(start, data.size, _HEADER_LIMIT):
        piece = bytes(buffer[block : block + _HEADER_LIMIT + len(pattern) + 4])
        at = piece.find(pattern)
        while at >= 0:
            position = block + at - 4
            header = _header_at(data, position) if position >= start else None
            if header is not None and header.kind == _POLARITY:
                after = position + _PACKET.size + header.number * header.event_bytes
                if after >= data.size or _header_at(data, after) is not None:
                    return position
            at = piece.find(pattern, at + 1)
    return int(data.size)


def _group(packets: list[tuple[int, int, int]]) -> Iterator[NDArray[np.int64]]:
    """Packets in groups of about CHUNK_EVENTS events, (P, 3) int64 each; larger packets are divided."""
    group: list[tuple[int, int, int]] = []
    n = 0
    for first, number, overflow in packets:
        for part in range(0, number, CHUNK_EVENTS):
            size = min(CHUNK_EVENTS, number - part)
            if n and n + size > CHUNK_EVENTS:
                yield np.array(group, np.int64)
                group, n = [], 0
            group.append((first + part * _POLARITY_BYTES, size, overflow))
            n += size
    if group:
        yield np.array(group, np.int64)


def _find_sensor(header: str, data: NDArray[np.uint8], walk: _Walk) -> tuple[Sensor, tuple[str, ...]]:
    """The sensor that the header names for the source of the events; else one as large as its events ask for."""
    named = re.search(rf"^#Source {max(walk.source, 0)}:\s*(\S+)", header, re.MULTILINE) or re.search(
        r"^#Source \d+:\s*(\S+)", header, re.MULTILINE
    )
    name = named[1] if named else ""
    for prefix, width, height in _SENSORS:
        if name.lower().startswith(prefix):
            return Sensor(width, height, name), ()
    width, height = 1, 1
    for first, number, _ in walk.packets:
        words = np.frombuffer(data, "<u4", number * 2, first)[::2]
        words = words[words & 1 == 1]
        width = max(width, int((words >> 17).max(initial=0)) + 1)
        height = max(height, int((words >> 2 & 0x7FFF).max(initial=0)) + 1)
    what = f"the sensor '{name}', whose size is not known" if name else "no sensor"
    return Sensor(width, height, name), (f"The header names {what}; {width}x{height} px hold all events.",)


def _describe(walk: _Walk) -> tuple[str, ...]:
    notes = tuple(f"{n} packets of {name} were left out." for name, n in walk.others.items())
    if walk.broken:
        notes += (f"At {walk.broken} places no packet could be read; reading went on at the next one.",)
    if walk.truncated:
        notes += ("The file ends inside a packet; the events before were kept.",)
    return notes
