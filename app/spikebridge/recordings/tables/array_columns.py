"""Columns of numbers of any type and place in files, and what their rows are as events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Compiled into what is kept for this file. numba looks at its time alone: save it after a change of the others.
from spikebridge.recordings.ordering import BLOCK, OUTSIDE, STATE_SIZE, WORDS_DTYPE, block_for, give_block
from spikebridge.recordings.recording_file import RecordingFile, Scratch
from spikebridge.recordings.tables.cells import P, T, X, Y

#: Slots of the state behind those of ``ordering``: rows that are no event, and all.
BAD_ROWS, ROWS = STATE_SIZE, STATE_SIZE + 1
EXTRA_SLOTS = 2
#: In place of a number that is none, or no whole one.
_NONE = np.iinfo(np.int64).min
_MOST = 1 << 62


class Block(NamedTuple):
    """Rows of ``stride`` bytes, from byte ``at`` of a file on."""

    file: RecordingFile
    at: int
    stride: int


class Column(NamedTuple):
    """A number in each row of a block, at byte ``offset`` of the row."""

    block: Block
    offset: int
    dtype: np.dtype[np.generic]


@dataclass(frozen=True, slots=True)
class Columns:
    """Four columns in the order of ``decoding.T`` and so on. power : of ten by which time is multiplied to be µs."""

    columns: tuple[Column, ...]
    power: int = 0
    scratch: Scratch = field(default_factory=Scratch)

    def numbers(self, start: int, n: int) -> list[NDArray[np.generic]]:
        """Each column as (n,) numbers of its own type, from row ``start`` on; valid until the thread's next call."""
        blocks = dict.fromkeys(column.block for column in self.columns)
        sizes = [-(-n * block.stride // 16) * 16 for block in blocks]
        memory = self.scratch.of(sum(sizes))
        rows: dict[Block, NDArray[np.uint8]] = {}
        for block, size, end in zip(blocks, sizes, np.cumsum(sizes).tolist(), strict=True):
            rows[block] = memory[end - size : end - size + n * block.stride]
            block.file.read_into(rows[block].data, block.at + start * block.stride)
        return [
            np.ndarray((n,), column.dtype, rows[column.block].data, column.offset, (column.block.stride,))
            for column in self.columns
        ]

    def decode(self, start: int, n: int, size: tuple[int, int], state: NDArray[np.int64], out: NDArray[np.void]) -> int:
        """Gives out the events in ``n`` rows; returns how many they are."""
        raw = self.numbers(start, n)
        t, (x, y, p) = _times(raw[T], self.power), (_whole(raw[kind]) for kind in (X, Y, P))
        return int(_give_rows(t, x, y, p, size, state, out))


def _whole(numbers: NDArray[np.generic]) -> NDArray[np.int64]:
    """As int64, with _NONE for those that are no whole numbers."""
    if numbers.dtype.kind == "f":
        return _rounded(numbers.astype(np.float64), rounds=False)
    whole = numbers.astype(np.int64)
    if numbers.dtype == np.uint64:
        whole[whole < 0] = _NONE
    return whole


def _times(numbers: NDArray[np.generic], power: int) -> NDArray[np.int64]:
    """In µs, half of one is rounded up; _NONE for those that are no time."""
    factor = 10 ** abs(power)
    if numbers.dtype.kind == "f":
        exact = numbers.astype(np.float64)
        return _rounded(exact * factor if power >= 0 else exact / factor, rounds=True)
    whole = _whole(numbers)
    if power == 0:
        return whole
    none = (whole == _NONE) | ((whole > _MOST // factor) | (whole < -_MOST // factor) if power > 0 else False)
    times: NDArray[np.int64] = whole * factor if power > 0 else (whole + factor // 2) // factor
    times[none] = _NONE
    return times


def _rounded(numbers: NDArray[np.float64], rounds: bool) -> NDArray[np.int64]:
    with np.errstate(invalid="ignore"):
        floor = np.floor(numbers + 0.5) if rounds else np.floor(numbers)
        good = np.abs(numbers) < _MOST
        if not rounds:
            good &= floor == numbers
    whole: NDArray[np.int64] = np.where(good, floor, 0).astype(np.int64)
    whole[~good] = _NONE
    return whole


@njit(cache=True, nogil=True)
def _give_rows(
    t: NDArray[np.int64],
    x: NDArray[np.int64],
    y: NDArray[np.int64],
    p: NDArray[np.int64],
    size: tuple[int, int],
    state: NDArray[np.int64],
    out: NDArray[np.void],
) -> int:
    spare = np.empty(BLOCK, WORDS_DTYPE)
    width, height = size
    n = 0
    for start in range(0, t.size, BLOCK):
        stop = min(start + BLOCK, t.size)
        block = block_for(state, n, stop - start, out, spare)
        for i in range(start, stop):
            word = x[i] | y[i] << 16 | np.int64(p[i] == 1) << 32
            if x[i] < 0 or x[i] >= width or y[i] < 0 or y[i] >= height:
                word = np.int64(-OUTSIDE)
            if t[i] == _NONE or x[i] == _NONE or y[i] == _NONE or p[i] < -1 or p[i] > 1:
                word = np.int64(-BAD_ROWS)
            block[i - start].t = t[i]
            block[i - start].rest = word
        n = give_block(state, block, False, n, out)
    state[ROWS] += t.size
    return n
