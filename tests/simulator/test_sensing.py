"""The compiled pixels against plain Python, one event after the other."""

from __future__ import annotations

import math

import numpy as np
import pytest

from spikebridge.events import EVENT_DTYPE
from spikebridge.simulator import sensing

F = np.float32
HEIGHT, WIDTH = 6, 11


class Sensor:
    """State and working memory of a sensor, as ``expose`` wants them."""

    def __init__(self, seed: int, size: int = 4096, **numbers: float) -> None:
        rng = np.random.default_rng(seed)
        self.filtered = rng.normal(0, 0.2, (HEIGHT, WIDTH)).astype(F)
        self.reference = (self.filtered + rng.normal(0, 0.05, (HEIGHT, WIDTH))).astype(F)
        self.last = np.full((HEIGHT, WIDTH), -1e9)
        self.thresholds = rng.uniform(0.05, 0.2, (2, HEIGHT, WIDTH)).astype(F)
        self.numbers = np.zeros(sensing.N_NUMBERS)
        drawn = {
            "REFRACTORY_US": 300.0, "ECHO_SHARE": 0.3, "ECHO_DELAY_US": 400.0, "TWIN_SHARE": 0.2, "JITTER": 0.2,
            "SCATTER_SHARE": 0.3, "SCATTER_PX": 2.0, "LIMIT_HZ": 1e9,
        }  # fmt: skip
        for name, number in {**drawn, **numbers}.items():
            self.numbers[getattr(sensing, name)] = number
        self.state = np.array([seed * 977 + 12345], np.uint64)
        self.t, self.rest = np.empty(size), np.empty(size, np.int64)
        self.progress = np.zeros(sensing.N_PLACES, np.int64)

    def expose(self, frames, gains, alphas, bounds_us):
        """Runs to the end, with columns twice as long whenever they are full; returns how often they were."""
        row, fires, grown = np.empty(WIDTH, F), np.zeros(16, np.uint8), 0
        self.progress[:] = 0
        while not sensing.expose(
            frames, gains, alphas, bounds_us, self.filtered, self.reference, self.last, self.thresholds, self.numbers,
            self.state, row, fires, self.t, self.rest, self.progress,
        ):  # fmt: skip
            self.t, self.rest = np.resize(self.t, 2 * self.t.size), np.resize(self.rest, 2 * self.rest.size)
            grown += 1
        return grown

    @property
    def events(self):
        """(t, x, y, polarity) of each."""
        n = int(self.progress[sensing.N_EVENTS])
        rest = self.rest[:n]
        return list(
            zip(self.t[:n].tolist(), (rest & 0xFFFF).tolist(), (rest >> 16 & 0xFFFF).tolist(), (rest >> 32).tolist(),
                strict=True)
        )  # fmt: skip


