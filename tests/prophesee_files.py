"""Small files of Prophesee's formats, written word by word from the descriptions of their formats."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikebridge.events import EventArray

RAW_HEADER = b"% camera_integrator_name Prophesee\n% format %s;height=480;width=640\n% geometry 640x480\n% end\n"
DAT_HEADER = b"% Data file containing CD events.\n% Version 2\n% Height 480\n% Width 640\n"


def raw(kind: bytes, *words: NDArray[np.unsignedinteger] | list[int], header: bytes = RAW_HEADER) -> bytes:
    """A RAW file of kind ``EVT2``, ``EVT21`` (little-endian 64-bit words) or ``EVT3``."""
    size = {b"EVT2": "<u4", b"EVT3": "<u2"}.get(kind[:4] if kind[:5] != b"EVT21" else b"", "<u8")
    return (header.replace(b"%s", kind) if b"%s" in header else header) + b"".join(
        np.asarray(part, size).tobytes() for part in words
    )


def evt2(events: EventArray) -> NDArray[np.uint32]:
    """EVT2 words, with a time word for each upper part of the time."""
    words: list[int] = []
    high = -1
    for t, x, y, polarity in events.tolist():
        if t >> 6 != high:
            high = t >> 6
            words.append(0x80000000 | high & 0xFFFFFFF)
        words.append(polarity << 28 | (t & 63) << 22 | x << 11 | y)
    return np.array(words, np.uint32)


def evt21(events: EventArray) -> NDArray[np.uint64]:
    """EVT2.1 words, one for each event, which stands somewhere among the 32 pixels of its word."""
    words: list[int] = []
    high = -1
    for i, (t, x, y, polarity) in enumerate(events.tolist()):
        if t >> 6 != high:
            high = t >> 6
            words.append((0x80000000 | high & 0xFFFFFFF) << 32)
        bit = min(x, i % 32)
        words.append((polarity << 28 | (t & 63) << 22 | (x - bit) << 11 | y) << 32 | 1 << bit)
    return np.array(words, np.uint64)


def swapped(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The same words of EVT2.1 with their halves in the other order."""
    return words >> np.uint64(32) | words << np.uint64(32)


def evt3(events: EventArray) -> NDArray[np.uint16]:
    """EVT3 words without vectors: what changes is written before each event."""
    words: list[int] = []
    high = low = row = -1
    for t, x, y, polarity in events.tolist():
        if t >> 12 != high:
            high, low = t >> 12, -1
            words.append(0x8000 | high & 0xFFF)
        if t & 0xFFF != low:
            low = t & 0xFFF
            words.append(0x6000 | low)
        if y != row:
            row = y
            words.append(y)
        words.append(0x2000 | polarity << 11 | x)
    return np.array(words, np.uint16)


def dat_records(events: EventArray) -> bytes:
    records = np.empty((events.size, 2), "<u4")
    records[:, 0] = events["t"] & 0xFFFFFFFF
    records[:, 1] = (
        events["x"].astype(np.uint32) | events["y"].astype(np.uint32) << 14 | events["polarity"].astype(np.uint32) << 28
    )
    return records.tobytes()


def dat(events: EventArray, header: bytes = DAT_HEADER, kind: int = 0x0C) -> bytes:
    return header + bytes((kind, 8)) + dat_records(events)


def event_stream(events: EventArray, width: int = 640, height: int = 480) -> bytes:
    """Event Stream 2.0 of a DVS."""
    content = bytearray(b"Event Stream\x02\x00\x00\x01" + width.to_bytes(2, "little") + height.to_bytes(2, "little"))
    last = 0
    for t, x, y, polarity in events.tolist():
        content += b"\xff" * ((t - last) // 127)
        content.append((t - last) % 127 << 1 | polarity)
        content += x.to_bytes(2, "little") + (height - 1 - y).to_bytes(2, "little")
        last = t
    return bytes(content)
