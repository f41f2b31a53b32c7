from __future__ import annotations

import pytest
from PyQt6.QtCore import QRect, QRectF
from PyQt6.QtGui import QColor

from spikebridge.ui import theme
from spikebridge.ui.items import Box, Words
from spikebridge.ui.painted import PaintedPanel


class Panel(PaintedPanel):
    """Three words beside each other, of 40 px each, and the rectangles that were asked to be painted anew."""

    def __init__(self):
        super().__init__()
        self.shown = ["a", "b", "c"]
        self.asked: list[QRect] = []
        self.resize(200, 50)

    def compose(self):
        for i, text in enumerate(self.shown):
            yield Words(QRectF(20 + 40 * i, 10, 40, 30), text, 20)

    def update(self, *where):
        self.asked += where or [self.rect()]
        super().update(*where)


@pytest.fixture
def panel(application):
    panel = Panel()
    panel.show()
    application.processEvents()
    panel.asked.clear()
    yield panel
    panel.close()


def test_nothing_is_painted_where_nothing_changed(panel):
    panel.refresh()
    assert panel.asked == []


def test_only_what_changed_is_painted(panel):
    panel.shown[1] = "x"
    panel.refresh()
    assert set(map(str, panel.asked)) == {str(QRect(60, 10, 40, 30))}
    assert panel.texts == ("a", "x", "c")


def test_what_came_and_what_went(panel):
    panel.shown = ["a", "b"]
    panel.refresh()
    assert [rect.x() for rect in panel.asked] == [100]
    panel.asked.clear()
    panel.shown = ["a", "b", "c", "d"]
    panel.refresh()
    assert [rect.x() for rect in panel.asked] == [100, 140]


def test_all_is_painted_where_px_of_window_and_screen_do_not_meet(panel, monkeypatch):
    monkeypatch.setattr(panel, "devicePixelRatioF", lambda: 1.5)
    panel.refresh()
    assert panel.asked == []
    panel.shown[1] = "x"
    panel.refresh()
    assert panel.asked == [panel.rect()]


def test_another_scale_or_size_paints_all(panel):
    panel.set_scale(2.0)
    assert panel.rect() in panel.asked
    panel.asked.clear()
    panel.resize(300, 60)
    assert panel.rect() in panel.asked


def test_only_damaged_items_are_drawn(panel, application, monkeypatch):
    drawn: list[str] = []
    monkeypatch.setattr("spikebridge.ui.items.draw_text", lambda painter, corner, text, *rest: drawn.append(text))
    panel.shown[2] = "z"
    panel.refresh()
    application.processEvents()
    assert drawn == ["z"]


def test_the_ground_has_round_corners_and_hides_what_is_behind(panel):
    image = panel.grab().toImage()
    assert image.pixelColor(0, 0) == theme.BACKGROUND
    assert image.pixelColor(100, 2) == image.pixelColor(1, 25) == theme.PANEL
    panel.rounded = False
    assert panel.grab().toImage().pixelColor(0, 0) == theme.PANEL


def test_items_without_extent_are_not_drawn(application):
    class Empty(PaintedPanel):
        def compose(self):
            yield Box(QRectF(10, 10, 0, 20), QColor("red"))

    empty = Empty()
    empty.resize(40, 40)
    empty.refresh()
    image = empty.grab().toImage()
    assert not any(image.pixelColor(x, y) == QColor("red") for x in range(40) for y in range(40))
