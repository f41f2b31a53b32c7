"""Where the packets of an AEDAT 3.1 file lie: each has a 28-byte header; damage is stepped over."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.recordings.aedat.flatbuffer import number_at
from spikebridge.recordings.recording_file import RecordingFile

#: u16 type, u16 source, i32 size of an event, time stamp's offset, overflow, capacity, number, valid.
HEADER_BYTES = 28
EVENT_BYTES = 8
_POLARITY, _FRAMES = 1, 2
_STREAM_NAMES = {0: "triggers", 1: "events", 2: "frames", 3: "imu", 4: "imu"}
#: Packet types run from 0 (special) to 12 (spike); larger ones are the writer's own and never seen in files.
_TYPES = 32
#: Read at once while hopping from header to header: many small packets, and little of the large ones.
_BLOCK_BYTES = 1 << 13
_SEARCHED_BYTES = 1 << 20
#: Packets are given out at once from so much of a file.
_STRETCH_BYTES = 1 << 20

# Columns of what ``_walk_block`` finds.
_AT, _KIND, _SOURCE, _SIZE, _OVERFLOW, _NUMBER = range(6)


class Packets:
    """A walk over all packets from byte ``start``, as far as someone iterates; where no packet can be, it goes on at
    the next place where one is.

    Gives, for each stretch of the file, how far it is and (P, 3) int64 of the packets with events of ``source``: byte
    of the first event, how many whole ones there are, overflow of their 31-bit time. Before the first such packet
    ``source`` is -1. Found so far: others : samples of other streams, by name. of_others : events of other cameras.
    broken : places without a packet, and skipped_bytes at these. truncated : the file ends inside a packet.
    """

    def __init__(self, file: RecordingFile, start: int) -> None:
        self._file, self._start = file, start
        self.source = -1
        self.others: Mapping[str, int] = {}
        self.of_others = 0
        self.skipped_bytes = self.broken = 0
        self.truncated = False

    def __iter__(self) -> Iterator[tuple[int, NDArray[np.int64]]]:
        position = self._start
        while position < self._file.size:
            rows, position, lost = _look_through(self._file, position)
            first, whole = _whole_events(self._file, rows)
            if position > self._file.size:
                self.truncated = True
                self.skipped_bytes += int(self._file.size - first[-1] - whole[-1] * rows[-1, _SIZE])
            polarity = rows[:, _KIND] == _POLARITY
            if self.source < 0 and polarity.any():
                self.source = int(rows[polarity, _SOURCE][0])
            ours = polarity & (rows[:, _SOURCE] == self.source)
            self.of_others += int(rows[polarity & ~ours, _NUMBER].sum())
            self._count_samples(rows[~polarity])
            kept = ours & (whole > 0)
            if lost:
                found = _next_packet(self._file, position + 1)
                self.skipped_bytes += found - position
                self.truncated |= found == self._file.size
                self.broken += found < self._file.size
                position = found
            yield position, np.column_stack((first, whole, rows[:, _OVERFLOW]))[kept]

    def _count_samples(self, rows: NDArray[np.int64]) -> None:
        """By kind, in the order in which the kinds first come."""
        if len(rows):
            counts = dict(self.others)
            for kind in dict.fromkeys(rows[:, _KIND].tolist()):
                name = _STREAM_NAMES.get(kind, f"type {kind}")
                counts[name] = counts.get(name, 0) + int(rows[rows[:, _KIND] == kind, _NUMBER].sum())
            self.others = counts


def packets_of_frames(file: RecordingFile, start: int) -> Iterator[tuple[int, int, int, int]]:
    """Of the packets of frames: byte of the first one, size of each, overflow of their time, how many."""
    position = start
    while position < file.size:
        rows, position, lost = _look_through(file, position)
        first, whole = _whole_events(file, rows)
        found = np.column_stack((first, rows[:, _SIZE], rows[:, _OVERFLOW], whole))[rows[:, _KIND] == _FRAMES]
        yield from found.tolist()
        if lost:
            position = _next_packet(file, position + 1)


def _look_through(file: RecordingFile, position: int) -> tuple[NDArray[np.int64], int, bool]:
    """The packets of a stretch of the file, see ``_walk_block``."""
    block = np.empty(_BLOCK_BYTES, np.uint8)
    parts: list[NDArray[np.int64]] = []
    end, lost = min(position + _STRETCH_BYTES, file.size), False
    while position < end and not lost:
        part = block[: file.size - position]
        file.read_into(part.data, position)
        rows, position, lost = _walk_block(part, position, file.size)
        parts.append(rows)
    return np.concatenate(parts), int(position), bool(lost)


def _whole_events(file: RecordingFile, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Byte of the first event of each packet, and how many the file holds to their end."""
    first = rows[:, _AT] + HEADER_BYTES
    return first, np.minimum(rows[:, _NUMBER], (file.size - first) // np.maximum(rows[:, _SIZE], 1))


@njit(cache=True, nogil=True)
def _walk_block(block: NDArray[np.uint8], start: int, size: int) -> tuple[NDArray[np.int64], int, bool]:
    """Hops from header to header in a block that begins at byte ``start`` of a file of ``size`` bytes.

    Returns a row for each packet (columns above), the byte of the next header and whether none can be there.
    """
    rows = np.empty((block.size // HEADER_BYTES + 1, 6), np.int64)
    n, position = 0, start
    while position - start + HEADER_BYTES <= block.size:
        at = position - start
        kind, source = number_at(block, at, 2), number_at(block, at + 2, 2)
        # As 64-bit numbers that keep the sign of 32-bit ones.
        event_bytes, offset, overflow, capacity, number, valid = _six_signed(block, at + 4)
        if not (
            kind < _TYPES
            and event_bytes > 0
            and 0 <= offset < event_bytes
            and overflow >= 0
            and 0 <= valid <= number <= capacity
            and (kind != _POLARITY or (event_bytes == EVENT_BYTES and offset == 4))
        ):
            return rows[:n].copy(), position, True
        rows[n, _AT], rows[n, _KIND], rows[n, _SOURCE] = position, kind, source
        rows[n, _SIZE], rows[n, _OVERFLOW], rows[n, _NUMBER] = event_bytes, overflow, number
        n += 1
        position += HEADER_BYTES + number * event_bytes
    return rows[:n].copy(), position, position < size and position + HEADER_BYTES > size


@njit(cache=True, nogil=True)
def _six_signed(block: NDArray[np.uint8], at: int) -> tuple[int, int, int, int, int, int]:
    numbers = np.empty(6, np.int64)
    for i in range(6):
        number = number_at(block, at + 4 * i, 4)
        numbers[i] = number - ((number & 0x80000000) << 1)
    return numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]


def _next_packet(file: RecordingFile, start: int) -> int:
    """Byte of the next polarity packet from ``start`` on, or the size of the file.

    Looks for the constant fields of a polarity packet (event size 8, time at byte 4) and takes the place when the
    packet after it, or the end of the file, comes where its length says: eight bytes alone may be chance.
    """
    pattern = struct.pack("<ii", EVENT_BYTES, 4)
    for block in range(start, file.size, _SEARCHED_BYTES):
        piece = file.read(block, _SEARCHED_BYTES + len(pattern) + 4)
        at = piece.find(pattern)
        while at >= 0:
            position = block + at - 4
            after = _polarity_until(file, position) if position >= start else None
            if after is not None and (after >= file.size or len(_packet_at(file, after)[0])):
                return position
            at = piece.find(pattern, at + 1)
    return file.size


def _polarity_until(file: RecordingFile, position: int) -> int | None:
    """Byte after the polarity packet at ``position``; None where there is none."""
    rows, after = _packet_at(file, position)
    return after if len(rows) and rows[0, _KIND] == _POLARITY else None


def _packet_at(file: RecordingFile, position: int) -> tuple[NDArray[np.int64], int]:
    """The row of the packet at ``position``, or none, and the byte after it."""
    header = np.frombuffer(bytearray(file.read(position, HEADER_BYTES)), np.uint8)
    rows, after, _ = _walk_block(header, position, file.size)
    return rows, int(after)
