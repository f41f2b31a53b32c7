"""The network stream of dv-processing 2, as its NetworkWriter sends it to each client.

First the header of an AEDAT4 file without the line before it: a flatbuffer IOHE, its length in front, with an XML text
that names the one stream. Then packets as in AEDAT4: i32 stream, i32 size, and ``size`` bytes, compressed as the header
says, that hold a flatbuffer EVTS with its length in front.

Nothing in it tells of loss, as NetworkWriter drops in silence what its queue does not take. So a packet without events
is sent here whose table has one field more, an i64: how many events this client has missed so far. Readers that do not
know the field pass over it, which is what flatbuffers are made for. dv-processing never sends a packet without events;
here one is sent four times a second while nothing moves, and who has seen one may take silence for a loss.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args
from xml.sax.saxutils import escape, unescape

import numpy as np
from numpy.typing import NDArray

from spikebridge.events import EventArray, Sensor, empty_events
from spikebridge.recordings.aedat.flatbuffer import Table, TableError
from spikebridge.recordings.ordering import WORDS_DTYPE, as_words
from spikebridge.sources.net.decoding import pack

Compression: TypeAlias = Literal["none", "lz4", "zstd"]
COMPRESSIONS: tuple[Compression, ...] = get_args(Compression)

#: Packets of dv-processing hold 10 000 events; a client that is told more bytes than this is not to be trusted.
MOST_PACKET_BYTES = 64 << 20
MOST_HEADER_BYTES = 1 << 20
#: Bytes of a packet before its first event.
PREFIX_BYTES = 40
#: Of a packet that is sent: so that a slow client loses little at once.
MOST_EVENTS = 1 << 16
#: How often a client hears something.
HEARTBEAT_S = 0.25

_CODES: dict[Compression, int] = {"none": 0, "lz4": 1, "zstd": 3}
_INFO = """<dv version="2.0">
    <node name="outInfo" path="/outInfo/">
        <node name="0" path="/outInfo/0/">
            <attr key="compression" type="string">{compression}</attr>
            <attr key="originalModuleName" type="string">spikebridge</attr>
            <attr key="originalOutputName" type="string">events</attr>
            <attr key="typeDescription" type="string">Array of events (polarity ON/OFF).</attr>
            <attr key="typeIdentifier" type="string">EVTS</attr>
            <node name="info" path="/outInfo/0/info/">
                <attr key="sizeX" type="int">{width}</attr>
                <attr key="sizeY" type="int">{height}</attr>
                <attr key="source" type="string">{name}</attr>
            </node>
        </node>
    </node>
</dv>
"""


class WireError(Exception):
    """Bytes that are not the stream they should be; the text says what was found instead."""


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """What a stream says of itself. compression : code of AEDAT4. stream : number of its events' packets."""

    compression: int
    stream: int
    sensor: Sensor


def header_bytes(sensor: Sensor, compression: Compression) -> bytes:
    """What every client gets first."""
    name = escape(sensor.name.strip() or "unknown")
    text = _INFO.format(compression=compression.upper(), width=sensor.width, height=sensor.height, name=name).encode()
    # Fields of the table: compression, place of the table of contents (none), text.
    table = struct.pack("<5H2x", 10, 20, 4, 8, 16) + struct.pack("<iiqI", 12, _CODES[compression], -1, 4)
    content = table + struct.pack("<I", len(text)) + text + b"\0"
    return struct.pack("<II4s", 8 + len(content), 20, b"IOHE") + content


def read_header(content: bytes) -> StreamHeader:
    """The header from its flatbuffer, the length in front left out."""
    try:
        table = Table(content, b"IOHE")
        compression, text = table.integer(0, "<i", 0), table.text(2)
    except (struct.error, TableError) as error:
        raise WireError("a header that cannot be read") from error
    found = re.split(r'<node name="(0|[1-9][0-9]{0,8})"', text)
    for number, node in zip(found[1::2], found[2::2], strict=True):
        if _value(node, "typeIdentifier") == "EVTS":
            width, height = _size(node, "sizeX"), _size(node, "sizeY")
            if not width or not height:
                raise WireError("events without the size of their sensor")
            return StreamHeader(compression, int(number), Sensor(width, height, _value(node, "source")))
    kinds = [kind for node in found[2::2] if (kind := _value(node, "typeIdentifier"))]
    raise WireError(f"a stream of {' and '.join(kinds) or 'nothing'} instead of events (EVTS)")


class Packer:
    """Packets of events as they are sent."""

    def __init__(self, compression: Compression) -> None:
        self._compress = _compressor(compression)
        self.events(empty_events())  # loads the compiled code now and not in the midst of the stream

    def events(self, events: EventArray) -> memoryview:
        """(N,) EVENT_DTYPE, in memory the same as events of AEDAT4 but for what lies between them."""
        packet = np.empty(PREFIX_BYTES + 16 * events.size, np.uint8)
        size = PREFIX_BYTES - 12 + 16 * events.size
        prefix = struct.pack("<iiII4s2x3HiII", 0, size + 4, size, 16, b"EVTS", 6, 8, 4, 6, 4, events.size)
        packet[:PREFIX_BYTES] = np.frombuffer(prefix, np.uint8)
        pack(as_words(events), packet[PREFIX_BYTES:].view(WORDS_DTYPE))
        return self._packed(packet)

    def missed(self, n_events: int) -> memoryview:
        """A packet without events that tells how many were missed so far."""
        table = struct.pack("<4x4H", 8, 16, 4, 8) + struct.pack("<iIqI", 8, 12, n_events, 0)
        content = struct.pack("<II4s", 8 + len(table), 20, b"EVTS") + table
        return self._packed(np.frombuffer(struct.pack("<ii", 0, len(content)) + content, np.uint8))

    def _packed(self, packet: NDArray[np.uint8]) -> memoryview:
        if self._compress is None:
            return packet.data
        content = self._compress(packet[8:].tobytes())
        return memoryview(struct.pack("<ii", 0, len(content)) + content)


def _compressor(compression: Compression) -> Callable[[bytes], bytes] | None:
    if compression == "lz4":
        from lz4 import frame  # type: ignore[import-untyped]

        compress: Callable[[bytes], bytes] = frame.compress
        return compress
    if compression == "zstd":
        import zstandard

        return zstandard.ZstdCompressor(level=1).compress
    return None


def _value(node: str, key: str) -> str:
    found = re.search(rf'<attr key="{key}"[^>]*>([^<]*)<', node)
    return unescape(found[1].strip()) if found else ""


def _size(node: str, key: str) -> int:
    """A number of pixels that coordinates of 15 bits can name, or 0 where there is none."""
    value = _value(node, key)
    return int(value) if re.fullmatch(r"[0-9]{1,5}", value) and int(value) <= 1 << 15 else 0
