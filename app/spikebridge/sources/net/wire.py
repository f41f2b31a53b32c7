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

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikebridge.events import EventArray, Sensor, empty_events
from spikebridge.recordings.aedat.aedat4_header import Compression, read_header
from spikebridge.recordings.aedat.aedat4_writing import compressor, events_packet
from spikebridge.recordings.aedat.flatbuffer import TableError, sized

#: Packets of dv-processing hold 10 000 events; a client that is told more bytes than this is not to be trusted.
MOST_PACKET_BYTES = 64 << 20
MOST_HEADER_BYTES = 1 << 20
#: Before each packet: its stream and its size.
_PREFIX = struct.Struct("<ii")
#: Of a packet that is sent: so that a slow client loses little at once.
MOST_EVENTS = 1 << 16
#: How often a client hears something.
HEARTBEAT_S = 0.25


class WireError(Exception):
    """Bytes that are not the stream they should be; the text says what was found instead."""


@dataclass(frozen=True, slots=True)
class StreamHeader:
    """What a stream says of itself. compression : code of AEDAT4. stream : number of its events' packets."""

    compression: int
    stream: int
    sensor: Sensor


def read_stream(content: bytes) -> StreamHeader:
    """The header from its flatbuffer, the length in front left out."""
    try:
        header = read_header(content)
    except (struct.error, TableError) as error:
        raise WireError("a header that cannot be read") from error
    if not header.sensors:
        kinds = " and ".join(header.streams.values()) or "nothing"
        raise WireError(f"a stream of {kinds} instead of events (EVTS)")
    stream, sensor = next(iter(header.sensors.items()))
    if not sensor.width or not sensor.height:
        raise WireError("events without the size of their sensor")
    return StreamHeader(header.compression, stream, sensor)


class Packer:
    """Packets of events as they are sent."""

    def __init__(self, compression: Compression) -> None:
        self._compress = None if compression == "NONE" else compressor(compression)
        self.events(empty_events())  # loads the compiled code now and not in the midst of the stream

    def events(self, events: EventArray) -> memoryview:
        """(N,) EVENT_DTYPE as a packet."""
        return self._packed(events_packet(events, room=_PREFIX.size))

    def missed(self, n_events: int) -> memoryview:
        """A packet without events that tells how many were missed so far."""
        # Room for two more fields, so that the number lies at a multiple of 8.
        content = sized(b"EVTS", struct.pack("<6H", 12, 16, 4, 8, 0, 0) + struct.pack("<iIqI", 12, 12, n_events, 0))
        return self._packed(np.frombuffer(bytearray(_PREFIX.size) + content, np.uint8))

    def _packed(self, packet: NDArray[np.uint8]) -> memoryview:
        """With its prefix, for which there is room in front."""
        if self._compress is not None:
            content = self._compress(packet[_PREFIX.size :].data)
            return memoryview(_PREFIX.pack(0, len(content)) + content)
        packet[: _PREFIX.size] = np.frombuffer(_PREFIX.pack(0, packet.size - _PREFIX.size), np.uint8)
        return packet.data
