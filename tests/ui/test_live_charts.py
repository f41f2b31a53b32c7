from __future__ import annotations

import math

import numpy as np
import pytest
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QRegion

from spikebridge.contracts import PowerReading
from spikebridge.stages import STAGE_KEYS
from spikebridge.ui.charts import Curve, LatencyChart, PowerChart, decade_text, nice_ceiling, stack_image
from spikebridge.ui.history import POINTS, Latencies, Rails
from spikebridge.ui.items import Canvas, Image


@pytest.fixture
def latency(application):
    chart = LatencyChart()
    chart.resize(936, 152)
    return chart


@pytest.fixture
def power(application):
    chart = PowerChart()
    chart.resize(936, 152)
    return chart


def test_latency_names_every_stage_with_its_newest_time(latency):
    latencies = Latencies()
    for factor in (5, 1):
        latencies.add({key: 110.0 * factor * (i + 1) for i, key in enumerate(STAGE_KEYS)})
    latency.show_latencies(latencies)
    assert latency.texts == (
        *("Latency, ms", "closing 0.11", "waiting 0.22", "binning 0.33", "SNN 0.44", "accumulator 0.55", "ANN 0.66"),
        *("decision 0.77", "0", "2.5", "5", "−25 s", "−20 s", "−15 s", "−10 s", "−5 s"),
    )


def test_the_axis_leaves_out_single_late_points(latency):
    latencies = Latencies()
    for n in range(100):
        latencies.add({"ann": 400_000.0 if n == 50 else 800.0})
    latency.show_latencies(latencies)
    assert latency.texts[8:11] == ("0", "0.5", "1")


def test_without_points_there_are_no_levels(latency):
    latency.show_latencies(Latencies())
    assert latency.texts == ("Latency, ms", "−25 s", "−20 s", "−15 s", "−10 s", "−5 s")
    assert not any(isinstance(item, Image) for item in latency.items)


def test_the_stacked_area_by_hand():
    # two stages, one column: the first ends at 1 ms, the second at 3 ms, the axis at 4 ms in 8 rows
    column = stack_image(np.array([[1.0], [3.0]]), 4.0, 8)[:, 0]
    assert column.tolist() == [0, 0, 1, 1, 1, 1, 3, 2]


def test_what_lies_above_the_axis_is_cut_and_nothing_is_drawn_of_nothing():
    assert stack_image(np.array([[9.0], [9.5]]), 4.0, 4)[:, 0].tolist() == [0, 0, 0, 3]
    assert stack_image(np.zeros((2, 3)), 4.0, 4).tolist() == [[2] * 3] * 4


def test_the_newest_point_is_at_the_right(latency):
    latencies = Latencies()
    latencies.add({"ann": 1000.0})
    latency.show_latencies(latencies)
    area = latency.area
    image = latency.grab().toImage()
    y = round(area.bottom()) - 5
    assert image.pixelColor(round(area.right()) - 2, y) != image.pixelColor(round(area.left()) + 5, y)


@pytest.mark.parametrize(("value", "expected"), [(0, 1), (0.9, 1), (1, 2), (3, 5), (7, 10), (96, 200)])
def test_nice_ceiling(value, expected):
    assert nice_ceiling(value) == pytest.approx(expected)


def rails(*readings):
    result = Rails()
    result.add(readings)
    return result


HOST = PowerReading("host", 2.569, "estimated", "this host")
BOARD = PowerReading("VDD_IN", None, "unavailable", "board")
CHIP = PowerReading("loihi", 0.0023, "simulated", "chip")


def test_power_names_every_rail_with_its_provenance(power):
    power.show_rails(rails(HOST, BOARD), rails(CHIP))
    # decades from 1 mW, the one below 2.3 mW, to 10 W, the one above 2.57 W
    assert power.texts == (
        *("Power", "host 2.57 W estimated", "VDD_IN – mW unavailable", "loihi 2.30 mW simulated"),
        *("1 mW", "10 mW", "100 mW", "1 W", "10 W", "−25 s", "−20 s", "−15 s", "−10 s", "−5 s"),
    )


def test_each_rail_has_its_curve_colour_and_dashes(power):
    power.show_rails(rails(HOST, BOARD), rails(CHIP))
    curves = [item for item in power.items if isinstance(item, Curve)]
    # decades of 1 mW … 10 W are four: host at log10(2569) / 4, chip at log10(2.3) / 4
    assert curves[0].heights == pytest.approx((math.log10(2569) / 4,))
    assert math.isnan(curves[1].heights[0])
    assert curves[2].heights == pytest.approx((math.log10(2.3) / 4,))
    assert len({curve.colour.name() for curve in curves}) == len({curve.style for curve in curves}) == 3


def test_many_rails_take_more_lines(power):
    names = ("VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC", "VDD_CORE", "VDD_MEMORY", "VDD_IO")
    few, many = rails(HOST), rails(*(PowerReading(name, 1.0, "measured", "board") for name in names))
    power.show_rails(few)
    high = power.area.height()
    power.show_rails(many)
    assert power.area.height() < high
    assert [words for words in power.texts if "measured" in words] == [f"{name} 1.00 W measured" for name in names]


def test_power_that_is_nowhere_known_has_no_levels(power):
    power.show_rails(rails(BOARD))
    assert power.texts[:2] == ("Power", "VDD_IN – mW unavailable")
    assert not any(isinstance(item, Curve) for item in power.items)
    power.show_rails()
    assert power.texts[0] == "Power"


@pytest.mark.parametrize(
    ("decade", "text"), [(1, "10 W"), (0, "1 W"), (-1, "100 mW"), (-3, "1 mW"), (-5, "10 µW"), (-9, "1 nW")]
)
def test_decades(decade, text):
    assert decade_text(decade) == text


def test_a_curve_has_gaps_where_nothing_is_known(application):
    image = QImage(POINTS, 20, QImage.Format.Format_RGB32)
    image.fill(QColor("black"))
    painter = QPainter(image)
    heights = (1.0, 1.0, 1.0, math.nan, math.nan, 0.0, 0.0, 0.0)
    curve = Curve(QRectF(0, 0, POINTS, 20), heights, QColor("red"), Qt.PenStyle.SolidLine)
    curve.draw(Canvas(painter, 1.0, 1.0, QRegion(image.rect())))
    painter.end()
    drawn = {(x, y) for x in range(POINTS) for y in range(20) if image.pixelColor(x, y) == QColor("red")}
    assert {y for x, y in drawn if x < POINTS - 5} == {0}
    assert {y for x, y in drawn if x > POINTS - 4} == {19}
    assert all(x >= POINTS - 9 for x, _ in drawn)
    assert not any(x == POINTS - 4 for x, _ in drawn)
