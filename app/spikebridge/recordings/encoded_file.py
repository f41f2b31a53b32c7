"""A file of events being written by an encoder: it appears under its name when it is closed, and not at all after an
error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Protocol, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.errors import CancelledError, InputError
from spikebridge.events import EventArray, Sensor
from spikebridge.files import make_folder, open_whole
from spikebridge.recordings.ordering import as_words

_WholeFile = TypeVar("_WholeFile", bound="WholeFile")


class Encoder(Protocol):
    """The bytes of one format."""

    def begin(self, first_us: int) -> bytes:
        """What comes before the events, the first of which is at ``first_us``; 0 where there is none."""
        ...

    def encode(self, words: NDArray[np.void]) -> Iterator[bytes]:
        """The bytes of (N,) ``ordering.as_words``, whose second word holds nothing but x, y and polarity."""
        ...


class WholeFile:
    """A file that is being written; use it as a context manager, or call ``close`` or ``abort``.

    See ``files.replacement`` for how it takes its name. Raises InputError where it can't be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        make_folder(path.parent)
        self._stack = ExitStack()
        self._file = self._stack.enter_context(open_whole(path, what="the recording"))

    def close(self) -> None:
        """Gives the file its name."""
        self._stack.close()

    def abort(self) -> None:
        """Leaves nothing behind; after ``close`` it does nothing."""
        self._leave(CancelledError("the recording is not wanted any more"))

    def __enter__(self: _WholeFile) -> _WholeFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.abort()

    def _put(self, content: bytes | memoryview, at: int | None = None) -> None:
        """Appends, or writes at a byte that was written before, which ends the file."""
        try:
            if at is not None:
                self._file.seek(at)
            self._file.write(content)
        except OSError as error:
            self._leave(error)

    def _leave(self, error: BaseException) -> None:
        """Ends as ``files.open_whole`` does with an error inside: nothing stays, an OSError becomes an InputError."""
        self._stack.__exit__(type(error), error, error.__traceback__)


class EncodedFile(WholeFile):
    """A ``formats.EventWriter`` for an encoder."""

    def __init__(self, path: Path, sensor: Sensor, encoder: Encoder) -> None:
        super().__init__(path)
        self._sensor, self._encoder = sensor, encoder
        self._last_us: int | None = None

    def write(self, events: EventArray) -> None:
        """Appends events, sorted by time and not before those already written."""
        if not events.size:
            return
        first_us = int(events["t"][0])
        words = np.empty(events.size, as_words(events[:0]).dtype)
        last_us = _copy_words(np.ascontiguousarray(events), first_us if self._last_us is None else self._last_us, words)
        if last_us < 0:
            raise ValueError("expected events from 0 µs on, in order and after those before, got others")
        if not _are_inside(words, self._sensor.width, self._sensor.height):
            raise InputError(
                f"expected events inside {self._sensor.width}x{self._sensor.height} px to write {self.path}, found "
                "some outside; give the size of the sensor."
            )
        if self._last_us is None:
            self._put(self._encoder.begin(first_us))
        self._last_us = last_us
        for content in self._encoder.encode(words):
            self._put(content)

    def close(self) -> None:
        """Gives the file its name."""
        if self._last_us is None:
            self._put(self._encoder.begin(0))
        super().close()


def header_lines(fields: dict[str, str]) -> bytes:
    """The header of RAW and DAT: lines of ``% key value`` up to ``% end``, in ASCII, keys without a value left out."""
    lines = [f"% {key} {' '.join(value.split())}" for key, value in fields.items() if value.split()]
    return "\n".join([*lines, "% end", ""]).encode("ascii", "replace")


@njit(cache=True, nogil=True)
def _copy_words(events: EventArray, before_us: int, words: NDArray[np.void]) -> int:
    """Copies events as words; returns the time of the last one, below zero where they are not in order or before 0."""
    for i in range(events.shape[0]):
        t = events[i].t
        if t < before_us or t < 0:
            return -1
        before_us = t
        words[i].t = t
        words[i].rest = np.int64(events[i].x) | np.int64(events[i].y) << 16 | np.int64(events[i].polarity != 0) << 32
    return int(before_us)


@njit(cache=True, nogil=True)
def _are_inside(words: NDArray[np.void], width: int, height: int) -> bool:
    odd = np.int64(0)  # below zero as soon as one is outside
    for i in range(words.shape[0]):
        rest = words[i].rest
        odd |= (width - 1 - (rest & 0xFFFF)) | (height - 1 - (rest >> 16 & 0xFFFF))
    return bool(odd >= 0)
