from __future__ import annotations

import math

import numpy as np
import pytest
from PyQt6 import sip

from spikebridge.contracts import PowerReading
from spikebridge.stages import STAGE_KEYS, STAGES
from spikebridge.ui.charts import STAGE_COLOURS, LatencyChart, PowerChart, decade_text, nice_ceiling, stack_image
from spikebridge.ui.history import Latencies, Rails


@pytest.fixture(params=[LatencyChart, PowerChart])
def chart(application, request):
    yield from begun(request.param())


@pytest.fixture
def latency(application):
    yield from begun(LatencyChart())


@pytest.fixture
def power(application):
    yield from begun(PowerChart())


def begun(chart):
    chart.resize(936, 152)
    chart.begin()
    yield chart
    sip.delete(chart)


def words(chart):
    return [level.words for level in chart.axes.levels]


def test_latency_names_every_stage_with_its_newest_time(latency):
    latencies = Latencies()
    for factor in (5, 1):
        latencies.add({key: 110.0 * factor * (i + 1) for i, key in enumerate(STAGE_KEYS)})
    latency.show_latencies(latencies)
    assert latency.texts == (
        *("Latency, ms", "closing 0.11", "waiting 0.22", "binning 0.33", "SNN 0.44", "accumulator 0.55", "ANN 0.66"),
        "decision 0.77",
    )
    # the sum of all is 3.08 ms now and was 15.4 ms before, which is left out
    assert latency.axes.curves[0].tolist() == pytest.approx([15.4, 3.08])
    assert words(latency) == ["0", "2.5", "5"]
    assert [level.value for level in latency.axes.levels] == [0, 2.5, 5]


def test_the_axis_leaves_out_single_late_points(latency):
    latencies = Latencies()
    for n in range(100):
        latencies.add({"ann": 400_000.0 if n == 50 else 800.0})
    latency.show_latencies(latencies)
    assert words(latency) == ["0", "0.5", "1"]


def test_a_low_chart_has_only_the_words_at_its_ends(latency):
    latencies = Latencies()
    latencies.add({"ann": 800.0})
    latency.resize(936, 100)
    latency.show_latencies(latencies)
    assert words(latency) == ["0", "1"]


def test_without_points_nothing_is_drawn(chart):
    chart.refresh()
    assert chart.texts in (("Latency, ms",), ("Power",))
    assert not any(curve.size for curve in chart.axes.curves)
    assert chart.axes.area is None
    assert words(chart) == []


def test_there_are_no_axes_before_a_source_was_opened(application):
    chart = LatencyChart()
    chart.show_latencies(Latencies())
    assert chart.axes is None
    chart.begin()
    axes = chart.axes
    chart.begin()
    assert chart.axes is axes
    sip.delete(chart)


def test_each_stage_has_its_part_of_the_area_in_its_colour(latency):
    latencies = Latencies()
    # the nth stage takes n · 0.1 ms, all together 2.8 ms: the axis ends at 5 ms
    latencies.add({key: 100.0 * (i + 1) for i, key in enumerate(STAGE_KEYS)})
    latency.show_latencies(latencies)
    rows = latency.axes.area.shape[0]
    assert latency.axes.area.shape == (rows, 1, 4)
    column = [tuple(int(part) for part in pixel) for pixel in latency.axes.area[:, 0]]
    until_ms = 0.0
    for i, stage in enumerate(STAGES):
        middle_ms = until_ms + 0.05 * (i + 1)
        until_ms += 0.1 * (i + 1)
        assert column[int(middle_ms / 5 * rows)] == STAGE_COLOURS[stage.key].darker(130).getRgb()
    assert column[-1][3] == 0


def test_the_stacked_area_by_hand():
    # two stages, one column: the first ends at 1 ms, the second at 3 ms, the axis at 4 ms in 8 rows
    column = stack_image(np.array([[1.0], [3.0]]), 4.0, 8)[:, 0]
    assert column.tolist() == [0, 0, 1, 1, 1, 1, 2, 2]


def test_what_lies_above_the_axis_is_cut_and_nothing_is_drawn_of_nothing():
    assert stack_image(np.array([[9.0], [9.5]]), 4.0, 4)[:, 0].tolist() == [0, 0, 0, 0]
    assert stack_image(np.zeros((2, 3)), 4.0, 4).tolist() == [[2] * 3] * 4


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
    assert power.texts == ("Power", "host 2.57 W estimated", "VDD_IN – mW unavailable", "loihi 2.30 mW simulated")
    # decades from 1 mW, the one below 2.3 mW, to 10 W, the one above 2.57 W
    assert words(power) == ["1 mW", "10 mW", "100 mW", "1 W", "10 W"]
    assert [level.value for level in power.axes.levels] == [-3, -2, -1, 0, 1]


def test_each_rail_has_its_curve(power):
    power.show_rails(rails(HOST, BOARD), rails(CHIP))
    host, board, chip = power.axes.curves
    assert host.tolist() == pytest.approx([math.log10(2.569)])
    assert math.isnan(board[0])
    assert chip.tolist() == pytest.approx([math.log10(0.0023)])


def test_each_rail_has_a_colour_and_dashes_of_its_own_as_in_the_legend(power):
    power.show_rails(rails(HOST, BOARD), rails(CHIP))
    pens = [curve.opts["pen"] for curve in power.axes._curves]
    assert [(pen.color(), pen.style()) for pen in pens] == [(e.colour, e.style) for e in power.entries()]
    assert len({pen.color().name() for pen in pens}) == len({pen.style() for pen in pens}) == 3
    assert {pen.widthF() for pen in pens} == {1}


def test_rails_that_have_gone_leave_no_curve(power):
    power.show_rails(rails(HOST, BOARD), rails(CHIP))
    power.show_rails(rails(CHIP))
    assert [curve.size for curve in power.axes.curves] == [1]
    assert words(power) == ["1 mW", "10 mW"]


def test_many_rails_take_more_lines(power, application):
    names = ("VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC", "VDD_CORE", "VDD_MEMORY", "VDD_IO")
    few, many = rails(HOST), rails(*(PowerReading(name, 1.0, "measured", "board") for name in names))
    power.show_rails(few)
    high = power.axes.widget.height()
    power.show_rails(many)
    assert power.axes.widget.height() == high - 22
    assert [words for words in power.texts if "measured" in words] == [f"{name} 1.00 W measured" for name in names]


def test_power_that_is_nowhere_known_has_no_levels(power):
    power.show_rails(rails(BOARD))
    assert power.texts == ("Power", "VDD_IN – mW unavailable")
    assert words(power) == []
    power.show_rails()
    assert power.texts == ("Power",)


def test_words_of_many_decades_stand_apart(power):
    dark = PowerReading("sleep", 2e-9, "measured", "board")
    power.show_rails(rails(HOST, dark))
    # ten decades from 1 nW to 10 W, and no room for so many
    shown = [level.value for level in power.axes.levels]
    assert shown[0] == -9
    assert len(shown) < 10
    assert len(set(np.diff(shown))) == 1


@pytest.mark.parametrize(
    ("decade", "text"), [(1, "10 W"), (0, "1 W"), (-1, "100 mW"), (-3, "1 mW"), (-5, "10 µW"), (-9, "1 nW")]
)
def test_decades(decade, text):
    assert decade_text(decade) == text
