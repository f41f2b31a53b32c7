"""AEDAT4 files without their table of contents, as a power failure leaves them: read packet by packet.

A file is a line of text, a flatbuffer header, then packets: (i32 stream, i32 size) and ``size`` bytes, compressed one
by one, that hold a flatbuffer with a vector of events. Only these two tables are needed, so they are read by hand
rather than with generated classes: the first integers of a flatbuffer say where its table and the table's fields lie.
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
from spikebridge.sources.formats import AEDAT4
from spikebridge.sources.indexed import CHUNK_EVENTS, IndexedRecording, Oddities
from spikebridge.sources.scanning import describe_state, map_bytes, scan

_FIRST_LINE = b"#!AER-DAT4.0\r\n"
_PACKET = struct.Struct("<ii")
_EVENT = np.dtype([("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("polarity", "u1"), ("padding", "V3")])
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
    truncated: bool


def is_whole(path: Path) -> bool:
    """Whether the table of contents lies where the header says, at the end of the file."""
    data = map_bytes(path)
    header = _read_header(path, data)
    return header.end <= header.table_at < data.size


def recover(path: Path) -> IndexedRecording:
    """What can be read of a damaged file; ``truncated`` unless all is there but the order of time."""
    data = map_bytes(path)
    header = _read_header(path, data)
    whole = header.end <= header.table_at < data.size
    walk = _walk(data, header, header.table_at if whole else data.size)
    unpack = _decompressor(header.compression)
    damaged: dict[int, int] = {}

    def run(piece: list[tuple[int, int]], state: NDArray[np.int64], out: NDArray[np.int64]) -> int:
        return _decode([_events_of(data, at, size, unpack, damaged) for at, size in piece], header.sensor, state, out)

    result = scan(_group(walk.packets), run)
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
            walk.truncated or not whole,
            _describe(walk, damaged, whole) + describe_state(result.state),
        ),
    )


def _read_header(path: Path, data: NDArray[np.uint8]) -> _Header:
    start = len(_FIRST_LINE)
    try:
        (size,) = struct.unpack_from("<I", data.data, start)
        if start + 4 + size > data.size:
            raise InputError(
                f"expected the header of {path} to be {size} bytes long, found {data.size - start - 4}; the file was "
                "cut, copy it again."
            )
        table = _Table(bytes(data[start + 4 : start + 4 + size]), b"IOHE")
        compression, table_at = table.integer(0, "<i", 0), table.integer(1, "<q", -1)
        description = table.text(2)
    except (struct.error, _TableError) as error:
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
    sensor = Sensor(int(_value(node, "sizeX") or 0), int(_value(node, "sizeY") or 0), _value(node, "source"))
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
    return _Walk(packets, end - position, position < end)


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
) -> NDArray[np.void]:
    """(N,) ``_EVENT`` of one packet; none, and an entry in ``damaged``, where it cannot be read."""
    try:
        content = unpack(bytes(data[at : at + size]))
        return _Table(content[4:], b"EVTS").structs(0, _EVENT)
    except (struct.error, _TableError):
        damaged[at] = size
        return np.zeros(0, _EVENT)


def _decode(packets: list[NDArray[np.void]], sensor: Sensor, state: NDArray[np.int64], out: NDArray[np.int64]) -> int:
    found = np.concatenate(packets)
    inside = (found["x"] >= 0) & (found["x"] < sensor.width) & (found["y"] >= 0) & (found["y"] < sensor.height)
    state[decoding.OUTSIDE] += found.size - int(inside.sum())
    found = found[inside]
    t = np.empty(found.size, np.int64)
    decoding.order_times(np.ascontiguousarray(found["t"]), state, t)
    if t.size:
        state[decoding.FIRST] = t[0]
    if out.shape[0]:
        x, y, polarity = (found[field].astype(np.int64) for field in ("x", "y", "polarity"))
        out[:, 0] = t
        out[:, 1] = x | y << 16 | (polarity != 0).astype(np.int64) << 32
    return int(t.size)


def _decompressor(compression: int) -> Callable[[bytes], bytes]:
    """bytes → bytes for a compression of the header; raises _TableError for what cannot be unpacked."""
    if compression in (_LZ4, _LZ4_HIGH):
        import lz4.frame  # type: ignore[import-untyped]

        def unpack_lz4(content: bytes) -> bytes:
            try:
                unpacked: bytes = lz4.frame.decompress(content)
            except (RuntimeError, EOFError) as error:
                raise _TableError(str(error)) from error
            return unpacked

        return unpack_lz4
    if compression in (_ZSTD, _ZSTD_HIGH):
        import zstandard

        def unpack_zstd(content: bytes) -> bytes:
            try:
                return zstandard.ZstdDecompressor().decompressobj().decompress(content)
            except zstandard.ZstdError as error:
                raise _TableError(str(error)) from error

        return unpack_zstd
    if compression == _NONE:
        return bytes
    raise InputError(f"expected AEDAT4 compressed with none, LZ4 or ZSTD, found code {compression}; convert the file.")


def _describe(walk: _Walk, damaged: dict[int, int], whole: bool) -> tuple[str, ...]:
    notes: tuple[str, ...] = ()
    if not whole:
        notes += ("The table of contents at the end is missing; the file was read packet by packet.",)
    if walk.skipped_bytes:
        notes += (f"The last {walk.skipped_bytes} bytes are no whole packet and were skipped.",)
    if damaged:
        notes += (f"{len(damaged)} packets were damaged and skipped.",)
    return notes


class _TableError(Exception):
    """Bytes that are not the flatbuffer they should be."""


class _Table:
    """The root table of a flatbuffer; fields are counted from 0 as in its schema."""

    def __init__(self, content: bytes, identifier: bytes) -> None:
        if content[4:8] != identifier:
            raise _TableError(f"expected a table {identifier!r}, found {content[4:8]!r}")
        self._content = content
        self._at = self._read("<I", 0)
        self._fields_at = self._at - self._read("<i", self._at)
        self._fields_bytes = self._read("<H", self._fields_at)

    def integer(self, field: int, code: str, default: int) -> int:
        at = self._find(field)
        return default if at is None else self._read(code, at)

    def text(self, field: int) -> str:
        start, n = self._vector(field)
        return self._content[start : start + n].decode("utf-8", "replace")

    def structs(self, field: int, dtype: np.dtype[np.void]) -> NDArray[np.void]:
        start, n = self._vector(field)
        if start + n * dtype.itemsize > len(self._content):
            raise _TableError(f"expected {n} records of {dtype.itemsize} bytes, found fewer")
        return np.frombuffer(self._content, dtype, n, start)

    def _vector(self, field: int) -> tuple[int, int]:
        """First byte and length of a vector or string; (0, 0) when it is not there."""
        at = self._find(field)
        if at is None:
            return 0, 0
        start = at + self._read("<I", at)
        return start + 4, self._read("<I", start)

    def _find(self, field: int) -> int | None:
        slot = 4 + 2 * field
        if slot >= self._fields_bytes:
            return None
        offset = self._read("<H", self._fields_at + slot)
        return self._at + offset if offset else None

    def _read(self, code: str, at: int) -> int:
        if at < 0:
            raise _TableError(f"expected an offset inside the table, found {at}")
        return int(struct.unpack_from(code, self._content, at)[0])
