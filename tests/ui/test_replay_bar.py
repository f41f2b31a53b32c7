from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from fake_session import RECORDING, FakeSession
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QLabel

from spikebridge.contracts import SourceInfo
from spikebridge.events import Sensor
from spikebridge.ui.replay_bar import SPEEDS, ReplayBar, SeekBar, speed_text


@pytest.fixture
def replayed(application):
    """A bar and the recording of two seconds that it controls."""
    bar = ReplayBar()
    bar.resize(1200, 40)
    replay = FakeSession("wave.aedat", RECORDING).replay
    bar.set_replay(replay, RECORDING)
    yield bar, replay
    bar.close()


def times(bar):
    return [label.text() for label in bar.findChildren(QLabel)]


def test_a_click_on_the_seek_bar_seeks(application):
    bar = SeekBar()
    bar.resize(200, 30)
    sought: list[float] = []
    bar.sought.connect(sought.append)
    QTest.mouseClick(bar, Qt.MouseButton.LeftButton, pos=QPoint(50, 10))
    assert sought == [0.25]


def test_the_seek_bar_shows_where_it_is_and_where_the_events_are(application):
    bar = SeekBar()
    bar.resize(200, 30)
    empty = bar.grab().toImage()
    bar.show_overview(np.array([0.0, 0.0, 1.0, 1.0], np.float32))
    with_rates = bar.grab().toImage()
    assert with_rates.pixelColor(190, 15) != empty.pixelColor(190, 15)
    assert with_rates.pixelColor(20, 15) == empty.pixelColor(20, 15)
    bar.show_position(0.5)
    assert bar.grab().toImage().pixelColor(50, 4) != with_rates.pixelColor(50, 4)
    assert bar.grab().toImage().pixelColor(190, 15) == with_rates.pixelColor(190, 15)


def test_times_before_and_after(replayed):
    bar, replay = replayed
    replay.seek(1_700_000)
    bar.refresh(False, RECORDING)
    # from 1 s to 3 s
    assert times(bar) == ["0:00.7", "−0:01.3"]
    assert bar.seek_bar.fraction == pytest.approx(0.35)
    assert bar.seek_bar.has_overview


def test_an_hour_has_room(application):
    bar = ReplayBar()
    bar.set_replay(FakeSession("wave.aedat", RECORDING).replay, RECORDING)
    short = bar.findChildren(QLabel)[0].width()
    long = SourceInfo("long.aedat", "long.aedat", "recording", Sensor(128, 128), 0, 3_700_000_000)
    bar.set_replay(FakeSession("long.aedat", long).replay, long)
    assert bar.findChildren(QLabel)[0].width() > short
    bar.close()


def test_the_end_moves_away_while_the_recording_is_indexed(replayed):
    bar, replay = replayed
    replay.state = dataclasses.replace(replay.state, indexed=0.439)
    replay.seek(2_000_000)
    bar.refresh(False, RECORDING)
    assert bar.seek_bar.texts == ("indexing 43 %",)
    assert bar.seek_bar.accessibleDescription() == "indexing 43 %"
    assert bar.seek_bar.fraction == pytest.approx(0.5)
    bar.seek_bar.resize(200, 30)
    QTest.mouseClick(bar.seek_bar, Qt.MouseButton.LeftButton, pos=QPoint(150, 10))
    assert replay.state.position_us == 2_500_000
    replay.state = dataclasses.replace(replay.state, indexed=1.0)
    bar.refresh(False, dataclasses.replace(RECORDING, t_last_us=7_000_000))
    assert bar.seek_bar.texts == ()
    assert bar.seek_bar.accessibleDescription() == ""
    assert bar.seek_bar.fraction == pytest.approx(0.25)
    assert times(bar) == ["0:01.5", "−0:04.5"]
    QTest.mouseClick(bar.seek_bar, Qt.MouseButton.LeftButton, pos=QPoint(150, 10))
    assert replay.state.position_us == 5_500_000


def test_an_hour_that_is_only_known_later_has_room(replayed):
    bar, _ = replayed
    short = bar.findChildren(QLabel)[0].width()
    bar.refresh(False, dataclasses.replace(RECORDING, t_last_us=4_000_000_000))
    assert bar.findChildren(QLabel)[0].width() > short


def test_a_click_seeks_in_the_recording(replayed):
    bar, replay = replayed
    bar.seek_bar.resize(200, 30)
    QTest.mouseClick(bar.seek_bar, Qt.MouseButton.LeftButton, pos=QPoint(150, 10))
    assert replay.state.position_us == 2_500_000


def test_stepping_pauses_first(replayed):
    bar, replay = replayed
    bar.step()
    assert (replay.state.paused, replay.steps) == (True, 1)


def test_speeds_follow_each_other(replayed):
    bar, replay = replayed
    for _ in range(10):
        bar.change_speed(1)
    assert math.isinf(replay.state.speed)
    for _ in range(10):
        bar.change_speed(-1)
    assert replay.state.speed == SPEEDS[0]
    assert (speed_text(math.inf), speed_text(0.25)) == ("speed max", "speed 0.25×")


def test_without_a_recording_it_hides_and_does_nothing(replayed):
    bar, replay = replayed
    bar.set_replay(None, None)
    assert bar.isHidden()
    bar.toggle()
    bar.step()
    bar.seek_start()
    bar.refresh(False, RECORDING)
    assert replay.steps == 0


def test_an_ended_one_asks_to_be_opened_again(replayed):
    bar, replay = replayed
    asked = []
    bar.replayed.connect(lambda: asked.append(1))
    bar.refresh(True, RECORDING)
    bar.toggle()
    assert asked == [1]
    assert not replay.state.paused
