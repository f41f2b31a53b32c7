"""Damaged RAW, DAT and Event Stream files: a sentence, or what could be read, in order and inside the sensor."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from prophesee_files import RAW_HEADER, dat, event_stream, evt2, evt3, evt21, raw
from recording_files import random_events
from spikebridge.errors import InputError
from spikebridge.recordings import open_recording
from spikebridge.settings import ReadSettings

EVENTS = random_events(2000, width=640, height=480)
ATIS = b"Event Stream\x02\x00\x00\x02\x80\x02\xe0\x01" + event_stream(EVENTS)[20:]
FILES = {
    "EVT2": raw(b"EVT2", evt2(EVENTS)),
    "EVT2.1": raw(b"EVT21", evt21(EVENTS)),
    "EVT3": raw(b"EVT3", evt3(EVENTS)),
    "no header": evt3(EVENTS).tobytes(),
    "no format": RAW_HEADER.replace(b"% format %s;height=480;width=640\n", b"") + evt2(EVENTS).tobytes(),
    "DAT": dat(EVENTS),
    "Event Stream": event_stream(EVENTS),
    "ATIS": ATIS,
    "version 1": b"Event Stream\x01\x00\x00\x00" + event_stream(EVENTS)[20:],
}
N_FILES = 300


def damaged(content: bytes, n: int, seed: int) -> Iterator[bytes]:
    """Cut, with flipped bits, with random words, repeated or missing pieces, and all bits set, in turn."""
    random = np.random.default_rng(seed)
    for i in range(n):
        bad = bytearray(content)
        for _ in range(int(random.integers(1, 8))):
            # The header every other time.
            at = int(random.integers(0, len(bad) if i % 2 else min(len(bad), 150)))
            size = int(random.integers(1, 40))
            kind = int(random.integers(0, 6))
            if kind == 0:
                bad = bad[: max(at, 13)]
            elif kind == 1:
                bad[at] ^= 1 << int(random.integers(0, 8))
            elif kind == 2:
                bad[at : at + size] = random.bytes(size)
            elif kind == 3:
                bad[at:at] = bad[at : at + size]
            elif kind == 4:
                del bad[at : at + size]
            else:
                bad[at : at + size] = b"\xff" * size
            bad = bad or bytearray(b"%")
        yield bytes(bad)


@pytest.mark.parametrize("name", FILES)
def test_damage_is_said_or_counted(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.raw"
    n_read = 0
    longest_s = 0.0
    for content in damaged(FILES[name], N_FILES, seed=3):
        path.write_bytes(content)
        started = time.perf_counter()
        n_read += read(path, ReadSettings(size=(640, 480)))
        longest_s = max(longest_s, time.perf_counter() - started)
    assert n_read > N_FILES // 4
    assert longest_s < 5


def read(path: Path, settings: ReadSettings) -> bool:
    try:
        recording = open_recording(path, settings)
        events = np.concatenate(list(recording.chunks()))
    except InputError as error:
        sentence = str(error)
        assert sentence.startswith("expected ")
        assert sentence.endswith(".")
        assert sentence.isprintable()
        return False
    sensor, counters = recording.info.sensor, recording.counters()
    assert (np.diff(events["t"]) >= 0).all()
    assert events["x"].max() < sensor.width
    assert events["y"].max() < sensor.height
    assert set(np.unique(events["polarity"])) <= {0, 1}
    assert recording.n_events == events.size
    assert all(note.isprintable() and note.endswith(".") for note in counters.notes)
    lost = counters.dropped + counters.out_of_order + counters.skipped_bytes
    assert not lost or counters.notes
    return True
