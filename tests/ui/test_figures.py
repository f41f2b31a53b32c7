from __future__ import annotations

import pytest

from spikebridge.contracts import LABELS, Energy
from spikebridge.ui import figures


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0.00"), (0.418, "0.42"), (9.994, "9.99"), (9.996, "10.0"), (99.96, "100"), (1234, "1234")]
)
def test_three_digits(value, text):
    assert figures.three_digits(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 events/s"), (999, "999 events/s"), (1000, "1.00 k events/s"), (2.5e6, "2.50 M events/s")]
)
def test_rate(value, text):
    assert figures.rate(value, "events/s") == text


def test_bytes():
    assert figures.byte_rate(None) == ""
    assert figures.byte_rate(102_400) == "102 kB/s"


def test_power_never_stands_without_its_provenance():
    assert figures.power(0.0123, "estimated") == ("12.3 mW", "estimated")
    assert figures.power(11.3, "measured") == ("11.3 W", "measured")
    assert figures.power(None, "measured") == ("– mW", "unavailable")
    assert figures.power(1.0, "unavailable") == ("– mW", "unavailable")


def test_energy_keeps_dynamic_and_static_apart():
    assert figures.energy(Energy(0.0041, "estimated", 2.3)) == "4.10 µJ + 2.30 mJ static / decision"
    assert figures.energy(Energy(2.9, "measured")) == "2.90 mJ / decision"
    assert figures.energy(Energy(None, "unavailable")) == ""
    assert figures.energy(Energy(1.5e-7, "estimated")) == "0.15 nJ / decision"


def test_clock_and_count():
    assert figures.clock(62_340_000) == "1:02.3"
    assert figures.clock(-1) == "0:00.0"
    assert figures.count(1234567) == "1\u2009234\u2009567"


def test_labels_for_people():
    assert figures.label_text("right_arm_counter_clockwise") == "Right arm counter-clockwise"
    assert figures.label_text(None) == "No gesture"
    assert len({figures.label_text(label) for label in LABELS}) == len(LABELS)
