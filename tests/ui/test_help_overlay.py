from __future__ import annotations

import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import QWidget

from spikebridge.ui.actions import GROUPS
from spikebridge.ui.help_overlay import HelpOverlay
from spikebridge.ui.items import Words


def test_every_group_command_and_key_is_named(opening):
    window = opening(1).window
    QTest.keyClick(window, Qt.Key.Key_F1)
    assert window.help.isVisible()
    expected = ["Keys", "Esc, H or a click closes this page"]
    for title, commands in GROUPS:
        expected.append(title)
        for command in commands:
            expected += [command.shown, command.title]
    assert list(window.help.texts) == expected
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.help.isHidden()


def test_columns_are_as_even_as_whole_groups_allow(application):
    parent = QWidget()
    groups = [("A", [("1", "one")]), ("B", [("2", "two")] * 5), ("C", [("3", "three")] * 5)]
    overlay = HelpOverlay(parent, groups)
    assert [[name for name, _ in column] for column in overlay._columns()] == [["A"], ["B"], ["C"]]
    overlay = HelpOverlay(parent, [*groups, ("D", [("4", "four")])])
    assert [[name for name, _ in column] for column in overlay._columns()] == [["A"], ["B"], ["C", "D"]]
    parent.deleteLater()


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (960, 600)])
def test_every_word_is_on_the_page_and_none_is_cut(opening, size):
    window = opening(1).window
    window.resize(*size)
    QTest.keyClick(window, Qt.Key.Key_F1)
    overlay = window.help
    words = [item for item in overlay.items if isinstance(item, Words)]
    assert max(item.place.bottom() for item in words) < 0.97 * overlay.height()
    assert [item.text for item in words if item.shown(overlay.scale) != item.text] == []


def test_a_click_closes_it(opening):
    window = opening(1).window
    QTest.keyClick(window, Qt.Key.Key_Question)
    QTest.mouseClick(window.help, Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    assert window.help.isHidden()
