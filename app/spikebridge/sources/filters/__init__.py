"""Noise filters: events in, fewer events out. What passes depends on the events alone, never on how they are cut.

``FilterChain`` is a function on arrays of events that carries its state from one to the next; ``sources.filtered`` puts
it behind a source.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spikebridge.events import EventArray, Sensor
from spikebridge.recordings.ordering import as_words
from spikebridge.settings import FilterKind, FilterSettings
from spikebridge.sources.filters.hot_pixels import HotPixels
from spikebridge.sources.filters.kernels import keep_affordable, keep_rested, keep_supported

#: A bucket holds what comes in so long: bursts of a millisecond pass whole.
_BURST_US = 1000
#: Times since an origin stay below this, and the origin moves on before they reach it.
_MOST_US = 1 << 30
_LONG_AGO = np.int32(-(1 << 30))


class Filter(Protocol):
    """One filter with its state."""

    def __call__(self, words: NDArray[np.void]) -> int:
        """Moves the events that pass to the beginning of ``words``, (N,) WORDS_DTYPE; returns how many they are."""
        ...

    def reset(self, *, keep_learnt: bool) -> None:
        """As if no event had come yet; ``keep_learnt``: but for what was found out about the sensor."""
        ...

    def notes(self) -> tuple[str, ...]:
        """A sentence for each thing that was found out."""
        ...


class FilterChain:
    """Filters one after the other, for events of one sensor."""

    def __init__(self, filters: Sequence[FilterSettings], sensor: Sensor) -> None:
        self._filters = [_MAKERS[settings.kind](settings, sensor) for settings in filters]
        self.filtered = 0

    def __call__(self, events: EventArray) -> EventArray:
        """The events that pass; ``events`` go on in time from the last call, and stay as they are."""
        kept = events.copy()
        words = as_words(kept)
        n = events.size
        for each in self._filters:
            n = each(words[:n])
        self.filtered += events.size - n
        kept = kept[:n]
        kept.setflags(write=False)
        return kept

    def reset(self, *, keep_learnt: bool = False) -> None:
        """Time before the next events is missing; ``filtered`` counts on."""
        for each in self._filters:
            each.reset(keep_learnt=keep_learnt)

    def notes(self) -> tuple[str, ...]:
        return tuple(note for each in self._filters for note in each.notes())


class _PixelTimes:
    """When something was at each pixel: (size,) int32, µs since an origin that moves on with time."""

    def __init__(self, size: int) -> None:
        self.times = np.full(size, _LONG_AGO, np.int32)
        self._origin_us: int | None = None

    def origin_for(self, first_us: int, last_us: int) -> int:
        """Origin for events of these times; pixels that are far behind it count as never."""
        if self._origin_us is None:
            self._origin_us = first_us
        if last_us - self._origin_us >= _MOST_US:
            passed_us = min(first_us - self._origin_us, 2 * _MOST_US)
            self.times[:] = np.maximum(self.times.astype(np.int64) - passed_us, _LONG_AGO)
            self._origin_us = first_us
        return self._origin_us

    def clear(self) -> None:
        self.times.fill(_LONG_AGO)
        self._origin_us = None


class _TimeFilter:
    """Background activity or refractory period: a comparison with times at pixels."""

    def __init__(self, settings: FilterSettings, sensor: Sensor) -> None:
        # Delbruck, "Frame-free dynamic digital vision" (2008): noise of a pixel has no event beside it shortly before.
        background = settings.kind == "background"
        border = 2 if background else 0
        self._keep: Callable[..., int] = keep_supported if background else keep_rested
        self._stride = sensor.width + border
        self._times = _PixelTimes((sensor.height + border) * self._stride)
        self._time_us = settings.time_us

    def __call__(self, words: NDArray[np.void]) -> int:
        n = done = 0
        while done < len(words):
            stop = _span(words, done)
            part = words[done:stop]
            origin_us = self._times.origin_for(int(part["t"][0]), int(part["t"][-1]))
            n += self._keep(part, words[n:], self._times.times, self._stride, origin_us, self._time_us)
            done = stop
        return n

    def reset(self, *, keep_learnt: bool) -> None:
        self._times.clear()

    def notes(self) -> tuple[str, ...]:
        return ()


class _RateLimit:
    """A bucket that fills with time and that each event takes from: what is too much goes evenly, not at the end."""

    def __init__(self, settings: FilterSettings, sensor: Sensor) -> None:
        self._rate_hz = settings.rate_hz
        self._most = max(1_000_000, settings.rate_hz * _BURST_US)
        self._most_us = -(-self._most // settings.rate_hz)
        self._purse: NDArray[np.int64] | None = None

    def __call__(self, words: NDArray[np.void]) -> int:
        if not len(words):
            return 0
        if self._purse is None:
            self._purse = np.array([self._most, int(words["t"][0])])
        return int(keep_affordable(words, words, self._purse, self._rate_hz, self._most, self._most_us))

    def reset(self, *, keep_learnt: bool) -> None:
        self._purse = None

    def notes(self) -> tuple[str, ...]:
        return ()


_MAKERS: dict[FilterKind, Callable[[FilterSettings, Sensor], Filter]] = {
    "background": _TimeFilter,
    "refractory": _TimeFilter,
    "hot": HotPixels,
    "rate": _RateLimit,
}


def _span(words: NDArray[np.void], start: int) -> int:
    """Where a part ends that begins at ``start`` and whose times fit behind one origin."""
    times = words["t"]
    if int(times[-1]) - int(times[start]) < _MOST_US:
        return len(words)
    return start + int(np.searchsorted(times[start:], int(times[start]) + _MOST_US))
