"""Compiled: from images to events, and from events in any order to sorted ones.

Events wait as two columns: ``t`` in µs, with its fraction, and ``rest``, an int64 ``x | y << 16 | polarity << 32``,
which is the second half of an ``EVENT_DTYPE``.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from spikebridge.simulator.compiling import part
from spikebridge.simulator.drawing import Image

Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.uint8]
RandomState = NDArray[np.uint64]

#: The numbers that describe one sensor, and how many there are.
REFRACTORY_US, ECHO_SHARE, ECHO_DELAY_US, TWIN_SHARE, JITTER, SCATTER_SHARE, SCATTER_PX, LIMIT_HZ, N_NUMBERS = range(9)
#: How far ``expose`` has come: frame and row that are next, events in the columns, events before this frame.
FRAME, ROW, N_EVENTS, N_BEFORE, N_PLACES = range(5)

_Y_BIT, _POLARITY_BIT = 16, 32

#: Pixels that are asked together whether any of them fires.
WORD = 8
#: Events that one crossing of a threshold leaves at most, itself, a twin, an echo and one thrown aside; one to spare.
_ROOM = 5
#: Dead time in µs before an echo can appear, as seen in recordings of a DVS128.
_ECHO_START_US = 150.0
#: Mean time from an event to the one that it throws aside.
_SCATTER_DELAY_US = 2000.0
#: Such events are OFF more often than ON, like other noise of a DVS128.
_SCATTER_ON_SHARE = 0.45
#: A smaller change of the log intensity has no slope to interpolate on.
_FLAT = 1e-9
#: Most of what comes after a step comes within this time.
_TAIL_US = 4000.0


@part()
def _uniform(state: RandomState) -> float:
    """xorshift64*: numba's own generator is global to the thread and would break reproducibility."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@part()
def _normal(state: RandomState) -> float:
    """Near enough: three uniform draws added up, variance 1, never beyond ±3."""
    return 2.0 * (_uniform(state) + _uniform(state) + _uniform(state) - 1.5)


@part()
def _rest(x: int, y: int, polarity: int) -> int:
    return x | y << _Y_BIT | polarity << _POLARITY_BIT


@part()
def _follow(
    x: int, y: int, t: float, polarity: int, height: int, width: int, sensor: Numbers, state: RandomState,
    out_t: Numbers, out_rest: Integers, n: int,
) -> int:  # fmt: skip
    """The event at ``n`` and what it brings about: a twin, an echo, an event elsewhere; returns the new ``n``."""
    out_t[n], out_rest[n] = t, _rest(x, y, polarity)
    n += 1
    if _uniform(state) < sensor[TWIN_SHARE]:
        out_t[n], out_rest[n] = t + 1.0, _rest(x, y, polarity)
        n += 1
    if _uniform(state) < sensor[ECHO_SHARE]:
        delay = _ECHO_START_US - sensor[ECHO_DELAY_US] * np.log(1.0 - _uniform(state))
        out_t[n], out_rest[n] = t + delay, _rest(x, y, 1 - polarity)
        n += 1
    if _uniform(state) < sensor[SCATTER_SHARE]:
        aside_x = int(x + sensor[SCATTER_PX] * _normal(state))
        aside_y = int(y + sensor[SCATTER_PX] * _normal(state))
        if 0 <= aside_x < width and 0 <= aside_y < height:
            delay = -_SCATTER_DELAY_US * np.log(1.0 - _uniform(state))
            out_t[n] = t + delay
            out_rest[n] = _rest(aside_x, aside_y, 1 if _uniform(state) < _SCATTER_ON_SHARE else 0)
            n += 1
    return n


