"""A recording as an index of chunks that are decoded on demand: memory stays bounded, whatever the size of the file."""

from __future__ import annotations

import os
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import Frame, SourceCounters, SourceInfo
from spikebridge.errors import InputError
from spikebridge.events import EVENT_DTYPE, EventArray, Sensor, empty_events

#: Events in a chunk, about: 1 MB decoded. Larger ones cost latency at a seek, smaller ones overhead.
CHUNK_EVENTS = 65_536
#: Decoded chunks kept, so that a second reader of the same recording does not throw out those of the first.
_CACHED_CHUNKS = 4
#: Chunks from which on several threads decode: starting them takes as long as a quarter of a chunk.
_SHARED_CHUNKS = 4
_THREADS = min(4, os.cpu_count() or 1)
#: A recording of so few chunks is checked when it is opened, for some ms; of others only both ends are. So many are
#: checked at once on the way to a time far ahead.
_CHECKED_CHUNKS = 16


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
class Contents:
    """Chunks and how to get at them.

    decode : writes the events of a chunk, ascending in ``t``, to an array of its size, or only checks the chunk when
    the array is empty. Several threads may call it. shared : whether they are faster than one.
    """

    index: ChunkIndex
    decode: Callable[[int, EventArray], None]
    oddities: Oddities = Oddities()
    shared: bool = True


class Measurable(Protocol):
    """A file that can be gone over once, from beginning to end, to know what it holds; see ``scanning.Scan``."""

    def measure(self) -> Contents: ...

    def take_on_trust(self, index: ChunkIndex) -> Contents: ...


class FrameFinder(Protocol):
    """See ``frames.Frames``."""

    def at(self, t_us: int) -> Frame | None: ...


