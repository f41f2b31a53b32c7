from __future__ import annotations

import pytest
from PyQt6.QtWidgets import QLabel, QToolButton

from spikebridge.ui.settings_bar import SettingsBar, next_smoothing_us, next_threshold


def test_steps_stay_in_range_and_meet_the_grid():
    assert next_threshold(0.98, 1) == 1.0
    assert next_threshold(0.0, -1) == 0.0
    assert next_threshold(0.5, 1) == pytest.approx(0.55)
    assert next_smoothing_us(60_000, 1) == 100_000
    assert next_smoothing_us(60_000, -1) == 50_000
    assert next_smoothing_us(0, -1) == 0
    assert next_smoothing_us(5_000_000, 1) == 2_000_000


@pytest.fixture
def bar(application):
    bar = SettingsBar()
    yield bar
    bar.close()


def test_values_and_whose_they_are(bar):
    bar.show_values(0.55, 150_000)
    assert (bar.threshold.text(), bar.smoothing.text()) == ("55%", "150 ms")
    assert bar.findChildren(QLabel)[0].text() == ""
    bar.make_room(["s2a4-stream", "ann"])
    bar.show_values(0.55, 150_000, "ann")
    assert bar.findChildren(QLabel)[0].text() == "ann"


def test_nothing_moves_with_the_name(bar):
    bar.make_room(["s2a4-stream", "ann"])
    widths = []
    for name in ("ann", "s2a4-stream"):
        bar.show_values(0.5, 0, name)
        widths.append(bar.sizeHint().width())
    assert widths[0] == widths[1]


def test_buttons_step(bar):
    steps = []
    bar.threshold_stepped.connect(lambda step: steps.append(("threshold", step)))
    bar.smoothing_stepped.connect(lambda step: steps.append(("smoothing", step)))
    for button in bar.findChildren(QToolButton):
        button.click()
    assert steps == [("threshold", -1), ("threshold", 1), ("smoothing", -1), ("smoothing", 1)]
