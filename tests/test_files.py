"""Files are written whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from spikebridge.errors import InputError, UsageError
from spikebridge.files import folder_replacement, open_whole, remove_leftovers, replacement, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_text_and_bytes_arrive_and_nothing_else(tmp_path):
    write_whole(tmp_path / "a.txt", "1 → 2\n")
    write_whole(tmp_path / "b.bin", b"\x00\xff")
    assert (tmp_path / "a.txt").read_bytes() == "1 → 2\n".encode()
    assert (tmp_path / "b.bin").read_bytes() == b"\x00\xff"
    assert names(tmp_path) == ["a.txt", "b.bin"]


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    with open_whole(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def fail_half_way(opened, failure: BaseException) -> None:
    with opened as place:
        if isinstance(place, Path):
            (place / "half" if place.is_dir() else place).write_text("half")
        else:
            place.write(b"half")
        raise failure


@pytest.mark.parametrize("failure", [RuntimeError("no"), KeyboardInterrupt()])
def test_after_an_error_all_is_as_before(tmp_path, failure):
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(type(failure)):
        fail_half_way(open_whole(path), failure)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a"]


def test_a_full_disk_is_one_sentence(tmp_path):
    path, full = tmp_path / "a", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(InputError, match=r"expected to write the labels .*/a, found: No space left.*; free some") as e:
        fail_half_way(open_whole(path, what="the labels"), full)
    assert e.value.__cause__ is full
    with pytest.raises(UsageError, match="look elsewhere"):
        fail_half_way(replacement(path, fix="look elsewhere", error=UsageError), full)
    assert names(tmp_path) == []


def test_a_rename_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def refuse(self, target):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(InputError, match="Input/output error"):
        write_whole(tmp_path / "a", "text")
    assert names(tmp_path) == []


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_umask_decides_who_may_read(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_whole(tmp_path / "a", "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


def test_the_data_is_on_the_disk_before_the_name_and_the_name_after(tmp_path, monkeypatch):
    done: list[str] = []
    replace = Path.replace
    monkeypatch.setattr(os, "fsync", lambda fd: done.append(f"sync {Path(f'/proc/self/fd/{fd}').resolve().suffix}"))
    monkeypatch.setattr(Path, "replace", lambda self, to: (done.append("rename"), replace(self, to)))
    write_whole(tmp_path / "a", "text")
    assert done == ["sync .part", "rename", "sync "]


def test_writers_of_one_name_have_files_of_their_own(tmp_path):
    path = tmp_path / "a"
    with open_whole(path) as first, open_whole(path) as second:
        assert first.name != second.name
        first.write(b"first" * 100)
        second.write(b"second")
    assert path.read_bytes() == b"first" * 100  # the last to finish
    assert names(tmp_path) == ["a"]


WRITER = """
import sys
from pathlib import Path
from spikebridge.files import write_whole

path, letter = Path(sys.argv[1]), sys.argv[2]
for n in range(100):
    write_whole(path, letter * (50_000 + n))
"""


def test_a_reader_never_sees_a_mixture_of_two_writers(tmp_path):
    path = tmp_path / "a"
    write_whole(path, "ab"[0] * 50_000)
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, path, letter]) for letter in "xy"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        text = path.read_text()
        assert len(text) >= 50_000
        assert len(set(text)) == 1
        seen.add(text[0])
    assert [writer.wait() for writer in writers] == [0, 0]
    assert seen & {"x", "y"}
    assert names(tmp_path) == ["a"]


def test_a_link_is_followed_and_a_device_is_not_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there/file")
    write_whole(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there/file").read_text() == "text"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="not a regular file"):
        write_whole(tmp_path / "pipe", "text")
    with pytest.raises(InputError, match="Is a directory"):
        write_whole(tmp_path / "there", "text")
    with pytest.raises(InputError, match="No such file or directory"):
        write_whole(tmp_path / "nowhere/file", "text")
    assert names(tmp_path) == ["link", "pipe", "there"]


def test_a_name_of_full_length_is_written(tmp_path):
    write_whole(tmp_path / ("n" * 255), "text")
    assert names(tmp_path) == ["n" * 255]


def test_a_folder_is_replaced_whole(tmp_path):
    folder = tmp_path / "deep/bundle"
    with folder_replacement(folder) as new:
        (new / "one").write_text("1")
    with folder_replacement(folder) as new:
        (new / "two").write_text("2")
        assert names(folder) == ["one"]
    assert names(folder) == ["two"]
    with pytest.raises(RuntimeError):
        fail_half_way(folder_replacement(folder), RuntimeError())
    assert names(folder) == ["two"]
    assert names(tmp_path / "deep") == ["bundle"]


def test_a_folder_comes_back_when_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    folder = tmp_path / "bundle"
    rename = Path.rename

    def replace() -> None:
        with folder_replacement(folder) as new:
            (new / str(len(names(tmp_path)))).touch()

    def refuse(self, target):
        if (self / "2").exists():
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    replace()
    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(InputError, match="Input/output error"):
        replace()
    assert names(folder) == ["1"]
    assert names(tmp_path) == ["bundle"]


def test_what_killed_writers_left_is_removed_once_it_is_old(tmp_path):
    old, young, other = (tmp_path / name for name in (".spikebridge-1.part", ".spikebridge-2.part", ".mine.part"))
    for path in (old, young, other):
        path.touch()
    os.utime(old, (0, 0))
    remove_leftovers(tmp_path)
    assert names(tmp_path) == [".mine.part", ".spikebridge-2.part"]
    remove_leftovers(tmp_path, older_than_s=0)
    assert names(tmp_path) == [".mine.part"]
    remove_leftovers(tmp_path / "nowhere")


def test_a_killed_writer_leaves_the_old_file(tmp_path):
    """And a temporary one, which ``remove_leftovers`` takes for its own."""
    path = tmp_path / "a"
    path.write_text("old")
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom spikebridge.files import open_whole\n"
        "with open_whole(Path(sys.argv[1])) as file:\n"
        "    file.write(b'half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, path], check=False)
    assert path.read_text() == "old"
    assert len(names(tmp_path)) == 2
    remove_leftovers(tmp_path, older_than_s=0)
    assert names(tmp_path) == ["a"]
