"""Charts, strip, bars, settings, pictograms and bench."""

from __future__ import annotations

import math

import numpy as np
import pytest
from fake_session import FakeSession, snapshot
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtTest import QTest

from spikebridge.contracts import LABELS, STAGES, PowerReading
from spikebridge.resources import assets_folder
from spikebridge.ui import theme
from spikebridge.ui.bench import measure_drawing, measure_window
from spikebridge.ui.charts import POINTS, LatencyChart, PowerChart, nice_ceiling, stack_image
from spikebridge.ui.feature_view import mosaic
from spikebridge.ui.painted import pictogram
from spikebridge.ui.replay_bar import SeekBar
from spikebridge.ui.settings_bar import next_smoothing_us, next_threshold


@pytest.mark.parametrize("name", [*LABELS, "none"])
def test_every_label_has_a_pictogram(application, name):
    assert (assets_folder() / "gestures" / f"{name}.svg").is_file()
    image = pictogram(name, 64, "#56b4e9").toImage()
    drawn = sum(image.pixelColor(x, y).alpha() > 200 for x in range(64) for y in range(64))
    assert 300 < drawn < 2500


def test_pictograms_differ(application):
    pictures = [bytes(pictogram(n, 32, "#ffffff").toImage().bits().asarray(32 * 32 * 4)) for n in (*LABELS, "none")]
    assert len(set(pictures)) == len(LABELS) + 1


def test_digits_have_one_width(application):
    assert theme.has_tabular_digits(theme.family())
    assert theme.has_tabular_digits(theme.family(narrow=True))


def test_latency_is_stacked_and_bounded(application):
    chart = LatencyChart()
    for n in range(POINTS + 5):
        chart.add({stage: 1000.0 * (i + 1) + n for i, stage in enumerate(STAGES)})
    sums = chart.stacked_ms()
    assert sums.shape == (len(STAGES), POINTS)
    assert sums[-1, 0] == pytest.approx((21_000 + 6 * 5) / 1000)
    chart.clear()
    chart.add(None)


def test_power_legend_names_the_provenance(application):
    chart = PowerChart()
    chart.add(
        [PowerReading("loihi", 0.0023, "estimated", "chip"), PowerReading("VDD_IN", None, "unavailable", "board")]
    )
    assert chart.legend.words == ["loihi 2.30 mW estimated", "VDD_IN – mW unavailable"]


@pytest.mark.parametrize(("value", "expected"), [(0, 1), (0.9, 1), (1, 2), (3, 5), (7, 10), (96, 200)])
def test_nice_ceiling(value, expected):
    assert nice_ceiling(value) == pytest.approx(expected)


def test_mosaic_by_hand():
    tiles = np.array([[[1]], [[2]], [[3]]], np.uint8)
    assert mosaic(tiles).tolist() == [[1, 0, 2, 0], [0, 0, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0]]


def test_a_click_on_the_seek_bar_seeks(application):
    bar = SeekBar()
    bar.resize(200, 30)
    sought: list[float] = []
    bar.sought.connect(sought.append)
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=QPointF(50, 10).toPoint())
    assert sought == [0.25]


def test_steps_stay_in_range_and_meet_the_grid():
    assert next_threshold(0.98, 1) == 1.0
    assert next_threshold(0.0, -1) == 0.0
    assert next_threshold(0.5, 1) == pytest.approx(0.55)
    assert next_smoothing_us(60_000, 1) == 100_000
    assert next_smoothing_us(60_000, -1) == 50_000
    assert next_smoothing_us(0, -1) == 0
    assert next_smoothing_us(5_000_000, 1) == 2_000_000


def test_the_bridge_strip_draws_without_and_with_figures(application):
    from spikebridge.ui.bridge_strip import BridgeStrip

    strip = BridgeStrip()
    strip.resize(1200, 180)
    empty = strip.grab().toImage()
    shown = snapshot()
    strip.show_stages(shown.stages, shown.energy)
    assert strip.grab().toImage() != empty


def test_bench_measures_frames(application):
    ms, held = measure_drawing(32, 32, seconds=0.2)
    assert 0 < ms < math.inf
    assert held > 0
    share, held = measure_window(lambda _uri, _say: FakeSession(), "sim:", seconds=0.2)
    assert 0 < share < 1.5
    assert held > 0


def test_the_stacked_area_by_hand():
    # two stages, one column: the first ends at 1 ms, the second at 3 ms, the axis at 4 ms
    column = stack_image(np.array([[1.0], [3.0]]), 4.0)[:, 0]
    n = column.size // 4
    assert column.tolist() == [0] * n + [1] * 2 * n + [2] * n