class Reference:
    """The same sensor in plain Python."""

    def __init__(self, sensor: Sensor) -> None:
        self.filtered, self.reference = sensor.filtered.copy(), sensor.reference.copy()
        self.last, self.thresholds, self.numbers = sensor.last.copy(), sensor.thresholds, sensor.numbers.tolist()
        self.state = int(sensor.state[0])
        self.events: list[tuple[float, int, int, int]] = []

    def uniform(self) -> float:
        x = self.state
        x ^= x >> 12
        x = (x ^ x << 25) % 2**64
        x ^= x >> 27
        self.state = x
        return (x * 2685821657736338717 % 2**64 >> 11) / 2**53

    def normal(self) -> float:
        return 2.0 * (self.uniform() + self.uniform() + self.uniform() - 1.5)

    def expose(self, frames, gains, alphas, bounds_us):
        for frame, gain, alpha, t0, t1 in zip(frames, gains, alphas, bounds_us[:-1], bounds_us[1:], strict=True):
            before = len(self.events)
            for y in range(HEIGHT):
                for x in range(WIDTH):
                    v0 = self.filtered[y, x]
                    v1 = v0 + alpha * (frame[y, x] + gain - v0)
                    self.filtered[y, x] = v1
                    while self.fire(x, y, v0, v1, float(t0), float(t1)):
                        pass
            new, at_most = len(self.events) - before, int(self.numbers[sensing.LIMIT_HZ] * (t1 - t0) * 1e-6)
            if new > at_most:
                self.events[before:] = [self.events[before + i * new // at_most] for i in range(at_most)]

    def fire(self, x, y, v0, v1, t0, t1) -> bool:
        number, difference = self.numbers, v1 - self.reference[y, x]
        if difference >= self.thresholds[0, y, x]:
            polarity, level = 1, self.reference[y, x] + self.thresholds[0, y, x]
        elif difference <= -self.thresholds[1, y, x]:
            polarity, level = 0, self.reference[y, x] - self.thresholds[1, y, x]
        else:
            return False
        slope = v1 - v0
        share = float((level - v0) / slope) if abs(slope) > 1e-9 else 0.0
        t = t0 + (t1 - t0) * min(max(share, 0.0), 1.0)
        rested = self.last[y, x] + number[sensing.REFRACTORY_US]
        if t < rested:
            t = rested
            if t >= t1:
                return False
            level = v0 + float(slope) * (t - t0) / (t1 - t0)
        self.reference[y, x], self.last[y, x] = level, t
        self.events.append((t, x, y, polarity))
        if self.uniform() < number[sensing.TWIN_SHARE]:
            self.events.append((t + 1.0, x, y, polarity))
        if self.uniform() < number[sensing.ECHO_SHARE]:
            delay = 150.0 - number[sensing.ECHO_DELAY_US] * math.log(1.0 - self.uniform())
            self.events.append((t + delay, x, y, 1 - polarity))
        if self.uniform() < number[sensing.SCATTER_SHARE]:
            to_x = int(x + number[sensing.SCATTER_PX] * self.normal())
            to_y = int(y + number[sensing.SCATTER_PX] * self.normal())
            if 0 <= to_x < WIDTH and 0 <= to_y < HEIGHT:
                delay = -2000.0 * math.log(1.0 - self.uniform())
                self.events.append((t + delay, to_x, to_y, int(self.uniform() < 0.45)))
        jitter = number[sensing.JITTER] * self.normal() * float(self.thresholds[polarity, y, x])
        self.reference[y, x] = float(self.reference[y, x]) + jitter
        return True


def film(seed: int, n: int, step: float):
    """Frames (N, H, W + 5) of a brightness that wanders, gains, alphas and bounds."""
    rng = np.random.default_rng(seed)
    frames = np.cumsum(rng.normal(0, step, (n, HEIGHT, WIDTH + 5)), axis=0).astype(F)
    gains, alphas = rng.normal(0, 0.02, n).astype(F), rng.uniform(0.2, 1.0, n).astype(F)
    return frames, gains, alphas, np.cumsum(np.append(0, rng.integers(500, 3000, n)))


def assert_same(sensor: Sensor, reference: Reference) -> None:
    assert [event[1:] for event in sensor.events] == [event[1:] for event in reference.events]
    assert [event[0] for event in sensor.events] == pytest.approx([event[0] for event in reference.events], abs=1e-2)
    assert int(sensor.state[0]) == reference.state
    assert sensor.filtered == pytest.approx(reference.filtered, abs=1e-6)
    assert sensor.reference == pytest.approx(reference.reference, abs=1e-6)
    assert sensor.last == pytest.approx(reference.last, abs=1e-2)


@pytest.mark.parametrize(
    "numbers",
    [{}, {"REFRACTORY_US": 2500.0}, {"LIMIT_HZ": 2e4}, {"SCATTER_SHARE": 1.0, "SCATTER_PX": 6.0}, {"JITTER": 0.9}],
)
def test_events_are_those_of_the_reference(numbers):
    for seed in range(8):
        sensor = Sensor(seed, **numbers)
        reference, scene = Reference(sensor), film(seed, 5, 0.2)
        sensor.expose(*scene)
        reference.expose(*scene)
        assert len(reference.events) > 30
        assert_same(sensor, reference)


def test_columns_that_are_full_lose_nothing_and_repeat_nothing():
    scene = film(3, 6, 0.6)
    roomy, narrow = Sensor(3, size=1 << 16), Sensor(3, size=8)
    assert roomy.expose(*scene) == 0
    assert narrow.expose(*scene) > 5
    assert narrow.events == roomy.events
    assert len(roomy.events) > 1000
    for name in ("filtered", "reference", "last", "state"):
        assert np.array_equal(getattr(narrow, name), getattr(roomy, name))


def test_nothing_moves_and_nothing_fires():
    sensor = Sensor(1)
    sensor.reference[:] = sensor.filtered
    frames = np.repeat(np.pad(sensor.filtered, ((0, 0), (0, 5)))[None], 3, axis=0)
    sensor.expose(frames, np.zeros(3, F), np.full(3, 0.5, F), np.array([0, 2500, 5000, 7500]))
    assert sensor.events == []


def test_no_frame_is_no_event():
    sensor = Sensor(1)
    sensor.expose(np.empty((0, HEIGHT, WIDTH), F), np.empty(0, F), np.empty(0, F), np.zeros(1, np.int64))
    assert sensor.events == []


def gather(t, t_start, t_stop, draws=None, rest=None, share=None, on_share=0.5, width=4):
    """Events before ``t_stop`` and what is left of the columns."""
    draws = np.empty((3, 0)) if draws is None else draws
    n, total = len(t), len(t) + draws.shape[1]
    columns = np.empty(total), np.empty(total, np.int64)
    columns[0][:n], columns[1][:n] = t, np.arange(n) if rest is None else rest
    events = np.zeros(total, EVENT_DTYPE)
    share = np.array([1.0]) if share is None else share
    now = sensing.gather(
        draws, share, on_share, t_start, t_stop, width, *columns, n, np.empty(total), np.empty(total, np.int64),
        np.empty(total + 2, np.int64), events.view(np.int64).reshape(total, 2),
    )  # fmt: skip
    return events[:now], columns[0][: total - now], columns[1][: total - now]


@pytest.mark.parametrize("span_us", [1000, 10_000, 1_500_000])
def test_events_are_sorted_and_those_of_equal_time_stay_in_order(span_us):
    rng = np.random.default_rng(span_us)
    for n in (0, 1, 2, 3, 500):
        # Half of them on a coarse grid, so that many are equal; some before the step and some long after it.
        t = np.where(rng.random(n) < 0.5, rng.integers(0, 9, n) * span_us / 8, rng.normal(0.5, 0.5, n) * span_us)
        t += 20_000
        order = np.argsort(t, kind="stable")
        n_now = int(np.sum(t < 20_000 + span_us))
        events, late_t, late_rest = gather(t, 20_000, 20_000 + span_us)
        assert np.array_equal(events["t"], t[order][:n_now].astype(np.int64))
        assert np.array_equal(events.view(np.int64).reshape(-1, 2)[:, 1], order[:n_now])
        assert np.array_equal(late_t, t[order][n_now:])
        assert np.array_equal(late_rest, order[n_now:])


def test_an_event_at_the_stop_is_late():
    events, late_t, _ = gather(np.array([9.0, 10.0, 10.5]), 0, 10)
    assert events["t"].tolist() == [9]
    assert late_t.tolist() == [10.0, 10.5]


def test_the_second_half_of_an_event_is_its_place_and_polarity():
    events, _, _ = gather(np.array([5.25]), 0, 10, rest=[345 | 259 << 16 | 1 << 32])
    assert events[0].tolist() == (5, 345, 259, 1)


def test_noise_falls_where_its_share_is():
    """Pixels 0 to 7 of two rows of four; all noise on pixel 6, but for an eighth on pixel 1."""
    share = np.array([0.0, 0.125, 0.125, 0.125, 0.125, 0.125, 1.0, 1.0])
    draws = np.array([[0.1, 0.125, 0.2, 0.9], [0.5, 0.0, 0.999, 0.25], [0.3, 0.7, 0.1, 0.9]])
    events, late_t, _ = gather(np.array([40.0]), 20, 120, draws, rest=[0], share=share, on_share=0.4)
    assert late_t.size == 0
    assert [event.tolist() for event in events] == [
        (20, 1, 0, 0), (40, 0, 0, 0), (45, 2, 1, 0), (70, 1, 0, 1), (119, 2, 1, 1),
    ]  # fmt: skip
