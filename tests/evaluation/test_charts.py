"""Charts are well-formed SVG whose marks lie where the numbers say."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from spikebridge.evaluation.charts import Bar, Line, Part, bar_chart, line_chart, shade_chart

_SVG = "{http://www.w3.org/2000/svg}"


def heights(svg: str) -> list[float]:
    """Of the bars, which are the rectangles with a title."""
    rectangles = ElementTree.fromstring(svg).iter(f"{_SVG}rect")
    return [float(r.attrib["height"]) for r in rectangles if r.find(f"{_SVG}title") is not None]


def test_bars_are_as_high_as_their_values():
    svg = bar_chart(
        "<t>", [("a", [Bar((Part(0, 1.0), Part(1, 3.0, True)))]), ("b", [Bar((Part(0, 2.0),))])], "xy", "mJ"
    )
    first, second, third = heights(svg)
    assert abs(second / first - 3) < 0.05
    assert abs(third / first - 2) < 0.05
    assert "estimated" in svg


def test_a_logarithmic_axis_gives_equal_steps_for_equal_factors():
    svg = bar_chart("t", [(str(n), [Bar((Part(0, 10.0**n),))]) for n in (1, 2, 3)], ["x"], "bytes", logarithmic=True)
    one, two, three = heights(svg)
    assert abs((three - two) - (two - one)) < 0.3


def test_published_values_and_intervals_are_drawn():
    svg = bar_chart("t", [("a", [Bar((Part(0, 90.0),), 85.0, 95.0, 88.0)])], ["x"], "%", 50.0)
    assert "published: 88" in svg
    assert len(re.findall("stroke-width='1.5'", svg)) == 2


def test_nothing_and_zeros_are_drawn_too():
    for svg in (
        bar_chart("t", [], [], "mJ"),
        bar_chart("t", [("a", [Bar((Part(0, 0.0),))])], ["x"], "mJ"),
        line_chart("t", [Line("none", ())], "ms", "share"),
        shade_chart("t", ["a", "b"], [[0, 0], [1, 3]]),
    ):
        ElementTree.fromstring(svg)


def test_lines_end_at_the_edge_of_their_axis():
    svg = line_chart("t", [Line("a", ((0.0, 0.0), (50.0, 1.0)))], "ms", "share", 1.0)
    (line,) = ElementTree.fromstring(svg).iter(f"{_SVG}polyline")
    (x0, y0), (x1, y1) = (map(float, point.split(",")) for point in line.attrib["points"].split())
    assert x1 > x0
    assert y1 < y0
