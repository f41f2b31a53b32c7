from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fake_session import decision, lane

from spikebridge.contracts import LABELS
from spikebridge.ui import theme
from spikebridge.ui.class_bars import ClassBars
from spikebridge.ui.items import Box, Paragraph, Pointer, Words

OWN = ("stop", "thumbs_up", "victory_sign")


@pytest.fixture
def bars(application):
    bars = ClassBars()
    bars.resize(640, 500)
    return bars


def deciding(label, confidence, labels=LABELS, **changes):
    model = replace(lane(1).model, labels=labels)
    return replace(lane(1), model=model, decision=decision(label, confidence, labels), **changes)


def filled(bars):
    """(width of the filled bar / that of its groove, colour) of each row."""
    boxes = [item for item in bars.items if isinstance(item, Box)]
    return [
        (bar.place.width() / groove.place.width(), bar.colour)
        for groove, bar in zip(boxes[::2], boxes[1::2], strict=True)
    ]


def test_all_words(bars):
    bars.show_lane(deciding("arm_roll", 0.8))
    assert bars.texts == (
        *("All gestures", "Hand clap", "2%", "Right hand wave", "2%", "Left hand wave", "2%"),
        *("Right arm clockwise", "2%", "Right arm counter-clockwise", "2%", "Left arm clockwise", "2%"),
        *("Left arm counter-clockwise", "2%", "Arm roll", "80%", "Air drums", "2%", "Air guitar", "2%"),
        *("Other", "2%", "threshold 50%"),
    )


def test_bars_are_as_long_as_probable_and_the_named_one_is_marked(bars):
    bars.show_lane(deciding("arm_roll", 0.8))
    lengths = [length for length, _ in filled(bars)]
    assert lengths == pytest.approx([0.02] * 7 + [0.8] + [0.02] * 3, abs=0.02)
    assert [colour for _, colour in filled(bars)].index(theme.ACCENT) == 7
    pointers = [item.place.isEmpty() for item in bars.items if isinstance(item, Pointer)]
    assert pointers == [True] * 7 + [False] + [True] * 3
    named = next(item for item in bars.items if isinstance(item, Words) and item.text == "Arm roll")
    assert named.bold


def test_nothing_is_marked_without_a_gesture(bars):
    bars.show_lane(deciding(None, 0.3))
    assert theme.ACCENT not in [colour for _, colour in filled(bars)]
    assert bars.probabilities[0] == pytest.approx(0.3)


def test_labels_are_those_of_the_network(bars):
    bars.show_lane(deciding("thumbs_up", 0.7, OWN, threshold=0.6))
    assert bars.texts == ("All gestures", "Stop", "15%", "Thumbs up", "70%", "Victory sign", "15%", "threshold 60%")


def test_before_the_first_decision_all_are_zero(bars):
    bars.show_lane(replace(deciding(None, 0.3), decision=None))
    assert bars.probabilities == (0.0,) * len(LABELS)
    assert bars.texts[2] == "0%"
    bars.show_lane(deciding("arm_roll", 0.8))
    bars.clear()
    assert bars.probabilities == (0.0,) * len(LABELS)


def test_a_failed_network_says_why(bars):
    bars.show_lane(deciding("arm_roll", 0.8, state="failed", failure="expected an answer, found none."))
    (said,) = bars.items
    assert isinstance(said, Paragraph)
    assert said.text == "Expected an answer, found none."


def test_only_the_likeliest_are_shown_where_there_is_no_room_for_all(bars):
    labels = tuple(f"sign {n}" for n in range(40))
    probabilities = np.zeros(40, np.float32)
    probabilities[[3, 30, 12]] = (0.2, 0.5, 0.3)
    shown = replace(deciding("sign 30", 0.5, labels), decision=replace(decision(None, 0.5, labels), index=30))
    bars.resize(400, 110)
    bars.small = True
    assert shown.decision is not None
    bars.show_lane(replace(shown, decision=replace(shown.decision, probabilities=probabilities)))
    # 110 px high, less 24 px above and 8 below, has room for five rows of 15 px
    assert bars.texts[0] == "5 of 40 gestures"
    assert bars.texts[1:-1:2] == ("Sign 0", "Sign 1", "Sign 3", "Sign 12", "Sign 30")
    assert bars.texts[-2] == "50%"


def test_names_are_short_where_the_whole_ones_would_be_cut(bars):
    bars.small = True
    bars.resize(190, 200)
    bars.set_scale(0.5)
    bars.show_lane(deciding("right_arm_counter_clockwise", 0.8))
    words = [item for item in bars.items if isinstance(item, Words)]
    assert "Right arm ccw" in bars.texts
    assert "Right arm cw" in bars.texts
    assert all(item.shown(bars.scale) == item.text for item in words if item.text)
    grooves = [item.place.width() for item in bars.items if isinstance(item, Box)][::2]
    assert min(grooves) > 0.15 * bars.width()
    bars.resize(440, 200)
    bars.set_scale(1.0)
    assert "Right arm counter-clockwise" in bars.texts
