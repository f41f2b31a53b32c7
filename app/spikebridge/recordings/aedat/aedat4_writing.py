"""Writes AEDAT4, so that other programs read it too; see ``aedat4`` for the format.

Not through dv-processing 2.0.4, which takes events one by one and finishes a file only when the writer is collected,
whatever became of it. Flatbuffers are laid out by hand: the few used here have one fixed layout each.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import SourceInfo
from spikebridge.events import EventArray, Sensor
from spikebridge.recordings.aedat.aedat4_header import FIRST_LINE, TABLE_AT, Compression, header_bytes
from spikebridge.recordings.aedat.decoding import pack_events
from spikebridge.recordings.aedat.flatbuffer import sized
from spikebridge.recordings.encoded_file import WholeFile
from spikebridge.recordings.ordering import WORDS_DTYPE, as_words

#: One entry of the table of contents: a flatbuffer table whose fields lie at the offsets of ``_ENTRY_FIELDS``.
_ENTRY = np.dtype(
    [
        ("fields", "<i4"), ("stream", "<i4"), ("size", "<i4"), ("at", "<i8"), ("n", "<i8"), ("first", "<i8"),
        ("last", "<i8"), ("padding", "V4"),
    ]
)  # fmt: skip
_ENTRY_FIELDS = struct.pack("<7H", 14, 44, 12, 4, 20, 28, 36)
#: Of a packet, before its first event: a flatbuffer's length, root and identifier, the list of its fields, a table and
#: the length of the vector.
_PACKET_HEAD = struct.Struct("<II4s2x3HiII")


def open_writer(path: Path, sensor: Sensor) -> Aedat4Writer:
    """See ``formats.Writer``."""
    return Aedat4Writer(path, sensor)


def what_is_lost(info: SourceInfo) -> tuple[str, ...]:
    """Nothing: any time, and coordinates of 15 bits."""
    return ()


class Aedat4Writer(WholeFile):
    """A recording being written, see ``WholeFile``. n_events : so far."""

    def __init__(self, path: Path, sensor: Sensor, compression: Compression = "LZ4") -> None:
        super().__init__(path)
        self.n_events = 0
        self._compressed = compressor(compression)
        self._entries: list[tuple[int, int, int, int, int]] = []
        self._at = 0
        self._append(FIRST_LINE + header_bytes(sensor, compression))

    def write(self, events: EventArray) -> None:
        """Appends events, sorted by time and not before those already written; one packet for each call."""
        if not events.size:
            return
        content = self._compressed(events_packet(events).data)
        self._append(struct.pack("<ii", 0, len(content)))
        first, last = int(events["t"][0]), int(events["t"][-1])
        self._entries.append((len(content), self._at, events.size, first, last))
        self._append(content)
        self.n_events += events.size

    def close(self) -> None:
        """Writes the table of contents and gives the file its name."""
        at = self._at
        self._append(self._compressed(contents_table(self._entries)))
        self._put(struct.pack("<q", at), TABLE_AT)
        super().close()

    def _append(self, content: bytes | memoryview) -> None:
        self._put(content)
        self._at += len(content)


def events_packet(events: EventArray, room: int = 0) -> NDArray[np.uint8]:
    """A flatbuffer EVTS with one vector of events, its length in front, behind ``room`` bytes for the caller.

    In memory the same as (N,) EVENT_DTYPE but for what lies between the events.
    """
    packet = np.empty(room + _PACKET_HEAD.size + 16 * events.size, np.uint8)
    size = _PACKET_HEAD.size - 4 + 16 * events.size
    head = _PACKET_HEAD.pack(size, 16, b"EVTS", 6, 8, 4, 6, 4, events.size)
    packet[room : room + len(head)] = np.frombuffer(head, np.uint8)
    pack_events(as_words(events), packet[room + len(head) :].view(WORDS_DTYPE))
    return packet


def contents_table(entries: list[tuple[int, int, int, int, int]]) -> bytes:
    """Table FTAB with one vector of tables, all with the same layout."""
    n = len(entries)
    fields_at = 32 + 4 * n
    first = fields_at + len(_ENTRY_FIELDS)
    first += (4 - first) % 8  # so that the 8-byte fields lie at multiples of 8
    tables = np.zeros(n, _ENTRY)
    at = first + _ENTRY.itemsize * np.arange(n)
    tables["fields"] = at - fields_at
    for name, column in zip(("size", "at", "n", "first", "last"), zip(*entries, strict=True), strict=False):
        tables[name] = column
    offsets = (at - 32 - 4 * np.arange(n)).astype("<u4").tobytes()
    return sized(b"FTAB", _one_vector(n) + offsets + _ENTRY_FIELDS.ljust(first - fields_at, b"\0") + tables.tobytes())


def _one_vector(n: int) -> bytes:
    """A table whose only field is a vector of ``n``, whose elements follow, at byte 32 of the flatbuffer."""
    return struct.pack("<3H2x", 6, 8, 4) + struct.pack("<iII", 8, 4, n)


def compressor(compression: Compression) -> Callable[[bytes | memoryview], bytes | memoryview]:
    """What packets are compressed with, one by one."""
    if compression == "LZ4":
        from lz4 import frame  # type: ignore[import-untyped]

        compress: Callable[[bytes | memoryview], bytes] = frame.compress
        return compress
    if compression == "ZSTD":
        import zstandard

        return zstandard.ZstdCompressor().compress
    return lambda content: content
