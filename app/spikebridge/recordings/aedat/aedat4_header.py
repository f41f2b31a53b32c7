"""The header of AEDAT4: of files, where a line of text comes before it, and of network streams, where none does.

A flatbuffer IOHE with its length in front: compression, place of the table of contents, and a description in XML that
names the streams.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Literal, TypeAlias
from xml.sax.saxutils import escape, unescape

from spikebridge.events import Sensor
from spikebridge.recordings.aedat.flatbuffer import Table, sized
from spikebridge.recordings.indexed import printable

FIRST_LINE = b"#!AER-DAT4.0\r\n"
#: Where a file says at which byte its table of contents begins, if the header is as ``header_bytes`` makes it.
TABLE_AT = len(FIRST_LINE) + 32
Compression: TypeAlias = Literal["NONE", "LZ4", "ZSTD"]
CODES: dict[Compression, int] = {"NONE": 0, "LZ4": 1, "ZSTD": 3}
#: Written where a sensor has no name: faery reads no file with an empty one.
_UNNAMED = "unknown"
_DESCRIPTION = """<dv version="2.0">
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


@dataclass(frozen=True, slots=True)
class Header:
    """What a file or a stream says of itself.

    compression : its code. table_at : byte of the table of contents, below 1 when it was never written. description :
    the XML. streams : four letters of their type by number. sensors : of the streams of events; 0 px where the header
    gives no size.
    """

    compression: int
    table_at: int
    description: str
    streams: dict[int, str]
    sensors: dict[int, Sensor]


def header_bytes(sensor: Sensor, compression: Compression) -> bytes:
    """For one stream of events, number 0; the place of the table of contents is filled in at the end."""
    name = escape(sensor.name.strip() or _UNNAMED)
    text = _DESCRIPTION.format(compression=compression, width=sensor.width, height=sensor.height, name=name)
    return described_header(text, CODES[compression])


def described_header(description: str, compression: int) -> bytes:
    """With any description and code of compression."""
    text = description.encode()
    table = struct.pack("<5H2x", 10, 20, 4, 8, 16) + struct.pack("<iiqI", 12, compression, -1, 4)
    return sized(b"IOHE", table + struct.pack("<I", len(text)) + text + b"\0")


def read_header(content: bytes) -> Header:
    """From a flatbuffer, the length in front left out; raises TableError or struct.error for what is none."""
    table = Table(content, b"IOHE")
    description = table.text(2)
    found = re.split(r'<node name="(0|[1-9][0-9]{0,8})"', description)
    nodes = {int(number): node for number, node in zip(found[1::2], found[2::2], strict=True)}
    streams = {number: kind for number, node in nodes.items() if (kind := _value(node, "typeIdentifier"))}
    sensors = {number: _sensor_of(nodes[number]) for number, kind in streams.items() if kind == "EVTS"}
    return Header(table.integer(0, "<i", 0), table.integer(1, "<q", -1), description, streams, sensors)


def _sensor_of(node: str) -> Sensor:
    name = unescape(_value(node, "source"), {"&quot;": '"', "&apos;": "'"})
    return Sensor(_size(node, "sizeX"), _size(node, "sizeY"), "" if name == _UNNAMED else name)


def _value(node: str, key: str) -> str:
    found = re.search(rf'<attr key="{key}"[^>]*>([^<]*)<', node)
    return printable(found[1].strip()) if found else ""


def _size(node: str, key: str) -> int:
    """A number of pixels as sensors have them, or 0 where there is none."""
    value = _value(node, key)
    return int(value) if re.fullmatch(r"[0-9]{1,4}", value) else 0