@part()
def _fire(
    x: int, y: int, v0: float, v1: float, t0: float, t1: float, reference: Image, last: Numbers, thresholds: Image,
    sensor: Numbers, state: RandomState, out_t: Numbers, out_rest: Integers, n: int,
) -> int:  # fmt: skip
    """Events of one pixel that goes from ``v0`` to ``v1`` over ``[t0, t1)`` µs; returns the new ``n``, as ``-1 - n``
    when the columns are full. Who asks again gets those that were left."""
    height, width = reference.shape
    while True:
        difference = v1 - reference[y, x]
        if difference >= thresholds[0, y, x]:
            polarity, level = 1, reference[y, x] + thresholds[0, y, x]
        elif difference <= -thresholds[1, y, x]:
            polarity, level = 0, reference[y, x] - thresholds[1, y, x]
        else:
            return n
        slope = v1 - v0
        share = (level - v0) / slope if abs(slope) > _FLAT else 0.0
        t = t0 + (t1 - t0) * min(max(share, 0.0), 1.0)
        if t < last[y, x] + sensor[REFRACTORY_US]:
            t = last[y, x] + sensor[REFRACTORY_US]
            if t >= t1:
                return n
            level = v0 + slope * (t - t0) / (t1 - t0)
        if n >= out_t.size - _ROOM:
            return -1 - n
        reference[y, x] = level
        last[y, x] = t
        n = _follow(x, y, t, polarity, height, width, sensor, state, out_t, out_rest, n)
        # Comparator noise: where the next event lies is never exactly the same.
        reference[y, x] += sensor[JITTER] * _normal(state) * thresholds[polarity, y, x]


@part()
def _move(before: Image, frame: Image, gain: float, alpha: float, after: Image) -> None:
    """The pixels' low pass: one row of them moves by ``alpha`` of the way to ``frame + gain``."""
    for x in range(before.size):
        after[x] = before[x] + alpha * (frame[x] + gain - before[x])


@part()
def _compare(after: Image, reference: Image, on: Image, off: Image, fires: Flags) -> None:
    """Which pixels of a row have left the range between their thresholds."""
    for x in range(after.size):
        difference = after[x] - reference[x]
        fires[x] = (difference >= on[x]) | (difference <= -off[x])


@part()
def _thin_out(out_t: Numbers, out_rest: Integers, n_before: int, n: int, at_most: int) -> int:
    """Of the events from ``n_before`` on, ``at_most`` are read out, from all places alike; returns the new ``n``."""
    new = n - n_before
    if new <= at_most:
        return n
    for i in range(at_most):
        chosen = n_before + i * new // at_most
        out_t[n_before + i], out_rest[n_before + i] = out_t[chosen], out_rest[chosen]
    return n_before + at_most


_f4, _f8, _i8, _u1, _u8 = numba.float32, numba.float64, numba.int64, numba.uint8, numba.uint64
_Gains = numba.types.Array(_f4, 1, "C", readonly=True)
_Times = numba.types.Array(_i8, 1, "C", readonly=True)
_Shares = numba.types.Array(_f8, 1, "C", readonly=True)


