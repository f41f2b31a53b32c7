"""A recording as an index of chunks that are decoded on demand: memory stays bounded, whatever the size of the file."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import SourceCounters, SourceInfo
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor, empty_events

#: Events in a chunk, about: 1 MB decoded. Larger ones cost latency at a seek, smaller ones overhead.
CHUNK_EVENTS = 65_536
#: Decoded chunks kept, so that a second reader of the same recording does not throw out those of the first.
_CACHED_CHUNKS = 4


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
    """What a reader met besides good events: see SourceCounters."""

    skipped_bytes: int = 0
    truncated: bool = False
    notes: tuple[str, ...] = ()


class IndexedRecording:
    """contracts.Recording over chunks.

    format : as in ``formats``. streams : what the file holds, ``events`` first.
    decode : chunk number → its events, (n,) EVENT_DTYPE with ascending ``t``; called with the numbers of the index.
    """

    def __init__(
        self,
        path: Path,
        format_name: str,
        sensor: Sensor,
        index: ChunkIndex,
        decode: Callable[[int], EventArray],
        streams: tuple[str, ...] = ("events",),
        oddities: Oddities | None = None,
    ) -> None:
        oddities = oddities or Oddities()
        if not index.events.size:
            raise InputError(
                f"expected {path} to hold events, found none in {oddities.skipped_bytes} unreadable bytes and "
                f"{len(streams)} streams ({', '.join(streams)}); record it again or use another file."
                if oddities.skipped_bytes or oddities.truncated
                else f"expected {path} to hold events, found a {format_name} file without any; use another file."
            )
        self.format = format_name
        self.streams = streams
        self.index = index
        self._decode: Callable[[int], EventArray] | None = decode
        self._cache: OrderedDict[int, EventArray] = OrderedDict()
        self._info = SourceInfo(
            str(path), path.name, "recording", sensor, int(index.first_us[0]), int(index.last_us[-1])
        )
        self._counters = SourceCounters(
            skipped_bytes=oddities.skipped_bytes, truncated=oddities.truncated, notes=oddities.notes
        )

    @property
    def info(self) -> SourceInfo:
        return self._info

    @property
    def n_events(self) -> int:
        """Events of the whole recording."""
        return int(self.index.events.sum())

    def counters(self) -> SourceCounters:
        return self._counters

    def read(self, t_start_us: int, t_stop_us: int) -> EventArray:
        start = int(np.searchsorted(self.index.last_us, t_start_us, "left"))
        stop = int(np.searchsorted(self.index.first_us, t_stop_us, "left"))
        parts = [_cut(self._chunk(number), t_start_us, t_stop_us) for number in range(start, stop)]
        events = parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else empty_events()
        events.flags.writeable = False
        self._counters = replace(self._counters, read=self._counters.read + events.size)
        return events

    def chunks(self) -> Iterator[EventArray]:
        """All events in order of time, one chunk after the other, without keeping them."""
        for number in range(self.index.events.size):
            yield self._decoded(number)

    def close(self) -> None:
        self._decode = None
        self._cache.clear()

    def _chunk(self, number: int) -> EventArray:
        if number in self._cache:
            self._cache.move_to_end(number)
            return self._cache[number]
        events = self._cache[number] = self._decoded(number)
        if len(self._cache) > _CACHED_CHUNKS:
            self._cache.popitem(last=False)
        return events

    def _decoded(self, number: int) -> EventArray:
        if self._decode is None:
            raise ValueError(f"expected {self._info.title} to be open, got a read after close")
        events = self._decode(number)
        events.flags.writeable = False
        return events


def _cut(events: EventArray, t_start_us: int, t_stop_us: int) -> EventArray:
    start, stop = np.searchsorted(events["t"], (t_start_us, t_stop_us), "left")
    return events[start:stop]
