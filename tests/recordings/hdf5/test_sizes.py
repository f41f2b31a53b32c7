from __future__ import annotations

import numpy as np
import pytest

from spikebridge.recordings.hdf5.file import Attribute
from spikebridge.recordings.hdf5.rows import Column, MemoryRows
from spikebridge.recordings.hdf5.sizes import Extent, Size, as_pixels, extent_of, told_by, told_from_events


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ({"geometry": "1280x720"}, Size(1280, 720)),
        ({"geometry": "720x1280"}, Size(720, 1280)),
        ({"width": 346, "height": 260, "sensor_name": "DAVIS"}, Size(346, 260, "DAVIS")),
        ({"sensor_resolution": (180, 240)}, Size(240, 180)),
        ({"resolution": (1280, 720)}, Size(1280, 720)),
        ({"width": 0, "height": 260}, None),
        ({"width": "346", "height": 260}, None),
        ({"geometry": "0x720"}, None),
        ({"geometry": "70000x720"}, None),
        ({}, None),
    ],
)
def test_what_attributes_tell(attributes: dict[str, Attribute], size: Size | None) -> None:
    assert told_by(attributes) == size


@pytest.mark.parametrize(
    ("last_x", "last_y", "size"),
    [
        (127, 127, (128, 128)),
        (128, 127, (240, 180)),
        (303, 239, (304, 240)),
        (345, 259, (346, 260)),
        (639, 479, (640, 480)),
        (640, 479, (1280, 720)),
        (1280, 719, (1281, 720)),
    ],
)
def test_the_smallest_known_sensor_that_holds_the_events(last_x: int, last_y: int, size: tuple[int, int]) -> None:
    found, notes = told_from_events(Extent((0, last_x), (0, last_y), "all parts"), 0)
    assert (found.width, found.height) == size
    assert f"largest x and y in all parts are {last_x} and {last_y}" in notes[0]
    assert len(notes) == 1


def test_coordinates_that_count_from_1() -> None:
    extent = Extent((1, 640), (1, 480), "all parts")
    assert told_from_events(extent, 1)[0] == Size(640, 480)
    size, notes = told_from_events(extent, 0)
    assert size == Size(1280, 720)
    assert "The smallest x and y are 1" in notes[1]


def test_a_long_recording_is_looked_at_here_and_there() -> None:
    x = Column(MemoryRows(np.arange(1000)))
    extent = extent_of(x, x, [(i, i + 1) for i in range(1000)])
    assert extent == Extent((0, 999), (0, 999), "64 of 1000 parts")


def test_coordinates_as_16_bits() -> None:
    assert as_pixels(np.array([-1, 0, 65_535, 65_536, 1 << 40])).tolist() == [65_535, 0, 65_535, 65_535, 65_535]
    assert as_pixels(np.array([-0.5, 0.9, 7.0, np.nan, np.inf])).tolist() == [65_535, 0, 7, 65_535, 65_535]
    assert as_pixels(np.array([0, 255], np.uint8)).tolist() == [0, 255]
    assert as_pixels(np.array([-1, 5], np.int8)).tolist() == [65_535, 5]
    assert as_pixels(np.array([0, 1, 9], np.uint16), first_px=1).tolist() == [65_535, 0, 8]