@numba.njit(
    numba.boolean(
        _f4[:, :, ::1], _Gains, _Gains, _Times, _f4[:, ::1], _f4[:, ::1], _f8[:, ::1], _f4[:, :, ::1], _f8[::1],
        _u8[::1], _f4[::1], _u1[::1], _f8[::1], _i8[::1], _i8[::1],
    ),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def expose(
    frames: Image, gains: Image, alphas: Image, bounds_us: Integers, filtered: Image, reference: Image, last: Numbers,
    thresholds: Image, sensor: Numbers, state: RandomState, after: Image, fires: Flags, out_t: Numbers,
    out_rest: Integers, progress: Integers,
) -> bool:  # fmt: skip
    """Events of the intervals at whose ends the ``frames`` (N, H, W or wider) are seen; False when the columns are
    full, and once they are longer it goes on from ``progress``.

    gains, alphas : (N,) log intensity added to all of a frame; share of the way to it that the low pass goes.
    bounds_us : (N + 1,). filtered, reference, last : (H, W), state of the pixels. thresholds : (2, H, W), ON and OFF.
    after, fires : (W,) and (W or more,), a row's working memory; ``fires`` is 0 beyond W and W or more is a multiple
    of ``WORD``.
    """
    height = filtered.shape[0]
    words = fires.view(np.uint64)
    for frame in range(progress[FRAME], frames.shape[0]):
        t0, t1 = float(bounds_us[frame]), float(bounds_us[frame + 1])
        n = progress[N_EVENTS]
        for y in range(progress[ROW], height):
            _move(filtered[y], frames[frame, y], gains[frame], alphas[frame], after)
            _compare(after, reference[y], thresholds[0, y], thresholds[1, y], fires)
            for word in range(words.size):
                if words[word] == 0:
                    continue
                for x in range(word * WORD, word * WORD + WORD):
                    if not fires[x]:
                        continue
                    n = _fire(
                        x, y, filtered[y, x], after[x], t0, t1, reference, last, thresholds, sensor, state, out_t,
                        out_rest, n,
                    )  # fmt: skip
                    if n < 0:
                        # Begun again, the row fires nothing twice: what a pixel remembers has moved with its events.
                        progress[FRAME], progress[ROW], progress[N_EVENTS] = frame, y, -1 - n
                        return False
            for x in range(after.size):
                filtered[y, x] = after[x]
        n = _thin_out(out_t, out_rest, progress[N_BEFORE], n, int(sensor[LIMIT_HZ] * (t1 - t0) * 1e-6))
        progress[ROW], progress[N_EVENTS], progress[N_BEFORE] = 0, n, n
    return True


@part()
def _first_not_below(ascending: Numbers, value: float) -> int:
    first, stop = 0, ascending.size
    while first < stop:
        middle = (first + stop) // 2
        if ascending[middle] < value:
            first = middle + 1
        else:
            stop = middle
    return first


@part()
def _add_noise(
    draws: Numbers, share: Numbers, on_share: float, t_start: float, t_stop: float, width: int, out_t: Numbers,
    out_rest: Integers, n: int,
) -> int:  # fmt: skip
    """Events without cause: place, time and polarity from three uniform ``draws`` (3, M) each; the new ``n``."""
    for i in range(draws.shape[1]):
        pixel = _first_not_below(share, draws[0, i])
        out_t[n] = np.floor(t_start + (t_stop - t_start) * draws[1, i])
        out_rest[n] = _rest(pixel % width, pixel // width, 1 if draws[2, i] < on_share else 0)
        n += 1
    return n


@part()
def _sort(t: Numbers, rest: Integers, n: int, t_start: float, t_stop: float, to_t: Numbers, to_rest: Integers,
          starts: Integers) -> None:  # fmt: skip
    """Copies ``n`` events in the order of their times, those of equal time in the order in which they are.

    Into about one bucket for each event by time, then by insertion; ``starts`` has room for ``n + 2``.
    """
    per_us = n / (t_stop - t_start + _TAIL_US)
    for i in range(n + 2):
        starts[i] = 0
    for i in range(n):
        starts[min(max(int((t[i] - t_start) * per_us), 0), n) + 1] += 1
    for i in range(n):
        starts[i + 1] += starts[i]
    for i in range(n):
        bucket = min(max(int((t[i] - t_start) * per_us), 0), n)
        to_t[starts[bucket]], to_rest[starts[bucket]] = t[i], rest[i]
        starts[bucket] += 1
    for i in range(1, n):
        key, carried, k = to_t[i], to_rest[i], i
        while k > 0 and to_t[k - 1] > key:
            to_t[k], to_rest[k] = to_t[k - 1], to_rest[k - 1]
            k -= 1
        to_t[k], to_rest[k] = key, carried


@numba.njit(
    _i8(
        _f8[:, ::1], _Shares, _f8, _f8, _f8, _i8, _f8[::1], _i8[::1], _i8, _f8[::1], _i8[::1], _i8[::1], _i8[:, ::1],
    ),
    cache=True, nogil=True, error_model="numpy",
)  # fmt: skip
def gather(
    draws: Numbers, share: Numbers, on_share: float, t_start: float, t_stop: float, width: int, out_t: Numbers,
    out_rest: Integers, n: int, sorted_t: Numbers, sorted_rest: Integers, starts: Integers, events: Integers,
) -> int:  # fmt: skip
    """Writes the events before ``t_stop``, sorted, into ``events`` (M, 2) and returns their number; the later ones go
    to the front of the columns. ``n`` are there so far, noise is added."""
    n = _add_noise(draws, share, on_share, t_start, t_stop, width, out_t, out_rest, n)
    _sort(out_t, out_rest, n, t_start, t_stop, sorted_t, sorted_rest, starts)
    now = 0
    while now < n and sorted_t[now] < t_stop:
        events[now, 0], events[now, 1] = int(sorted_t[now]), sorted_rest[now]
        now += 1
    for i in range(now, n):
        out_t[i - now], out_rest[i - now] = sorted_t[i], sorted_rest[i]
    return now
