"""Sources that are opened and closed, what a snapshot changes, and all keys."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_session import RECORDING, FakeSession, lane
from PyQt6 import sip
from PyQt6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PyQt6.QtGui import QAction, QDropEvent
from PyQt6.QtTest import QTest

from spikebridge.contracts import SourceCounters
from spikebridge.events import make_events
from spikebridge.snapshot import Counters
from spikebridge.ui.actions import GROUPS
from spikebridge.ui.items import Image
from spikebridge.ui.session import ChainSession

ALL = [command for _, commands in GROUPS for command in commands]


def press(opened, key, modifier=Qt.KeyboardModifier.NoModifier):
    QTest.keyClick(opened.window, key, modifier)


def drop(window, path):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, buttons, keys))


def gesture(opened, number=0):
    return opened.page.stage.columns[number].gesture


def test_the_fake_is_a_session():
    session: ChainSession = FakeSession()
    assert session.replay is None


# ---------------------------------------------------------------- what a snapshot changes


def test_the_decision_is_shown(opened, until):
    opened.session.decide("left_arm_counter_clockwise")
    until(lambda: gesture(opened).said == "Left arm counter-clockwise")
    assert opened.page.stage.columns[0].bars.probabilities[6] == pytest.approx(0.9)


def test_no_gesture_is_said_calmly(opened, until):
    opened.session.decide(None, 0.3)
    until(lambda: gesture(opened).said == "No gesture")
    assert not opened.window.banner.words


def test_before_the_first_decision_it_waits(opened, until):
    opened.session.show_lane(replace(lane(1), decision=None, state="starting"))
    until(lambda: gesture(opened).said == "Starting waiting for the first decision")


def test_each_column_shows_its_own_network(opening):
    opened = opening(3)
    opened.draw()
    assert [gesture(opened, n).said for n in range(3)] == ["Air drums", "Air guitar", "Arm roll"]
    bars = [column.bars.probabilities for column in opened.page.stage.shown_columns]
    assert [each[at] for each, at in zip(bars, (8, 9, 7), strict=True)] == pytest.approx([0.89, 0.88, 0.87])
    assert [column.head.texts[1] for column in opened.page.stage.shown_columns] == [
        "1  s2a4-stream",
        "2  ann-160ms",
        "3  snn-160ms",
    ]


def test_a_network_that_fails_says_so_while_the_others_run_on(opening, until):
    opened = opening(3)
    opened.session.show_lane(replace(lane(2), state="failed", failure="expected an answer, found none."), 1)
    opened.session.show(replace(opened.session.newest, failure="expected an answer, found none."))
    opened.draw()
    until(lambda: gesture(opened, 1).said == "⚠ Failed")
    assert [gesture(opened, n).said for n in (0, 2)] == ["Air drums", "Arm roll"]
    assert opened.page.header.state == "running"
    assert "⚠ Failed" in opened.page.stage.columns[1].head.texts
    assert opened.page.table.cell(1, "lane") == "2  ann-160ms  (failed)"
    assert opened.window.banner.words == "Network ann-160ms: expected an answer, found none."
    assert opened.window.has_failed


def test_no_column_keeps_its_gesture_when_the_chain_has_died(opening, until):
    opened = opening(3)
    opened.draw()
    killed = "expected the chain's process to run, found it killed by SIGKILL; open the source again."
    lanes = tuple(replace(each, state="failed", failure=killed) for each in opened.session.newest.lanes)
    opened.session.show(replace(opened.session.newest, state="failed", failure=killed, lanes=lanes))
    opened.draw()
    assert {column.gesture.said for column in opened.page.stage.shown_columns} == {"⚠ Failed"}
    assert [opened.page.table.cell(row, "lane")[-8:] for row in range(3)] == ["(failed)"] * 3
    assert opened.window.banner.words == killed.capitalize().replace("sigkill", "SIGKILL")
    press(opened, Qt.Key.Key_Escape)
    assert not opened.window.banner.words


def test_events_reach_the_picture(opened, until):
    before = opened.page.stage.events.grab().toImage()
    opened.session.picture.absorb(make_events([0] * 128, list(range(128)), [64] * 128, [1] * 128), 10_000)
    until(lambda: opened.page.stage.events.grab().toImage() != before)


def test_frames_are_drawn_without_events(opened, until):
    opened.page.stage.events.frames.clear()
    until(lambda: opened.page.stage.events.frames.figures().frames >= 5)


@pytest.mark.parametrize(
    ("state", "message"), [("starting", "Starting …"), ("paused", "Paused"), ("failed", "⚠  Stopped by an error")]
)
def test_states_stand_over_the_picture(opened, state, message):
    opened.session.show(replace(opened.session.newest, state=state))
    opened.draw()
    assert opened.page.stage.events.message == message
    assert opened.page.header.state == state


def test_the_latency_chart_stands_still_while_paused(opened):
    def seen():
        chart = opened.page.latency_chart
        return chart.texts, chart.axes.curves[0].tolist(), chart.axes.area.tolist()

    opened.draw()
    before = seen()
    paused = replace(lane(1), decision=replace(lane(1).decision, latency_us={"ann": 9000.0}))
    opened.session.show_lane(paused)
    opened.session.show(replace(opened.session.newest, state="paused"))
    opened.draw()
    assert seen() == before
    opened.session.show(replace(opened.session.newest, state="running"))
    opened.draw()
    assert "ANN 9.00" in opened.page.latency_chart.texts
    assert opened.page.latency_chart.axes.curves[0][-1] == 9


def test_a_failing_chain_is_a_banner_once(opened, until):
    sentence = "expected the ANN to run, found an error."
    opened.session.show(replace(opened.session.newest, state="failed", failure=sentence))
    until(lambda: opened.window.banner.words == "Expected the ANN to run, found an error.")
    opened.window.banner.dismiss()
    opened.session.show(opened.session.newest)
    opened.draw()
    assert opened.page.header.state == "failed"
    assert opened.window.banner.words == ""


def test_notes_of_source_run_and_network_each_reach_the_banner(opened, until):
    changed = replace(opened.session.newest, source_counters=SourceCounters(notes=("a table is missing.",)))
    opened.session.show(replace(changed, notes={"slow": "the disk is slow."}))
    opened.session.show_lane(replace(lane(1), notes={"overflow": "exceeded 3 times."}))
    opened.draw()
    for words in ("A table is missing.", "The disk is slow.", "Exceeded 3 times."):
        assert opened.window.banner.words == words
        press(opened, Qt.Key.Key_Escape)
    opened.session.show_lane(replace(lane(1), notes={"overflow": "exceeded 4 times."}))
    opened.draw()
    assert not opened.window.banner.words


def test_loss_of_any_network_is_said(opening):
    opened = opening(3)
    opened.session.show_lane(replace(lane(3), counters=Counters(events_in=30, events_done=18, events_dropped=12)), 2)
    opened.draw()
    assert opened.page.loss.verdict == "snn-160ms lost 12 events"


def test_nothing_moves_when_the_state_changes(opened, until):
    def places():
        page = opened.page
        parts = (page.header, page.stage.events, page.stage.columns[0].bars, page.strip)
        return [part.geometry().getRect() for part in parts]

    before = places()
    opened.session.decide(None)
    opened.session.show(replace(opened.session.newest, state="failed", failure="expected this, found that."))
    until(lambda: opened.window.banner.words)
    assert places() == before


# ---------------------------------------------------------------- sources


def test_a_source_that_cannot_be_opened_is_a_banner(opened, until):
    running = opened.window.session
    opened.window.open("missing.aedat")
    until(lambda: "missing.aedat" in opened.window.banner.words)
    assert opened.window.session is running
    press(opened, Qt.Key.Key_Escape)
    assert opened.window.banner.words == ""


def test_another_source_closes_the_one_before(opened, until):
    first = opened.session
    press(opened, Qt.Key.Key_R)
    until(lambda: opened.window.session is not first and first.closed)
    assert opened.page.header.badge == "simulated"
    assert opened.page.replay_bar.isHidden()
    assert opened.window.windowTitle() == "Simulated camera (simulated) – Spikebridge"


def test_the_newest_of_two_openings_wins(opened, until):
    opened.window.open("a.aedat")
    opened.window.open("b.aedat")
    until(lambda: opened.window.session is not None and opened.window.session.uri == "b.aedat")
    until(lambda: all(s.closed for s in opened.sessions if s is not opened.window.session))


def test_a_dropped_file_is_opened(opened, until, tmp_path: Path):
    drop(opened.window, tmp_path / "dropped.aedat")
    until(lambda: opened.window.session is not None and opened.window.session.uri.endswith("dropped.aedat"))


def test_closing_the_source_leaves_nothing_to_see(opening, until):
    opened = opening(3)
    opened.draw()
    press(opened, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    until(lambda: opened.session.closed)
    opened.draw()
    page = opened.page
    assert page.header.texts == ("Spikebridge", "○  No source")
    assert page.stage.events.message == "Drop a recording here"
    assert {column.gesture.said for column in page.stage.columns} == {"No source drop a recording or press O"}
    assert page.strip.texts[:4] == ("Source", "waiting", "– ms", "– mW")
    assert page.loss.verdict == "Nothing lost"
    assert not any(column.head.texts for column in page.stage.columns)
    assert not any("ms" in words or "J" in words for words in page.table.texts)
    assert (page.latency_chart.texts, page.power_chart.texts) == (("Latency, ms",), ("Power",))
    for chart in (page.latency_chart, page.power_chart):
        assert not any(curve.size for curve in chart.axes.curves)
        assert chart.axes.area is None
        assert not chart.axes.levels


def test_an_ended_recording_is_opened_again_by_play(opened, until):
    first = opened.session
    opened.session.show(replace(opened.session.newest, state="ended"))
    until(lambda: opened.page.replay_bar._ended)
    press(opened, Qt.Key.Key_Space)
    until(lambda: opened.window.session is not None and opened.window.session is not first)
    assert first.closed


# ---------------------------------------------------------------- keys


def test_keys_control_the_replay(opened):
    replay = opened.session.replay
    press(opened, Qt.Key.Key_Space)
    assert replay.state.paused
    press(opened, Qt.Key.Key_Period)
    assert replay.steps == 1
    press(opened, Qt.Key.Key_Right)
    assert replay.state.position_us == 2_000_000
    press(opened, Qt.Key.Key_Left)
    assert replay.state.position_us == 1_000_000
    for _ in range(3):
        press(opened, Qt.Key.Key_Right)
    assert replay.state.position_us == RECORDING.t_last_us
    press(opened, Qt.Key.Key_Home)
    assert replay.state.position_us == 1_000_000
    press(opened, Qt.Key.Key_L)
    assert replay.state.loop
    press(opened, Qt.Key.Key_Minus)
    assert replay.state.speed == 0.5
    for _ in range(10):
        press(opened, Qt.Key.Key_Plus)
    assert math.isinf(replay.state.speed)


@pytest.mark.parametrize(
    ("key", "modifier", "tuned", "shown"),
    [
        (Qt.Key.Key_BracketRight, Qt.KeyboardModifier.NoModifier, (0, 0.55, None), ("55%", "200 ms")),
        (Qt.Key.Key_BracketLeft, Qt.KeyboardModifier.NoModifier, (0, 0.45, None), ("45%", "200 ms")),
        (Qt.Key.Key_BraceRight, Qt.KeyboardModifier.NoModifier, (0, None, 300_000), ("50%", "300 ms")),
        (Qt.Key.Key_BraceLeft, Qt.KeyboardModifier.NoModifier, (0, None, 150_000), ("50%", "150 ms")),
    ],
)
def test_keys_change_threshold_and_smoothing(opened, key, modifier, tuned, shown):
    press(opened, key, modifier)
    assert opened.session.tuned == [tuned]
    settings = opened.page.stage.settings
    assert (settings.threshold.text(), settings.smoothing.text()) == shown


def test_feature_maps_are_asked_for_only_while_open(opened, until):
    assert opened.session.wanted == [(0, False)]
    press(opened, Qt.Key.Key_F)
    assert opened.session.wanted[-1] == (0, True)
    features = opened.page.stage.features
    assert features.isVisible()
    opened.session.show_lane(replace(lane(1), features=np.ones((8, 4, 4), np.uint8)))
    until(lambda: "sum of 4 intervals: 0…4" in features.texts)
    press(opened, Qt.Key.Key_F)
    assert opened.session.wanted[-1] == (0, False)
    assert features.isHidden()


def test_keys_change_the_picture(opened):
    events = opened.page.stage.events
    fade, palette = events.fade_us, events.palette_name
    press(opened, Qt.Key.Key_D)
    press(opened, Qt.Key.Key_P)
    press(opened, Qt.Key.Key_M)
    assert events.fade_us != fade
    assert events.palette_name != palette
    assert events.mirrored


def test_full_screen_and_back(opened):
    press(opened, Qt.Key.Key_F11)
    assert opened.window.isFullScreen()
    press(opened, Qt.Key.Key_Escape)
    assert not opened.window.isFullScreen()


def test_ending_deletes_all_of_it_at_once(opening):
    """What Qt has of a window may not be left to a garbage collection on another thread."""
    opened = opening(1)
    parts = [opened.window, opened.page, opened.page.latency_chart.axes.widget]
    opened.window.end()
    assert opened.session.closed
    assert all(sip.isdeleted(part) for part in parts)


def test_q_ends_the_program(opened, until):
    press(opened, Qt.Key.Key_Q)
    assert not opened.window.isVisible()
    assert opened.session.closed


def chosen(opened):
    """What is shown of the chosen network: in the strip, the header, the table, the heads and the settings."""
    page = opened.page
    return (
        page.strip.texts[2],
        page.header.texts[4],
        [page.table.cell(row, "lead") for row in range(3)].index("the chosen one"),
        [column.head.chosen for column in page.stage.shown_columns].index(True),
        page.loss.texts[2],
    )


FIRST = ("1.11 ms", "1.23 ms", 0, 0, "30")
SECOND = ("2.11 ms", "2.23 ms", 1, 1, "60")
THIRD = ("3.11 ms", "3.23 ms", 2, 2, "90")


def test_keys_choose_a_network(opening):
    opened = opening(3)
    opened.draw()
    assert chosen(opened) == FIRST
    for key, expected in (
        (Qt.Key.Key_2, SECOND),
        (Qt.Key.Key_3, THIRD),
        (Qt.Key.Key_1, FIRST),
        (Qt.Key.Key_N, SECOND),
        (Qt.Key.Key_N, THIRD),
        (Qt.Key.Key_N, FIRST),
    ):
        press(opened, key)
        assert chosen(opened) == expected


def test_clicks_choose_a_network(opening):
    opened = opening(3)
    opened.draw()
    column = opened.page.stage.columns[2]
    QTest.mouseClick(column, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    assert chosen(opened) == THIRD
    table = opened.page.table
    QTest.mouseClick(table, Qt.MouseButton.LeftButton, pos=QPoint(50, round(table.height() * 0.6)))
    assert chosen(opened) == SECOND


def test_settings_features_and_charts_are_of_the_chosen_network(opening):
    opened = opening(3)
    press(opened, Qt.Key.Key_F)
    features = np.ones((8, 4, 4), np.uint8)
    opened.session.show_lane(replace(lane(2), features=2 * features, threshold=0.7, smoothing_us=50_000), 1)
    opened.session.show_lane(replace(lane(1), features=features), 0)
    for _ in range(3):
        opened.draw()
    assert "closing 0.10" in opened.page.latency_chart.texts
    assert {"host 2.57 W estimated", "chip 1 2.00 mW simulated"} <= set(opened.page.power_chart.texts)
    press(opened, Qt.Key.Key_2)
    assert opened.session.wanted[-2:] == [(0, False), (1, True)]
    # the past of the network that is chosen now is there at once
    assert "closing 0.20" in opened.page.latency_chart.texts
    assert "chip 2 4.00 mW simulated" in opened.page.power_chart.texts
    settings = opened.page.stage.settings
    assert (settings.threshold.text(), settings.smoothing.text()) == ("70%", "50 ms")
    opened.draw()
    assert "closing 0.20" in opened.page.latency_chart.texts
    assert "chip 2 4.00 mW simulated" in opened.page.power_chart.texts
    assert opened.page.stage.features.texts[1:] == ("ann-160ms", "2 channels of 4×4", "sum of 4 intervals: 0…8")
    press(opened, Qt.Key.Key_BracketRight)
    press(opened, Qt.Key.Key_BraceRight)
    assert opened.session.tuned == [(1, pytest.approx(0.75), None), (1, None, 100_000)]


def test_sparklines_are_of_the_chosen_network(opening):
    """The second one's rates have risen, those of the first stayed."""
    opened = opening(3)
    opened.resize(1280, 720)
    strip = opened.page.strip
    strip.low = False
    for n in range(3):
        risen = tuple(replace(card, rate_hz=card.rate_hz * (n + 1)) for card in lane(2).cards)
        opened.session.show_lane(replace(lane(2), cards=risen), 1)
        opened.draw()

    def curve():
        return next(item.image for item in strip.items if isinstance(item, Image))

    level = curve()
    press(opened, Qt.Key.Key_2)
    assert curve() != level
    press(opened, Qt.Key.Key_3)
    assert curve() == level


