"""Attributes that are texts of variable length, read from the bytes of an HDF5 file.

Metavision writes the geometry of the sensor so. HDF5's library (2.0.0) never returns from some damaged ones, and
nothing can stop it. The layout is that of the "HDF5 File Format Specification": object headers of version 1 (IV.A.1.a),
messages for attributes (IV.A.2.m) and continuations (IV.A.2.q), and the global heap (III.E), all with addresses of 64
bits.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from spikebridge.recordings.recording_file import RecordingFile

_ATTRIBUTE, _CONTINUATION = 0x0C, 0x10
_VARIABLE_LENGTH = 9
#: Of a header, a heap or a text: none is nearly as long.
_MOST_BYTES = 1 << 20
_MOST_BLOCKS = 64


def texts_at(file: RecordingFile, header_at: int) -> dict[str, str]:
    """Texts attached to the object whose header is at that byte, by name; without those that cannot be read."""
    found: dict[str, str] = {}
    for kind, message in _messages(file, header_at):
        if kind == _ATTRIBUTE:
            try:
                name, place = _attribute(message)
                text = _heap_object(file, *place) if place else None
            except (struct.error, IndexError):
                continue
            if text is not None:
                found.setdefault(name, text.rstrip(b"\0").decode("utf-8", "replace"))
    return found


def _messages(file: RecordingFile, header_at: int) -> Iterator[tuple[int, bytes]]:
    """Kind and content of each message of an object header."""
    head = file.read(header_at, 16)
    if len(head) < 16 or head[0] != 1:
        return
    blocks = [(header_at + 16, struct.unpack_from("<I", head, 8)[0])]
    for at, size in blocks:
        content = file.read(at, min(size, _MOST_BYTES)) if 0 <= at < file.size else b""
        place = 0
        while place + 8 <= len(content):
            kind, length = struct.unpack_from("<HH", content, place)
            message = content[place + 8 : place + 8 + length]
            if kind == _CONTINUATION and length >= 16 and len(message) >= 16 and len(blocks) < _MOST_BLOCKS:
                blocks.append(struct.unpack_from("<QQ", message))
            yield kind, message
            place += 8 + length


def _attribute(message: bytes) -> tuple[str, tuple[int, int, int] | None]:
    """Name of an attribute, and length, heap and number in it of its text; None for another kind of value."""
    version, name_size, type_size, space_size = struct.unpack_from("<BxHHH", message)
    at, pad = (8, 7) if version == 1 else (8 + (version == 3), 0)
    name = message[at : at + name_size].split(b"\0")[0].decode("utf-8", "replace")
    at += name_size + pad & ~pad
    is_text = message[at] & 0xF == _VARIABLE_LENGTH and message[at + 1] & 0xF == 1
    at += (type_size + pad & ~pad) + (space_size + pad & ~pad)
    return name, struct.unpack_from("<IQI", message, at) if is_text else None


def _heap_object(file: RecordingFile, length: int, heap_at: int, number: int) -> bytes | None:
    if not 0 <= heap_at < file.size or length > _MOST_BYTES:
        return None
    head = file.read(heap_at, 16)
    if head[:4] != b"GCOL":
        return None
    heap = file.read(heap_at, min(struct.unpack_from("<Q", head, 8)[0], _MOST_BYTES))
    at = 16
    while at + 16 <= len(heap):
        index, size = struct.unpack_from("<H6xQ", heap, at)
        if index == number:
            return heap[at + 16 : at + 16 + min(length, size)]
        if not index:  # what follows is free
            return None
        at += 16 + (size + 7 & ~7)
    return None
