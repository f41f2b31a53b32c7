"""What is seen of curves, area and levels, px by px."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PyQt6 import sip
from PyQt6.QtCore import QRect, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QWidget

from spikebridge.ui import theme
from spikebridge.ui.axes import Axes, Curve, Level
from spikebridge.ui.history import POINTS

RED = QColor("red")
#: Left of and under the curves, at scale 1, and above them.
LEFT, FOOT, HEAD = 84, 26, 10


@pytest.fixture
def axes(application):
    parent = QWidget()
    parent.resize(LEFT + 300, HEAD + 100 + FOOT)
    axes = Axes(parent)
    axes.set_scale(1.0)
    axes.place(parent.rect())
    parent.show()
    application.processEvents()
    yield axes
    sip.delete(parent)


def seen(axes, colour):
    """(s before now, from 0 at the bottom to 1 at the top) of all px of a colour, with the newest at the right."""
    image = axes.widget.grab().toImage()
    return {
        (x - LEFT, HEAD + 100 - y)
        for x in range(image.width())
        for y in range(image.height())
        if image.pixelColor(x, y) == colour
    }


def test_the_newest_value_is_at_the_right_and_a_gap_is_empty(axes):
    axes.show_levels(0, 10, ())
    axes.show_curves([Curve(np.array([9.0] * 40 + [math.nan] * 20 + [1.0] * 40), RED)])
    drawn = seen(axes, RED)
    high, low = {x for x, y in drawn if 85 <= y <= 95}, {x for x, y in drawn if 5 <= y <= 15}
    assert len(drawn) == len(high) + len(low)
    # a hundred values of which each is one px wide: from 200 to 240 and from 260 to 300
    assert (min(high), max(high)) == pytest.approx((200, 239), abs=2)
    assert (min(low), max(low)) == pytest.approx((260, 299), abs=2)


def test_all_points_fill_the_width(axes):
    axes.show_levels(0, 10, ())
    axes.show_curves([Curve(np.full(POINTS, 5.0), RED)])
    drawn = {x for x, _ in seen(axes, RED)}
    assert (min(drawn), max(drawn)) == pytest.approx((0, 299), abs=2)


def test_a_curve_that_is_not_shown_any_more_is_gone(axes):
    axes.show_levels(0, 10, ())
    curves = [Curve(np.full(50, 5.0), RED), Curve(np.full(50, 8.0), QColor("lime"), Qt.PenStyle.DashLine)]
    axes.show_curves(curves)
    assert seen(axes, QColor("lime"))
    axes.show_curves(curves[:1])
    assert not seen(axes, QColor("lime"))
    assert [values.tolist() for values in axes.curves] == [[5.0] * 50]


def test_the_area_ends_at_the_newest_point_and_reaches_up_to_its_height(axes):
    axes.show_levels(0, 10, ())
    pixels = np.zeros((100, 60, 4), np.uint8)
    pixels[:50] = (255, 0, 0, 255)
    pixels[:50, :30] = (0, 255, 0, 255)
    axes.show_area(pixels, 10)
    red, green = seen(axes, RED), seen(axes, QColor("lime"))
    for drawn, left, right in ((red, 270, 299), (green, 240, 269)):
        assert (min(x for x, _ in drawn), max(x for x, _ in drawn)) == pytest.approx((left, right), abs=1)
        assert (min(y for _, y in drawn), max(y for _, y in drawn)) == pytest.approx((0, 50), abs=2)
        assert len(drawn) == pytest.approx(30 * 50, abs=100)
    axes.show_area(pixels[:, :0], 10)
    assert axes.area is None
    assert not seen(axes, RED)


def test_each_level_has_a_line_at_its_height(axes):
    axes.show_levels(-1, 1, [Level(-1, "low"), Level(0, "middle"), Level(0.5, "high")])
    lines = seen(axes, theme.LINE)
    heights = sorted({y for x, y in lines if 5 < x < 290})
    assert heights == pytest.approx([0, 50, 75], abs=1)
    axes.show_levels(-1, 1, ())
    assert not seen(axes, theme.LINE)
    assert axes.levels == ()


def test_it_takes_neither_keys_nor_clicks(axes):
    assert axes.widget.focusPolicy() == Qt.FocusPolicy.NoFocus
    assert axes.widget.testAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)


def test_it_grows_with_the_scale(axes, application):
    assert axes.height == axes._plot.getViewBox().height() == 100
    axes.set_scale(2.0)
    axes.place(QRect(0, 0, LEFT + 300, HEAD + 100 + FOOT))
    application.processEvents()
    assert axes.height == axes._plot.getViewBox().height() == 100 - HEAD - FOOT
