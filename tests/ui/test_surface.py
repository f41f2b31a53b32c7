from __future__ import annotations

import numpy as np
import pytest

from spikebridge.events import Sensor, empty_events, make_events
from spikebridge.picture import Picture
from spikebridge.ui.surface import FADES_US, NEWEST_OFF, NEWEST_ON, PALETTES, Shader, expand


def shaded(picture: Picture, fade_us: int, shape: tuple[int, int] | None = None) -> np.ndarray:
    image = np.full(shape or (picture.sensor.height, picture.sensor.width), 99, np.uint8)
    Shader(picture.sensor).shade(picture, fade_us, image)
    return image


def test_levels_fade_linearly_and_carry_the_polarity():
    picture = Picture(Sensor(3, 2))
    picture.absorb(make_events([0, 500, 999, 1000], [0, 1, 2, 0], [0, 0, 0, 1], [1, 1, 0, 1]), 1000)
    # level = 1 + floor(127 · (t - oldest) / fade), at most 127; index = 2 · level + (1 if OFF)
    expected = [[0, 2 * (1 + 63), 2 * 127 + 1], [NEWEST_ON, 0, 0]]
    assert shaded(picture, 1000).tolist() == expected


def test_the_newest_event_of_a_pixel_wins():
    picture = Picture(Sensor(1, 1))
    picture.absorb(make_events([0, 10], [0, 0], [0, 0], [1, 0]), 10)
    assert shaded(picture, 1000).tolist() == [[2 * 127 + 1]]
    assert shaded(picture, 1000)[0, 0] == NEWEST_OFF


def test_a_smaller_picture_keeps_single_events():
    picture = Picture(Sensor(6, 6))
    picture.absorb(make_events([100], [5], [3], [0]), 100)
    image = shaded(picture, 1000, (2, 3))
    assert image.tolist() == [[0, 0, 0], [0, 0, NEWEST_OFF]]


@pytest.mark.parametrize("shape", [(4, 7), (5, 3), (1, 1)])
def test_a_smaller_picture_equals_the_largest_of_each_block(shape):
    random = np.random.default_rng(3)
    picture = Picture(Sensor(10, 8))
    t = np.sort(random.integers(0, 1000, 40))
    picture.absorb(
        make_events(t, random.integers(0, 10, 40), random.integers(0, 8, 40), random.integers(0, 2, 40)), 1000
    )
    full = shaded(picture, 900)
    rows, columns = (np.arange(n + 1) * size // n for n, size in zip(shape, (8, 10), strict=True))
    expected = [
        [full[rows[i] : rows[i + 1], columns[j] : columns[j + 1]].max() for j in range(shape[1])]
        for i in range(shape[0])
    ]
    assert shaded(picture, 900, shape).tolist() == expected


def test_time_that_runs_back_starts_an_empty_picture():
    picture = Picture(Sensor(1, 1))
    picture.absorb(make_events([900], [0], [0], [1]), 1000)
    picture.absorb(empty_events(), 100)
    assert shaded(picture, 1000).tolist() == [[0]]


def test_events_outside_the_sensor_are_not_drawn():
    picture = Picture(Sensor(2, 2))
    picture.absorb(make_events([1, 1], [2, 0], [0, 65535], [1, 1]), 10)
    assert not shaded(picture, 1000).any()


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


def test_a_picture_is_enlarged_px_by_px():
    indices = np.array([[1, 0], [0, 2]], np.uint8)
    colours = np.array([7, 8, 9], np.uint32)
    screen = np.zeros((4, 3), np.uint32)
    expand(indices, colours, np.array([0, 0, 1, 1]), np.array([0, 1, 1]), screen)
    assert screen.tolist() == [[8, 7, 7], [8, 7, 7], [7, 9, 9], [7, 9, 9]]
