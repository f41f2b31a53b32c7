"""The filters' loops. Each writes the events that pass to the beginning of ``out`` and returns how many they are.

events, out : (N,) WORDS_DTYPE, pairs of int64: t µs and x | y << 16 | polarity << 32. All events lie on the sensor;
their times never run back. ``out`` may be ``events`` itself, as events move only towards its beginning. Times in maps
are int32, µs since an origin that the caller moves on.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Words = NDArray[np.void]
Times = NDArray[np.int32]


@njit(cache=True, nogil=True)
def keep_supported(events: Words, out: Words, latest: Times, stride: int, origin_us: int, window_us: int) -> int:
    """Events with one at any of the eight pixels around within the last ``window_us``.

    latest : (H + 2, stride) flat, newest time at each pixel, with a border of one pixel. stride : W + 2 at least.
    """
    n = 0
    for i in range(events.shape[0]):
        rest = events[i].rest
        at = np.uint64(((rest >> 16 & 0xFFFF) + 1) * stride + (rest & 0xFFFF) + 1)
        now = np.int32(events[i].t - origin_us)
        since = np.int32(now - window_us)
        above, below = at - np.uint64(stride), at + np.uint64(stride)
        one = np.uint64(1)
        # All eight without a branch: which of them is new enough is anybody's guess, and a wrong guess costs more.
        newest = max(
            max(max(latest[above - one], latest[above]), max(latest[above + one], latest[at - one])),
            max(max(latest[at + one], latest[below - one]), max(latest[below], latest[below + one])),
        )
        latest[at] = now
        out[n].t = events[i].t
        out[n].rest = rest
        n += newest >= since
    return n


@njit(cache=True, nogil=True)
def keep_rested(events: Words, out: Words, passed: Times, stride: int, origin_us: int, period_us: int) -> int:
    """Events of pixels whose last event that passed is ``period_us`` ago or more.

    passed : (H, stride) flat, when the last one passed at each pixel.
    """
    n = 0
    for i in range(events.shape[0]):
        rest = events[i].rest
        at = np.uint64((rest >> 16 & 0xFFFF) * stride + (rest & 0xFFFF))
        now = np.int32(events[i].t - origin_us)
        before = passed[at]
        rested = now - before >= period_us
        passed[at] = now if rested else before
        out[n].t = events[i].t
        out[n].rest = rest
        n += rested
    return n


@njit(cache=True, nogil=True)
def keep_unmasked(events: Words, out: Words, masked: NDArray[np.uint8], stride: int) -> int:
    """Events of pixels that are 0 in ``masked``, (H, stride) flat."""
    n = 0
    for i in range(events.shape[0]):
        rest = events[i].rest
        at = np.uint64((rest >> 16 & 0xFFFF) * stride + (rest & 0xFFFF))
        out[n].t = events[i].t
        out[n].rest = rest
        n += masked[at] == 0
    return n


@njit(cache=True, nogil=True)
def count_pixels(events: Words, counts: NDArray[np.uint32], stride: int) -> None:
    """Adds the events to ``counts``, (H, stride) flat."""
    for i in range(events.shape[0]):
        rest = events[i].rest
        counts[np.uint64((rest >> 16 & 0xFFFF) * stride + (rest & 0xFFFF))] += np.uint32(1)


@njit(cache=True, nogil=True)
def mark_hot(counts: NDArray[np.uint32], around: int, least: int, times: int) -> NDArray[np.uint8]:
    """(H, W) 1 for pixels with ``least`` events and ``times`` as many as the median around them plus one, or more.

    counts : (H + 2 · around, W + 2 · around), with a border. Their median is at most m where more than half are.
    """
    height, width = counts.shape[0] - 2 * around, counts.shape[1] - 2 * around
    side = 2 * around + 1
    marks = np.zeros((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            count = np.int64(counts[y + around, x + around])
            if count < least:
                continue
            most = count // times - 1
            few = 0
            for j in range(y, y + side):
                for i in range(x, x + side):
                    few += counts[j, i] <= most
            marks[y, x] = 2 * few > side * side
    return marks


@njit(cache=True, nogil=True)
def keep_affordable(events: Words, out: Words, purse: NDArray[np.int64], rate_hz: int, most: int, most_us: int) -> int:
    """Events that a bucket pays for: it fills with ``rate_hz`` parts each µs up to ``most``, one costs 1 000 000.

    purse : (2,) what is in it and the time of that, µs. most_us : it is full after so long whatever was in it.
    """
    n = 0
    have, then_us = purse[0], purse[1]
    for i in range(events.shape[0]):
        now_us = events[i].t
        have = min(most, have + min(now_us - then_us, most_us) * rate_hz)
        then_us = now_us
        out[n].t = now_us
        out[n].rest = events[i].rest
        affordable = have >= 1_000_000
        have -= 1_000_000 if affordable else 0
        n += affordable
    purse[0], purse[1] = have, then_us
    return n
