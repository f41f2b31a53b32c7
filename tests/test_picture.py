from __future__ import annotations

import os

import numpy as np
import pytest

from spikebridge.contracts import Frame
from spikebridge.events import Sensor, empty_events, make_events
from spikebridge.picture import NEVER, Picture, size_of

SENSOR = Sensor(3, 2)


def test_each_pixel_keeps_its_newest_event() -> None:
    picture = Picture(SENSOR)
    assert (picture.last_us == NEVER).all()
    picture.absorb(make_events([5, 7, 9], [0, 0, 2], [1, 1, 0], [1, 0, 1]), 10)
    assert picture.now_us == 10
    assert picture.last_us.tolist() == [[NEVER, NEVER, 9], [7, NEVER, NEVER]]
    assert picture.off.tolist() == [[0, 0, 0], [1, 0, 0]]


def test_time_that_runs_back_starts_an_empty_picture() -> None:
    picture = Picture(SENSOR)
    picture.absorb(make_events([5], [0], [0], [1]), 10)
    picture.absorb(empty_events(), 5)
    assert (picture.last_us == NEVER).all()
    assert picture.now_us == 5


@pytest.mark.parametrize(("x", "y"), [(3, 0), (0, 2), (65_535, 65_535)])
def test_events_outside_the_sensor_are_not_drawn(x: int, y: int) -> None:
    picture = Picture(SENSOR)
    picture.absorb(make_events([5], [x], [y], [1]), 10)
    assert (picture.last_us == NEVER).all()


def test_two_who_map_it_see_the_same() -> None:
    picture, descriptor = Picture.create(SENSOR)
    other = Picture.attach(descriptor, SENSOR)
    os.close(descriptor)
    picture.absorb(make_events([5], [1], [1], [0]), 10)
    assert other.now_us == 10
    assert np.array_equal(other.last_us, picture.last_us)
    assert other.off[1, 1] == 1
    assert size_of(SENSOR) == 16 + 6 * 10


def test_the_newest_frame_stays_under_the_events() -> None:
    picture, descriptor = Picture.create(SENSOR)
    other = Picture.attach(descriptor, SENSOR)
    os.close(descriptor)
    assert other.frame_us is None
    pixels = np.arange(6, dtype=np.uint8).reshape(SENSOR.height, SENSOR.width)
    picture.put_frame(Frame(7, pixels))
    picture.absorb(make_events([5], [1], [1], [0]), 10)
    assert other.frame_us == 7
    assert np.array_equal(other.frame, pixels)
    assert other.off[1, 1] == 1
    picture.absorb(make_events([], [], [], []), 3)  # a seek
    assert other.frame_us is None
    picture.put_frame(Frame(7, pixels))
    picture.put_frame(None)
    assert other.frame_us is None
