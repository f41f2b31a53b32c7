"""From a decoder that runs in order over the pieces of a file to a recording with random access."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import EventArray, empty_events
from spikebridge.recordings import ordering
from spikebridge.recordings.indexed import ChunkIndex, Contents, Oddities, WrongIndexError

Piece = TypeVar("Piece")
State = NDArray[np.int64]
#: (piece, state, out) → number of events; writes them where ``out`` has room, see ``ordering``. Called from threads.
Run = Callable[[Piece, State, NDArray[np.void]], int]

_COUNT_ONLY = ordering.as_words(empty_events())
#: What a decoder counts besides good events; a chunk in order changes none of these.
_COUNTED = slice(ordering.CLAMPED, ordering.DAMAGED_BYTES + 1)


@dataclass(frozen=True, slots=True)
class Scan(Generic[Piece]):
    """A file as pieces that a decoder goes over in order, once to count and then each one whenever it is asked for.

    pieces : of about CHUNK_EVENTS events each. run : the decoder. report : what its state at the end of the file
    means. before : state before the first piece. shared : whether several threads decode faster than one.
    """

    path: Path
    pieces: Sequence[Piece]
    run: Run[Piece]
    report: Callable[[State], Oddities]
    before: State = field(default_factory=ordering.new_state)
    shared: bool = True

    def measure(self) -> Contents:
        """Runs over all pieces once, counting only; pieces without events get no chunk.

        Raises InputError when more events lie outside the sensor than inside: then these are no events of that sensor.
        """
        state = self.before.copy()
        kept: list[tuple[Piece, State]] = []
        rows: list[tuple[int, int, int]] = []
        ends_with_piece = False
        for number, piece in enumerate(self.pieces):
            before = state.copy()
            n = self.run(piece, state, _COUNT_ONLY)
            if number == len(self.pieces) - 1:
                n = ordering.finish(state, True, n, _COUNT_ONLY)
            if n:
                kept.append((piece, before))
                rows.append((int(state[ordering.FIRST]), int(state[ordering.NEWEST]), n))
            ends_with_piece = n > 0
        self._check_sensor(sum(row[2] for row in rows), int(state[ordering.OUTSIDE]))

        def decode(number: int, out: EventArray) -> None:
            piece, before = kept[number]
            state, words = before.copy(), ordering.as_words(out)
            n = self.run(piece, state, words)
            if ends_with_piece and number == len(kept) - 1:
                n = ordering.finish(state, True, n, words)
            if (int(state[ordering.FIRST]), int(state[ordering.NEWEST]), n) != rows[number]:
                raise InputError(
                    f"expected {self.path} to stay as it was opened, found {n} events where there were "
                    f"{rows[number][2]}; another program writes to it, open it again."
                )

        columns = np.array(rows, np.int64).reshape(-1, 3).T
        return Contents(ChunkIndex(columns[0], columns[1], columns[2]), decode, self.report(state), self.shared)

    def take_on_trust(self, index: ChunkIndex) -> Contents:
        """Chunks for an index that the file itself gives, one for each piece, each checked when it is decoded.

        ``decode`` raises WrongIndexError for a chunk that is not as the index says or has anything odd about it. As
        long as it never does, everything is what ``measure`` would have found.
        """

        def decode(number: int, out: EventArray) -> None:
            state = ordering.new_state(int(index.last_us[number - 1]) if number else None)
            words = ordering.as_words(out)
            n = self.run(self.pieces[number], state, words)
            # As long as the index is right, the next chunk goes on from here.
            n = ordering.finish(state, number == len(self.pieces) - 1, n, words)
            if (
                n != index.events[number]
                or state[ordering.FIRST] != index.first_us[number]
                or state[ordering.NEWEST] != index.last_us[number]
                or state[_COUNTED].any()
            ):
                raise WrongIndexError(
                    f"expected {index.events[number]} events in order in chunk {number}, found others"
                )

        return Contents(index, decode, self.report(self.before), self.shared)

    def _check_sensor(self, n_events: int, n_outside: int) -> None:
        if n_outside > n_events:
            raise InputError(
                f"expected {self.path} to hold events of the sensor that its header names, found {n_outside} outside "
                f"it and {n_events} inside; the file is damaged or its header wrong, copy or convert it again."
            )


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


def report(state: State) -> Oddities:
    """What a decoder counted, with one sentence for each oddity."""
    sentences = (
        (ordering.DAMAGED, "{packets} damaged and skipped."),
        (ordering.STALE, "At the beginning {events} left over from before the recording and dropped."),
        (ordering.STRAYS, "{events} given the time of their neighbours, far from which their own was."),
        (ordering.CLAMPED, "{events} given the newest time before, as time ran backwards there."),
        (ordering.RESETS, "The camera's clock was set {times}; time goes on from the newest event before it."),
        (ordering.OUTSIDE, "{events} outside the sensor, dropped."),
        (ordering.INVALID, "{events} marked invalid, dropped."),
        (ordering.OTHERS, "{events} of another camera in the file, left out."),
    )
    others = ((ordering.FRAMES, "frames"), (ordering.IMU, "imu"), (ordering.SPECIAL, "triggers"))
    return Oddities(
        dropped=int(state[[ordering.OUTSIDE, ordering.INVALID, ordering.STALE, ordering.OTHERS]].sum()),
        out_of_order=int(state[ordering.CLAMPED] + state[ordering.STRAYS]),
        skipped_bytes=int(state[ordering.DAMAGED_BYTES]),
        notes=tuple(_filled(sentence, int(state[slot])) for slot, sentence in sentences if state[slot]),
        samples={name: int(state[slot]) for slot, name in others if state[slot]},
    )


def _filled(sentence: str, n: int) -> str:
    many = n != 1
    return sentence.format(
        packets=f"{n:,} packets" if many else "1 packet",
        events=f"{n:,} events" if many else "1 event",
        times=f"{n:,} times" if many else "once",
    )
