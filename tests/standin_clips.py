"""Small stand-ins for gestures: blobs on simple paths, one kind for each class, quick to make and easy to learn."""

from __future__ import annotations

import struct
from concurrent.futures import Future
from pathlib import Path

import numpy as np

from spikebridge.contracts import LABELS
from spikebridge.datasets.clips import ClipSet, LabelledClip, write_shard
from spikebridge.events import make_events


def blob_clip(label: int, person: int, duration_us: int = 320_000, rate: int = 20_000) -> LabelledClip:
    """A blob at a place that only its class has, jittering."""
    random = np.random.default_rng([label, person])
    n = rate * duration_us // 1_000_000
    t = np.sort(random.integers(0, duration_us, n))
    x = np.clip(16 + 24 * (label % 4) + random.normal(0, 4, n), 0, 127).astype(int)
    y = np.clip(20 + 36 * (label // 4) + random.normal(0, 4, n), 0, 127).astype(int)
    return LabelledClip(make_events(t, x, y, random.integers(0, 2, n)), label, person, duration_us)


def write_set(folder: Path, persons: int = 4) -> ClipSet:
    for person in range(persons):
        write_shard(folder, f"person-{person}", [blob_clip(label, person) for label in range(len(LABELS))])
    return ClipSet(folder)


def write_aedat3(path, t, x, y, p):
    """One packet of polarity events, as IBM's recordings hold them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = (np.asarray(x, np.uint32) << 17) | (np.asarray(y, np.uint32) << 2) | (np.asarray(p, np.uint32) << 1) | 1
    words = np.stack([data, np.asarray(t, np.uint32)], axis=1).astype("<u4").tobytes()
    packet = struct.pack("<HHiiiiii", 1, 1, 8, 4, 0, len(data), len(data), len(data))
    path.write_bytes(b"#!AER-DAT3.1\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n" + packet + words)


def random_batch(samples: int, steps: int, mean_active: int, seed: int = 0):
    """An EventBatch of clustered random inputs."""
    from spikebridge.datasets.event_batch import EventBatch

    random = np.random.default_rng(seed)
    parts, offsets, n = [], np.zeros((samples, steps + 1), np.int64), 0
    for b in range(samples):
        offsets[b, 0] = n
        for s in range(steps):
            x, y = np.clip(random.normal(64, 12, (2, mean_active)), 0, 127).astype(int)
            active = np.unique((random.integers(0, 2, mean_active) << 14) | (y << 7) | x).astype(np.uint16)
            parts.append(active)
            n += active.size
            offsets[b, s + 1] = n
    return EventBatch(np.concatenate(parts), offsets)


class HerePool:
    """The pool of processes, without processes."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def submit(self, function, *arguments):
        future: Future = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:  # noqa: BLE001 - whoever asks for the result gets it
            future.set_exception(error)
        return future

    def shutdown(self, **_: object) -> None: ...
