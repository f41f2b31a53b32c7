from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QSize

from spikebridge.contracts import Frame
from spikebridge.events import Sensor, make_events
from spikebridge.picture import Picture
from spikebridge.ui.event_view import EventView, picture_size
from spikebridge.ui.surface import NEWEST_OFF, NEWEST_ON, PALETTES


@pytest.fixture
def view(application):
    view = EventView()
    view.resize(200, 180)
    view.show_picture(Picture(Sensor(10, 8)))
    return view


def absorb(view, t_us, x, y, polarity, t_stop_us=10_000):
    """Events into the picture that is shown, which the view follows."""
    view._surface.absorb(make_events(t_us, x, y, polarity), t_stop_us)
    view.advance()


def colour(view, x, y):
    return view.grab().toImage().pixel(x, y)


def test_the_picture_is_the_events(view):
    absorb(view, [9_999, 9_999], [0, 9], [0, 2], [1, 0])
    table = PALETTES[view.palette_name]
    # 10×8 px in 200×180: 20 px each, 10 px of border above and below.
    assert colour(view, 0, 10) == colour(view, 19, 29) == table[NEWEST_ON]
    assert colour(view, 199, 69) == colour(view, 181, 51) == table[NEWEST_OFF]
    assert colour(view, 20, 10) == colour(view, 100, 90) == table[0]


def test_mirrored(view):
    view.toggle_mirror()
    absorb(view, [9_999], [0], [0], [1])
    assert colour(view, 199, 10) == PALETTES[view.palette_name][NEWEST_ON]
    assert colour(view, 0, 10) == PALETTES[view.palette_name][0]


def test_events_fade_as_time_goes_on_without_events(view):
    view.set_fade(10_000)
    absorb(view, [9_999], [0], [0], [1])
    absorb(view, [], [], [], [], t_stop_us=20_000)
    assert colour(view, 0, 10) == PALETTES[view.palette_name][0]


def test_palettes_take_turns(view):
    names = []
    for _ in PALETTES:
        names.append(view.palette_name)
        view.next_palette()
    assert names == list(PALETTES)
    assert view.palette_name == names[0]


@pytest.mark.parametrize(
    ("sensor", "room", "expected"),
    [
        ((128, 128), (540, 540), (512, 512)),
        ((128, 128), (500, 500), (500, 500)),
        ((1280, 720), (960, 600), (960, 540)),
        ((640, 480), (2000, 480), (640, 480)),
        ((128, 128), (1, 1), (1, 1)),
    ],
)
def test_picture_size(sensor, room, expected):
    size = picture_size(Sensor(*sensor), QSize(*room))
    assert (size.width(), size.height()) == expected


@pytest.mark.parametrize("width", [200, 320, 640])
def test_the_caption_is_shortened_where_it_would_be_cut(view, width):
    view.resize(width, width)
    view.toggle_mirror()
    assert view.caption == ("events of the last 60 ms, mirrored", "events of 60 ms", "60 ms")
    assert view._draw_caption().width() <= width


def test_frames_lie_under_the_events_when_asked_for(view):
    pixels = np.zeros((8, 10), np.uint8)
    pixels[4, 5] = 200
    view._surface.put_frame(Frame(5, pixels))
    absorb(view, [9_999], [0], [0], [1])
    ground = PALETTES[view.palette_name][0]
    assert colour(view, 110, 100) == ground
    view.toggle_frames()
    grey = 200 * 150 >> 8
    assert colour(view, 110, 100) == 0xFF000000 | grey << 16 | grey << 8 | grey
    assert colour(view, 0, 10) == PALETTES[view.palette_name][NEWEST_ON]
    assert view.caption[0] == "events of the last 60 ms, over frames"
    view.toggle_frames()
    assert colour(view, 110, 100) == ground
    view.toggle_frames()
    view._surface.put_frame(None)
    view._shade()
    assert colour(view, 110, 100) == ground


def test_a_frame_fits_a_view_that_is_smaller_than_the_sensor(application):
    view = EventView()
    view.resize(160, 160)
    picture = Picture(Sensor(320, 320))
    pixels = np.zeros((320, 320), np.uint8)
    pixels[160:, 160:] = 255
    picture.put_frame(Frame(5, pixels))
    view.toggle_frames()
    view.show_picture(picture)
    white = 255 * 150 >> 8
    assert colour(view, 120, 82) == 0xFF000000 | white << 16 | white << 8 | white
    assert colour(view, 40, 40) & 0xFF == 0
