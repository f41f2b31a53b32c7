"""Small recordings that tests write themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spikebridge.events import EventArray, make_events


def moving_column(duration_us: int = 300_000, size: int = 8, seed: int = 0) -> EventArray:
    """Events on one column of a ``size`` px square that moves on every 100 ms; 4 000 events per second."""
    random = np.random.default_rng(seed)
    n = duration_us // 250
    t = np.sort(random.integers(0, duration_us, n))
    return make_events(t, (t // 100_000) % size, random.integers(0, size, n), random.integers(0, 2, n))


def write_aedat31(path: Path, events: EventArray, per_packet: int = 64) -> Path:
    """AEDAT 3.1 as DVS128 Gesture has it: polarity packets of at most ``per_packet`` events."""
    with path.open("wb") as file:
        file.write(b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n")
        for start in range(0, events.size, per_packet):
            part = events[start : start + per_packet]
            words = np.empty((part.size, 2), "<u4")
            x, y, polarity = (part[field].astype(np.uint32) for field in ("x", "y", "polarity"))
            words[:, 0] = 1 | polarity << 1 | y << 2 | x << 17
            words[:, 1] = part["t"]
            file.write(np.array([1 | 1 << 16, 8, 4, 0, part.size, part.size, part.size], "<u4").tobytes())
            file.write(words.tobytes())
    return path
