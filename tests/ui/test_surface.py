from __future__ import annotations

import numpy as np
import pytest

from spikebridge.events import Sensor, empty_events, make_events
from spikebridge.ui.surface import FADES_US, NEWEST_OFF, NEWEST_ON, PALETTES, TimeSurface


def shaded(surface: TimeSurface, fade_us: int, shape: tuple[int, int] | None = None) -> np.ndarray:
    image = np.full(shape or (surface.sensor.height, surface.sensor.width), 99, np.uint8)
    surface.shade(fade_us, image)
    return image


def test_levels_fade_linearly_and_carry_the_polarity():
    surface = TimeSurface(Sensor(3, 2))
    surface.absorb(make_events([0, 500, 999, 1000], [0, 1, 2, 0], [0, 0, 0, 1], [1, 1, 0, 1]), 1000)
    # level = 1 + floor(127 · (t - oldest) / fade), at most 127; index = 2 · level + (1 if OFF)
    expected = [[0, 2 * (1 + 63), 2 * 127 + 1], [NEWEST_ON, 0, 0]]
    assert shaded(surface, 1000).tolist() == expected


def test_the_newest_event_of_a_pixel_wins():
    surface = TimeSurface(Sensor(1, 1))
    surface.absorb(make_events([0, 10], [0, 0], [0, 0], [1, 0]), 10)
    assert shaded(surface, 1000).tolist() == [[2 * 127 + 1]]
    assert shaded(surface, 1000)[0, 0] == NEWEST_OFF


def test_a_smaller_picture_keeps_single_events():
    surface = TimeSurface(Sensor(6, 6))
    surface.absorb(make_events([100], [5], [3], [0]), 100)
    image = shaded(surface, 1000, (2, 3))
    assert image.tolist() == [[0, 0, 0], [0, 0, NEWEST_OFF]]


@pytest.mark.parametrize("shape", [(4, 7), (5, 3), (1, 1)])
def test_a_smaller_picture_equals_the_largest_of_each_block(shape):
    random = np.random.default_rng(3)
    surface = TimeSurface(Sensor(10, 8))
    t = np.sort(random.integers(0, 1000, 40))
    surface.absorb(
        make_events(t, random.integers(0, 10, 40), random.integers(0, 8, 40), random.integers(0, 2, 40)), 1000
    )
    full = shaded(surface, 900)
    rows, columns = (np.arange(n + 1) * size // n for n, size in zip(shape, (8, 10), strict=True))
    expected = [
        [full[rows[i] : rows[i + 1], columns[j] : columns[j + 1]].max() for j in range(shape[1])]
        for i in range(shape[0])
    ]
    assert shaded(surface, 900, shape).tolist() == expected


def test_time_that_runs_back_starts_an_empty_picture():
    surface = TimeSurface(Sensor(1, 1))
    surface.absorb(make_events([900], [0], [0], [1]), 1000)
    surface.absorb(empty_events(), 100)
    assert shaded(surface, 1000).tolist() == [[0]]


def test_events_outside_the_sensor_are_not_drawn():
    surface = TimeSurface(Sensor(2, 2))
    surface.absorb(make_events([1, 1], [2, 0], [0, 65535], [1, 1]), 10)
    assert not shaded(surface, 1000).any()


@pytest.mark.parametrize("name", PALETTES)
def test_polarities_differ_in_lightness_too(name):
    def lightness(colour: int) -> float:
        return 0.2126 * (colour >> 16 & 255) + 0.7152 * (colour >> 8 & 255) + 0.0722 * (colour & 255)

    table = PALETTES[name]
    assert len(table) == 256
    ground, on, off = lightness(table[0]), lightness(table[NEWEST_ON]), lightness(table[NEWEST_OFF])
    assert on > 1.5 * off > 3 * ground


def test_fades_are_sorted():
    assert list(FADES_US) == sorted(set(FADES_US))
