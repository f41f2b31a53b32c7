from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from fake_session import decision, packet
from PyQt6.QtCore import QMimeData, QPointF, Qt, QUrl
from PyQt6.QtGui import QAction, QDropEvent, QImage
from PyQt6.QtTest import QTest

from spikebridge.contracts import Counters, SourceCounters
from spikebridge.ui.actions import GROUPS


def press(window, key, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(window, key, modifier)


def drop(window, path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys))


def test_the_decision_is_shown(opened, until):
    opened.session.show(decision=decision("left_arm_counter_clockwise"))
    until(lambda: opened.window.stage.gesture.words == "Left arm counter-clockwise")
    assert opened.window.stage.bars.probabilities[6] == pytest.approx(0.9)


def test_no_gesture_is_said_calmly(opened, until):
    opened.session.show(decision=decision(None, 0.3))
    until(lambda: opened.window.stage.gesture.words == "No gesture")
    assert not opened.window.banner.words


def test_before_the_first_decision_it_waits(opened, until):
    opened.session.show(decision=None, state="starting")
    until(lambda: opened.window.stage.gesture.words == "Starting waiting for the first decision")


def test_events_reach_the_picture(opened, until):
    before = opened.window.stage.events.grab().toImage()
    opened.session.packets.append(packet([0] * 128, list(range(128)), [64] * 128, [1] * 128))
    until(lambda: not opened.session.packets)
    assert opened.window.stage.events.grab().toImage() != before


def test_frames_are_drawn_without_events(opened, until):
    opened.window.stage.events.frames.clear()
    until(lambda: opened.window.stage.events.frames.figures().frames >= 5)


def test_a_source_that_cannot_be_opened_is_a_banner(opened, until):
    running = opened.window.session
    opened.window.open("missing.aedat")
    until(lambda: "missing.aedat" in opened.window.banner.words)
    assert opened.window.session is running
    press(opened.window, Qt.Key.Key_Escape)
    assert opened.window.banner.words == ""


def test_a_failing_chain_is_a_banner_once(opened, until):
    opened.session.show(state="failed", failure="expected the ANN to run, found an error.")
    until(lambda: opened.window.banner.words == "Expected the ANN to run, found an error.")
    opened.window.dismiss()
    opened.session.show()
    until(lambda: opened.window.header.state == "failed")
    opened.window._draw_words()
    assert opened.window.banner.words == ""


def test_a_note_is_a_banner_once_with_its_first_words(opened, until):
    opened.session.show(notes={"overflow": "exceeded 3 times."})
    until(lambda: opened.window.banner.words == "Exceeded 3 times.")
    opened.window.dismiss()
    opened.session.show(notes={"overflow": "exceeded 4 times."})
    until(lambda: opened.window.header.state == "running")
    opened.window._draw_words()
    assert not opened.window.banner.words
    opened.session.show(notes={"overflow": "exceeded 5 times.", "restart 1": "it restarts."})
    until(lambda: opened.window.banner.words == "It restarts.")


def test_a_note_goes_by_itself_and_does_not_hide_an_error(opened, until, monkeypatch):
    monkeypatch.setattr("spikebridge.ui.banner._NOTE_MS", 30)
    opened.window.banner.show_note("a note.")
    assert opened.window.banner.words == "A note."
    until(lambda: not opened.window.banner.words)
    opened.window.show_error("broken.")
    opened.window.banner.show_note("a note.")
    assert opened.window.banner.words == "Broken."


def test_another_source_closes_the_one_before(opened, until):
    first = opened.session
    press(opened.window, Qt.Key.Key_R)
    until(lambda: opened.window.session is not first and first.closed)
    assert opened.window.header.badge == "simulated"
    assert opened.window.replay_bar.isHidden()


def test_the_newest_of_two_openings_wins(opened, until):
    opened.window.open("a.aedat")
    opened.window.open("b.aedat")
    until(lambda: opened.window.session is not None and opened.window.session.uri == "b.aedat")
    until(lambda: all(s.closed for s in opened.sessions if s is not opened.window.session))


def test_a_dropped_file_is_opened(opened, until, tmp_path: Path):
    drop(opened.window, tmp_path / "dropped.aedat")
    until(lambda: opened.window.session is not None and opened.window.session.uri.endswith("dropped.aedat"))


