"""The bytes of a recording, read on demand."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError

#: What lies between two pieces is read with them up to so many bytes, faster than by another call of the system.
_GAP_BYTES = 4096


class RecordingFile:
    """An open file, read into memory of the caller; several threads may read at once.

    Not a memory map: of a file that shrinks while it is mapped, reading ends the process (SIGBUS), and what was read
    of a map counts as this process's memory until it is given back. The price is one copy out of the page cache.
    Closed when the last who holds it is gone.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._fd = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise _refused(path, error) from error
        weakref.finalize(self, os.close, self._fd)
        self.path = path
        self.size = os.fstat(self._fd).st_size

    def read(self, at: int, n: int) -> bytes:
        """``n`` bytes from byte ``at``, fewer at the end of the file."""
        content = bytearray(max(0, min(n, self.size - at)))
        self.read_into(memoryview(content), at)
        return bytes(content)

    def read_into(self, target: memoryview, at: int) -> None:
        """Fills ``target`` from byte ``at``; InputError where the file ends before."""
        done = 0
        while done < len(target):
            n = self._read_some(target[done:], at + done)
            if not n:
                raise InputError(
                    f"expected {len(target)} bytes at byte {at} of {self.path}, found {done}; the file was cut while "
                    "it was read, copy it again."
                )
            done += n

    def _read_some(self, target: memoryview, at: int) -> int:
        try:
            return os.preadv(self._fd, [target], at)
        except OSError as error:
            raise _refused(self.path, error) from error


class Scratch(threading.local):
    """Memory that a thread uses again for every piece it reads; each thread has its own."""

    def __init__(self) -> None:
        self._words = np.empty(0, np.int64)

    def of(self, n: int) -> NDArray[np.uint8]:
        """At least ``n`` bytes, which begin where a 64-bit number may; what was in them is lost."""
        if self._words.nbytes < n:
            self._words = np.empty(-(-n // 8), np.int64)
        return self._words.view(np.uint8)


def read_pieces(
    file: RecordingFile, at: Sequence[int], sizes: Sequence[int], scratch: Scratch
) -> tuple[NDArray[np.uint8], list[int]]:
    """Memory that holds pieces of a file, ``sizes[i]`` bytes from byte ``at[i]``, and where in it each one begins.

    at : ascending. Pieces that lie close together are read at once, with what is between them.
    """
    places: list[int] = []
    runs: list[list[int]] = []  # byte of the file, place, size
    place, end = 0, -_GAP_BYTES
    for begin, size in zip(at, sizes, strict=True):
        if begin - end < _GAP_BYTES:
            place += begin - end
        else:
            place += -place % 16  # where a 64-bit number may begin
            runs.append([begin, place, 0])
        places.append(place)
        place, end = place + size, begin + size
        runs[-1][2] = end - runs[-1][0]
    data = scratch.of(place)
    memory = data.data
    for begin, place, size in runs:
        file.read_into(memory[place : place + size], begin)
    return data, places


def _refused(path: Path, error: OSError) -> InputError:
    return InputError(f"expected to read {path}, found: {error.strerror}; check the file and the disk it is on.")
