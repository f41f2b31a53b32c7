"""What is kept of a large recording: used for exactly that one, ignored where anything is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from large import EVENTS, PIECE_EVENTS, large_aedat3_file, large_file, treat_as_large

from recording_files import same
from spikebridge.events import EventArray
from spikebridge.recordings import kept_chunks, open_recording
from spikebridge.recordings.indexed import ChunkIndex, IndexedRecording
from spikebridge.recordings.kept_chunks import folder
from spikebridge.settings import ReadSettings


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    treat_as_large(monkeypatch, tmp_path / "cache")
    events = EVENTS.copy()
    events["t"][698:703] -= 998_999  # strays, held across the border of a piece
    events["t"][1500] -= 500
    events["t"][-1] += 60_000_000  # held as well, to the end of the file
    return large_file(tmp_path, events)


def kept() -> list[Path]:
    return sorted(folder().glob("*"))


def complete(path: Path) -> EventArray:
    with closing(open_recording(path)) as recording:
        assert recording.progress < 1
        recording.complete()
        return everything(recording)


def everything(recording: IndexedRecording) -> EventArray:
    return np.concatenate(list(recording.chunks()))


def test_the_next_start_knows_all_at_once(path: Path) -> None:
    with closing(open_recording(path)) as recording:
        recording.complete()
        places = recording.places
    assert recording.places == places
    assert [place.out_of_order for place in places] == [5, 1]
    events = everything(open_recording(path))
    assert len(kept()) == 1
    assert kept()[0].is_relative_to(path.parent / "cache" / "spikebridge")
    with closing(open_recording(path)) as recording:
        assert recording.progress == 1
        assert recording.n_events == 2000
        assert same(everything(recording), events)
        counters = recording.counters()
        assert counters.out_of_order == 5 + 1
        assert recording.places == places
        assert len(counters.notes) == 2
        t_us = int(events["t"][702])
        assert same(recording.read(t_us, t_us + 1000), events[(events["t"] >= t_us) & (events["t"] < t_us + 1000)])


def test_of_pieces_that_were_found_by_walking_each_one_is_kept(path: Path) -> None:
    path = large_aedat3_file(path.parent)
    complete(path)
    with closing(open_recording(path)) as recording:
        assert recording.progress == 1
        assert recording.samples == {"frames": 20, "imu": 30}
        t_us = int(EVENTS["t"][1500])
        assert same(recording.read(t_us, t_us + 900), EVENTS[(EVENTS["t"] >= t_us) & (EVENTS["t"] < t_us + 900)])
        assert same(everything(recording), EVENTS)


def test_the_thread_keeps_it_too(path: Path) -> None:
    with closing(open_recording(path)) as recording:
        recording.index_in_background()
        assert recording._background is not None
        recording._background.join(10)
    assert len(kept()) == 1


def test_what_was_not_gone_over_to_the_end_is_not_kept(path: Path) -> None:
    with closing(open_recording(path)) as recording:
        recording.read(0, 20_000)
    assert kept() == []


def changed_in_size(path: Path) -> None:
    with path.open("ab") as file:
        file.write(bytes(8))


def touched(path: Path) -> None:
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


def overwritten_with_the_same_time(path: Path) -> None:
    before = path.stat()
    others = EVENTS.copy()
    others["t"][1700:] += 5
    large_file(path.parent, others)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size


@pytest.mark.parametrize("change", [changed_in_size, touched, overwritten_with_the_same_time])
def test_of_a_file_that_was_changed_it_is_not_used(path: Path, change: Callable[[Path], None]) -> None:
    complete(path)
    change(path)
    with closing(open_recording(path)) as recording:
        assert recording.progress < 1


def test_of_a_file_that_changes_meanwhile_nothing_is_kept(path: Path) -> None:
    with closing(open_recording(path)) as recording:
        touched(path)
        recording.complete()
    assert kept() == []


def test_by_other_settings_or_another_reader_it_is_not_used(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    complete(path)
    with closing(open_recording(path, ReadSettings(time_unit="ms"))) as recording:
        assert recording.progress < 1
    monkeypatch.setattr(kept_chunks, "_readers", lambda: "another")
    with closing(open_recording(path)) as recording:
        assert recording.progress < 1


def test_a_link_to_the_file_is_the_file(path: Path) -> None:
    link = path.with_name("link.aedat")
    link.symlink_to(path)
    # A link changes nothing of the file it leads to.
    complete(path)
    with closing(open_recording(link)) as recording:
        assert recording.progress == 1


@pytest.mark.parametrize("place", [0, 10, 32, 40, 300, -30, -1])
def test_a_damaged_one_is_ignored_and_made_anew(path: Path, place: int) -> None:
    events = complete(path)
    content = bytearray(kept()[0].read_bytes())
    content[place] ^= 1
    kept()[0].write_bytes(content)
    assert same(complete(path), events)
    with closing(open_recording(path)) as recording:
        assert recording.progress == 1


@pytest.mark.parametrize("n_bytes", [0, 5, 32, 33, 500])
def test_one_that_was_cut_is_ignored(path: Path, n_bytes: int) -> None:
    complete(path)
    os.truncate(kept()[0], n_bytes)
    with closing(open_recording(path)) as recording:
        assert recording.progress < 1


def test_one_that_does_not_fit_is_ignored(path: Path) -> None:
    """Of the right name and whole, but of other pieces: written by a fault, or by hand."""
    complete(path)
    with closing(open_recording(path)) as recording:
        chunks = recording._known
    keeper = kept_chunks.KeptFile(path, ReadSettings())
    found = keeper.find()
    assert found is not None
    assert np.array_equal(found.index.events, chunks.index.events)
    later = ChunkIndex(found.index.first_us + 1, found.index.last_us + 1, found.index.events)
    for wrong in (
        {"index": later},
        {"pieces": found.pieces + 5},
        {"pieces": found.pieces[1:]},
        {"state_ends": found.state_ends + 1},
    ):
        values = {name: getattr(found, name) for name in found.__slots__} | wrong
        keeper.keep(type(found)(**values))
        with closing(open_recording(path)) as recording:
            assert recording.progress < 1


def test_where_nothing_can_be_written_it_is_played_all_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (path.parent / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(path.parent / "file"))
    assert complete(path).size == 2000
    assert complete(path).size == 2000


def test_the_oldest_go_when_there_are_too_many(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_chunks, "_MOST", 2)
    names = [path]
    for number in range(2):
        names.append(path.with_name(f"{number}.aedat"))
        names[-1].write_bytes(path.read_bytes())
    complete(names[0])
    first = kept()[0]
    complete(names[1])
    second = next(file for file in kept() if file != first)
    os.utime(first, (1, 1))
    os.utime(second, (2, 2))
    with closing(open_recording(names[0])) as recording:
        assert recording.progress == 1  # used last
    complete(names[2])
    assert len(kept()) == 2
    assert first in kept()
    assert second not in kept()


def test_a_very_large_one_is_not_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_chunks, "_LARGEST_BYTES", 100)
    complete(path)
    assert kept() == []


def test_states_take_little_room(path: Path) -> None:
    complete(path)
    found = kept_chunks.KeptFile(path, ReadSettings()).find()
    assert found is not None
    n_chunks = -(-2000 // PIECE_EVENTS)
    assert found.state_ends.size == n_chunks
    # One of them holds strays, the others nothing.
    sizes = np.diff(np.concatenate(([0], found.state_ends)))
    assert sorted(set(sizes.tolist())) == [21, 165]
    assert np.count_nonzero(sizes == 165) == 1
