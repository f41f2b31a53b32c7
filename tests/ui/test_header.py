from __future__ import annotations

from dataclasses import replace

import pytest
from fake_session import RECORDING, lane, snapshot
from PyQt6.QtWidgets import QMenu

from spikebridge.contracts import RecordingStatus
from spikebridge.snapshot import Latency
from spikebridge.ui.header import STATES, Header


@pytest.fixture
def header(application):
    header = Header(QMenu())
    header.resize(1888, 48)
    return header


def test_all_words_of_one_network(header):
    header.show_snapshot(snapshot(1), lane(1))
    # newest event: 1.23 ms and 20 ms in the spiking layers; oldest: a window of 160 ms before
    assert header.texts == (
        "Spikebridge",
        "●  Running",
        "SIMULATED",
        "Simulated camera  ·  s2a4-stream",
        "1.23 ms",
        "end of the step → decision, p50",
        "p99 4.23 ms; newest event 21.2 ms old, oldest 181 ms",
    )


def test_the_latency_is_that_of_the_given_network(header):
    header.show_snapshot(snapshot(3), lane(2))
    assert header.texts[3:] == (
        "Simulated camera  ·  3 networks",
        "2.23 ms",
        "ann-160ms: end of the step → decision, p50",
        "p99 5.23 ms; newest event 22.2 ms old, oldest 182 ms",
    )


def test_without_a_pace_there_is_no_latency(header):
    header.show_snapshot(snapshot(1), replace(lane(1), end_to_end=None))
    assert header.texts[4] == "– ms"
    assert header.texts[-1] == "a run without a pace has no latency"


def test_before_the_first_decision(header):
    header.show_snapshot(snapshot(1), replace(lane(1), end_to_end=Latency()))
    assert header.texts[4] == "– ms"
    assert header.texts[-1] == "waiting for the first decision"


@pytest.mark.parametrize(
    ("kind", "badge"), [("recording", "RECORDING"), ("live", "LIVE CAMERA"), ("simulated", "SIMULATED")]
)
def test_what_the_source_is_is_a_word(header, kind, badge):
    header.show_snapshot(replace(snapshot(1), source=replace(RECORDING, kind=kind)), lane(1))
    assert header.texts[2] == badge


@pytest.mark.parametrize("state", ["starting", "running", "waiting", "paused", "ended", "failed"])
def test_states_are_words_and_icons(header, state):
    header.show_snapshot(replace(snapshot(1), state=state), lane(1))
    icon, word, _ = STATES[state]
    assert header.texts[1] == f"{icon}  {word}"
    assert len({icon for icon, _, _ in STATES.values()}) >= len(STATES) - 1


def test_opening_and_closing(header):
    header.show_snapshot(snapshot(1), lane(1))
    header.show_opening("sim:", "Lava: compiling")
    assert header.texts == ("Spikebridge", "◌  Opening", "SIMULATED", "sim:   Lava: compiling …")
    header.show_closed()
    assert header.texts == ("Spikebridge", "○  No source")
    assert header.source == ""


@pytest.mark.parametrize(
    ("recording", "words"),
    [
        (RecordingStatus("a.aedat4", True, 12_999_999, 5), "● REC 0:12   T: hand clap"),
        (RecordingStatus("a.aedat4", True, 3_661_000_000, 5, label="arm_roll"), "● REC 61:01   ▶ arm roll"),
        (RecordingStatus("a.aedat4", True, 0, 5, lost=1234), "● REC 0:00  ⚠ 1\u2009234 LOST   T: hand clap"),
    ],
)
def test_a_recording_is_seen(header, recording, words):
    header.show_snapshot(replace(snapshot(1), recording=recording), lane(1))
    assert header.texts[3] == words
    header.show_snapshot(replace(snapshot(1), recording=replace(recording, running=False)), lane(1))
    assert words not in header.texts
    header.show_snapshot(replace(snapshot(1), recording=recording), lane(1))
    header.show_closed()
    assert words not in header.texts
