"""From a decoder that runs in order over the pieces of a file to a recording with random access."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import EventArray, empty_events
from spikebridge.recordings import ordering
from spikebridge.recordings.chunks import ChunkIndex, Contents, KeptChunks, Oddities, OddPlace, WrongIndexError
from spikebridge.recordings.states import States

Piece = TypeVar("Piece")
State = NDArray[np.int64]
#: (piece, state, out) → number of events; writes them where ``out`` has room, see ``ordering``. Called from threads.
Run = Callable[[Piece, State, NDArray[np.void]], int]

_COUNT_ONLY = ordering.as_words(empty_events())
#: What a decoder counts besides good events; a chunk in order changes none of these.
_COUNTED = np.array(
    [
        *(ordering.CLAMPED, ordering.STRAYS, ordering.STALE, ordering.RESETS, ordering.OUTSIDE, ordering.INVALID),
        *(ordering.DAMAGED, ordering.DAMAGED_BYTES, ordering.OTHERS),
    ]
)
_DROPPED = [ordering.OUTSIDE, ordering.INVALID, ordering.STALE, ordering.OTHERS]
#: Chunks that there is room for at first; then twice as many each time.
_ROWS = 256
#: So long what was met so far may wait for a piece; one takes some ms, but the disk may be slow.
_PATIENCE_S = 0.02
#: Of progress, while another piece is to come.
_ALMOST = 0.999


@dataclass(frozen=True, slots=True)
class Scan(Generic[Piece]):
    """A file as pieces that a decoder goes over in order, once to count and then each one whenever it is asked for.

    pieces : of about CHUNK_EVENTS events each. Where they are found by walking through the file they come from an
    iterator, as int64 arrays, so that nothing waits for the last one; those without events may come as well.
    run : the decoder. report : what its state after a piece means, and what was found on the way to the next one.
    before : state before the first piece. shared : whether several threads decode faster than one. place : of pieces
    from an iterator, how far in the file each one lies, 0 to 1.
    """

    path: Path
    pieces: Iterable[Piece]
    run: Run[Piece]
    report: Callable[[State], Oddities]
    before: State = field(default_factory=ordering.new_state)
    shared: bool = True
    place: Callable[[Piece], float] | None = None

    def begin(self) -> Scanner[Piece]:
        """From the first piece on."""
        return Scanner(self)

    def decode(self, piece: Piece, before: State, last: bool, row: tuple[int, int, int], out: EventArray) -> None:
        """Decodes a piece anew from the state before it, which is used up; InputError unless first and last time and
        number of its events are as in ``row``. last : whether the file ends with it."""
        state, words = before, ordering.as_words(out)
        n = self.run(piece, state, words)
        if last:
            n = ordering.finish(state, True, n, words)
        if (int(state[ordering.FIRST]), int(state[ordering.NEWEST]), n) != row:
            raise InputError(
                f"expected {self.path} to stay as it was opened, found {n} events where there were {row[2]}; another "
                "program writes to it, open it again."
            )

    def take_on_trust(self, index: ChunkIndex) -> Contents:
        """Chunks for an index that the file itself gives, one for each piece, each checked when it is decoded.

        ``decode`` raises WrongIndexError for a chunk that is not as the index says or has anything odd about it. As
        long as it never does, everything is what a scanner would have found.
        """
        pieces = self.pieces
        if not isinstance(pieces, Sequence):
            raise TypeError(f"expected a piece for each of {index.events.size} chunks, got {type(pieces)}")

        def decode(number: int, out: EventArray) -> None:
            before_us = int(index.last_us[number - 1]) if number else None
            state = ordering.new_state(before_us, extra=self.before.size - ordering.STATE_SIZE)
            words = ordering.as_words(out)
            n = self.run(pieces[number], state, words)
            # As long as the index is right, the next chunk goes on from here.
            n = ordering.finish(state, number == len(pieces) - 1, n, words)
            if (
                n != index.events[number]
                or state[ordering.FIRST] != index.first_us[number]
                or state[ordering.NEWEST] != index.last_us[number]
                or state[_COUNTED].any()
            ):
                raise WrongIndexError(
                    f"expected {index.events[number]} events in order in chunk {number}, found others"
                )

        return Contents(index, decode, self.report(self.before.copy()), self.shared)

    def recall(self, kept: KeptChunks) -> Contents | None:
        """The chunks that a scanner of the same file has found before; None where they cannot be of this one."""
        index, n = kept.index, kept.index.events.size
        states = States(self.before.size, kept.states, kept.state_ends)
        pieces: Sequence[object]
        if not isinstance(self.pieces, Sequence):
            pieces = np.split(kept.pieces, kept.piece_ends[:-1])
        elif kept.pieces.size and 0 <= kept.pieces.min() <= kept.pieces.max() < len(self.pieces):
            pieces = [self.pieces[number] for number in kept.pieces.tolist()]
        else:
            return None
        if len(pieces) != n or not states.fit(n):
            return None

        def decode(number: int, out: EventArray) -> None:
            last = kept.ends_with_piece and number == n - 1
            self.decode(cast("Piece", pieces[number]), states[number], last, index.row(number), out)

        return Contents(index, decode, kept.oddities, self.shared, kept.places)


class Scanner(Generic[Piece]):
    """Goes over the pieces of a scan in order, each once, and knows the chunks so far.

    Any thread may let it go on, and what it finds does not depend on which one. Pieces without events get no chunk.
    The one piece that comes next is looked for ahead: so the last one is known as such when its turn comes.
    """

    def __init__(self, scan: Scan[Piece]) -> None:
        self._scan = scan
        self._n_pieces = len(scan.pieces) if isinstance(scan.pieces, Sequence) else None
        self._lock = threading.Lock()
        # All of these are written under _lock.
        self._coming = iter(scan.pieces)
        self._next = next(self._coming, None)
        self._state = scan.before.copy()
        # Of each chunk. A piece that can be had again is kept as its number.
        self._pieces: list[Piece | int] = []
        self._states = States(scan.before.size)
        self._rows = np.empty((3, _ROWS), np.int64)
        self._n_done = 0
        self._ends_with_piece = False
        self._places: list[OddPlace] = []
        self._failure: Exception | None = None
        self._oddities = scan.report(self._state.copy())
        self._reported = 0
        #: Replaced as a whole, for readers without the lock.
        self.index = _index_of(self._rows, 0)
        self.whole = self._next is None
        self.progress = 1.0 if self.whole else 0.0

    @property
    def shared(self) -> bool:
        """Whether several threads decode faster than one."""
        return self._scan.shared

    @property
    def places(self) -> tuple[OddPlace, ...]:
        """Where the oddities are so far."""
        return tuple(self._places)

    @property
    def oddities(self) -> Oddities:
        """What was met so far; hardly ever waits for the piece that is gone over at this moment."""
        if self._lock.acquire(timeout=_PATIENCE_S):
            try:
                if self._reported != self._n_done:
                    self._oddities = self._scan.report(self._state.copy())
                    self._reported = self._n_done
            finally:
                self._lock.release()
        return self._oddities

    def decode(self, number: int, out: EventArray) -> None:
        """See ``Contents``."""
        index = self.index
        piece = self._pieces[number]
        if isinstance(self._scan.pieces, Sequence):
            piece = self._scan.pieces[cast("int", piece)]
        last = self._ends_with_piece and number == index.events.size - 1
        self._scan.decode(cast("Piece", piece), self._states[number], last, index.row(number), out)

    def reaches(self, t_us: int) -> bool:
        """Whether all events before a time are known."""
        index = self.index
        return self.whole or bool(index.events.size and index.last_us[-1] >= t_us)

    def until(self, t_us: int, within_s: float = math.inf) -> bool:
        """Goes on until it reaches a time; False where that takes longer."""
        end_s = time.monotonic() + within_s
        while not self.reaches(t_us):
            if time.monotonic() > end_s:
                return False
            self.go_on()
        return True

    def go_on(self) -> None:
        """Goes over one more piece, where there is one. Raises what it came upon, then and whenever it is to go on."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            if self._next is not None:
                try:
                    self._take(self._next)
                except Exception as failure:
                    self._failure = failure
                    raise

    def check_sensor(self) -> None:
        """InputError when more events so far lie outside the sensor than inside: they are of another one then."""
        n_inside, n_outside = int(self.index.events.sum()), int(self._state[ordering.OUTSIDE])
        if n_outside > n_inside:
            raise InputError(
                f"expected {self._scan.path} to hold events of the sensor that its header names, found {n_outside} "
                f"outside it and {n_inside} inside; the file is damaged or its header wrong, copy or convert it again."
            )

    def kept(self) -> KeptChunks | None:
        """What ``Scan.recall`` needs, once it is whole; None where its pieces cannot be kept."""
        if self._n_pieces is not None:
            pieces, ends = np.array(self._pieces, np.int64), np.zeros(0, np.int64)
        else:
            arrays = [piece for piece in self._pieces if isinstance(piece, np.ndarray)]
            if len(arrays) < len(self._pieces):
                return None
            pieces, ends = np.concatenate(arrays), np.cumsum([len(each) for each in arrays])
        return KeptChunks(
            self.index, self.oddities, pieces, ends, *self._states.arrays(), self.places, self._ends_with_piece
        )

    def _take(self, piece: Piece) -> None:
        state = self._state.copy()
        n = self._scan.run(piece, state, _COUNT_ONLY)
        following = next(self._coming, None)
        if following is None:
            n = ordering.finish(state, True, n, _COUNT_ONLY)
            self._ends_with_piece = n > 0
        if n:
            size = len(self._pieces)
            if size == self._rows.shape[1]:
                self._rows = np.concatenate((self._rows, np.empty_like(self._rows)), axis=1)
            self._rows[:, size] = state[ordering.FIRST], state[ordering.NEWEST], n
            self._states.append(self._state)
            self._pieces.append(piece if self._n_pieces is None else self._n_done)
            self.index = _index_of(self._rows, size + 1)
        if not np.array_equal(state[_COUNTED], self._state[_COUNTED]):
            self._places.append(_place(self._state, state))
        self._state, self._next = state, following
        self._n_done += 1
        if following is None:
            self.progress = 1.0
            self.whole = True
        elif self._n_pieces is not None:
            self.progress = self._n_done / self._n_pieces
        elif self._scan.place is not None:
            self.progress = min(self._scan.place(piece), _ALMOST)