class IndexedRecording:
    """contracts.Recording over chunks.

    format : as in ``formats``. said : the index that the file itself gives. It is taken on trust until a chunk proves
    it wrong (WrongIndexError); then the file is measured. Nothing is given out before all chunks up to it and the next
    one are checked: what is read does not depend on the order in which it is. Index, info and counters are exact for
    what was read so far, and for all once it was.
    """

    def __init__(
        self,
        path: Path,
        format_name: str,
        sensor: Sensor,
        file: Measurable,
        said: ChunkIndex | None = None,
        frames: FrameFinder | None = None,
    ) -> None:
        self.format = format_name
        self._path, self._sensor = path, sensor
        self._file: Measurable | None = file
        self._frames = frames
        self._decode: Callable[[int, EventArray], None] | None = None
        self._cache: OrderedDict[int, EventArray] = OrderedDict()
        self._counters = SourceCounters()
        if said is None:
            self._measure()
        else:
            self._take(file.take_on_trust(said), 0)
            self._check_both_ends()

    @property
    def info(self) -> SourceInfo:
        return self._info

    @property
    def samples(self) -> Mapping[str, int]:
        """Samples of the streams beside the events, by the name of the stream."""
        return self._samples

    @property
    def streams(self) -> tuple[str, ...]:
        """What the file holds, ``events`` first."""
        return ("events", *self._samples)

    @property
    def n_events(self) -> int:
        """Events of the whole recording."""
        return int(self.index.events.sum())

    def counters(self) -> SourceCounters:
        return self._counters

    def read(self, t_start_us: int, t_stop_us: int) -> EventArray:
        try:
            events = self._read(t_start_us, t_stop_us)
        except WrongIndexError:
            self._measure()
            events = self._read(t_start_us, t_stop_us)
        events.flags.writeable = False
        self._counters = replace(self._counters, read=self._counters.read + events.size)
        return events

    def count(self, t_start_us: int, t_stop_us: int) -> int:
        """How many events ``read`` would give; chunks that lie inside are not decoded for it."""
        try:
            return self._count(t_start_us, t_stop_us)
        except WrongIndexError:
            self._measure()
            return self._count(t_start_us, t_stop_us)

    def ready_for(self, t_us: int) -> bool:
        """Whether all that lies before ``t_us`` is checked, which ``read`` would do first; checks some of it if not.

        Who jumps far ahead can so be stopped meanwhile.
        """
        try:
            start, _ = self._chunks_between(t_us, t_us)
            self._check(min(start, self._n_checked + _CHECKED_CHUNKS))
        except WrongIndexError:
            self._measure()
            return True
        return self._n_checked >= start

    def chunks(self) -> Iterator[EventArray]:
        """All events in order of time, one chunk after the other, without keeping them."""
        n_given = 0
        try:
            for events in self._chunks_after(n_given):
                n_given += events.size
                yield events
        except WrongIndexError:
            self._measure()
            yield from self._chunks_after(n_given)

    def frame_at(self, t_us: int) -> Frame | None:
        """The newest frame taken before a time; None where there is none."""
        return None if self._frames is None else self._frames.at(t_us)

    def close(self) -> None:
        # The file is closed when the last thread that still decodes lets go of it.
        self._decode = self._file = self._frames = None
        self._cache.clear()

    def _take(self, contents: Contents, n_checked: int) -> None:
        index, oddities = contents.index, contents.oddities
        if not index.events.size:
            raise InputError(
                f"expected {self._path} to hold events, found {self.format} without any{_what_else(oddities)}; use "
                "another file."
            )
        self.index = index
        self._decode = contents.decode
        self._threads = _THREADS if contents.shared else 1
        self._n_checked = n_checked
        self._cache.clear()
        first_us, last_us = int(index.first_us[0]), int(index.last_us[-1])
        self._info = SourceInfo(str(self._path), self._path.name, "recording", self._sensor, first_us, last_us)
        self._samples = oddities.samples
        self._counters = replace(
            self._counters,
            dropped=oddities.dropped,
            out_of_order=oddities.out_of_order,
            skipped_bytes=oddities.skipped_bytes,
            truncated=oddities.truncated,
            notes=oddities.notes,
        )

    def _check_both_ends(self) -> None:
        n = self.index.events.size
        try:
            if n <= _CHECKED_CHUNKS:
                self._check(n)
            else:
                self._into(n - 1, empty_events())
                self._check(1)
        except WrongIndexError:
            self._measure()

    def _measure(self) -> None:
        if self._file is None:
            raise ValueError(f"expected {self._info.title} to be open, got a read after close")
        contents = self._file.measure()
        self._take(contents, contents.index.events.size)

    def _check(self, n: int) -> None:
        """Checks the first ``n`` chunks, but for those that were before."""
        if self._n_checked < n:
            self._for_each(range(self._n_checked, n), lambda number: self._into(number, empty_events()))
            self._n_checked = n

    def _read(self, t_start_us: int, t_stop_us: int) -> EventArray:
        start, stop = self._chunks_between(t_start_us, t_stop_us)
        self._check(start)
        if stop - start < _SHARED_CHUNKS:
            parts = [_cut(self._chunk(number), t_start_us, t_stop_us) for number in range(start, stop)]
            events = parts[0] if len(parts) == 1 else _joined(parts)
        else:
            edges = np.concatenate(([0], np.cumsum(self.index.events[start:stop]))).tolist()
            whole = np.empty(edges[-1], EVENT_DTYPE)
            self._for_each(
                range(start, stop),
                lambda number: self._into(number, whole[edges[number - start] : edges[number - start + 1]]),
            )
            events = _cut(whole, t_start_us, t_stop_us)
        self._n_checked = max(self._n_checked, stop)
        if self._n_checked == stop < self.index.events.size:
            self._chunk(stop)  # if it begins before its time, its first events belong here
            self._n_checked += 1
        return events

    def _count(self, t_start_us: int, t_stop_us: int) -> int:
        start, stop = self._chunks_between(t_start_us, t_stop_us)
        self._check(min(stop + 1, self.index.events.size))
        inside = (self.index.first_us[start:stop] >= t_start_us) & (self.index.last_us[start:stop] < t_stop_us)
        cut = (np.flatnonzero(~inside) + start).tolist()
        return int(self.index.events[start:stop][inside].sum()) + sum(
            _cut(self._chunk(number), t_start_us, t_stop_us).size for number in cut
        )

    def _chunks_between(self, t_start_us: int, t_stop_us: int) -> tuple[int, int]:
        start = int(np.searchsorted(self.index.last_us, t_start_us, "left"))
        stop = int(np.searchsorted(self.index.first_us, t_stop_us, "left"))
        return start, max(start, stop)

    def _chunks_after(self, n_events: int) -> Iterator[EventArray]:
        """Decoded ahead of who takes them; the first one is cut where it begins before event ``n_events``."""
        ends = np.cumsum(self.index.events)
        start = int(np.searchsorted(ends, n_events, "right"))
        skipped = n_events - int(ends[start - 1]) if start else n_events
        for number, events in zip(range(start, ends.size), self._ahead(range(start, ends.size)), strict=True):
            self._n_checked = max(self._n_checked, number + 1)
            yield events[skipped:]
            skipped = 0

    def _ahead(self, numbers: range) -> Iterator[EventArray]:
        if len(numbers) < _SHARED_CHUNKS or self._threads < 2:
            yield from map(self._decoded, numbers)
            return
        with ThreadPoolExecutor(self._threads) as threads:
            coming: deque[Future[EventArray]] = deque()
            for number in numbers:
                coming.append(threads.submit(self._decoded, number))
                if len(coming) > self._threads:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()

    def _for_each(self, numbers: range, work: Callable[[int], None]) -> None:
        """``work`` for every number, in several threads where there are enough; they are done when this returns."""
        coming = iter(numbers)  # each number goes to the thread that asks first

        def go_on() -> None:
            try:
                for number in coming:
                    work(number)
            except BaseException:
                deque(coming, maxlen=0)  # nothing is left for the others
                raise

        if len(numbers) < _SHARED_CHUNKS or self._threads < 2:
            go_on()
            return
        with ThreadPoolExecutor(self._threads - 1) as threads:
            others = [threads.submit(go_on) for _ in range(self._threads - 1)]
            go_on()
        for other in others:
            other.result()

    def _chunk(self, number: int) -> EventArray:
        if number in self._cache:
            self._cache.move_to_end(number)
            return self._cache[number]
        events = self._cache[number] = self._decoded(number)
        if len(self._cache) > _CACHED_CHUNKS:
            self._cache.popitem(last=False)
        return events

    def _decoded(self, number: int) -> EventArray:
        events = np.empty(int(self.index.events[number]), EVENT_DTYPE)
        self._into(number, events)
        events.flags.writeable = False
        return events

    def _into(self, number: int, out: EventArray) -> None:
        if self._decode is None:
            raise ValueError(f"expected {self._info.title} to be open, got a read after close")
        self._decode(number, out)


def _joined(parts: list[EventArray]) -> EventArray:
    """As numbers: numpy joins records field by field, five times as slowly."""
    if not parts:
        return empty_events()
    events: EventArray = np.concatenate([part.view(np.int64) for part in parts]).view(EVENT_DTYPE)
    return events


def _cut(events: EventArray, t_start_us: int, t_stop_us: int) -> EventArray:
    start, stop = np.searchsorted(events["t"], (t_start_us, t_stop_us), "left")
    return events[start:stop]


def _what_else(oddities: Oddities) -> str:
    """What is there instead of events, in brackets."""
    found = [note.rstrip(".") for note in oddities.notes]
    found += [f"{n:,} {'sample' if n == 1 else 'samples'} of {name}" for name, n in oddities.samples.items() if n]
    found += [f"{oddities.skipped_bytes:,} unreadable bytes"] if oddities.skipped_bytes else []
    return f" ({'; '.join(found)})" if found else ""
