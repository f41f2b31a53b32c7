"""From a decoder that runs in order over the pieces of a file to a recording with random access."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import EventArray, empty_events
from spikebridge.sources import decoding
from spikebridge.sources.indexed import ChunkIndex

Piece = TypeVar("Piece")
State = NDArray[np.int64]
#: (piece, state, out) → number of events; writes them where ``out`` has room, see ``decoding``.
Run = Callable[[Piece, State, NDArray[np.int64]], int]

#: Pieces after which the pages of the file are given back; they count as memory of this process while mapped.
_PIECES_MAPPED = 32
_COUNT_ONLY = decoding.as_words(empty_events())


@dataclass(frozen=True, slots=True)
class Scan:
    """Result of one pass over a file. ``state`` is the decoder's after the last piece."""

    index: ChunkIndex
    decode: Callable[[int], EventArray]
    state: State


def scan(path: Path, data: NDArray[np.uint8], pieces: Sequence[Piece], run: Run[Piece]) -> Scan:
    """Runs over all pieces of ``data`` once, counting only; pieces without events get no chunk.

    Raises InputError when more events lie outside the sensor than inside: then these are no events of that sensor.
    """
    state = decoding.new_state()
    kept: list[tuple[Piece, State]] = []
    rows: list[tuple[int, int, int]] = []
    for number, piece in enumerate(pieces):
        if number % _PIECES_MAPPED == 0:
            _forget_pages(data)
        before = state.copy()
        n = run(piece, state, _COUNT_ONLY)
        if n:
            kept.append((piece, before))
            rows.append((int(state[decoding.FIRST]), int(state[decoding.NEWEST]), n))

    n_events = sum(row[2] for row in rows)
    if (n_outside := int(state[decoding.OUTSIDE])) > n_events:
        raise InputError(
            f"expected {path} to hold events of the sensor that its header names, found {n_outside} outside it and "
            f"{n_events} inside; the file is damaged or its header wrong, copy or convert it again."
        )

    def decode(number: int) -> EventArray:
        if number % _PIECES_MAPPED == 0:
            _forget_pages(data)
        piece, before = kept[number]
        events = empty_events(rows[number][2])
        run(piece, before.copy(), decoding.as_words(events))
        return events

    columns = np.array(rows, np.int64).reshape(-1, 3).T
    return Scan(ChunkIndex(columns[0], columns[1], columns[2]), decode, state)


def map_bytes(path: Path) -> NDArray[np.uint8]:
    """The file as read-only (n,) uint8 in mapped memory; it stays mapped as long as the array lives."""
    with path.open("rb") as file:
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)


def _forget_pages(data: NDArray[np.uint8]) -> None:
    """Unmaps what was read of a mapped file, where the system can; the next read maps it again."""
    mapped = data.base.obj if isinstance(data.base, memoryview) else None
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def describe_state(state: State) -> tuple[str, ...]:
    """One sentence for each oddity that a decoder counted."""
    sentences = (
        (decoding.CLAMPED, "Time ran backwards at {} events; each got the newest time before it."),
        (decoding.RESETS, "The camera's clock was reset {} times; time goes on from the newest event before it."),
        (decoding.OUTSIDE, "{} events lay outside the sensor and were dropped."),
        (decoding.INVALID, "{} events were marked invalid and were dropped."),
    )
    return tuple(sentence.format(state[slot]) for slot, sentence in sentences if state[slot])


def streams_of(state: State) -> tuple[str, ...]:
    """Names of the streams that a decoder met, ``events`` first."""
    others = ((decoding.FRAMES, "frames"), (decoding.IMU, "imu"), (decoding.SPECIAL, "triggers"))
    return ("events", *(name for slot, name in others if state[slot]))
