"""From a decoder that runs in order over the pieces of a file to a recording with random access."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import EventArray, empty_events
from spikebridge.sources import decoding
from spikebridge.sources.indexed import ChunkIndex, Contents, WrongIndexError

Piece = TypeVar("Piece")
State = NDArray[np.int64]
#: (piece, state, out) → number of events; writes them where ``out`` has room, see ``decoding``. Called from threads.
Run = Callable[[Piece, State, NDArray[np.void]], int]

_COUNT_ONLY = decoding.as_words(empty_events())
#: What a decoder counts besides good events; a chunk in order changes none of these.
_COUNTED = slice(decoding.CLAMPED, decoding.DAMAGED_BYTES + 1)


def scan(path: Path, pieces: Sequence[Piece], run: Run[Piece]) -> tuple[Contents, State]:
    """Runs over all pieces once, counting only; pieces without events get no chunk. With the decoder's last state.

    Raises InputError when more events lie outside the sensor than inside: then these are no events of that sensor.
    """
    state = decoding.new_state()
    kept: list[tuple[Piece, State]] = []
    rows: list[tuple[int, int, int]] = []
    for piece in pieces:
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

    def decode(number: int, out: EventArray) -> None:
        piece, before = kept[number]
        state = before.copy()
        n = run(piece, state, decoding.as_words(out))
        if (int(state[decoding.FIRST]), int(state[decoding.NEWEST]), n) != rows[number]:
            raise InputError(
                f"expected {path} to stay as it was opened, found {n} events where there were {rows[number][2]}; "
                "another program writes to it, open it again."
            )

    columns = np.array(rows, np.int64).reshape(-1, 3).T
    return Contents(ChunkIndex(columns[0], columns[1], columns[2]), decode), state


def take_on_trust(pieces: Sequence[Piece], run: Run[Piece], index: ChunkIndex) -> Contents:
    """Chunks for an index that the file itself gives, one for each piece, each checked when it is decoded.

    ``decode`` raises WrongIndexError for a chunk that is not as the index says or has anything odd about it. As long
    as it never does, everything is what ``scan`` would have found.
    """

    def decode(number: int, out: EventArray) -> None:
        state = decoding.new_state(int(index.last_us[number - 1]) if number else None)
        n = run(pieces[number], state, decoding.as_words(out))
        if (
            n != index.events[number]
            or state[decoding.FIRST] != index.first_us[number]
            or state[decoding.NEWEST] != index.last_us[number]
            or state[_COUNTED].any()
        ):
            raise WrongIndexError(f"expected {index.events[number]} events in order in chunk {number}, found others")

    return Contents(index, decode)


@njit(cache=True, nogil=True)
def group(sizes: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Where groups of neighbours begin whose sizes add up to ``most`` at most, and the number of all at the end.

    A size above ``most`` makes a group of its own.
    """
    starts = np.empty(sizes.size + 1, np.int64)
    n, total = 0, 0
    for i in range(sizes.size):
        if n == 0 or total + sizes[i] > most:
            starts[n] = i
            n, total = n + 1, 0
        total += sizes[i]
    starts[n] = sizes.size
    return starts[: n + 1]


def describe_state(state: State) -> tuple[str, ...]:
    """One sentence for each oddity that a decoder counted."""
    sentences = (
        (decoding.DAMAGED, "{} packets were damaged and skipped."),
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
