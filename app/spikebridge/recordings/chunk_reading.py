"""Chunks that are decoded on demand, by several threads where that is faster; a few stay decoded."""

from __future__ import annotations

import os
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from spikebridge.events import EVENT_DTYPE, EventArray

#: Decoded chunks kept, so that a second reader of the same recording does not throw out those of the first.
_CACHED_CHUNKS = 4
#: Chunks from which on several threads decode: starting them takes as long as a quarter of a chunk.
SHARED_CHUNKS = 4
THREADS = min(4, os.cpu_count() or 1)


class ChunkReader:
    """decode : writes the events of a chunk to an array of its size, or only checks it when the array is empty.

    shared : whether several threads decode faster than one.
    """

    def __init__(self, decode: Callable[[int, EventArray], None], shared: bool) -> None:
        self.decode = decode
        self._threads = THREADS if shared else 1
        self._cache: OrderedDict[int, EventArray] = OrderedDict()

    def chunk(self, number: int, n_events: int) -> EventArray:
        """A chunk, from the few that are kept where it is one of them."""
        if number in self._cache:
            self._cache.move_to_end(number)
            return self._cache[number]
        events = self._cache[number] = self._decoded(number, n_events)
        if len(self._cache) > _CACHED_CHUNKS:
            self._cache.popitem(last=False)
        return events

    def for_each(self, numbers: range, work: Callable[[int], None]) -> None:
        """``work`` for every number, in several threads where there are enough; they are done when this returns."""
        coming = iter(numbers)  # each number goes to the thread that asks first

        def go_on() -> None:
            try:
                for number in coming:
                    work(number)
            except BaseException:
                deque(coming, maxlen=0)  # nothing is left for the others
                raise

        if len(numbers) < SHARED_CHUNKS or self._threads < 2:
            go_on()
            return
        with ThreadPoolExecutor(self._threads - 1) as threads:
            others = [threads.submit(go_on) for _ in range(self._threads - 1)]
            go_on()
        for other in others:
            other.result()

    def ahead(self, numbers: range, sizes: list[int]) -> Iterator[EventArray]:
        """Chunks in order, decoded ahead of who takes them; ``sizes`` in events."""
        if len(numbers) < SHARED_CHUNKS or self._threads < 2:
            yield from map(self._decoded, numbers, sizes)
            return
        with ThreadPoolExecutor(self._threads) as threads:
            coming: deque[Future[EventArray]] = deque()
            for number, size in zip(numbers, sizes, strict=True):
                coming.append(threads.submit(self._decoded, number, size))
                if len(coming) > self._threads:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()

    def _decoded(self, number: int, n_events: int) -> EventArray:
        events = np.empty(n_events, EVENT_DTYPE)
        self.decode(number, events)
        events.flags.writeable = False
        return events
