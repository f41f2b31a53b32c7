"""Where the packets of an AEDAT4 file lie, from its table of contents or by walking, and the bytes in them.

A packet is (i32 stream, i32 size) and ``size`` bytes, compressed one by one, that hold a flatbuffer with its length
before it. Packets are (N, 6) int64 in the order of the file, with the columns below.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.events import Sensor
from spikebridge.recordings.aedat.aedat4_unpacking import Unpacker
from spikebridge.recordings.aedat.decoding import decode_aedat4, decode_lz4
from spikebridge.recordings.aedat.flatbuffer import find_field, find_vector, number_at
from spikebridge.recordings.recording_file import RecordingFile, Scratch, read_pieces

#: Columns: byte of the content, stream, size in the file. What the table of contents says of a packet of events, 0
#: without one: how many, camera clock of the first and of the last one.
AT, STREAM, SIZE, EVENTS, FIRST_US, LAST_US = range(6)

_PREFIX_BYTES = 8
_TABLE = int.from_bytes(b"FTAB", "little")
#: Bytes of the table of contents for one packet, at most and at least; the packet itself takes 9 or more.
_ENTRY_BYTES, _LEAST_ENTRY_BYTES = 128, 24
#: A table for three million packets. A larger one is not read, and the packets are found by walking.
_TABLE_BYTES = 256 << 20
#: Read at once while hopping from packet to packet: many small packets, and little of the large ones.
_BLOCK_BYTES = 1 << 13
_SEARCHED_BYTES = 1 << 20
#: Of a flatbuffer with its length before it.
_IDENTIFIER_AT = 8
#: What packets are unpacked to at once, 65 536 events; a larger one is by itself.
_PART_BYTES = 1 << 20
#: Smaller packets in ZSTD, on average, are for one thread.
_SMALL_BYTES = 1 << 13


def read_table(
    file: RecordingFile, at: int, start: int, streams: NDArray[np.int64], unpack: Unpacker
) -> tuple[bool, NDArray[np.int64]]:
    """Whether the table of contents lies complete at byte ``at``; the packets in it where they can be used.

    start : byte of the first packet. streams : numbers of those that the header names. There are packets only when
    they are of these and fill the file from ``start`` to the table: what stands before each packet is not needed then.
    """
    nothing = np.empty((0, 6), np.int64)
    if not start <= at < file.size:
        return False, nothing
    most = (at - start) // (_PREFIX_BYTES + 1)
    n_bytes = min(file.size - at, (most + 1) * _ENTRY_BYTES)
    if n_bytes > _TABLE_BYTES:
        return True, nothing
    content = unpack.alone(memoryview(file.read(at, n_bytes)), Scratch())
    if content.size < 4 + int.from_bytes(content[:4].tobytes(), "little"):
        return False, nothing
    packets = _entries(content[4:], most)
    begins = np.concatenate(([start], packets[:, AT] + packets[:, SIZE]))
    fill = np.array_equal(packets[:, AT] - _PREFIX_BYTES, begins[:-1]) and begins[-1] == at
    known = np.isin(packets[:, STREAM], streams)
    return True, packets if fill and np.all(known & (packets[:, SIZE] > 0)) else nothing


@njit(cache=True, nogil=True)
def _entries(content: NDArray[np.uint8], most: int) -> NDArray[np.int64]:
    """The packets that a table of contents names; none where it cannot be read or names more than ``most``."""
    first, n = find_vector(content, _TABLE, 4)
    if first < 0 or n > most or n * _LEAST_ENTRY_BYTES > content.size:
        return np.zeros((0, 6), np.int64)
    packets = np.zeros((n, 6), np.int64)
    for i in range(n):
        table = first + 4 * i + number_at(content, first + 4 * i, 4)
        for field in range(5):
            at = find_field(content, table, field)
            if at == -2 or at + 8 > content.size:
                return np.zeros((0, 6), np.int64)
            value = number_at(content, at, 8) if at >= 0 else 0
            if field == 0:
                packets[i, AT] = value
            elif field == 1:  # (i32 stream, i32 size)
                packets[i, STREAM], packets[i, SIZE] = value & 0xFFFFFFFF, value >> 32
            else:
                packets[i, EVENTS + field - 2] = value
    return packets


class Gaps(NamedTuple):
    """Where there was no packet; ``first`` : the byte of the file where the first of them begins."""

    n_places: int
    n_bytes: int
    first: int = 0


def walk(
    file: RecordingFile, start: int, end: int, streams: NDArray[np.int64], magic: bytes
) -> tuple[NDArray[np.int64], Gaps]:
    """All whole packets between two bytes; where none can be, on to the next place where one is.

    streams : numbers of those that the header names. magic : with what the content of each packet begins.
    """
    parts = [np.empty((0, 6), np.int64)]
    block = np.empty(_BLOCK_BYTES, np.uint8)
    position, gaps = start, Gaps(0, 0)
    while position < end:
        part = block[: end - position]
        file.read_into(part.data, position)
        packets, position, lost = _walk_block(part, position, end, streams)
        parts.append(packets)
        if lost:
            found = _next_packet(file, position + 1, end, streams, magic)
            gaps = Gaps(gaps.n_places + 1, gaps.n_bytes + found - position, gaps.first or position)
            position = found
    return np.concatenate(parts), gaps


def _next_packet(file: RecordingFile, start: int, end: int, streams: NDArray[np.int64], magic: bytes) -> int:
    """Byte of the next packet from ``start`` on, or ``end``.

    A place is taken when what begins a packet is there and the one after it, or the end, comes where its length says:
    either alone may be chance.
    """
    pattern = magic or b"EVTS"
    before = _PREFIX_BYTES if magic else _PREFIX_BYTES + _IDENTIFIER_AT
    for block in range(start, end, _SEARCHED_BYTES):
        piece = file.read(block, min(_SEARCHED_BYTES, end - block) + before + len(pattern))
        at = piece.find(pattern)
        while at >= 0:
            position = block + at - before
            after = _after_packet(file, position, end, streams) if position >= start else -1
            if after == end or (after > 0 and _after_packet(file, after, end, streams) > 0):
                return position
            at = piece.find(pattern, at + 1)
    return end


def _after_packet(file: RecordingFile, position: int, end: int, streams: NDArray[np.int64]) -> int:
    """Byte after the packet at ``position``; -1 where none can be."""
    head = np.frombuffer(file.read(position, _PREFIX_BYTES), np.uint8)
    if head.size < _PREFIX_BYTES or position >= end:
        return -1
    packets, after, _ = _walk_block(head, position, end, streams)
    return int(after) if len(packets) else -1


@njit(cache=True, nogil=True)
def _walk_block(
    block: NDArray[np.uint8], start: int, end: int, streams: NDArray[np.int64]
) -> tuple[NDArray[np.int64], int, bool]:
    """Hops from packet to packet in a block from byte ``start``: packets, byte of the next one, whether none can be
    there."""
    packets = np.zeros((block.size // _PREFIX_BYTES, 6), np.int64)
    n, position = 0, start
    while position - start + _PREFIX_BYTES <= block.size:
        stream, size = number_at(block, position - start, 4), number_at(block, position - start + 4, 4)
        content = position + _PREFIX_BYTES
        if not 0 < size < 0x80000000 or content + size > end or not np.any(streams == stream):
            return packets[:n].copy(), position, True
        packets[n, AT], packets[n, STREAM], packets[n, SIZE] = content, stream, size
        n += 1
        position = content + size
    return packets[:n].copy(), position, position < end < position + _PREFIX_BYTES


class PacketDecoder:
    """Reads, unpacks and decodes packets of events; each thread has memory of its own for them."""

    def __init__(self, file: RecordingFile, packets: NDArray[np.int64], unpack: Unpacker, sensor: Sensor) -> None:
        self._file, self._packets, self._unpack, self._sensor = file, packets, unpack, sensor
        self._packed, self._unpacked = Scratch(), Scratch()
        #: A packet in ZSTD takes a call of its own. Where these are short, threads that take turns are slower than one.
        self.shared = unpack.stored or unpack.lz4 or packets[:, SIZE].sum() > _SMALL_BYTES * len(packets)

    def __call__(self, piece: tuple[int, int], state: NDArray[np.int64], out: NDArray[np.void]) -> int:
        """The events of the packets ``piece[0]`` to ``piece[1]``, see ``scanning.Run``."""
        packets = self._packets[slice(*piece)]
        width, height = self._sensor.width, self._sensor.height
        data, places = read_pieces(self._file, packets[:, AT].tolist(), packets[:, SIZE].tolist(), self._packed)
        rows = np.take(packets, (AT, SIZE, SIZE), axis=1)
        rows[:, 0] = places
        if self._unpack.stored:
            return int(decode_aedat4(data, rows, width, height, state, 0, out))
        n = done = 0
        while done < len(rows):
            if self._unpack.lz4:
                scratch = self._unpacked.of(_PART_BYTES)
                n, taken = decode_lz4(data, rows[done:], scratch, width, height, state, n, out)
                done += taken
            if done < len(rows):
                content, part = self._unpack_some(data.data, rows[done:].tolist())
                n = decode_aedat4(content, part, width, height, state, n, out)
                done += len(part)
        return int(n)

    def _unpack_some(self, packed: memoryview, rows: list[list[int]]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """As many of the packets as there is room for, but one at least, and their rows for ``decode_aedat4``."""
        content = self._unpacked.of(_PART_BYTES)
        memory = content.data
        part: list[tuple[int, int, int]] = []
        end = 0
        for place, size, _ in rows[:1] if self._unpack.lz4 else rows:
            n = self._unpack.into(packed[place : place + size], memory[end:])
            if n < 0 and part:
                break
            if n < 0:
                content = self._unpack.alone(packed[place : place + size], self._unpacked)
                return content, np.array([(0, content.size, size)])
            part.append((end, n, size))
            end += n + -n % 16  # the next begins where a 64-bit number may
        return content, np.array(part)
