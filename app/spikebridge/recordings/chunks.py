"""What is known of a recording's chunks, and the protocols between who finds them, keeps them and reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spikebridge.events import EventArray


class WrongIndexError(Exception):
    """A chunk is not what an index says that was taken on trust."""


@dataclass(frozen=True, slots=True)
class ChunkIndex:
    """What each chunk holds: three (n,) int64 arrays; chunks follow one another in time, empty ones are left out.

    first_us, last_us : camera clock of its first and last event. events : how many.
    """

    first_us: NDArray[np.int64]
    last_us: NDArray[np.int64]
    events: NDArray[np.int64]

    def row(self, number: int) -> tuple[int, int, int]:
        """First and last time and number of events of a chunk."""
        return int(self.first_us[number]), int(self.last_us[number]), int(self.events[number])

    def same_up_to(self, n: int, other: ChunkIndex) -> bool:
        """Whether the first ``n`` chunks of both are the same."""
        return (
            np.array_equal(self.first_us[:n], other.first_us[:n])
            and np.array_equal(self.last_us[:n], other.last_us[:n])
            and np.array_equal(self.events[:n], other.events[:n])
        )


@dataclass(frozen=True, slots=True)
class Oddities:
    """What a reader met besides good events: see SourceCounters.

    dropped : events that are in the file and are not given out. out_of_order : events given out at another time than
    the file says. samples : of the other streams in the file, by name.
    """

    dropped: int = 0
    out_of_order: int = 0
    skipped_bytes: int = 0
    truncated: bool = False
    notes: tuple[str, ...] = ()
    samples: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OddPlace:
    """A stretch of a recording in which something was odd, and how much.

    start_us, stop_us : camera clock, both in it.
    """

    start_us: int
    stop_us: int
    dropped: int
    out_of_order: int
    resets: int
    skipped_bytes: int


@dataclass(frozen=True, slots=True)
class Contents:
    """Chunks and how to get at them.

    decode : writes the events of a chunk, ascending in ``t``, to an array of its size, or only checks the chunk when
    the array is empty. Several threads may call it. shared : whether they are faster than one. places : where the
    oddities are, as far as chunks tell.
    """

    index: ChunkIndex
    decode: Callable[[int, EventArray], None]
    oddities: Oddities = Oddities()
    shared: bool = True
    places: tuple[OddPlace, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptChunks:
    """What was found in a whole file, to be known again at the next start.

    pieces : (n,) int64, numbers of the pieces that the chunks are decoded from; or, where these are arrays, one after
    the other, and piece_ends : (n,) int64, where each ends. states, state_ends : the decoder's states before them, see
    ``states.States``. All are empty for an index that the file itself gives. ends_with_piece : whether the last chunk
    is of the last piece.
    """

    index: ChunkIndex
    oddities: Oddities
    pieces: NDArray[np.int64]
    piece_ends: NDArray[np.int64]
    states: NDArray[np.int64]
    state_ends: NDArray[np.int64]
    places: tuple[OddPlace, ...] = ()
    ends_with_piece: bool = False


class Keeper(Protocol):
    """A place where chunks are kept for the next start; see ``kept_chunks``."""

    def find(self) -> KeptChunks | None: ...

    def keep(self, chunks: KeptChunks) -> None: ...


class Known(Protocol):
    """Chunks so far: ``Contents`` or a ``Scanning``."""

    @property
    def index(self) -> ChunkIndex: ...

    @property
    def oddities(self) -> Oddities: ...

    @property
    def shared(self) -> bool: ...

    @property
    def places(self) -> tuple[OddPlace, ...]: ...

    @property
    def decode(self) -> Callable[[int, EventArray], None]: ...


class Scanning(Known, Protocol):
    """A file that is being gone over, from any thread; see ``scanning.Scanner``."""

    @property
    def whole(self) -> bool: ...

    @property
    def progress(self) -> float: ...

    def go_on(self) -> None: ...

    def until(self, t_us: int, within_s: float = ...) -> bool: ...

    def check_sensor(self) -> None: ...

    def kept(self) -> KeptChunks | None: ...


class Measurable(Protocol):
    """A file that can be gone over once, from beginning to end, to know what it holds; see ``scanning.Scan``."""

    def begin(self) -> Scanning: ...

    def take_on_trust(self, index: ChunkIndex) -> Contents: ...

    def recall(self, kept: KeptChunks) -> Contents | None: ...
