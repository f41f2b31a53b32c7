"""Charts are well-formed SVG whose marks lie where the numbers say; the same numbers give the same bytes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from spikebridge.errors import MissingError
from spikebridge.evaluation.charts import Bar, Line, Part, bar_chart, line_chart, require_matplotlib, shade_chart

needs_matplotlib = pytest.mark.skipif(
    subprocess.run([sys.executable, "-c", "import matplotlib"], capture_output=True, check=False).returncode != 0,
    reason="CHARTS NOT TESTED: matplotlib is not installed (the report extra)",
)
_SVG = "{http://www.w3.org/2000/svg}"


def marks(svg: str) -> dict[str, list[ElementTree.Element]]:
    """Paths of the marks that show a value, by what they show."""
    found: dict[str, list[ElementTree.Element]] = {}
    for group in ElementTree.fromstring(svg).iter(f"{_SVG}g"):
        if (title := group.find(f"{_SVG}title")) is not None:
            found.setdefault(title.text, []).extend(group.iter(f"{_SVG}path"))
    return found


def box(path: ElementTree.Element) -> tuple[float, float, float, float]:
    """Left, top, right and bottom."""
    numbers = [float(number) for number in re.findall(r"-?[\d.]+", path.attrib["d"])]
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])


def height(path: ElementTree.Element) -> float:
    _, top, _, bottom = box(path)
    return bottom - top


def words(svg: str) -> list[str]:
    return [text.text for text in ElementTree.fromstring(svg).iter(f"{_SVG}text")]


@needs_matplotlib
def test_bars_are_as_high_as_their_values_and_stand_on_each_other():
    svg = bar_chart(
        "<t>", [("a", [Bar((Part(0, 1.0), Part(1, 3.0, True)))]), ("b", [Bar((Part(0, 2.0),))])], "xy", "mJ"
    )
    (first,), (second,), (third,) = (marks(svg)[value] for value in ("1", "3", "2"))
    assert height(second) / height(first) == pytest.approx(3, rel=1e-3)
    assert height(third) / height(first) == pytest.approx(2, rel=1e-3)
    assert box(second)[3] == pytest.approx(box(first)[1])
    assert {"<t>", "a", "b", "x", "y", "mJ"} <= set(words(svg))


@needs_matplotlib
def test_only_estimates_are_hatched():
    svg = bar_chart("t", [("a", [Bar((Part(0, 1.0), Part(1, 3.0, True)))])], ["x", "y"], "mJ")
    assert "url(#" in marks(svg)["3"][0].attrib["style"]
    assert "fill: #0072b2" in marks(svg)["1"][0].attrib["style"]
    assert "estimated" in words(svg)
    measured = bar_chart("t", [("a", [Bar((Part(0, 1.0),))])], ["x"], "mJ")
    assert "estimated" not in words(measured)
    assert "pattern" not in measured


@needs_matplotlib
def test_a_logarithmic_axis_gives_equal_steps_for_equal_factors():
    svg = bar_chart("t", [(str(n), [Bar((Part(0, 10.0**n),))]) for n in (1, 2, 3)], ["x"], "bytes", logarithmic=True)
    one, two, three = (box(marks(svg)[value][0])[1] for value in ("10", "100", "1000"))
    assert one - two == pytest.approx(two - three, rel=1e-3)
    assert one > two
    assert {"10", "100", "1000", "10 k"} <= set(words(svg))


@needs_matplotlib
def test_published_values_and_intervals_lie_on_the_axis_of_the_bars():
    bar = Bar((Part(0, 90.0),), 85.0, 95.0, 88.0, name="I = 4")
    svg = bar_chart("t", [("a", [bar, Bar((Part(1, 95.0),))])], ["x", "z"], "%", 50.0)
    found = marks(svg)
    top, other = box(found["90"][0])[1], box(found["95"][0])[1]
    interval = found["85 to 95"][0]
    assert box(interval)[1] == pytest.approx(other, abs=0.01)
    assert height(interval) == pytest.approx(2 * (top - other), rel=1e-3)
    assert "published: 88" in found
    assert {"interval", "published", "I = 4"} <= set(words(svg))


@needs_matplotlib
def test_nothing_and_zeros_are_drawn_too():
    for svg in (
        bar_chart("t", [], [], "mJ"),
        bar_chart("t", [("a", [Bar((Part(0, 0.0),))])], ["x"], "mJ"),
        bar_chart("t", [("a", [Bar((Part(0, 0.0),))])], ["x"], "mJ", logarithmic=True),
        line_chart("t", [], "ms", "share"),
        line_chart("t", [Line("none", ())], "ms", "share"),
        shade_chart("t", [], []),
        shade_chart("t", ["a", "b"], [[0, 0], [1, 3]]),
    ):
        ElementTree.fromstring(svg)


@needs_matplotlib
def test_lines_end_at_the_edges_of_their_axes():
    lines = [Line("a", ((0.0, 0.0), (50.0, 1.0))), Line("b", ((0.0, 1.0), (50.0, 1.0)), dashed=True)]
    svg = line_chart("t", lines, "ms", "share", 1.0)
    (line,), (flat,) = marks(svg)["a"], marks(svg)["b"]
    left, top, right, bottom = box(line)
    assert right - left > 300
    assert (bottom - top) > 100
    assert height(flat) == 0
    assert box(flat)[1] == pytest.approx(top)
    assert "stroke-dasharray" in flat.attrib["style"]
    assert "stroke-dasharray" not in line.attrib["style"]


@needs_matplotlib
def test_shades_follow_the_share_of_the_row():
    svg = shade_chart("t", ["right_arm", "b"], [[0, 0], [1, 3]])
    found = marks(svg)
    assert set(found) == {
        *("right arm named right arm: 0 of 0", "right arm named b: 0 of 0"),
        *("b named right arm: 1 of 4", "b named b: 3 of 4"),
    }
    # #0072b2 on white: red is 1 - depth, with depth 0.04 + 0.96 * share.
    assert "fill: #b8d8e9" in found["b named right arm: 1 of 4"][0].attrib["style"]
    assert "fill: #3d94c4" in found["b named b: 3 of 4"][0].attrib["style"]
    assert [word for word in words(svg) if word in ("1", "3")].count("3") == 1


PROGRAM = """
import sys
from spikebridge.evaluation.charts import Bar, Line, Part, bar_chart, line_chart
sys.stdout.write(bar_chart("t", [("a", [Bar((Part(0, 1.0, True),), 0.5, 2.0, 1.5)])], ["x"], "mJ"))
sys.stdout.write(line_chart("t", [Line("a", ((0.0, 0.0), (50.0, 1.0)))], "ms", "share"))
"""


@needs_matplotlib
def test_the_same_numbers_give_the_same_bytes_in_any_process():
    run = [sys.executable, "-c", PROGRAM]
    made = [
        subprocess.run(run, capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}).stdout
        for seed in ("1", "2")
    ]
    assert made[0] == made[1]
    assert b"<text" in made[0]
    assert b"<dc:date>" not in made[0]


def test_without_matplotlib_it_is_said_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingError, match=r"pip install spikebridge\[report\]"):
        require_matplotlib()
    with pytest.raises(MissingError):
        bar_chart("t", [], [], "mJ")
