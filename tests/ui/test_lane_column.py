from __future__ import annotations

from dataclasses import replace

import pytest
from fake_session import lane
from PyQt6.QtCore import QPoint, QRect, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QWidget

from spikebridge.ui import theme
from spikebridge.ui.items import Frame
from spikebridge.ui.lane_column import LaneColumn, LaneHead


@pytest.fixture
def head(application):
    head = LaneHead()
    head.resize(440, 76)
    return head


def test_what_a_network_is(head):
    head.show_lane(lane(1), 1, True)
    assert head.texts == (
        "✓ chosen",
        "1  s2a4-stream",
        "Hybrid S2A4, streaming",
        "SNN · Loihi emulator, ANN · ONNX Runtime CPU",
    )
    head.show_lane(lane(2), 2, False)
    assert head.texts == ("press 2", "2  ann-160ms", "ANN, 160 ms windows", "no SNN, ANN · ONNX Runtime CPU")


def test_backends_are_said_in_short_where_there_is_no_room(head):
    head.resize(250, 76)
    head.show_lane(lane(1), 1, True)
    assert head.texts[-1] == "Loihi emulator → ONNX Runtime CPU"


@pytest.mark.parametrize(("state", "words"), [("starting", "◌ Starting"), ("ended", "■ Ended"), ("failed", "⚠ Failed")])
def test_its_state_is_said_unless_it_runs(head, state, words):
    head.show_lane(replace(lane(1), state=state), 1, False)
    assert words in head.texts


@pytest.fixture
def column(application):
    parent = QWidget()
    parent.resize(800, 500)
    column = LaneColumn(parent)
    yield column
    parent.deleteLater()


def test_among_others_all_parts_lie_beneath_each_other(column):
    column.stand_among(QRect(10, 0, 460, 440))
    parts = [column.head, column.gesture, column.bars]
    assert not any(part.isHidden() for part in parts)
    assert [part.width() for part in parts] == [448] * 3
    assert parts[0].geometry().bottom() < parts[1].y()
    assert parts[1].geometry().bottom() < parts[2].y()
    assert parts[2].geometry().bottom() < 440


def test_alone_the_bars_stand_beside_the_gesture(column):
    column.stand_alone(QRect(10, 0, 800, 440), 300, 50)
    assert column.head.isHidden()
    assert column.gesture.geometry().right() < column.bars.x()
    assert (column.gesture.height(), column.bars.height()) == (440, 390)
    column.stand_alone(QRect(10, 0, 800, 440), 600, 50)
    assert column.bars.width() == 600


def test_the_chosen_one_has_a_border_and_a_word(column):
    column.stand_among(QRect(0, 0, 460, 440))

    def bordered():
        return [not item.place.isEmpty() for item in column._border.items if isinstance(item, Frame)]

    column.show_lane(lane(2), 2, True)
    assert bordered() == [True]
    assert "✓ chosen" in column.head.texts
    # within a column of 460 px, whose edge is 3 px thick
    assert column.grab().toImage().pixelColor(1, 220) == theme.ACCENT
    column.show_lane(lane(2), 2, False)
    assert bordered() == [False]
    assert "press 2" in column.head.texts
    assert column.accessibleName() == "ann-160ms"


@pytest.mark.parametrize("at", [QPoint(230, 30), QPoint(230, 150), QPoint(230, 400)])
def test_a_click_anywhere_on_it(column, at):
    column.stand_among(QRect(0, 0, 460, 440))
    clicks = []
    column.clicked.connect(lambda: clicks.append(1))
    target = column.childAt(at)
    QTest.mouseClick(target, Qt.MouseButton.LeftButton, pos=target.mapFrom(column, at))
    assert clicks == [1]


def test_gesture_and_bars_are_of_the_lane(column):
    column.stand_among(QRect(0, 0, 460, 440))
    column.show_decision(lane(2))
    assert column.gesture.said == "Air guitar"
    assert column.bars.probabilities[9] == pytest.approx(0.88)