def test_keys_control_the_replay(opened):
    window, replay = opened.window, opened.session.fake_replay
    press(window, Qt.Key.Key_Space)
    assert replay.state.paused
    press(window, Qt.Key.Key_Period)
    assert replay.steps == 1
    press(window, Qt.Key.Key_Right)
    assert replay.state.position_us == 2_000_000
    press(window, Qt.Key.Key_Right)
    press(window, Qt.Key.Key_Right)
    assert replay.state.position_us == 3_000_000
    press(window, Qt.Key.Key_Home)
    assert replay.state.position_us == 1_000_000
    press(window, Qt.Key.Key_L)
    assert replay.state.loop
    press(window, Qt.Key.Key_Minus)
    assert replay.state.speed == 0.5


def test_the_fastest_speed_is_as_fast_as_it_goes(opened):
    for _ in range(10):
        press(opened.window, Qt.Key.Key_Plus)
    assert math.isinf(opened.session.fake_replay.state.speed)


def test_keys_change_threshold_and_smoothing(opened):
    press(opened.window, Qt.Key.Key_BracketRight)
    assert opened.session.threshold == pytest.approx(0.55)
    opened.window.lower_smoothing()
    assert opened.session.smoothing_us == 150_000
    assert opened.window.stage.settings.threshold.text() == "55%"
    assert opened.window.stage.settings.smoothing.text() == "150 ms"


def test_feature_maps_are_asked_for_only_while_open(opened, until):
    press(opened.window, Qt.Key.Key_F)
    assert opened.session.features_wanted
    assert not opened.window.stage.features.isHidden()
    opened.session.show(features=np.ones((8, 4, 4), np.uint8), features_shape=(2, 4, 4, 4))
    until(lambda: opened.window.stage.features._tiles is not None)
    press(opened.window, Qt.Key.Key_F)
    assert not opened.session.features_wanted


def test_help_names_every_command_and_opens_and_closes(opened):
    press(opened.window, Qt.Key.Key_F1)
    assert not opened.window.help.isHidden()
    press(opened.window, Qt.Key.Key_Escape)
    assert opened.window.help.isHidden()


@pytest.mark.parametrize("command", [c for _, commands in GROUPS for c in commands], ids=lambda c: c.name)
def test_every_command_has_a_key_and_a_method(opened, command):
    action = opened.window.findChild(QAction, command.name)
    assert action is not None
    assert len(action.shortcuts()) == len(command.keys)
    assert callable(getattr(opened.window, command.name))


def test_no_key_means_two_things(opened):
    keys = [s.toString() for action in opened.window.actions() for s in action.shortcuts()]
    assert len(keys) == len(set(keys))


def test_loss_is_said_in_words(opened, until):
    counters = Counters(events_in=30, events_done=18, events_dropped=12)
    opened.session.show(counters=counters, source_counters=SourceCounters(truncated=True))
    until(lambda: opened.window.loss.verdict == "12 events lost, file truncated")


def test_an_ended_recording_is_opened_again_by_play(opened, until):
    first = opened.session
    opened.session.show(state="ended")
    until(lambda: opened.window.replay_bar._ended)
    press(opened.window, Qt.Key.Key_Space)
    until(lambda: opened.window.session is not None and opened.window.session is not first)
    assert first.closed


def test_nothing_moves_when_the_state_changes(opened, until):
    def places():
        parts = (opened.window.header, opened.window.stage.events, opened.window.stage.bars, opened.window.strip)
        return [part.geometry().getRect() for part in parts]

    before = places()
    opened.session.show(state="failed", failure="expected this, found that.", decision=decision(None))
    until(lambda: opened.window.banner.words)
    assert places() == before


@pytest.mark.parametrize("size", [(960, 600), (1280, 720), (1920, 1080), (3840, 2160)])
def test_every_size_is_drawn_without_overlap(opened, until, size):
    opened.window.toggle_features()
    opened.window.resize(*size)
    until(lambda: opened.window.width() == size[0])
    stage = opened.window.stage
    parts = [stage.events, stage.features, stage.gesture, stage.bars]
    rects = [part.geometry() for part in parts]
    assert not any(a.intersects(b) for i, a in enumerate(rects) for b in rects[i + 1 :])
    assert all(stage.rect().contains(rect) for rect in rects)
    image: QImage = opened.window.grab().toImage()
    assert image.width() == size[0]
