"""A recording as an index of chunks that are decoded on demand: memory stays bounded, whatever the size of the file."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from spikebridge.contracts import Frame, SourceCounters, SourceInfo
from spikebridge.errors import InputError
from spikebridge.events import EVENT_DTYPE, EventArray, Sensor, empty_events
from spikebridge.recordings.chunk_reading import SHARED_CHUNKS, ChunkReader
from spikebridge.recordings.chunks import (
    ChunkIndex,
    Contents,
    Keeper,
    KeptChunks,
    Known,
    Measurable,
    Oddities,
    OddPlace,
    Scanning,
    WrongIndexError,
)

__all__ = ["CHUNK_EVENTS", "ChunkIndex", "Contents", "IndexedRecording", "Oddities", "WrongIndexError"]

#: Events in a chunk, about: 1 MB decoded. Larger ones cost latency at a seek, smaller ones overhead.
CHUNK_EVENTS = 65_536
#: Letters of a sensor's name that are kept.
_LONGEST_NAME = 80
#: A larger file is not gone over before its first events are given out, but meanwhile: bytes.
LARGE_BYTES = 100_000_000
#: A recording of so few chunks is checked when it is opened, for some ms; of others only both ends are. So many are
#: checked at once on the way to a time far ahead.
_CHECKED_CHUNKS = 16
#: Pieces after which a large file is taken to be of the sensor that it names.
_LOOKED_AT_PIECES = 16
#: Some four million events.
_BEGINNING_CHUNKS = 64
#: A jump ahead in time works for so long before it can be stopped.
_SLICE_S = 0.05
#: How long the thread that goes over a file works before it rests, so that others get what it holds, and how long it
#: rests.
_WORK_S = 0.003
_REST_S = 0.0002
_WAIT_S = 0.05
_END_S = 0.2
_LATEST_US = np.iinfo(np.int64).max


class FrameFinder(Protocol):
    """See ``frames.Frames``."""

    def at(self, t_us: int) -> Frame | None: ...


class IndexedRecording:
    """contracts.Recording over chunks.

    format : as in ``formats``. said : the index that the file itself gives. It is taken on trust until a chunk proves
    it wrong (WrongIndexError); then the file is measured. Nothing is given out before all chunks up to it and the next
    one are known and checked: what is read does not depend on the order in which it is, nor on how far a large file
    has been gone over. Index, info and counters are exact for what was read so far, and for all once it was or
    ``progress`` is 1.
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
        self._path, self._sensor = path, replace(sensor, name=printable(sensor.name))
        self._file: Measurable | None = file
        self._frames = frames
        self._large = path.is_file() and path.stat().st_size > LARGE_BYTES
        self._n_read = 0
        self._keeper: Keeper | None = None
        self._keeping, self._checking = threading.Lock(), threading.Lock()
        self._background: threading.Thread | None = None
        self._stopping = threading.Event()
        # The chunks so far; while they become more, of a scanner, else of an index that is whole. Of one that is taken
        # on trust _n_checked chunks were checked. Only the one who reads puts another in its place.
        self._known: Known
        self._reader: ChunkReader
        self._scanner: Scanning | None = None
        self._n_checked = 0
        self._wrong = False
        if said is None:
            self._measure()
        else:
            self._put(file.take_on_trust(said))
            self._check_both_ends()

    @property
    def info(self) -> SourceInfo:
        index = self.index
        first_us, last_us = int(index.first_us[0]), int(index.last_us[-1])
        return SourceInfo(str(self._path), self._path.name, "recording", self._sensor, first_us, last_us)

    @property
    def index(self) -> ChunkIndex:
        """Of the chunks that are known."""
        return self._known.index

    @property
    def samples(self) -> Mapping[str, int]:
        """Samples of the streams beside the events, by the name of the stream."""
        return self._known.oddities.samples

    @property
    def streams(self) -> tuple[str, ...]:
        """What the file holds, ``events`` first."""
        return ("events", *self.samples)

    @property
    def places(self) -> tuple[OddPlace, ...]:
        """Where something was odd, in order of time; empty as long as all is taken on trust."""
        return self._known.places

    @property
    def n_events(self) -> int:
        """Events of the whole recording, as far as it is known."""
        return int(self.index.events.sum())

    @property
    def progress(self) -> float:
        """How much of the file is known, 0 to 1. Below 1 only for large ones: any place that is known can be read at
        once, others when all before them was gone over."""
        scanner = self._scanner
        if scanner is not None:
            return scanner.progress
        return 1.0 if not self._large else self._n_checked / max(1, self.index.events.size)

    def counters(self) -> SourceCounters:
        oddities = self._known.oddities
        return SourceCounters(
            read=self._n_read,
            dropped=oddities.dropped,
            out_of_order=oddities.out_of_order,
            skipped_bytes=oddities.skipped_bytes,
            truncated=oddities.truncated,
            notes=oddities.notes,
        )

    def read(self, t_start_us: int, t_stop_us: int) -> EventArray:
        try:
            events = self._read(t_start_us, t_stop_us)
        except WrongIndexError:
            self._measure()
            events = self._read(t_start_us, t_stop_us)
        events.flags.writeable = False
        self._n_read += events.size
        return events

    def count(self, t_start_us: int, t_stop_us: int) -> int:
        """How many events ``read`` would give; chunks that lie inside are not decoded for it."""
        try:
            return self._count(t_start_us, t_stop_us)
        except WrongIndexError:
            self._measure()
            return self._count(t_start_us, t_stop_us)

    def ready_for(self, t_start_us: int, t_stop_us: int) -> bool:
        """Whether all is known and checked that ``read`` would first go over; does some of it if not.

        Who jumps far ahead can so be stopped meanwhile.
        """
        try:
            if (scanner := self._up_to_date()) is not None:
                return scanner.until(t_stop_us, _SLICE_S)
            start, _ = self._chunks_between(t_start_us, t_start_us)
            self._check(min(start, self._n_checked + _CHECKED_CHUNKS))
        except WrongIndexError:
            self._measure()
            return False
        return self._n_checked >= start

    def chunks(self) -> Iterator[EventArray]:
        """All events in order of time, one chunk after the other, without keeping them."""
        n_given = 0
        self.complete()
        try:
            for events in self._chunks_after(n_given):
                n_given += events.size
                yield events
        except WrongIndexError:
            self._measure()
            self.complete()
            yield from self._chunks_after(n_given)

    def beginning(self) -> Iterator[EventArray]:
        """What tells of a sensor that the file does not name: all chunks, or the first ones of a large file, the rest
        of which is not gone over for it."""
        if not self._large:
            yield from self.chunks()
            return
        number = 0
        while number < _BEGINNING_CHUNKS:
            if (scanner := self._up_to_date()) is not None:
                while number >= scanner.index.events.size and not scanner.whole:
                    scanner.go_on()
            if number >= self.index.events.size:
                return
            yield self._chunk(number)
            number += 1

    def complete(self) -> None:
        """Returns when index, info and counters are of the whole file; the index that the file itself gives is so."""
        if (scanner := self._up_to_date()) is not None:
            scanner.until(_LATEST_US)
            self._keep()

    def index_in_background(self) -> None:
        """Starts a thread that goes over the rest of the file until ``progress`` is 1; ``close`` ends it."""
        if self._background is None and self.progress < 1:
            # Not a daemon: it would be cut off inside compiled code when the program ends.
            self._background = threading.Thread(target=self._go_over, name="spikebridge-index", daemon=False)
            self._background.start()

    def keep_in(self, keeper: Keeper) -> None:
        """Takes the chunks that were kept of the file, or has them kept there once all are known."""
        self._keeper = keeper
        if (kept := keeper.find()) is None:
            return
        index = self.index
        n = index.events.size
        if self._scanner is None:
            self._n_checked = n if kept.index.same_up_to(max(n, kept.index.events.size), index) else self._n_checked
        elif self._file is not None and kept.index.same_up_to(n, index):
            contents = self._file.recall(kept)
            if contents is not None:
                self._put(contents)
                self._n_checked = contents.index.events.size

    def frame_at(self, t_us: int) -> Frame | None:
        """The newest frame taken before a time; None where there is none."""
        return None if self._frames is None else self._frames.at(t_us)

    def close(self) -> None:
        self._stopping.set()
        if self._background is not None:
            self._background.join(_END_S)
        # The file is closed when the last thread that still decodes lets go of it.
        self._put(Contents(self.index, _decode_nothing, self._known.oddities, False, self._known.places))
        self._file = self._frames = None

    def _put(self, known: Known, scanner: Scanning | None = None) -> None:
        self._known, self._scanner = known, scanner
        self._reader = ChunkReader(known.decode, known.shared)

    def _refuse_empty(self) -> None:
        if not self.index.events.size:
            raise InputError(
                f"expected {self._path} to hold events, found {self.format} without any"
                f"{_what_else(self._known.oddities)}; use another file."
            )

    def _check_both_ends(self) -> None:
        self._refuse_empty()
        n = self.index.events.size
        try:
            if n <= _CHECKED_CHUNKS:
                self._check(n)
            else:
                self._reader.decode(n - 1, empty_events())
                self._check(1)
        except WrongIndexError:
            self._measure()

    def _measure(self) -> None:
        """Goes over the file: to its end, or as far as the first events where it is large."""
        if self._file is None:
            raise ValueError(f"expected {self._path.name} to be open, got a read after close")
        scanner = self._file.begin()
        looked_at = 0
        while not scanner.whole and not (self._large and looked_at >= _LOOKED_AT_PIECES and scanner.index.events.size):
            scanner.go_on()
            looked_at += 1
            if self._large and looked_at == _LOOKED_AT_PIECES:
                scanner.check_sensor()
        scanner.check_sensor()
        self._put(scanner, scanner)
        self._refuse_empty()

    def _up_to_date(self) -> Scanning | None:
        """The scanner, where the file is gone over; also where a thread found that its own index is wrong."""
        if self._file is None:
            raise ValueError(f"expected {self._path.name} to be open, got a read after close")
        if self._wrong and self._scanner is None:
            self._measure()
        return self._scanner

    def _check(self, n: int) -> None:
        """Checks the first ``n`` chunks, but for those that were before."""
        if self._n_checked < n:
            self._reader.for_each(range(self._n_checked, n), lambda number: self._reader.decode(number, empty_events()))
            self._was_checked(n)

    def _was_checked(self, n: int) -> None:
        with self._checking:
            self._n_checked = max(self._n_checked, n)

    def _read(self, t_start_us: int, t_stop_us: int) -> EventArray:
        if (scanner := self._up_to_date()) is not None:
            scanner.until(t_stop_us)
        start, stop = self._chunks_between(t_start_us, t_stop_us)
        if scanner is None:
            self._check(start)
        events = self._decoded_between(start, stop, t_start_us, t_stop_us)
        if scanner is None:
            self._was_checked(stop)
            if self._n_checked == stop < self.index.events.size:
                self._chunk(stop)  # if it begins before its time, its first events belong here
                self._was_checked(stop + 1)
        return events

    def _decoded_between(self, start: int, stop: int, t_start_us: int, t_stop_us: int) -> EventArray:
        """What chunks hold of a range of time."""
        if stop - start < SHARED_CHUNKS:
            parts = [_cut(self._chunk(number), t_start_us, t_stop_us) for number in range(start, stop)]
            return parts[0] if len(parts) == 1 else _joined(parts)
        edges = np.concatenate(([0], np.cumsum(self.index.events[start:stop]))).tolist()
        whole = np.empty(edges[-1], EVENT_DTYPE)
        self._reader.for_each(
            range(start, stop),
            lambda number: self._reader.decode(number, whole[edges[number - start] : edges[number - start + 1]]),
        )
        return _cut(whole, t_start_us, t_stop_us)

    def _count(self, t_start_us: int, t_stop_us: int) -> int:
        if (scanner := self._up_to_date()) is not None:
            scanner.until(t_stop_us)
        start, stop = self._chunks_between(t_start_us, t_stop_us)
        index = self.index
        if scanner is None:
            self._check(min(stop + 1, index.events.size))
        inside = (index.first_us[start:stop] >= t_start_us) & (index.last_us[start:stop] < t_stop_us)
        cut = (np.flatnonzero(~inside) + start).tolist()
        return int(index.events[start:stop][inside].sum()) + sum(
            _cut(self._chunk(number), t_start_us, t_stop_us).size for number in cut
        )

    def _chunks_between(self, t_start_us: int, t_stop_us: int) -> tuple[int, int]:
        index = self.index
        start = int(np.searchsorted(index.last_us, t_start_us, "left"))
        stop = int(np.searchsorted(index.first_us, t_stop_us, "left"))
        return start, max(start, stop)

    def _chunks_after(self, n_events: int) -> Iterator[EventArray]:
        """Decoded ahead of who takes them; the first one is cut where it begins before event ``n_events``."""
        sizes = self.index.events
        ends = np.cumsum(sizes)
        start = int(np.searchsorted(ends, n_events, "right"))
        skipped = n_events - int(ends[start - 1]) if start else n_events
        numbers = range(start, ends.size)
        for number, events in zip(numbers, self._reader.ahead(numbers, sizes[start:].tolist()), strict=True):
            self._was_checked(number + 1)
            yield events[skipped:]
            skipped = 0

    def _chunk(self, number: int) -> EventArray:
        return self._reader.chunk(number, int(self.index.events[number]))

    # ------------------------------------------------ on the thread that goes over the rest

    def _go_over(self) -> None:
        rested_s = time.monotonic()
        # A program that ends without closing the recording waits for this thread: the main one is over then.
        while not self._stopping.is_set() and threading.main_thread().is_alive():
            try:
                if not self._one_more():
                    self._keep()
                    return
            except WrongIndexError:
                self._wrong = True  # who reads next starts to measure
            except Exception:  # noqa: BLE001 - who reads that far comes upon the same, and tells it
                return
            if self._wrong and self._scanner is None:
                self._stopping.wait(_WAIT_S)
            elif time.monotonic() - rested_s > _WORK_S:
                self._stopping.wait(_REST_S)
                rested_s = time.monotonic()

    def _one_more(self) -> bool:
        """Goes over or checks one piece more; False once nothing is left."""
        if (scanner := self._scanner) is not None:
            scanner.go_on()
            return not scanner.whole
        number = self._n_checked
        if not self._wrong and number < self.index.events.size:
            self._reader.decode(number, empty_events())
            self._was_checked(number + 1)
        return self._wrong or self._n_checked < self.index.events.size

    def _keep(self) -> None:
        with self._keeping:
            keeper, self._keeper = self._keeper, None
        if keeper is not None:
            nothing = np.zeros(0, np.int64)
            scanner = self._scanner
            said = KeptChunks(self.index, Oddities(), nothing, nothing, nothing, nothing)
            chunks = said if scanner is None else scanner.kept()
            if chunks is not None:
                keeper.keep(chunks)


def _decode_nothing(number: int, out: EventArray) -> None:
    raise ValueError(f"expected the recording to be open, got a read of chunk {number} after close")


def _joined(parts: list[EventArray]) -> EventArray:
    """As numbers: numpy joins records field by field, five times as slowly."""
    if not parts:
        return empty_events()
    events: EventArray = np.concatenate([part.view(np.int64) for part in parts]).view(EVENT_DTYPE)
    return events


def _cut(events: EventArray, t_start_us: int, t_stop_us: int) -> EventArray:
    start, stop = np.searchsorted(events["t"], (t_start_us, t_stop_us), "left")
    return events[start:stop]


def printable(name: str) -> str:
    """A name out of a file, which may be damaged or made to write to a terminal what it should not."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:_LONGEST_NAME])


def _what_else(oddities: Oddities) -> str:
    """What is there instead of events, in brackets."""
    found = [note.rstrip(".") for note in oddities.notes]
    found += [f"{n:,} {'sample' if n == 1 else 'samples'} of {name}" for name, n in oddities.samples.items() if n]
    found += [f"{oddities.skipped_bytes:,} unreadable bytes"] if oddities.skipped_bytes else []
    return f" ({'; '.join(found)})" if found else ""
