"""The pixels of a dynamic vision sensor: log intensity in, events out.

Each pixel low-passes its log intensity, remembers the value at its last event, and fires ON or OFF when it has moved
from there by more than its own threshold; event times are interpolated between frames. Around that, the faults of a
DVS128: thresholds that differ from pixel to pixel and from event to event, a dead time, echoes of opposite polarity
0.2 to 1 ms after an event, addresses read out twice, events thrown aside, as cloth and reflections near what moves
make them, background activity, hot pixels, one noisy row, a limit to how many events are read out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikebridge.events import EventArray, empty_events
from spikebridge.simulator import sensing
from spikebridge.simulator.body import between, between_log
from spikebridge.simulator.drawing import Image
from spikebridge.simulator.ranges import Ranges
from spikebridge.simulator.sensing import Integers, Numbers

_FIRST_SIZE = 1 << 15


class PixelArray:
    """State and faults of one sensor; ``expose`` gets the frames in order."""

    def __init__(
        self, first: Image, rng: np.random.Generator, ranges: Ranges, body_centre: tuple[float, float]
    ) -> None:
        """first : (H, W) float32 log intensity in which the pixels rest. body_centre : px, where most noise is."""
        height, width = first.shape
        self._rng = rng
        threshold = between(rng, ranges.threshold)
        bias = np.exp(rng.normal(0, ranges.polarity_bias) * np.array([1.0, -1.0]))[:, None, None]
        mismatch = np.clip(rng.normal(1.0, ranges.threshold_mismatch, (2, height, width)), 0.5, 2.0)
        self._thresholds = np.ascontiguousarray(threshold * bias * mismatch, np.float32)
        self._low_pass_us = between_log(rng, ranges.low_pass_us_log)
        self._sensor = np.empty(sensing.N_NUMBERS)
        self._sensor[sensing.REFRACTORY_US] = between(rng, ranges.refractory_us)
        self._sensor[sensing.ECHO_SHARE] = between(rng, ranges.echo_share)
        self._sensor[sensing.ECHO_DELAY_US] = between(rng, ranges.echo_delay_us)
        self._sensor[sensing.TWIN_SHARE] = between(rng, ranges.twin_share)
        self._sensor[sensing.JITTER] = ranges.threshold_jitter
        self._sensor[sensing.SCATTER_SHARE] = between(rng, ranges.scatter_share)
        self._sensor[sensing.SCATTER_PX] = between(rng, ranges.scatter_px) * min(width, height) / 128.0
        self._filtered = np.array(first, np.float32, order="C")
        self._reference = (first + threshold * rng.uniform(-0.9, 0.9, first.shape) * 0.5).astype(np.float32)
        self._last_us = np.full(first.shape, -1e9)
        self._state = rng.integers(1, 2**63, 1, dtype=np.uint64)
        self._noise_on_share = between(rng, ranges.noise_on_share)
        self._noise_rate_hz, self._noise_share = _draw_noise(rng, ranges, width, height, body_centre)
        self._sensor[sensing.LIMIT_HZ] = between_log(rng, ranges.event_rate_limit_hz_log)
        self._row = np.empty(width, np.float32)
        self._fires = np.zeros(-(-width // sensing.WORD) * sensing.WORD, np.uint8)
        self._allocate(_FIRST_SIZE)
        self._n = 0

    def _allocate(self, size: int) -> None:
        self._t, self._rest = np.empty(size), np.empty(size, np.int64)
        self._sorted_t, self._sorted_rest = np.empty(size), np.empty(size, np.int64)
        self._starts = np.empty(size + 2, np.int64)

    def expose(self, frames: Image, gains: Image, bounds_us: Integers) -> None:
        """The log intensity goes to ``frames[i] + gains[i]`` over ``[bounds_us[i], bounds_us[i + 1])``; the events wait
        for ``take``.

        frames : (N, H, W) or wider, float32. gains : (N,) float32. bounds_us : (N + 1,) int64.
        """
        alphas = (1.0 - np.exp((bounds_us[:-1] - bounds_us[1:]) / self._low_pass_us)).astype(np.float32)
        progress = np.array([0, 0, self._n, self._n], np.int64)
        while not sensing.expose(
            frames, gains, alphas, bounds_us, self._filtered, self._reference, self._last_us, self._thresholds,
            self._sensor, self._state, self._row, self._fires, self._t, self._rest, progress,
        ):  # fmt: skip
            self._grow(int(progress[sensing.N_EVENTS]))
        self._n = int(progress[sensing.N_EVENTS])

    def _grow(self, n: int) -> None:
        t, rest = self._t, self._rest
        self._allocate(2 * t.size)
        self._t[:n], self._rest[:n] = t[:n], rest[:n]

    def take(self, t_start_us: int, t_stop_us: int) -> EventArray:
        """Events of ``[t_start_us, t_stop_us)``, sorted; later ones (echoes) are kept for the next call.

        Noise that finds no room beside the events of the step is lost: in some steps of a second or more.
        """
        n_noise = int(self._rng.poisson(self._noise_rate_hz * (t_stop_us - t_start_us) * 1e-6))
        draws = self._rng.random((3, min(n_noise, self._t.size - self._n)))
        n = self._n + draws.shape[1]
        events = empty_events(n)
        n_now = sensing.gather(
            draws, self._noise_share, self._noise_on_share, t_start_us, t_stop_us, self._filtered.shape[1], self._t,
            self._rest, self._n, self._sorted_t, self._sorted_rest, self._starts, events.view(np.int64).reshape(n, 2),
        )  # fmt: skip
        self._n = n - n_now
        return events[:n_now]


def _draw_noise(
    rng: np.random.Generator, ranges: Ranges, width: int, height: int, centre: tuple[float, float]
) -> tuple[float, Numbers]:
    """Total rate in Hz of events without cause, and their cumulative share over the pixels."""
    y, x = np.mgrid[0:height, 0:width]
    rate: NDArray[np.float64] = between_log(rng, ranges.background_hz_log) * rng.gamma(2.0, 0.5, (height, width))
    wide, high = (between(rng, ranges.body_noise_px) * min(width, height) / 128.0 for _ in range(2))
    near = np.exp(-0.5 * (((x - centre[0]) / wide) ** 2 + ((y - centre[1]) / high) ** 2))
    rate += between(rng, ranges.body_noise_hz) * near * rng.gamma(1.0, 1.0, (height, width))
    for _ in range(int(rng.integers(*ranges.hot_pixels))):
        rate[rng.integers(height), rng.integers(width)] += between_log(rng, ranges.hot_hz_log)
    rate[rng.integers(height)] += between(rng, ranges.noisy_row_hz) * rng.gamma(1.0, 1.0, width)
    cumulative = np.cumsum(rate)
    return float(cumulative[-1]), cumulative / cumulative[-1]
