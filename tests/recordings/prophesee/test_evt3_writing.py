from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from recording_files import random_events, same
from spikebridge.contracts import SourceInfo
from spikebridge.errors import UsageError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.formats import written_as
from spikebridge.recordings.prophesee import evt3_writing

SENSOR = Sensor(640, 480, "Gen3.1")


def rows_of_events(n: int, first_us: int, longest_us: int, seed: int = 0) -> EventArray:
    """Runs of events in one row, from left to right at one time, as a sensor sends them."""
    random = np.random.default_rng(seed)
    parts, t = [], first_us
    while sum(map(len, parts)) < n:
        size = int(random.integers(1, 60))
        x = np.sort(random.choice(80, size, replace=False)) + int(random.integers(0, 561))
        y, polarity = int(random.integers(0, 480)), int(random.integers(0, 2))
        parts.append(make_events([t] * size, x, [y] * size, [polarity] * size))
        t += int(random.integers(0, longest_us))
    return np.concatenate(parts)[:n]


def write(path: Path, events: EventArray, per_call: int = 777, sensor: Sensor = SENSOR) -> Path:
    with evt3_writing.open_writer(path, sensor) as writer:
        for start in range(0, events.size, per_call):
            writer.write(events[start : start + per_call])
    return path


def words_of(path: Path) -> list[int]:
    content = path.read_bytes()
    words = content[content.index(b"% end\n") + 6 :]
    return np.frombuffer(words, "<u2").tolist()


FIRST_TIMES = (0, 12_345_678, (1 << 24) - 3000, 1_700_000_000_123_456, 0x25 << 12, 0xFFE << 12, (0xFFF << 12) + 5)


@pytest.mark.parametrize("first_us", FIRST_TIMES)
@pytest.mark.parametrize("longest_us", [1, 300, 60_000])
def test_round_trip(tmp_path: Path, first_us: int, longest_us: int) -> None:
    events = rows_of_events(5000, first_us, longest_us)
    recording = open_recording(write(tmp_path / "a.raw", events))
    assert same(np.concatenate(list(recording.chunks())), events)
    assert (recording.format, recording.info.sensor) == ("EVT3", SENSOR)
    counters = recording.counters()
    assert (counters.notes, counters.dropped, counters.skipped_bytes) == ((), 0, 0)


def test_a_silence_of_several_wraps(tmp_path: Path) -> None:
    events = random_events(600)
    events["t"][200:] += 100_000_000
    events["t"][400:] += 21_000_000
    assert same(np.concatenate(list(open_recording(write(tmp_path / "a.raw", events)).chunks())), events)


def test_words_by_hand(tmp_path: Path) -> None:
    events = make_events([4096 + 16, 4096 + 16, 4096 + 17], [7, 3, 9], [30, 30, 31], [1, 0, 1])
    words = words_of(write(tmp_path / "a.raw", events))
    assert words == [0x8001, 0x6010, 30, 0x2807, 0x2003, 0x6011, 31, 0x2809]


@pytest.mark.parametrize(("n", "first", "words"), [(4, 100, 4), (5, 100, 4), (5, 635, 4), (32, 600, 4), (33, 100, 5)])
def test_vectors_come_in_threes_inside_the_sensor(tmp_path: Path, n: int, first: int, words: int) -> None:
    """The only ones that OpenEB takes."""
    events = make_events([5] * n, range(first, first + n), [7] * n, [1] * n)
    found = words_of(write(tmp_path / "a.raw", events))[3:]
    assert len(found) == words
    if n > 4:
        assert [word >> 12 for word in found[:4]] == [3, 4, 4, 5]
        assert found[0] & 0x7FF <= 640 - 32
        assert sum(bin(word & 0xFFF).count("1") for word in found[1:4]) == min(n, 32)


@pytest.mark.parametrize("column", [0, 1, 2, 3])
def test_a_vector_ends_where_anything_but_x_changes(tmp_path: Path, column: int) -> None:
    events = make_events([5] * 8, range(100, 108), [7] * 8, [1] * 8)
    name = ("t", "x", "y", "polarity")[column]
    events[name][4:] = {"t": 6, "x": np.arange(100, 104), "y": 8, "polarity": 0}[name]
    words = words_of(write(tmp_path / "a.raw", events))
    assert {word >> 12 for word in words} == {8, 6, 0, 2}
    assert same(np.concatenate(list(open_recording(tmp_path / "a.raw").chunks())), events)


def test_a_narrow_sensor_gets_no_vectors(tmp_path: Path) -> None:
    events = make_events([5] * 20, range(20), [7] * 20, [1] * 20)
    path = write(tmp_path / "a.raw", events, sensor=Sensor(20, 10))
    assert {word >> 12 for word in words_of(path)} == {8, 6, 0, 2}
    assert same(np.concatenate(list(open_recording(path).chunks())), events)


@pytest.mark.parametrize("buffer", [evt3_writing._MOST_WORDS, 11, 64])
def test_a_full_buffer_is_gone_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, buffer: int) -> None:
    monkeypatch.setattr(evt3_writing, "_BUFFER_WORDS", buffer)
    events = rows_of_events(600, 1000, 40_000_000)
    assert same(np.concatenate(list(open_recording(write(tmp_path / "a.raw", events)).chunks())), events)


def test_upper_times_are_written_so_that_no_reader_misses_a_wrap(tmp_path: Path) -> None:
    events = random_events(40)
    events["t"][20:] += 50_000_000
    high = [word & 0xFFF for word in words_of(write(tmp_path / "a.raw", events)) if word >> 12 == 8]
    for before, after in pairwise(high):
        assert 0 < after - before <= 1024 or (before, after) == (0xFFF, 0)


@pytest.mark.parametrize("high", [0x025, 0x125, 0xFFE, 0xFFF])
def test_the_first_word_is_no_text_and_no_wrap(tmp_path: Path, high: int) -> None:
    words = words_of(write(tmp_path / "a.raw", make_events([high << 12], [1], [2], [1])))
    assert words[0] & 0xFF != 0x25
    assert words[0] & 0xFFF < 0xFFE
    assert [word & 0xFFF for word in words if word >> 12 == 8][-1] == high


def test_what_is_said_before() -> None:
    info = SourceInfo("a", "a", "recording", SENSOR, (1 << 24) - 1, 1 << 30)
    assert evt3_writing.what_is_lost(info) == ()
    later = SourceInfo("a", "a", "recording", SENSOR, 1 << 24, 1 << 30)
    assert "t0" in evt3_writing.what_is_lost(later)[0]
    large = Sensor(2049, 1)
    for refused in (
        lambda: evt3_writing.what_is_lost(SourceInfo("a", "a", "recording", large, 0, 1)),
        lambda: evt3_writing.open_writer(Path("never.raw"), large),
    ):
        with pytest.raises(UsageError, match="at most 2048x2048"):
            refused()


def test_the_name_chooses_it() -> None:
    assert written_as(Path("a.raw")).name == "EVT3"
