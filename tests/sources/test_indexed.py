from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from recording_files import SHARED, needs_shared, same

from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.sources import open_recording
from spikebridge.sources.indexed import ChunkIndex, Contents, IndexedRecording

times = st.lists(st.integers(0, 60), min_size=1, max_size=40).map(sorted)


def chunked(t: list[int], size: int) -> tuple[IndexedRecording, EventArray]:
    events = make_events(t, range(len(t)), [0] * len(t), [1] * len(t))
    parts = [events[i : i + size].copy() for i in range(0, len(t), size)]
    index = ChunkIndex(
        np.array([part["t"][0] for part in parts]),
        np.array([part["t"][-1] for part in parts]),
        np.array([part.size for part in parts]),
    )

    def decode(number: int, out: EventArray) -> None:
        out[:] = parts[number][: out.size]

    return IndexedRecording(Path("a"), "test", Sensor(64, 64), Contents(index, decode)), events


@given(times, st.integers(1, 7), st.lists(st.tuples(st.integers(-5, 70), st.integers(-5, 70)), max_size=6))
def test_every_window_holds_exactly_its_events(t: list[int], size: int, windows: list[tuple[int, int]]) -> None:
    recording, events = chunked(t, size)
    n_read = 0
    for start_us, stop_us in windows:
        found = recording.read(start_us, stop_us)
        n_read += found.size
        assert same(found, events[(events["t"] >= start_us) & (events["t"] < stop_us)])
        assert not found.flags.writeable
    assert recording.counters().read == n_read


def test_memory_is_bounded_by_chunks() -> None:
    recording, _ = chunked(list(range(1000)), 10)
    recording.read(0, 995)
    assert len(recording._cache) <= 4


def test_a_closed_recording_is_not_read() -> None:
    recording, _ = chunked([1, 2], 1)
    recording.close()
    recording.close()
    with pytest.raises(ValueError, match="open"):
        recording.read(0, 10)


def test_a_file_without_events_is_an_error() -> None:
    nothing = np.zeros(0, np.int64)
    index = ChunkIndex(nothing, nothing, nothing)
    with pytest.raises(InputError, match="found a test file without any"):
        IndexedRecording(Path("a"), "test", Sensor(64, 64), Contents(index, lambda number, out: None))


def readable() -> list[tuple[str, dict[str, int]]]:
    if not SHARED.is_dir():
        return []
    expected = json.loads((SHARED / "expected.json").read_text())
    return [(name, facts) for name, facts in expected.items() if name.endswith((".aedat", ".aedat4"))]


@needs_shared
def test_real_recordings_are_all_there() -> None:
    assert len(readable()) == 11


@needs_shared
@pytest.mark.parametrize(("name", "facts"), readable())
def test_real_recordings_read_as_independent_readers_say(name: str, facts: dict[str, int]) -> None:
    recording = open_recording(SHARED / name)
    first_us, last_us = recording.info.t_first_us, recording.info.t_last_us
    assert first_us is not None
    assert last_us is not None
    events = recording.read(first_us, last_us + 1)
    found = {
        "events": events.size,
        "t_first": int(events["t"][0]),
        "t_last": int(events["t"][-1]),
        "sum_x": int(events["x"].sum(dtype=np.int64)),
        "sum_y": int(events["y"].sum(dtype=np.int64)),
        "on": int(events["polarity"].sum(dtype=np.int64)),
    }
    assert {key: value for key, value in found.items() if key in facts} == {
        key: facts[key] for key in found if key in facts
    }
    counters = recording.counters()
    assert (counters.skipped_bytes, counters.truncated, counters.notes) == (0, False, ())
