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
    ("value_us", "text"),
    [(0, "0.00 ms"), (418, "0.42 ms"), (999_400, "999 ms"), (999_500, "1.00 s"), (12_340_000, "12.3 s")],
)
def test_milliseconds(value_us, text):
    assert figures.milliseconds(value_us) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 events/s"),
        (6.25, "6.25 events/s"),
        (99.6, "100 events/s"),
        (999.4, "999 events/s"),
        (999.5, "1.00 k events/s"),
        (2.5e6, "2.50 M events/s"),
        (999_600, "1.00 M events/s"),
    ],
)
def test_rate(value, text):
    assert figures.rate(value, "events/s") == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (0, "0 B/s"), (138, "138 B/s"), (102_400, "102 kB/s"), (999_600, "1.00 MB/s")]
)
def test_bytes(value, text):
    assert figures.byte_rate(value) == text


@pytest.mark.parametrize(
    ("watts", "text"),
    [
        (0.0, "0 mW"),
        (1.23e-9, "1.23 nW"),
        (4.5e-6, "4.50 µW"),
        (0.0123, "12.3 mW"),
        (0.9994, "999 mW"),
        (0.9996, "1.00 W"),
        (2.569, "2.57 W"),
        (11.3, "11.3 W"),
    ],
)
def test_power(watts, text):
    assert figures.power(watts, "estimated") == (text, "estimated")


def test_power_never_stands_without_its_provenance():
    assert figures.power(0.0123, "simulated") == ("12.3 mW", "simulated")
    assert figures.power(11.3, "measured") == ("11.3 W", "measured")
    assert figures.power(None, "measured") == ("– mW", "unavailable")
    assert figures.power(1.0, "unavailable") == ("– mW", "unavailable")


@pytest.mark.parametrize(
    ("value_mj", "text"),
    [
        (None, "–"),
        (0.0, "0 mJ"),
        (1.5e-7, "0.15 nJ"),
        (0.00123, "1.23 µJ"),
        (0.9996, "1.00 mJ"),
        (37.0, "37.0 mJ"),
        (1234.0, "1.23 J"),
    ],
)
def test_millijoules(value_mj, text):
    assert figures.millijoules(value_mj) == text


def test_energy_keeps_activity_constant_and_static_apart():
    all_three = Energy(0.0041, "estimated", 0.0123, 2.3, "measured on one board")
    assert figures.energy(all_three) == ("4.10 µJ + 12.3 µJ constant", "per decision, estimated")
    assert figures.static_energy(all_three) == "+ 2.30 mJ static: measured on one board"
    assert figures.energy(Energy(0.0041, "simulated", 0.0, 2.3)) == ("4.10 µJ", "per decision, simulated")
    assert figures.energy(Energy(2.9, "measured")) == ("2.90 mJ", "per decision, measured")
    assert figures.energy(Energy(None, "unavailable")) == ("", "")
    assert figures.energy(Energy(1.0, "unavailable")) == ("", "")


def test_static_energy_never_stands_without_its_origin():
    assert figures.static_energy(Energy(2.9, "measured", static_mj=0.5)) == "+ 500 µJ static: origin not known"
    assert figures.static_energy(Energy(2.9, "measured")) == ""
    assert figures.static_energy(Energy(1.0, "unavailable", static_mj=0.5, static_source="a board")) == ""


@pytest.mark.parametrize(
    ("value_us", "text"),
    [(-1, "0:00.0"), (62_340_000, "1:02.3"), (3_599_900_000, "59:59.9"), (3_662_300_000, "1:01:02.3")],
)
def test_clock(value_us, text):
    assert figures.clock(value_us) == text


def test_counts():
    assert figures.count(1234567) == "1\u2009234\u2009567"
    assert figures.number(1, "event") == "1 event"
    assert figures.number(1200, "event") == "1\u2009200 events"
    assert figures.share(0.8734) == "87.3%"
    assert figures.share(None) == "–"


def test_labels_for_people():
    assert figures.label_text("right_arm_counter_clockwise") == "Right arm counter-clockwise"
    assert figures.label_text(None) == "No gesture"
    assert figures.short_label_text("right_arm_counter_clockwise") == "Right arm ccw"
    assert figures.short_label_text("left_arm_clockwise") == "Left arm cw"
    for text in (figures.label_text, figures.short_label_text):
        assert len({text(label) for label in LABELS}) == len(LABELS)


def test_sentences_begin_large_and_stay_as_they_are():
    assert figures.sentence(" expected S2A4, found SNN. ") == "Expected S2A4, found SNN."
    assert figures.sentence("") == ""
