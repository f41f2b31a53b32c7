"""Every figure of the five cards and four links, by hand; see ``fake_session`` for where they come from."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_session import ORIGIN, cards, snapshot

from spikebridge.contracts import Energy
from spikebridge.stages import CARDS
from spikebridge.ui import theme
from spikebridge.ui.bridge_strip import BridgeStrip
from spikebridge.ui.items import Image, Words


@pytest.fixture
def strip(application):
    strip = BridgeStrip()
    strip.resize(1888, 232)
    return strip


FIRST = (
    *("Simulated camera", "128×128 px → counts", "1.11 ms", "111 mW", "11.0 k events/s", "estimated"),
    *("100 µJ per decision, measured", "rate"),
    *("110", "kB/s"),
    *("SNN · Loihi emulator", "counts → spikes", "1.22 ms", "122 mW", "12.0 k spikes/s", "simulated"),
    *("1.23 µJ + 4.56 µJ constant", "per decision, simulated"),
    *("+ 789 µJ static: middle of 0.23–0.28 W,", "measured on one Loihi 2 board", "rate"),
    *("120", "kB/s"),
    *("Accumulator · T 16, I 4", "spikes → features", "1.33 ms", "133 mW", "13.0 k steps/s", "measured"),
    *("200 µJ per decision, measured", "ms"),
    *("130", "kB/s"),
    *("ANN · ONNX Runtime CPU", "features → logits", "1.44 ms", "144 mW", "14.0 k inferences/s", "estimated"),
    *("1.50 mJ per decision, estimated", "ms"),
    *("140", "kB/s"),
    *("Decision", "logits → gesture", "1.55 ms", "155 mW", "15.0 k decisions/s", "measured"),
    *("300 µJ per decision, measured", "ms"),
)


def test_every_figure_is_painted(strip):
    strip.show_cards(cards(1), {})
    assert strip.texts == FIRST


def test_figures_of_another_network_are_others(strip):
    strip.show_cards(snapshot(2).lanes[1].cards, {})
    assert strip.texts[2:10] == (
        *("2.11 ms", "211 mW", "21.0 k events/s", "estimated", "200 µJ per decision, measured", "rate"),
        *("210", "kB/s"),
    )
    assert strip.texts[12:23] == (
        *("2.22 ms", "222 mW", "22.0 k spikes/s", "simulated"),
        *("2.46 µJ + 9.12 µJ constant", "per decision, simulated"),
        *("+ 1.58 mJ static: middle of 0.23–0.28 W,", "measured on one Loihi 2 board", "rate"),
        *("220", "kB/s"),
    )


def test_what_is_not_known_has_no_figure(strip):
    dark = tuple(
        replace(
            card, power_w=None, power_provenance="unavailable", energy=Energy(None, "unavailable"), bytes_per_s=None
        )
        for card in cards(1)
    )
    strip.show_cards(dark, {})
    assert strip.texts[2:6] == ("1.11 ms", "– mW", "11.0 k events/s", "unavailable")
    assert not any("J" in words or "B/s" in words for words in strip.texts)


def test_it_waits_without_figures(strip):
    strip.show_cards(cards(1), {})
    strip.clear()
    assert strip.texts[:4] == ("Source", "waiting", "– ms", "– mW")


def test_unavailable_power_is_faint(strip):
    strip.show_cards((replace(cards(1)[0], power_w=None, power_provenance="unavailable"),), {})
    value = next(item for item in strip.items if isinstance(item, Words) and item.text == "– mW")
    assert (value.colour, value.bold) == (theme.FAINT, False)


def test_sparklines_show_what_was(strip):
    strip.show_cards(cards(1), {"snn": (1.0, 2.0), "ann": (5.0, 5.0)})
    images = [item.image for item in strip.items if isinstance(item, Image)]
    assert len(images) == len(CARDS)
    empty = images[0]
    assert [image == empty for image in images] == [True, False, True, False, True]
    strip.low = True
    strip.show_cards(cards(1), {"snn": (1.0, 2.0)})
    assert not any(isinstance(item, Image) for item in strip.items)
    # nor static energy, which stands in the table above
    left_out = ("rate", "ms", "+ 789 µJ static: middle of 0.23–0.28 W,", "measured on one Loihi 2 board")
    assert [words for words in FIRST if words not in left_out] == list(strip.texts)


@pytest.mark.parametrize("height", range(140, 240, 4))
def test_static_energy_and_its_origin_stand_together_or_not_at_all(strip, height):
    strip.resize(1888, height)
    strip.show_cards(cards(1), {})
    words = " ".join(strip.texts)
    assert "1.23 µJ + 4.56 µJ constant per decision, simulated" in words
    assert ("789 µJ static" in words) == (ORIGIN in words) == (height >= 228)


def test_a_long_title_is_set_in_smaller_type_before_it_is_cut(strip):
    def title(words):
        strip.show_cards((replace(cards(1)[0], title=words),), {})
        return next(item for item in strip.items if isinstance(item, Words))

    short, long = title("Recording · DVS128"), title("Recording · DAVIS346_00000123")
    assert (short.size, short.shown(1.0)) == (20, short.text)
    assert 15 < long.size < 20
    assert long.shown(1.0) == long.text
    assert title("Recording · " + 30 * "DAVIS").size == 15


def test_the_camera_card_tells_what_the_camera_is_set_to(strip):
    strip.show_cards(cards(1), {})
    strip.details = ("driver a 1.0", "bias_on 5")
    # Five cards, and four arrows of 92 px.
    width = (1888 - 4 * 92) / 5
    assert strip.tip_at(0) == strip.tip_at(width - 1) == "driver a 1.0\nbias_on 5"
    assert strip.tip_at(width + 1) == ""
    strip.clear()
    assert strip.tip_at(0) == ""
