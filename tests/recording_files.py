"""Small recordings, written byte by byte from the descriptions of their formats."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from spikebridge.events import EventArray, make_events

SHARED = Path(__file__).resolve().parents[2] / "shared" / "recordings"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason=f"REAL RECORDINGS ARE MISSING at {SHARED}: readers are not checked against them"
)

AEDAT2_HEADER = b"#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n# AEChip: ch.unizh.%s\r\n"
AEDAT3_HEADER = b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n"


def random_events(n: int, seed: int = 0, width: int = 128, height: int = 128, longest_us: int = 50) -> EventArray:
    random = np.random.default_rng(seed)
    return make_events(
        1000 + np.cumsum(random.integers(0, longest_us, n)),
        random.integers(0, width, n),
        random.integers(0, height, n),
        random.integers(0, 2, n),
    )


def dvs128_words(events: EventArray) -> bytes:
    words = np.empty((events.size, 2), ">u4")
    x, y, polarity = (events[name].astype(np.int64) for name in ("x", "y", "polarity"))
    words[:, 0] = (1 - polarity) | (127 - x) << 1 | (127 - y) << 8
    words[:, 1] = events["t"] & 0xFFFFFFFF
    return words.tobytes()


def davis_words(events: EventArray, width: int, height: int) -> bytes:
    words = np.empty((events.size, 2), ">u4")
    x, y, polarity = (events[name].astype(np.int64) for name in ("x", "y", "polarity"))
    words[:, 0] = polarity << 11 | (width - 1 - x) << 12 | (height - 1 - y) << 22
    words[:, 1] = events["t"] & 0xFFFFFFFF
    return words.tobytes()


def aedat2(chip: bytes, *words: bytes) -> bytes:
    return AEDAT2_HEADER % chip + b"".join(words)


def aedat3_packet(events: EventArray, source: int = 1, overflow: int = 0, valid: int = 1) -> bytes:
    words = np.empty((events.size, 2), "<u4")
    x, y, polarity = (events[name].astype(np.int64) for name in ("x", "y", "polarity"))
    words[:, 0] = valid | polarity << 1 | y << 2 | x << 17
    words[:, 1] = events["t"] & 0x7FFFFFFF
    n = events.size
    return struct.pack("<HHiiiiii", 1, source, 8, 4, overflow, n, n, n * valid) + words.tobytes()


def aedat3_other_packet(kind: int, event_bytes: int, number: int) -> bytes:
    header = struct.pack("<HHiiiiii", kind, 1, event_bytes, 4, 0, number, number, number)
    return header + bytes(event_bytes * number)


def aedat3(*packets: bytes, header: bytes = AEDAT3_HEADER) -> bytes:
    return header + b"".join(packets)


def write(folder: Path, content: bytes, name: str = "recording.aedat") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def same(left: EventArray, right: EventArray) -> bool:
    return left.size == right.size and all(np.array_equal(left[name], right[name]) for name in left.dtype.names or ())
