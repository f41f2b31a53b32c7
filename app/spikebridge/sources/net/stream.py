"""One connection's bytes as events."""

from __future__ import annotations

import ssl
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.events import EventArray, empty_events
from spikebridge.recordings.aedat.aedat4_unpacking import Unpacker
from spikebridge.recordings.ordering import as_words
from spikebridge.recordings.recording_file import Scratch
from spikebridge.sources.net import decoding
from spikebridge.sources.net.connection import Connection
from spikebridge.sources.net.wire import MOST_PACKET_BYTES

#: Who sent packets without events sends some four times a second: after so long nobody is there any more.
SILENCE_S = 0.9
_FIRST_BYTES = 4 << 20
#: Taken in one call of ``read``: more would make the caller late.
_AT_ONCE_BYTES = 8 << 20
#: Unpacked in one call, and one packet more.
_UNPACKED_BYTES = 32 << 20


def load_compiled() -> None:
    """Before a connection is made: a server does not wait while the first one compiles for seconds."""
    packets, _ = decoding.find_packets(np.empty(0, np.uint8), MOST_PACKET_BYTES)
    nothing = np.empty(0, np.uint8), packets[:, 1:].copy()
    decoding.decode_packets(*nothing, 1, 1, decoding.new_state(), as_words(empty_events()))


class PacketStream:
    """Events of a connection, which it owns. From one thread.

    lost : why no more will come, once that is known. others : packets of streams that are not read. state : counts, see
    ``decoding``.
    """

    def __init__(self, connection: Connection) -> None:
        self.header = connection.header
        self.state = decoding.new_state()
        self.lost = ""
        self.others = 0
        self._socket = connection.socket
        self._unpack = Unpacker(Path("network stream"), self.header.compression)
        self._scratch = Scratch()
        self._buffer = np.empty(_FIRST_BYTES, np.uint8)
        self._begin = self._end = 0  # bytes of the buffer that were received and not yet taken
        self._heard_s = time.monotonic()

    def read(self) -> EventArray | None:
        """What came since the last call, in order and of one time; None for nothing, and for ever when ``lost``."""
        self._receive()
        packets, end = decoding.find_packets(self._buffer[self._begin : self._end], MOST_PACKET_BYTES)
        if end < 0 and not len(packets):
            self.lost = "it sent what is no packet"
            self._begin = self._end
            return None
        packets[:, 1] += self._begin
        data, rows = self._contents(packets)
        out = empty_events(int(rows[:, 1].sum()) // 16)
        n, done = decoding.decode_packets(data, rows, *self._size(), self.state, as_words(out))
        if done:
            self._count(packets[:done], rows[:done])
            _, at, size = packets[done - 1].tolist()
            self._begin = at + size
        return out[:n] if n else None

    def close(self) -> None:
        self._socket.close()

    def _count(self, packets: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
        """What of packets that are done was not read: those of other streams, and those that could not be unpacked."""
        ours = packets[:, 0] == self.header.stream
        self.others += int((~ours).sum())
        self.state[decoding.DAMAGED_BYTES] += packets[ours & (rows[:, 1] == 0), 2].sum()

    def _size(self) -> tuple[int, int]:
        return self.header.sensor.width, self.header.sensor.height

    def _receive(self) -> None:
        """Fills the buffer with what lies ready."""
        if self.lost:
            return
        self._make_room()
        begin = self._end
        try:
            while self._end - begin < _AT_ONCE_BYTES and self._end < self._buffer.size:
                n = self._socket.recv_into(self._buffer[self._end :].data)
                if not n:
                    self.lost = "it closed the connection"
                    break
                self._end += n
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except OSError as error:
            self.lost = error.strerror or str(error)
        now_s = time.monotonic()
        if self._end > begin:
            self._heard_s = now_s
        elif self.state[decoding.EMPTY] and now_s - self._heard_s > SILENCE_S:
            self.lost = self.lost or "it has fallen silent"

    def _make_room(self) -> None:
        """Moves what waits to the beginning; makes the buffer larger where one packet fills it."""
        waiting = self._buffer[self._begin : self._end]
        if waiting.size == self._buffer.size:
            self._buffer = np.concatenate([waiting, np.empty(waiting.size, np.uint8)])
        elif self._begin:
            self._buffer[: waiting.size] = waiting
        self._begin, self._end = 0, waiting.size

    def _contents(self, packets: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Unpacked packets, as many of the first as there is room for: (P, 2) byte and size of each, 0 for none."""
        ours = packets[:, 0] == self.header.stream
        if self._unpack.stored:
            return self._buffer, np.column_stack([packets[:, 1], np.where(ours, packets[:, 2], 0)])
        parts: list[NDArray[np.uint8]] = []
        rows: list[tuple[int, int]] = []
        total = 0
        for read, (_, at, size) in zip(ours.tolist(), packets.tolist(), strict=True):
            if total > _UNPACKED_BYTES:
                break
            packed = self._buffer[at : at + size]
            content = self._unpack.alone(packed.data, self._scratch).copy() if read else packed[:0]
            rows.append((total, content.size))
            parts.append(content)
            total += content.size
        return np.concatenate([np.empty(0, np.uint8), *parts]), np.array(rows, np.int64).reshape(-1, 2)
