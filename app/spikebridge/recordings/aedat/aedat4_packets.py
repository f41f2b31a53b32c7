"""Where the packets of an AEDAT4 file lie, from its table of contents or by walking, and the bytes in them.

A packet is (i32 stream, i32 size) and ``size`` bytes, compressed one by one, that hold a flatbuffer with its length
before it. Packets are (N, 6) int64 in the order of the file, with the columns below.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
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
#: What is looked at of each packet: with the number that its content begins with.
_HEAD_BYTES = _PREFIX_BYTES + 4
_TABLE = int.from_bytes(b"FTAB", "little")
#: Bytes of the table of contents for one packet, at most and at least; the packet itself takes 9 or more.
_ENTRY_BYTES, _LEAST_ENTRY_BYTES = 128, 24
#: A table for three million packets. A larger one is not read, and the packets are found by walking.
_TABLE_BYTES = 256 << 20
#: Read at once while hopping from packet to packet: many small packets, and little of the large ones.
_BLOCK_BYTES = 1 << 13
_SEARCHED_BYTES = 1 << 20
#: Streams with a list of samples in each packet: 16 bytes or an offset to each. Others have one, such as a frame.
_LISTS = (b"EVTS", b"IMUS", b"TRIG")
_LEAST_SAMPLE_BYTES = 4
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
    content = unpack.alone(memoryview(file.read(at, n_bytes)), Scratch(), more_behind=True)
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

    The size of the packet before such a place may be what is wrong. Then the next packet begins inside of it, and it
    ends there. streams : numbers of those that the header names. magic : with what the content of each packet begins.
    """
    parts = [np.empty((0, 6), np.int64)]
    block = np.empty(_BLOCK_BYTES, np.uint8)
    position, gaps = start, Gaps(0, 0)
    while position < end:
        part = block[: end - position]
        file.read_into(part.data, position)
        packets, position, lost = _walk_block(part, position, end, streams, _number(magic))
        if len(packets):
            parts.append(packets)
        if lost:
            last = parts[-1]
            begin = int(last[-1, AT]) if len(last) else position
            found = _next_packet(file, begin + 1, end, streams, magic)
            if found < position:
                position = last[-1, SIZE] = _true_end(file, begin, found, magic)
                last[-1, SIZE] -= begin
            if found > position:
                gaps = Gaps(gaps.n_places + 1, gaps.n_bytes + found - position, gaps.first or position)
            position = found
    return np.concatenate(parts), gaps


def _true_end(file: RecordingFile, begin: int, next_packet: int, magic: bytes) -> int:
    """Where the content from byte ``begin`` ends when the next packet is known; one that is not compressed says it."""
    said = next_packet if magic else begin + 4 + int.from_bytes(file.read(begin, 4), "little")
    return min(said, next_packet)


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
            after = _after_packet(file, position, end, streams, magic) if position >= start else -1
            if after > 0 and _may_begin(file.read(after, min(end - after, _PREFIX_BYTES + len(magic))), streams, magic):
                return position
            at = piece.find(pattern, at + 1)
    return end


def _after_packet(file: RecordingFile, position: int, end: int, streams: NDArray[np.int64], magic: bytes) -> int:
    """Byte after the packet at ``position``; -1 where none can be."""
    head = np.frombuffer(file.read(position, min(end - position, _HEAD_BYTES)), np.uint8)
    packets, after, _ = _walk_block(head, position, end, streams, _number(magic))
    return int(after) if len(packets) else -1


def _may_begin(head: bytes, streams: NDArray[np.int64], magic: bytes) -> bool:
    """Whether a packet, perhaps a cut one, can begin with these bytes, all that there are at the end of the file."""
    if len(head) < _PREFIX_BYTES:
        return True
    stream, size = struct.unpack_from("<ii", head)
    return size > 0 and stream in streams and magic.startswith(head[_PREFIX_BYTES:])


def _number(magic: bytes) -> int:
    return int.from_bytes(magic, "little") if magic else -1


@njit(cache=True, nogil=True)
def _walk_block(
    block: NDArray[np.uint8], start: int, end: int, streams: NDArray[np.int64], magic: int
) -> tuple[NDArray[np.int64], int, bool]:
    """Hops from packet to packet in a block from byte ``start``: packets, byte of the next one, whether none can be
    there or the last one is longer than it says itself.

    magic : the number with which packets begin, or -1 where they begin with their size.
    """
    packets = np.zeros((block.size // _HEAD_BYTES, 6), np.int64)
    n, position = 0, start
    while position - start + _HEAD_BYTES <= block.size:
        at = position - start
        stream, size, first = number_at(block, at, 4), number_at(block, at + 4, 4), number_at(block, at + 8, 4)
        content = position + _PREFIX_BYTES
        possible = 4 <= size < 0x80000000 and content + size <= end and (magic < 0 or first == magic)
        if not possible or not np.any(streams == stream):
            return packets[:n].copy(), position, True
        packets[n, AT], packets[n, STREAM], packets[n, SIZE] = content, stream, size
        n += 1
        position = content + size
        if magic < 0 and size > 4 + first:
            return packets[:n].copy(), position, True
    return packets[:n].copy(), position, position < end < position + _HEAD_BYTES


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


def count_samples(
    file: RecordingFile, packets: NDArray[np.int64], unpack: Unpacker, kinds: Mapping[int, str]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """(N,) samples in each packet, where no table says it, and whether it is of the kind of its stream at all.

    kinds : four letters for each stream.
    """
    n = np.zeros(len(packets), np.int64)
    right = np.zeros(len(packets), np.bool_)
    scratch = Scratch()
    for i, (at, stream, size) in enumerate(packets[:, :EVENTS].tolist()):
        content = unpack.alone(memoryview(file.read(at, size)), scratch)[4:]
        kind = kinds[stream].encode()
        if kind in _LISTS:
            first, n[i] = find_vector(content, int.from_bytes(kind, "little"), _LEAST_SAMPLE_BYTES)
            right[i] = first >= 0
        else:
            n[i] = right[i] = content[4:8].tobytes() == kind
    return n, right
