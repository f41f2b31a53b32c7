"""Noise filters behind any source: the same packets at the same times, with fewer events in them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import Frame, Framed, Performing, Replay, ReplayStatus, Source, SourceCounters, SourceInfo
from spikebridge.events import EventPacket
from spikebridge.settings import FilterSettings
from spikebridge.sources.filters import FilterChain


def filtered(source: Source, filters: tuple[FilterSettings, ...]) -> Source:
    """``source`` behind ``filters``, with the controls that it has; itself where there are none."""
    if not filters:
        return source
    try:
        if isinstance(source, Replay):
            return FilteredReplay(source, filters)
        if isinstance(source, Performing):
            return FilteredPerformance(source, source, filters)
        return FilteredSource(source, filters)
    except BaseException:
        source.close()
        raise


class FilteredSource:
    """contracts.Source that owns the source behind it.

    Filters start anew at every gap: what passes of a recording depends on where a replay goes, not on when it came
    there. Of a live source they keep what they learnt of the sensor, which is the same before and after.
    """

    def __init__(self, source: Source, filters: tuple[FilterSettings, ...]) -> None:
        self.behind = source
        self._chain = FilterChain(filters, source.info.sensor)
        self._keep_learnt = source.info.kind == "live"
        self._lock = threading.Lock()
        self._filtered = 0
        self._notes: tuple[str, ...] = ()

    @property
    def info(self) -> SourceInfo:
        return self.behind.info

    def counters(self) -> SourceCounters:
        # In this order: what was filtered out is among what was read.
        with self._lock:
            n, notes = self._filtered, self._notes
        counters = self.behind.counters()
        return replace(counters, filtered=n, notes=counters.notes + notes)

    def packets(self, step_us: int) -> Iterator[EventPacket]:
        for packet in self.behind.packets(step_us):
            if packet.gap:
                self._chain.reset(keep_learnt=self._keep_learnt)
            events = self._chain(packet.events)
            with self._lock:
                self._filtered, self._notes = self._chain.filtered, self._chain.notes()
            yield replace(packet, events=events)

    def close(self) -> None:
        self.behind.close()


class FilteredPerformance(FilteredSource):
    """contracts.Performing: what the camera behind the filters performs."""

    def __init__(self, source: Source, performing: Performing, filters: tuple[FilterSettings, ...]) -> None:
        super().__init__(source, filters)
        self._performing = performing

    @property
    def current_label(self) -> str | None:
        return self._performing.current_label


class FilteredReplay(FilteredSource):
    """contracts.Replay: the controls are those of the replay behind the filters."""

    def __init__(self, source: Replay, filters: tuple[FilterSettings, ...]) -> None:
        super().__init__(source, filters)
        self._replay = source

    def status(self) -> ReplayStatus:
        return self._replay.status()

    def pause(self, paused: bool) -> None:
        self._replay.pause(paused)

    def seek(self, t_us: int) -> None:
        self._replay.seek(t_us)

    def step(self) -> None:
        self._replay.step()

    def set_speed(self, speed: float) -> None:
        self._replay.set_speed(speed)

    def set_loop(self, loop: bool) -> None:
        self._replay.set_loop(loop)

    def frame_at(self, t_us: int) -> Frame | None:
        """See ``contracts.Framed``; frames are not filtered."""
        return self._replay.frame_at(t_us) if isinstance(self._replay, Framed) else None

    def overview(self) -> NDArray[np.float32]:
        return self._replay.overview()
