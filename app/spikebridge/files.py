"""Files that are written whole or not at all.

A file is written under another name in the same folder, brought to the disk, and takes its place by one rename: whoever
reads the name finds what was there before or all of what is new, after a crash too. Writers of one name do not mix,
since each has a temporary file of its own; the last to finish stays.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from spikebridge.errors import InputError, SpikebridgeError

_FIX = "free some space or choose another place"
#: No writer holds a temporary file for so long.
_LEFT_AFTER_S = 3600.0


def write_whole(path: Path, content: bytes | str, *, what: str = "", fix: str = _FIX) -> None:
    """Writes ``content``, text as UTF-8, to ``path``; see ``replacement``."""
    with open_whole(path, what=what, fix=fix) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def open_whole(path: Path, *, what: str = "", fix: str = _FIX) -> Iterator[BinaryIO]:
    """A file to write to, which becomes ``path`` when the context ends without an error; see ``replacement``."""
    with replacement(path, what=what, fix=fix) as temporary, temporary.open("wb") as file:
        yield file


@contextmanager
def replacement(
    path: Path, *, what: str = "", fix: str = _FIX, error: type[SpikebridgeError] = InputError
) -> Iterator[Path]:
    """The path of an empty file that becomes ``path`` when the context ends without an error, for libraries that open
    files by name. After an error nothing of it is left, and what was at ``path`` stays as it was.

    what : for messages, such as "the labels". fix : what the user may do, for messages. A link is followed.
    Raises ``error`` for any OSError in the context, as its usual reason is that the file cannot be written.
    """
    try:
        target = _resolved(path)
        temporary = _create_beside(target)
        try:
            yield temporary
            _sync(temporary)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(target.parent)
    except OSError as failure:
        named = f"{what} {path}" if what else str(path)
        raise error(f"expected to write {named}, found: {failure.strerror or failure}; {fix}.") from failure


@contextmanager
def folder_replacement(path: Path) -> Iterator[Path]:
    """The path of an empty folder that becomes ``path`` when the context ends without an error.

    A folder that was there before is moved aside for the moment between two renames, and back if the second one fails.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary, aside = _name_beside(path), _name_beside(path)
    temporary.mkdir()
    try:
        yield temporary
        if path.exists():
            path.rename(aside)
        try:
            temporary.rename(path)
        except OSError:
            if aside.exists():
                aside.rename(path)
            raise
        shutil.rmtree(aside, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_leftovers(folder: Path, older_than_s: float = _LEFT_AFTER_S) -> None:
    """Removes the temporary files that writers have left in ``folder`` which were killed, SIGKILL or power failure.

    Younger files may belong to a writer at work.
    """
    for path in folder.glob(".spikebridge-*.part"):
        with suppress(OSError):
            if path.stat().st_mtime <= time.time() - older_than_s:
                path.unlink()


def _resolved(path: Path) -> Path:
    """Where ``path`` leads; raises OSError for what a rename must not replace, such as a device or a folder."""
    target = path.resolve()
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return target


def _name_beside(target: Path) -> Path:
    # Unguessable, so that nobody can have put a link there; short, since the target's own name may be of full length.
    return target.with_name(f".spikebridge-{secrets.token_hex(8)}.part")


def _create_beside(target: Path) -> Path:
    temporary = _name_beside(target)
    # As ``open`` creates files: the umask decides who may read it.
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    return temporary


def _sync(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    try:
        _sync(folder)
    except OSError as failure:
        # Some network file systems cannot sync a folder; the file is in its place all the same.
        if failure.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES):
            raise
