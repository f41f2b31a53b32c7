"""Writes AEDAT4, so that other programs read it too; see ``aedat4`` for the format.

Not through dv-processing 2.0.4, which takes events one by one and finishes a file only when the writer is collected,
whatever became of it. Flatbuffers are laid out by hand: the few used here have one fixed layout each.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Literal, TypeAlias
from xml.sax.saxutils import escape

import numpy as np

from spikebridge.contracts import SourceInfo
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor

#: Written where a sensor has no name: faery reads no file with an empty one.
UNNAMED = "unknown"
FIRST_LINE = b"#!AER-DAT4.0\r\n"
Compression: TypeAlias = Literal["NONE", "LZ4", "ZSTD"]
_CODES: dict[Compression, int] = {"NONE": 0, "LZ4": 1, "ZSTD": 3}
#: Where the header says at which byte the table of contents begins.
TABLE_AT = len(FIRST_LINE) + 32
_EVENT = np.dtype([("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("on", "u1"), ("padding", "V3")])
#: One entry of the table of contents: a flatbuffer table whose fields lie at the offsets of ``_ENTRY_FIELDS``.
_ENTRY = np.dtype(
    [
        ("fields", "<i4"), ("stream", "<i4"), ("size", "<i4"), ("at", "<i8"), ("n", "<i8"), ("first", "<i8"),
        ("last", "<i8"), ("padding", "V4"),
    ]
)  # fmt: skip
_ENTRY_FIELDS = struct.pack("<7H", 14, 44, 12, 4, 20, 28, 36)
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


def open_writer(path: Path, sensor: Sensor) -> Aedat4Writer:
    """See ``formats.Writer``."""
    return Aedat4Writer(path, sensor)


def what_is_lost(info: SourceInfo) -> tuple[str, ...]:
    """Nothing: any time, and coordinates of 15 bits."""
    return ()


class Aedat4Writer:
    """A recording being written; appears under its name when it is closed, and not at all after an error.

    Use it as a context manager. Raises InputError where the file can't be written.
    """

    def __init__(self, path: Path, sensor: Sensor, compression: Compression = "LZ4") -> None:
        self.path = path
        self.n_events = 0
        self._compressed = compressor(compression)
        self._temporary = path.with_name(f".{path.name}.part")
        self._entries: list[tuple[int, int, int, int, int]] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._temporary.open("wb")
        except OSError as error:
            raise self._refused(error) from error
        self._put(FIRST_LINE + file_header(sensor, compression))

    def write(self, events: EventArray) -> None:
        """Appends events, sorted by time and not before those already written; one packet for each call."""
        if not events.size:
            return
        content = self._compressed(events_packet(events))
        self._put(struct.pack("<ii", 0, len(content)))
        first, last = int(events["t"][0]), int(events["t"][-1])
        self._entries.append((len(content), self._file.tell(), events.size, first, last))
        self._put(content)
        self.n_events += events.size

    def close(self) -> None:
        """Writes the table of contents and gives the file its name."""
        try:
            at = self._file.tell()
            self._put(self._compressed(contents_table(self._entries)))
            self._file.seek(TABLE_AT)
            self._put(struct.pack("<q", at))
            self._file.close()
            self._temporary.replace(self.path)
        except OSError as error:
            self.abort()
            raise self._refused(error) from error

    def abort(self) -> None:
        """Leaves nothing behind."""
        with contextlib.suppress(OSError):  # what was still buffered can't be written either
            self._file.close()
        self._temporary.unlink(missing_ok=True)

    def __enter__(self) -> Aedat4Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()

    def _put(self, content: bytes) -> None:
        try:
            self._file.write(content)
        except OSError as error:
            self.abort()
            raise self._refused(error) from error

    def _refused(self, error: OSError) -> InputError:
        return InputError(
            f"expected to write the recording {self.path}, found: {error.strerror}; free some space or take another "
            "place."
        )


def file_header(sensor: Sensor, compression: Compression) -> bytes:
    """Table IOHE: compression, place of the table of contents (filled in at the end), description."""
    text = _INFO.format(
        compression=compression, width=sensor.width, height=sensor.height, name=escape(sensor.name.strip() or UNNAMED)
    ).encode()
    fields = struct.pack("<5H2x", 10, 20, 4, 8, 16)
    table = struct.pack("<iiqI", 12, _CODES[compression], -1, 4)
    return _sized(b"IOHE", fields + table + struct.pack("<I", len(text)) + text + b"\0")


def events_packet(events: EventArray) -> bytes:
    """Table EVTS with one vector of events."""
    records = np.zeros(events.size, _EVENT)
    for target, source in (("t", "t"), ("x", "x"), ("y", "y"), ("on", "polarity")):
        records[target] = events[source]
    return _sized(b"EVTS", _one_vector(events.size) + records.tobytes())


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
    return _sized(b"FTAB", _one_vector(n) + offsets + _ENTRY_FIELDS.ljust(first - fields_at, b"\0") + tables.tobytes())


def _one_vector(n: int) -> bytes:
    """A table whose only field is a vector of ``n``, whose elements follow, at byte 32 of the flatbuffer."""
    return struct.pack("<3H2x", 6, 8, 4) + struct.pack("<iII", 8, 4, n)


def _sized(identifier: bytes, content: bytes) -> bytes:
    """A size-prefixed flatbuffer; ``content`` begins with the list of the root table's fields, at byte 12."""
    (n_bytes,) = struct.unpack_from("<H", content)
    root = 12 + n_bytes + (-n_bytes) % 4
    return struct.pack("<II4s", 8 + len(content), root - 4, identifier) + content


def compressor(compression: Compression) -> Callable[[bytes], bytes]:
    if compression == "LZ4":
        from lz4 import frame  # type: ignore[import-untyped]

        compress: Callable[[bytes], bytes] = frame.compress
        return compress
    if compression == "ZSTD":
        import zstandard

        return zstandard.ZstdCompressor().compress
    return bytes
