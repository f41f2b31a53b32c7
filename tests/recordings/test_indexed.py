from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_files import SHARED, needs_shared, same
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.recordings import chunk_reading, open_recording
from spikebridge.recordings.indexed import ChunkIndex, Contents, IndexedRecording, Oddities, WrongIndexError

times = st.lists(st.integers(0, 60), min_size=1, max_size=40).map(sorted)


class Stepped:
    """Contents of which one more chunk is known with each step; ``whole`` after the last."""

    def __init__(self, contents: Contents) -> None:
        self._contents, self._n = contents, 0
        self.decode, self.shared, self.oddities = contents.decode, contents.shared, contents.oddities
        self.places = contents.places

    @property
    def index(self) -> ChunkIndex:
        index = self._contents.index
        return ChunkIndex(index.first_us[: self._n], index.last_us[: self._n], index.events[: self._n])

    @property
    def whole(self) -> bool:
        return self._n == self._contents.index.events.size

    @property
    def progress(self) -> float:
        return 1.0 if self.whole else self._n / self._contents.index.events.size

    def go_on(self) -> None:
        self._n += not self.whole

    def until(self, t_us: int, within_s: float = 0.0) -> bool:
        while not self.whole and not (self._n and self.index.last_us[-1] >= t_us):
            self.go_on()
        return True

    def check_sensor(self) -> None:
        """All are of this one."""

    def kept(self) -> None:
        """Not to be kept."""


class Made:
    """A file whose contents are given; ``trusted`` as long as its own index is believed."""

    def __init__(self, contents: Contents, trusted: Callable[[int, EventArray], None] | None = None) -> None:
        self.contents, self.trusted = contents, trusted

    def begin(self) -> Stepped:
        return Stepped(self.contents)

    def take_on_trust(self, index: ChunkIndex) -> Contents:
        assert self.trusted is not None
        return replace(self.contents, index=index, decode=self.trusted)

    def recall(self, kept: object) -> None:
        """Nothing was kept."""


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

    return IndexedRecording(Path("a"), "test", Sensor(64, 64), Made(Contents(index, decode))), events


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
    assert len(recording._reader._cache) <= 4


def test_a_closed_recording_is_not_read() -> None:
    recording, _ = chunked([1, 2], 1)
    recording.close()
    recording.close()
    with pytest.raises(ValueError, match="open"):
        recording.read(0, 10)


@given(times, st.integers(1, 7), st.lists(st.tuples(st.integers(-5, 70), st.integers(-5, 70)), max_size=6))
def test_counting_is_reading(t: list[int], size: int, windows: list[tuple[int, int]]) -> None:
    recording, events = chunked(t, size)
    for start_us, stop_us in windows:
        assert recording.count(start_us, stop_us) == np.sum((events["t"] >= start_us) & (events["t"] < stop_us))
    assert recording.counters().read == 0


class Trusted:
    """A recording of 30 chunks of four events whose index is trusted, and wrong from the chunk ``wrong`` on."""

    def __init__(self, wrong: int | None) -> None:
        self.wrong = wrong
        self.decoded: list[int] = []
        self.threads: set[int] = set()
        said = make_events(range(120), [1] * 120, [2] * 120, [0] * 120)
        self.true = said.copy()
        if wrong is not None:
            self.true["t"][4 * wrong + 2 :] += 1000
        measured = Contents(self._index(self.true), self._plain, Oddities(notes=("measured",)))
        self.recording = IndexedRecording(
            Path("a"), "test", Sensor(64, 64), Made(measured, self._checked), self._index(said)
        )

    def _index(self, events: EventArray) -> ChunkIndex:
        t = events["t"].reshape(30, 4)
        return ChunkIndex(t[:, 0], t[:, 3], np.full(30, 4))

    def _plain(self, number: int, out: EventArray) -> None:
        self.decoded.append(number)
        self.threads.add(threading.get_ident())
        out[:] = self.true[4 * number : 4 * number + out.size]

    def _checked(self, number: int, out: EventArray) -> None:
        if number == self.wrong:
            raise WrongIndexError(number)
        self._plain(number, out)


@given(
    st.one_of(st.none(), st.integers(0, 29)),
    st.lists(st.tuples(st.integers(0, 1120), st.integers(0, 1120)), max_size=5),
)
def test_what_is_read_does_not_depend_on_the_order(wrong: int | None, windows: list[tuple[int, int]]) -> None:
    trusted = Trusted(wrong)
    recording, events = trusted.recording, trusted.true
    for start_us, stop_us in windows:
        inside = (events["t"] >= start_us) & (events["t"] < stop_us)
        assert recording.count(start_us, stop_us) == inside.sum()
        assert same(recording.read(start_us, stop_us), events[inside])
    assert same(np.concatenate(list(recording.chunks())), events)
    assert recording.info.t_last_us == events["t"][-1]
    assert recording.counters().notes == ("measured",)


def test_chunks_go_on_where_a_wrong_index_was_found() -> None:
    trusted = Trusted(17)
    assert 17 not in trusted.decoded
    chunks = trusted.recording.chunks()
    assert [int(next(chunks)["t"][0]) for _ in range(17)] == list(range(0, 68, 4))
    assert same(np.concatenate(list(chunks)), trusted.true[68:])


def test_several_threads_decode_and_none_is_left() -> None:
    recording, events = chunked(list(range(4000)), 10)
    threads: set[int] = set()
    decode = recording._reader.decode

    def noted(number: int, out: EventArray) -> None:
        threads.add(threading.get_ident())
        time.sleep(0.0005)
        decode(number, out)

    recording._reader.decode = noted
    before = threading.active_count()
    assert same(recording.read(0, 4000), events)
    assert (len(threads) > 1) == (chunk_reading.THREADS > 1)
    assert threading.active_count() == before
    chunks = recording.chunks()
    assert next(chunks).size == 10
    del chunks
    assert threading.active_count() == before


def test_an_error_of_one_chunk_ends_the_read_of_all() -> None:
    recording, _ = chunked(list(range(4000)), 10)
    tried: list[int] = []

    def failing(number: int, out: EventArray) -> None:
        tried.append(number)
        time.sleep(0.001)
        if number == 9:
            raise InputError("gone")

    recording._reader.decode = failing
    with pytest.raises(InputError, match="gone"):
        recording.read(0, 4000)
    assert len(tried) < 30


def test_a_file_without_events_is_an_error() -> None:
    nothing = np.zeros(0, np.int64)
    index = ChunkIndex(nothing, nothing, nothing)
    with pytest.raises(InputError, match="found test without any"):
        IndexedRecording(Path("a"), "test", Sensor(64, 64), Made(Contents(index, lambda number, out: None)))


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