def _index_of(rows: NDArray[np.int64], n: int) -> ChunkIndex:
    return ChunkIndex(rows[0, :n], rows[1, :n], rows[2, :n])


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
        dropped=int(state[_DROPPED].sum()),
        out_of_order=int(state[ordering.CLAMPED] + state[ordering.STRAYS]),
        skipped_bytes=int(state[ordering.DAMAGED_BYTES]),
        notes=tuple(_filled(sentence, int(state[slot])) for slot, sentence in sentences if state[slot]),
        samples={name: int(state[slot]) for slot, name in others if state[slot]},
    )


def _place(before: State, state: State) -> OddPlace:
    """What a piece added to the counts, and its times."""
    found = (state - before).tolist()
    stop_us = int(state[ordering.NEWEST])
    begun = int(before[ordering.NEWEST])
    return OddPlace(
        start_us=begun if begun > ordering.BEFORE else min(int(state[ordering.FIRST]), stop_us),
        stop_us=stop_us,
        dropped=sum(found[slot] for slot in _DROPPED),
        out_of_order=found[ordering.CLAMPED] + found[ordering.STRAYS],
        resets=found[ordering.RESETS],
        skipped_bytes=found[ordering.DAMAGED_BYTES],
    )


def _filled(sentence: str, n: int) -> str:
    many = n != 1
    return sentence.format(
        packets=f"{n:,} packets" if many else "1 packet",
        events=f"{n:,} events" if many else "1 event",
        times=f"{n:,} times" if many else "once",
    )
