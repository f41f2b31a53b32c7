"""AEDAT4 (iniVation): packets of flatbuffers, with a table of contents at the end.

A file is a line of text, a flatbuffer header, then packets: (i32 stream, i32 size) and ``size`` bytes, compressed one
by one, that hold a flatbuffer with a vector of events.

Read here and not through dv-processing 2.0.4, which gives nothing without the table of contents (cut by a power
failure) and never returns from a damaged packet; both are wanted here, kept and counted. The price is this file and
the packages of the two compressions. Packets are found by walking, as the table adds nothing to that.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import Sensor
from spikebridge.sources import decoding
from spikebridge.sources.flatbuffer import Table, TableError
from spikebridge.sources.formats import AEDAT4
from spikebridge.sources.indexed import CHUNK_EVENTS, IndexedRecording, Oddities
from spikebridge.sources.scanning import describe_state, map_bytes, scan

_FIRST_LINE = b"#!AER-DAT4.0\r\n"
_PACKET = struct.Struct("<ii")
_EVENT_BYTES = 16
_NONE, _LZ4, _LZ4_HIGH, _ZSTD, _ZSTD_HIGH = range(5)
_STREAM_NAMES = {"EVTS": "events", "FRME": "frames", "IMUS": "imu", "TRIG": "triggers"}


@dataclass(frozen=True, slots=True)
class _Header:
    """``table_at``: byte of the table of contents, below 1 when it was never written."""

    end: int
    compression: int
    table_at: int
    streams: dict[int, str]
    events_stream: int
    sensor: Sensor


@dataclass(slots=True)
class _Walk:
    """Event packets as (byte of the content, size), in the order of the file."""

    packets: list[tuple[int, int]]
    skipped_bytes: int


def open_aedat4(path: Path) -> IndexedRecording:
    """The recording in an AEDAT4 file; every packet is unpacked once to count what it holds."""
    data = map_bytes(path)
    header = _read_header(path, data)
    unpack = _decompressor(path, header.compression)
    whole = _has_table(data, header, unpack)
    # A table that was cut says still where the packets end.
    end = header.table_at if header.end <= header.table_at <= data.size else data.size
    walk = _walk(data, header, end)
    damaged: dict[int, int] = {}

    def run(piece: list[tuple[int, int]], state: NDArray[np.int64], out: NDArray[np.int64]) -> int:
        n, size = 0, header.sensor
        for at, n_bytes in piece:
            events = _events_of(data, at, n_bytes, unpack, damaged)
            n = int(decoding.decode_aedat4(events, size.width, size.height, n, state, out))
        return n

    result = scan(path, data, _group(walk.packets), run)
    streams = dict.fromkeys(("events", *(_STREAM_NAMES.get(kind, kind) for kind in header.streams.values())))
    return IndexedRecording(
        path,
        AEDAT4,
        header.sensor,
        result.index,
        result.decode,
        tuple(streams),
        Oddities(
            walk.skipped_bytes + sum(damaged.values()),
            not whole,
            _describe(walk, damaged, whole) + describe_state(result.state),
        ),
    )


def _has_table(data: NDArray[np.uint8], header: _Header, unpack: Callable[[bytes], bytes]) -> bool:
    """Whether the table of contents lies where the header says, complete."""
    if not header.end <= header.table_at < data.size:
        return False
    try:
        table = unpack(bytes(data[header.table_at :]))
        (size,) = struct.unpack_from("<I", table)
        return len(table) >= 4 + int(size)
    except (struct.error, TableError):
        return False


def _read_header(path: Path, data: NDArray[np.uint8]) -> _Header:
    start = len(_FIRST_LINE)
    try:
        (size,) = struct.unpack_from("<I", data.data, start)
        if start + 4 + size > data.size:
            raise InputError(
                f"expected the header of {path} to be {size} bytes long, found {data.size - start - 4}; the file was "
                "cut, copy it again."
            )
        table = Table(bytes(data[start + 4 : start + 4 + size]), b"IOHE")
        compression, table_at = table.integer(0, "<i", 0), table.integer(1, "<q", -1)
        description = table.text(2)
    except (struct.error, TableError) as error:
        raise InputError(
            f"expected {path} to have an AEDAT4 header, found one that cannot be read; the file is damaged, copy it "
            "again."
        ) from error
    streams = _streams_of(description)
    events = next((number for number, kind in streams.items() if kind == "EVTS"), None)
    if events is None:
        raise InputError(
            f"expected {path} to hold a stream of events, found "
            f"{', '.join(_STREAM_NAMES.get(kind, kind) for kind in streams.values()) or 'no stream'}; record events."
        )
    node = _node_of(description, events)
    sensor = Sensor(_size(node, "sizeX"), _size(node, "sizeY"), _value(node, "source"))
    if not sensor.width or not sensor.height:
        raise InputError(
            f"expected the header of {path} to give the size of the sensor, found none; record it again with the size."
        )
    return _Header(start + 4 + size, compression, table_at, streams, events, sensor)


def _streams_of(description: str) -> dict[int, str]:
    """Stream number → four letters of its type, from the XML in the header."""
    found = re.split(r'<node name="(\d+)"', description)
    kinds = {int(number): _value(node, "typeIdentifier") for number, node in zip(found[1::2], found[2::2], strict=True)}
    return {number: kind for number, kind in kinds.items() if kind}


def _node_of(description: str, number: int) -> str:
    return re.split(rf'<node name="{number}"', description, maxsplit=1)[1]


def _value(node: str, key: str) -> str:
    found = re.search(rf'<attr key="{key}"[^>]*>([^<]*)<', node)
    return found[1].strip() if found else ""


def _size(node: str, key: str) -> int:
    """A number of pixels that coordinates of 16 bit can name, or 0 where there is none."""
    value = _value(node, key)
    return int(value) if re.fullmatch(r"[0-9]{1,4}", value) else 0


def _walk(data: NDArray[np.uint8], header: _Header, end: int) -> _Walk:
    """All whole packets of events up to byte ``end``; what cannot be one ends the walk."""
    packets: list[tuple[int, int]] = []
    position = header.end
    while position + _PACKET.size <= end:
        stream, size = _PACKET.unpack_from(data.data, position)
        content = position + _PACKET.size
        if size <= 0 or stream not in header.streams or content + size > end:
            break
        if stream == header.events_stream:
            packets.append((content, size))
        position = content + size
    return _Walk(packets, end - position)


def _group(packets: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Packets in groups whose compressed bytes stand for about CHUNK_EVENTS (an event takes 4 to 16 bytes)."""
    groups: list[list[tuple[int, int]]] = []
    n_bytes = 0
    for packet in packets:
        if not groups or n_bytes + packet[1] > CHUNK_EVENTS * 8:
            groups.append([])
            n_bytes = 0
        groups[-1].append(packet)
        n_bytes += packet[1]
    return groups


