from __future__ import annotations

from dataclasses import replace

import pytest
from fake_session import decision, lane

from spikebridge.contracts import LABELS
from spikebridge.ui import theme
from spikebridge.ui.gesture_panel import GesturePanel, halves
from spikebridge.ui.items import Icon, Words


@pytest.fixture(params=["large", "small", "wide"])
def panel(application, request):
    panel = GesturePanel()
    panel.small = request.param != "large"
    panel.resize(*{"large": (590, 590), "small": (450, 122), "wide": (690, 122)}[request.param])
    return panel


def deciding(label, confidence=0.9, labels=LABELS, **changes):
    model = replace(lane(1).model, labels=labels)
    return replace(lane(1), model=model, decision=decision(label, confidence, labels), **changes)


def icon(panel):
    return next(item for item in panel.items if isinstance(item, Icon))


def test_a_gesture_and_how_sure_it_is(panel):
    panel.show_lane(deciding("air_drums", 0.87))
    assert panel.said == panel.accessibleDescription() == "Air drums"
    assert {"Air drums", "87%"} <= set(panel.texts)
    assert (icon(panel).name, icon(panel).colour) == ("air_drums", theme.ACCENT)


def test_a_long_name_stands_on_two_lines(panel):
    panel.show_lane(deciding("left_arm_counter_clockwise", 1.0))
    assert {"Left arm", "counter-clockwise", "100%"} <= set(panel.texts)


@pytest.mark.parametrize("label", LABELS)
def test_every_name_is_read_whole_and_in_the_same_size(panel, label):
    panel.show_lane(deciding(label))
    words = [item for item in panel.items if isinstance(item, Words) and item.text]
    assert all(item.shown(panel.scale) == item.text for item in words)
    names = {item.size for item in words if item.text in halves(panel.said) or item.text == panel.said}
    panel.show_lane(deciding("air_drums"))
    assert names == {item.size for item in panel.items if isinstance(item, Words) and item.text == "Air drums"}


def test_no_gesture_says_what_is_most_likely(panel):
    panel.show_lane(deciding(None, 0.43))
    assert panel.said == "No gesture"
    said = " ".join(panel.texts)
    assert "No gesture" in panel.texts
    assert "most likely hand clap" in said
    assert "43%, below the threshold of 50%" in said
    assert (icon(panel).name, icon(panel).colour) == ("none", theme.FAINT)


def test_before_a_whole_window_was_seen_no_threshold_is_to_blame(panel):
    shown = deciding(None, 0.64)
    panel.show_lane(replace(shown, decision=replace(shown.decision, settled=False)))
    said = " ".join(panel.texts)
    assert "64%, but no whole window was seen yet" in said
    assert "threshold" not in said


def test_labels_are_those_of_the_network(panel):
    own = ("stop", "thumbs_up", "victory_sign")
    panel.show_lane(deciding("victory_sign", 0.7, own))
    assert "Victory sign" in panel.texts
    panel.show_lane(deciding(None, 0.4, own, threshold=0.6))
    said = " ".join(panel.texts)
    assert "most likely stop" in said
    assert "threshold of 60%" in said


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("starting", "Starting waiting for the first decision"),
        ("running", "Starting waiting for the first decision"),
        ("ended", "Ended before the first decision"),
        ("failed", "⚠ Failed"),
    ],
)
def test_without_a_decision_the_state_is_said(panel, state, words):
    panel.show_lane(replace(lane(1), decision=None, state=state))
    assert panel.said == words
    assert sorted(" ".join(panel.texts).split()) == sorted(words.split())


def test_how_far_a_stage_is_that_starts(panel):
    panel.show_lane(replace(lane(1), decision=None, state="starting", starting="compiling the network"))
    assert panel.said == "Starting compiling the network"
    assert "compiling the network" in " ".join(panel.texts)
    assert all(item.shown(panel.scale) == item.text for item in panel.items if isinstance(item, Words))
    panel.show_lane(replace(lane(1), decision=None, state="starting", starting="ready"))
    assert panel.said == "Starting ready"
    panel.show_lane(replace(lane(1), decision=None, state="failed", starting="ended"))
    assert panel.said == "⚠ Failed"


def test_a_failed_network_names_nothing_any_more(panel):
    panel.show_lane(deciding("air_drums", state="failed"))
    assert panel.texts == ("⚠ Failed",)
    assert next(item for item in panel.items if isinstance(item, Words) and item.text).colour == theme.ALARM


def test_an_ended_one_keeps_its_last_decision(panel):
    panel.show_lane(deciding("air_drums", state="ended"))
    assert panel.said == "Air drums"


def test_halves():
    assert halves("Left arm counter-clockwise") == ("Left arm", "counter-clockwise")
    assert halves("Right hand wave") == ("Right", "hand wave")
    assert halves("Other") == ("Other",)
    assert halves("Victory sign with left hand") == ("Victory sign", "with left hand")
