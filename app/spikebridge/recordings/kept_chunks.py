"""What was found in large recordings, kept in the user's cache for the next start.

A file for each recording: its name says of which one, and by which version of the readers. It begins with the SHA-256
of what follows, arrays of numbers in numpy's own format; what does not fit is not used. Nothing here ever fails: what
cannot be kept or found is made anew.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import zipfile
from contextlib import suppress
from dataclasses import astuple
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import SpikebridgeError
from spikebridge.files import make_folder, write_whole
from spikebridge.recordings.chunks import ChunkIndex, KeptChunks, Oddities, OddPlace
from spikebridge.settings import ReadSettings

#: At most so many recordings are kept, the oldest go first.
_MOST = 64
#: A recording that takes more is not kept, bytes.
_LARGEST_BYTES = 64 << 20
_ARRAYS = ("pieces", "piece_ends", "states", "state_ends")
_SUFFIX = ".chunks"
_DIGEST_BYTES = hashlib.sha256().digest_size


class KeptFile:
    """chunks.Keeper of one recording, as it is now: what is kept of it is never taken for another one.

    settings : by which it is read.
    """

    def __init__(self, path: Path, settings: ReadSettings) -> None:
        self._path, self._settings = path, settings
        self._which = self._now()

    def find(self) -> KeptChunks | None:
        """What was kept; None where nothing can be used."""
        if (place := self._place()) is None:
            return None
        try:
            content = place.read_bytes()
            os.utime(place)  # those that were not used for the longest time go first
        except OSError:
            return None
        body = memoryview(content)[_DIGEST_BYTES:]
        if hashlib.sha256(body).digest() != content[:_DIGEST_BYTES]:
            return None
        try:
            return _unpack(body)
        except (ValueError, KeyError, TypeError, zipfile.BadZipFile):
            return None

    def keep(self, chunks: KeptChunks) -> None:
        """Keeps them, unless the recording has changed meanwhile."""
        if self._which != self._now() or (place := self._place()) is None:
            return
        body = _pack(chunks)
        if len(body) > _LARGEST_BYTES:
            return
        with suppress(SpikebridgeError):
            make_folder(place.parent)
            write_whole(place, hashlib.sha256(body).digest() + body)
            _throw_out(place.parent)

    def _now(self) -> tuple[str, int, int, int] | None:
        """Of the recording as it is now; None where there is none."""
        try:
            path = self._path.resolve()
            found = path.stat()
        except (OSError, RuntimeError):
            return None
        # The time of the last change of any kind as well: a copy can be given the time of the file it replaces.
        return str(path), found.st_size, found.st_mtime_ns, found.st_ctime_ns

    def _place(self) -> Path | None:
        """The file for it; None where there can be none."""
        if self._which is None:
            return None
        which = repr((*self._which, self._settings, _readers())).encode("utf-8", "surrogateescape")
        try:
            return folder() / (hashlib.sha256(which).hexdigest()[:40] + _SUFFIX)
        except RuntimeError:  # the user has no home
            return None


def folder() -> Path:
    """Where they are kept (XDG base directories; on macOS the user's caches)."""
    caches = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    return Path(os.environ.get("XDG_CACHE_HOME") or caches) / "spikebridge" / "recordings"


@cache
def _readers() -> str:
    """Of the code that reads: another version may find other chunks."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).resolve().parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _pack(chunks: KeptChunks) -> bytes:
    oddities = chunks.oddities
    words = {
        "dropped": oddities.dropped,
        "out_of_order": oddities.out_of_order,
        "skipped_bytes": oddities.skipped_bytes,
        "truncated": oddities.truncated,
        "notes": oddities.notes,
        "samples": dict(oddities.samples),
        "ends_with_piece": chunks.ends_with_piece,
        "places": [astuple(place) for place in chunks.places],
    }
    body = io.BytesIO()
    index = np.array([chunks.index.first_us, chunks.index.last_us, chunks.index.events], np.int64)
    text = np.frombuffer(json.dumps(words).encode(), np.uint8)
    arrays = {name: getattr(chunks, name) for name in _ARRAYS}
    np.savez_compressed(body, index=index, words=text, **arrays)
    return body.getvalue()


def _unpack(body: memoryview) -> KeptChunks:
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        index: NDArray[np.int64] = arrays["index"]
        words = json.loads(arrays["words"].tobytes())
        ends_with_piece = bool(words.pop("ends_with_piece"))
        places = tuple(OddPlace(*place) for place in words.pop("places"))
        oddities = Oddities(**{**words, "notes": tuple(words["notes"])})
        others = {name: arrays[name] for name in _ARRAYS}
        return KeptChunks(ChunkIndex(*index), oddities, **others, places=places, ends_with_piece=ends_with_piece)


def _throw_out(place: Path) -> None:
    with suppress(OSError):
        kept = sorted(place.glob(f"*{_SUFFIX}"), key=lambda file: file.stat().st_mtime_ns)
        for file in kept[:-_MOST]:
            file.unlink()