def _events_of(
    data: NDArray[np.uint8], at: int, size: int, unpack: Callable[[bytes], bytes], damaged: dict[int, int]
) -> NDArray[np.uint8]:
    """The bytes of the events of one packet; none, and an entry in ``damaged``, where it cannot be read."""
    try:
        return Table(unpack(bytes(data[at : at + size]))[4:], b"EVTS").records(0, _EVENT_BYTES)
    except (struct.error, TableError):
        damaged[at] = size
        return np.frombuffer(b"", np.uint8)


def _decompressor(path: Path, compression: int) -> Callable[[bytes], bytes]:
    """bytes → bytes for a compression of the header; raises TableError for what cannot be unpacked."""
    if compression in (_LZ4, _LZ4_HIGH):
        import lz4.frame  # type: ignore[import-untyped]

        def unpack_lz4(content: bytes) -> bytes:
            try:
                unpacked: bytes = lz4.frame.decompress(content)
            except (RuntimeError, EOFError) as error:
                raise TableError(str(error)) from error
            return unpacked

        return unpack_lz4
    if compression in (_ZSTD, _ZSTD_HIGH):
        import zstandard

        def unpack_zstd(content: bytes) -> bytes:
            try:
                return zstandard.ZstdDecompressor().decompressobj().decompress(content)
            except zstandard.ZstdError as error:
                raise TableError(str(error)) from error

        return unpack_zstd
    if compression == _NONE:
        return bytes
    raise InputError(f"expected {path} to be compressed with none, LZ4 or ZSTD, found code {compression}; convert it.")


def _describe(walk: _Walk, damaged: dict[int, int], whole: bool) -> tuple[str, ...]:
    notes: tuple[str, ...] = ()
    if not whole:
        notes += ("The table of contents at the end is missing; the file was cut or not closed.",)
    if walk.skipped_bytes:
        notes += (f"{walk.skipped_bytes} bytes at the end are no whole packet and were skipped.",)
    if damaged:
        notes += (f"{len(damaged)} packets were damaged and skipped.",)
    return notes
