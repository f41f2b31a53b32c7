"""The pixels of a dynamic vision sensor: log intensity in, events out.

Each pixel low-passes its log intensity, remembers the value at its last event, and fires ON or OFF when it has moved
from there by more than its own threshold; event times are interpolated between frames. Around that, the faults of a
DVS128: thresholds that differ from pixel to pixel and from event to event, a dead time, echoes of opposite polarity
0.2 to 1 ms after an event, addresses read out twice, events thrown aside, as cloth and reflections near what moves
make them, background activity, hot pixels, one noisy row, a limit to how many events are read out.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from spikebridge.events import EventArray, empty_events
from spikebridge.simulator.body import between, between_log
from spikebridge.simulator.ranges import Ranges

#: Dead time in µs before an echo can appear, as seen in recordings of a DVS128.
_ECHO_START_US = 150.0
#: Mean time from an event to the one that it throws aside.
_SCATTER_DELAY_US = 2000.0
#: Such events are OFF more often than ON, like other noise of a DVS128.
_SCATTER_ON_SHARE = 0.45


@numba.njit("f8(u8[::1])", cache=True, nogil=True)
def _uniform(state: NDArray[np.uint64]) -> float:  # pragma: no cover - compiled
    """xorshift64*: numba's own generator is global to the thread and would break reproducibility."""
    x = state[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    state[0] = x
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@numba.njit("f8(u8[::1])", cache=True, nogil=True)
def _normal(state: NDArray[np.uint64]) -> float:  # pragma: no cover - compiled
    """Near enough: three uniform draws added up, variance 1, never beyond ±3."""
    return 2.0 * (_uniform(state) + _uniform(state) + _uniform(state) - 1.5)


@numba.njit(
    "i8(f4[:,::1], f4, f4, f8, f8, f4[:,::1], f4[:,::1], f8[:,::1], f4[:,:,::1], f8[::1], u8[::1],"
    " f8[::1], u2[::1], u2[::1], u1[::1], i8)",
    cache=True, nogil=True,
)  # fmt: skip
def _expose(  # type: ignore[no-untyped-def]
    frame, gain, alpha, t0, t1, filtered, reference, last, thresholds, params, state, out_t, out_x, out_y, out_p, n
):  # fmt: skip
    """Events of one frame interval, appended at ``n``; returns the new ``n``, -1 when the buffer was too small."""
    refractory, echo_share, echo_delay, twin_share, jitter = params[0], params[1], params[2], params[3], params[4]
    scatter_share, scatter_px = params[5], params[6]
    height, width = frame.shape
    room = out_t.size - 5
    for y in range(height):
        for x in range(width):
            v0 = filtered[y, x]
            v1 = v0 + alpha * (frame[y, x] + gain - v0)
            filtered[y, x] = v1
            while True:
                difference = v1 - reference[y, x]
                if difference >= thresholds[0, y, x]:
                    polarity, level = 1, reference[y, x] + thresholds[0, y, x]
                elif difference <= -thresholds[1, y, x]:
                    polarity, level = 0, reference[y, x] - thresholds[1, y, x]
                else:
                    break
                slope = v1 - v0
                share = (level - v0) / slope if abs(slope) > 1e-9 else 0.0
                t = t0 + (t1 - t0) * min(max(share, 0.0), 1.0)
                if t < last[y, x] + refractory:
                    t = last[y, x] + refractory
                    if t >= t1:
                        break
                    level = v0 + slope * (t - t0) / (t1 - t0)
                reference[y, x] = level
                last[y, x] = t
                if n >= room:
                    return -1
                out_t[n], out_x[n], out_y[n], out_p[n] = t, x, y, polarity
                n += 1
                if _uniform(state) < twin_share:
                    out_t[n], out_x[n], out_y[n], out_p[n] = t + 1.0, x, y, polarity
                    n += 1
                if _uniform(state) < echo_share:
                    delay = _ECHO_START_US - echo_delay * np.log(1.0 - _uniform(state))
                    out_t[n], out_x[n], out_y[n], out_p[n] = t + delay, x, y, 1 - polarity
                    n += 1
                if _uniform(state) < scatter_share:
                    sx, sy = int(x + scatter_px * _normal(state)), int(y + scatter_px * _normal(state))
                    if 0 <= sx < width and 0 <= sy < height:
                        delay = -_SCATTER_DELAY_US * np.log(1.0 - _uniform(state))
                        out_t[n], out_x[n], out_y[n] = t + delay, sx, sy
                        out_p[n] = _uniform(state) < _SCATTER_ON_SHARE
                        n += 1
                # Comparator noise: where the next event lies is never exactly the same.
                reference[y, x] += jitter * _normal(state) * thresholds[polarity, y, x]
    return n


class PixelArray:
    """State and faults of one sensor; one call of ``expose`` per frame, in order."""

    def __init__(
        self, first: NDArray[np.float32], rng: np.random.Generator, ranges: Ranges, body_centre: tuple[float, float]
    ) -> None:
        height, width = first.shape
        self._rng = rng
        threshold = between(rng, ranges.threshold)
        bias = np.exp(rng.normal(0, ranges.polarity_bias) * np.array([1.0, -1.0]))[:, None, None]
        mismatch = np.clip(rng.normal(1.0, ranges.threshold_mismatch, (2, height, width)), 0.5, 2.0)
        self._thresholds = np.ascontiguousarray(threshold * bias * mismatch, np.float32)
        self._low_pass_us = between_log(rng, ranges.low_pass_us_log)
        self._params = np.array(
            [
                between(rng, ranges.refractory_us),
                between(rng, ranges.echo_share),
                between(rng, ranges.echo_delay_us),
                between(rng, ranges.twin_share),
                ranges.threshold_jitter,
                between(rng, ranges.scatter_share),
                between(rng, ranges.scatter_px) * min(width, height) / 128.0,
            ]
        )
        self._filtered = first.copy()
        self._reference = (first + threshold * rng.uniform(-0.9, 0.9, first.shape) * 0.5).astype(np.float32)
        self._last = np.full(first.shape, -1e9)
        self._state = rng.integers(1, 2**63, 1, dtype=np.uint64)
        self._noise_on_share = between(rng, ranges.noise_on_share)
        self._noise_rate_hz, self._noise_weight = self._draw_noise(rng, ranges, width, height, body_centre)
        self._limit_hz = between_log(rng, ranges.event_rate_limit_hz_log)
        self._allocate(1 << 15)
        self._n = 0

    def _allocate(self, size: int) -> None:
        self._t = np.empty(size)
        self._x, self._y = np.empty(size, np.uint16), np.empty(size, np.uint16)
        self._p = np.empty(size, np.uint8)

    @staticmethod
    def _draw_noise(
        rng: np.random.Generator, ranges: Ranges, width: int, height: int, centre: tuple[float, float]
    ) -> tuple[float, NDArray[np.float64]]:
        """Total rate in Hz of events without cause, and their cumulative share over the pixels."""
        y, x = np.mgrid[0:height, 0:width]
        rate = between_log(rng, ranges.background_hz_log) * rng.gamma(2.0, 0.5, (height, width))
        wide, high = (between(rng, ranges.body_noise_px) * min(width, height) / 128.0 for _ in range(2))
        near = np.exp(-0.5 * (((x - centre[0]) / wide) ** 2 + ((y - centre[1]) / high) ** 2))
        rate += between(rng, ranges.body_noise_hz) * near * rng.gamma(1.0, 1.0, (height, width))
        for _ in range(int(rng.integers(*ranges.hot_pixels))):
            rate[rng.integers(height), rng.integers(width)] += between_log(rng, ranges.hot_hz_log)
        rate[rng.integers(height)] += between(rng, ranges.noisy_row_hz) * rng.gamma(1.0, 1.0, width)
        cumulative = np.cumsum(rate)
        return float(cumulative[-1]), cumulative / cumulative[-1]

    def expose(self, frame: NDArray[np.float32], gain: float, t0_us: int, t1_us: int) -> None:
        """The log intensity goes to ``frame + gain`` over ``[t0_us, t1_us)``; events wait for ``take``."""
        alpha = 1.0 - np.exp(-(t1_us - t0_us) / self._low_pass_us)
        live: tuple[NDArray[Any], ...] = (self._filtered, self._reference, self._last, self._state)
        before = [array.copy() for array in live]
        while True:
            n = _expose(
                frame, gain, alpha, t0_us, t1_us, self._filtered, self._reference, self._last, self._thresholds,
                self._params, self._state, self._t, self._x, self._y, self._p, self._n,
            )  # fmt: skip
            if n >= 0:
                self._n += self._read_out(n, int(self._limit_hz * (t1_us - t0_us) * 1e-6))
                return
            for array, saved in zip(live, before, strict=True):
                array[:] = saved
            self._grow()

    def _read_out(self, n: int, at_most: int) -> int:
        """How many of the events from the last one up to ``n`` are kept: the sensor's bus takes ``at_most``, from all
        places alike."""
        new = n - self._n
        if new <= at_most:
            return new
        chosen = self._n + np.arange(at_most) * new // max(at_most, 1)
        for column in self._columns():
            column[self._n : self._n + at_most] = column[chosen]
        return at_most

    def _grow(self) -> None:
        old = self._columns()
        self._allocate(2 * self._t.size)
        for new, kept in zip(self._columns(), old, strict=True):
            new[: self._n] = kept[: self._n]

    def _columns(self) -> tuple[NDArray[Any], ...]:
        return (self._t, self._x, self._y, self._p)

    def take(self, t_start_us: int, t_stop_us: int) -> EventArray:
        """Events of ``[t_start_us, t_stop_us)``, sorted; later ones (echoes) are kept for the next call."""
        self._add_noise(t_start_us, t_stop_us)
        n = self._n
        order = np.argsort(self._t[:n], kind="stable")
        now = int(np.searchsorted(self._t[:n][order], t_stop_us))
        taken, kept = order[:now], order[now:]
        events = empty_events(now)
        events["t"], events["x"], events["y"] = self._t[taken], self._x[taken], self._y[taken]
        events["polarity"] = self._p[taken]
        for column in (self._t, self._x, self._y, self._p):
            column[: kept.size] = column[kept]
        self._n = int(kept.size)
        return events

    def _add_noise(self, t_start_us: int, t_stop_us: int) -> None:
        width = self._filtered.shape[1]
        n = int(self._rng.poisson(self._noise_rate_hz * (t_stop_us - t_start_us) * 1e-6))
        n = min(n, self._t.size - self._n)
        stop = self._n + n
        pixel = np.searchsorted(self._noise_weight, self._rng.random(n))
        self._t[self._n : stop] = np.floor(self._rng.uniform(t_start_us, t_stop_us, n))
        self._x[self._n : stop], self._y[self._n : stop] = pixel % width, pixel // width
        self._p[self._n : stop] = self._rng.random(n) < self._noise_on_share
        self._n = stop
