"""Headers and packets, byte for byte as dv-processing 2.0.4 sends them."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from recording_files import random_events, same
from spikebridge.events import EventArray, Sensor, empty_events, make_events
from spikebridge.recordings.aedat.aedat4_header import Compression, header_bytes
from spikebridge.recordings.ordering import as_words
from spikebridge.sources.net import decoding
from spikebridge.sources.net.wire import Packer, WireError, read_stream

#: Taken from a socket: two events (1 000 000 µs, x 0, y 1, ON) and (1 000 010 µs, 1, 2, OFF) of stream 0.
DV_PACKET = bytes.fromhex(
    "00000000" "40000000" "3c000000" "10000000" "45565453" "0000" "060008000400" "06000000" "04000000" "02000000"
    "40420f0000000000" "0000" "0100" "01000000" "4a420f0000000000" "0100" "0200" "00000000"
)  # fmt: skip
DV_EVENTS = make_events([1_000_000, 1_000_010], [0, 1], [1, 2], [1, 0])
DV_INFO = """<dv version="2.0">
    <node name="outInfo" path="/outInfo/">
        <node name="3" path="/outInfo/3/">
            <attr key="compression" type="string">NONE</attr>
            <attr key="typeIdentifier" type="string">{kind}</attr>
            <node name="info" path="/outInfo/3/info/">
                <attr key="sizeX" type="int">{width}</attr>
                <attr key="sizeY" type="int">260</attr>
                <attr key="source" type="string">DVX_cam</attr>
            </node>
        </node>
    </node>
</dv>
"""


def dv_header(kind: str = "EVTS", width: object = 346) -> bytes:
    """Its flatbuffer, laid out as it does, without the length in front."""
    text = DV_INFO.format(kind=kind, width=width).encode()
    fields = struct.pack("<I4s6x5H", 24, b"IOHE", 10, 20, 4, 12, 8)
    return fields + struct.pack("<iiIqI", 10, 0, 12, -1, len(text)) + text + b"\0\0"


def decode(content: bytes | memoryview, width: int = 346, height: int = 260) -> tuple[EventArray, np.ndarray]:
    buffer = np.frombuffer(content, np.uint8)
    packets, end = decoding.find_packets(buffer, 1 << 26)
    assert end == buffer.size
    state = decoding.new_state()
    out = empty_events(buffer.size // 16)
    n, done = decoding.decode_packets(buffer, packets[:, 1:].copy(), width, height, state, as_words(out))
    assert done == len(packets)
    return out[:n], state


def test_a_packet_is_what_dv_processing_sends() -> None:
    assert bytes(Packer("NONE").events(DV_EVENTS)) == DV_PACKET
    assert same(decode(DV_PACKET)[0], DV_EVENTS)


def test_what_lies_between_events_in_memory_does_not_leave_it() -> None:
    events = np.frombuffer(b"\xff" * 64, DV_EVENTS.dtype).copy()
    for name in ("t", "x", "y", "polarity"):
        events[name] = 1
    packet = bytes(Packer("NONE").events(events))
    assert packet[40:] == 4 * (struct.pack("<qhh", 1, 1, 1) + b"\1\0\0\0")


def test_a_packet_of_nothing_tells_what_was_missed() -> None:
    events, state = decode(bytes(Packer("NONE").missed(1 << 40)))
    assert events.size == 0
    assert (state[decoding.MISSED], state[decoding.EMPTY]) == (1 << 40, 1)
    # The 64-bit number lies where one may: at a multiple of 8 behind the size and the stream.
    assert bytes(Packer("NONE").missed(77)).index(struct.pack("<q", 77)) == 8 + 32


@pytest.mark.parametrize("compression", ["LZ4", "ZSTD"])
def test_compressed_packets_are_shorter(compression: Compression) -> None:
    events = random_events(5000, width=346, height=260)
    assert len(Packer(compression).events(events)) < len(Packer("NONE").events(events))


@pytest.mark.parametrize(("compression", "code"), [("NONE", 0), ("LZ4", 1), ("ZSTD", 3)])
def test_a_header_is_read_back(compression: Compression, code: int) -> None:
    header = header_bytes(Sensor(640, 480, "Cam <1> & 2"), compression)
    assert struct.unpack_from("<I", header) == (len(header) - 4,)
    read = read_stream(header[4:])
    assert (read.compression, read.stream, read.sensor) == (code, 0, Sensor(640, 480, "Cam <1> & 2"))


def test_a_sensor_without_a_name_gets_one_for_others_and_has_none_here() -> None:
    header = header_bytes(Sensor(640, 480), "NONE")
    assert b">unknown<" in header
    assert read_stream(header[4:]).sensor.name == ""


def test_a_header_of_dv_processing() -> None:
    read = read_stream(dv_header())
    assert (read.compression, read.stream, read.sensor) == (0, 3, Sensor(346, 260, "DVX_cam"))


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (dv_header("FRME"), "a stream of FRME instead of events"),
        (dv_header(width=0), "without the size"),
        (dv_header(width=99999), "without the size"),
        (dv_header(width=-3), "without the size"),
        (dv_header()[:40], "cannot be read"),
        (dv_header(kind=""), "a stream of nothing"),
        (b"\xff" * 40, "cannot be read"),
        (b"", "cannot be read"),
        (dv_header()[:10] + b"\xff" * 200, "cannot be read"),
    ],
)
def test_headers_that_are_none(header: bytes, words: str) -> None:
    with pytest.raises(WireError, match=words):
        read_stream(header)
