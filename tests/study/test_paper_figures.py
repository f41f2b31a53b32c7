"""What the study's figures draw of the rows; how it is drawn is in the tests of charts."""

from __future__ import annotations

import pytest
from standin_study import result

from spikebridge.study import paper_figures
from spikebridge.study.paper_figures import FIGURES
from spikebridge.study.tables import row_of, settings_of


@pytest.fixture
def drawn(monkeypatch):
    """Draws a figure of an ordinary network and a hybrid with two intervals; returns its groups of bars and more."""
    seen = {}

    def keep(title, groups, legend, y_label, bottom=0.0, logarithmic=False):
        seen.update(groups=dict(groups), legend=list(legend), unit=y_label, bottom=bottom, logarithmic=logarithmic)
        return ""

    monkeypatch.setattr(paper_figures, "bar_chart", keep)
    results = [result("s2a4", 2, 0.7), result("s2a4", 4, 0.8), result("ann", 4, 0.6)]
    settings = settings_of([row_of(one) for one in results])

    def draw(name):
        FIGURES[name][0](settings)
        return seen

    return draw


def values(bar):
    return [pytest.approx(part.value) for part in bar.parts]


def test_accuracy_in_per_cent_with_intervals_and_published_values(drawn):
    figure = drawn("figure-4-accuracy")
    two, four = figure["groups"]["s2a4"]
    assert (values(two), values(four)) == ([70], [80])
    assert [part.colour for bar in (two, four) for part in bar.parts] == [0, 1]
    assert (two.low, two.high, two.published) == (pytest.approx(60), pytest.approx(80), pytest.approx(86.57))
    assert four.published is None
    assert (figure["legend"], figure["unit"], figure["bottom"]) == (["I = 2", "I = 4"], "% of windows", 50)


def test_latency_in_milliseconds(drawn):
    host = drawn("figure-5-latency-host")
    assert values(host["groups"]["s2a4"][1]) == [0.8, 0.02, 0.4]
    assert [bar.name for bar in host["groups"]["s2a4"]] == ["2", "4"]
    loihi = drawn("figure-5-latency-loihi")
    assert values(loihi["groups"]["s2a4"][0]) == [0.18, 0.4]
    assert [part.estimated for part in loihi["groups"]["s2a4"][0].parts] == [True, False]
    assert values(loihi["groups"]["ann"][0]) == [0, 0.4]


def test_power_is_energy_over_the_window(drawn):
    """0.0217 and 3.2 mJ in 160 ms are 0.136 and 20 mW."""
    assert values(drawn("figure-7-energy")["groups"]["s2a4"][0]) == [0.0217, 3.2]
    power = drawn("figure-6-power")
    assert values(power["groups"]["s2a4"][0]) == [0.0217 / 0.16, 20]
    assert all(part.estimated for part in power["groups"]["s2a4"][0].parts)
    assert power["unit"] == "mW"


def test_bytes_by_encoding(drawn):
    figure = drawn("figure-8-bytes")
    assert [values(bar) for bar in figure["groups"]["s2a4"]] == [[16384], [900], [32768], [32768]]
    assert [bar.parts[0].colour for bar in figure["groups"]["ann"]] == [0, 1, 3]  # counts with I = 4 only
    assert figure["legend"] == ["bitmap", "address events", "counts, I = 2", "counts, I = 4"]
    assert figure["logarithmic"]