def test_a_network_that_is_not_there_cannot_be_chosen(opened):
    press(opened, Qt.Key.Key_3)
    press(opened, Qt.Key.Key_N)
    assert opened.page.chosen == 0


def test_the_fourth_is_chosen_by_the_next(opening):
    opened = opening(4)
    press(opened, Qt.Key.Key_3)
    press(opened, Qt.Key.Key_N)
    assert opened.page.strip.texts[2] == "4.11 ms"
    assert opened.page.table.cell(3, "lead") == "the chosen one"
    assert not any(column.head.chosen for column in opened.page.stage.shown_columns)


# ---------------------------------------------------------------- the list of commands


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.name)
def test_every_command_is_in_the_menu_with_its_keys(opened, command):
    action = opened.window.findChild(QAction, command.name)
    assert action in opened.window.menu.actions()
    assert action.text() == command.title
    assert len(action.shortcuts()) == len(command.keys)


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.name)
def test_every_command_can_be_given_without_a_source(opened, until, monkeypatch, command):
    monkeypatch.setattr("spikebridge.ui.commands.QFileDialog.getOpenFileName", lambda *_: ("", ""))
    monkeypatch.setattr(opened.page.header.button, "showMenu", lambda: None)
    opened.window.commands.close_source()
    until(lambda: opened.session.closed)
    action = opened.window.findChild(QAction, command.name)
    action.trigger()
    if command.name == "open_simulated":
        until(lambda: opened.window.session is not None)


def test_no_key_means_two_things(opened):
    keys = [s.toString() for action in opened.window.actions() for s in action.shortcuts()]
    assert len(keys) == len(set(keys))


def test_a_chosen_file_is_opened(opened, until, monkeypatch):
    monkeypatch.setattr("spikebridge.ui.commands.QFileDialog.getOpenFileName", lambda *_: ("picked.aedat", ""))
    press(opened, Qt.Key.Key_O)
    until(lambda: opened.window.session is not None and opened.window.session.uri == "picked.aedat")
