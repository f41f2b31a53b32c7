"""Files that are read in one go, and written whole or not at all.

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


def read_text(path: Path) -> str:
    """The UTF-8 text in ``path``; raises InputError where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        reason = failure.strerror if isinstance(failure, OSError) else "no UTF-8"
        raise InputError(f"expected a text at {path}, found: {reason}; check the path.") from failure


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
        sync_folder(target.parent)
    except OSError as failure:
        raise _unwritable(f"{what} {path}" if what else str(path), failure, fix, error) from failure


@contextmanager
def folder_replacement(path: Path) -> Iterator[Path]:
    """The path of an empty folder that becomes ``path`` when the context ends without an error.

    A folder that was there before is moved aside for the moment between two renames, and back if the second one fails.
    Raises InputError for any OSError in the context.
    """
    make_folder(path.parent)
    temporary, aside = _name_beside(path), _name_beside(path)
    try:
        temporary.mkdir()
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
    except OSError as failure:
        raise _unwritable(str(path), failure) from failure
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def make_folder(folder: Path) -> None:
    """Makes a folder, and those above it where they are missing; raises InputError where that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise InputError(
            f"expected a folder at {folder}, found: {failure.strerror or failure}; choose another place."
        ) from failure


def remove_leftovers(folder: Path, older_than_s: float = _LEFT_AFTER_S) -> None:
    """Removes the temporary files that writers have left in ``folder`` which were killed, SIGKILL or power failure.

    Younger files may belong to a writer at work.
    """
    for path in folder.glob(".spikebridge-*.part"):
        with suppress(OSError):
            if path.stat().st_mtime <= time.time() - older_than_s:
                path.unlink()


def _unwritable(
    named: str, failure: OSError, fix: str = _FIX, error: type[SpikebridgeError] = InputError
) -> SpikebridgeError:
    return error(f"expected to write {named}, found: {failure.strerror or failure}; {fix}.")


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


def sync_folder(folder: Path) -> None:
    """Brings to the disk which names are in a folder."""
    try:
        _sync(folder)
    except OSError as failure:
        # Some network file systems cannot sync a folder; the file is in its place all the same.
        if failure.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES):
            raise
