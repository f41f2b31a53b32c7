"""One network in the upper part of the window: what it is, the gesture it names, and its probabilities."""

from __future__ import annotations

from collections.abc import Iterator

from PyQt6.QtCore import QRect, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QMouseEvent
from PyQt6.QtWidgets import QWidget

from spikebridge.snapshot import LaneSnapshot
from spikebridge.ui import theme
from spikebridge.ui.class_bars import ClassBars
from spikebridge.ui.comparison import backends_in_short, describe_backends
from spikebridge.ui.gesture_panel import GesturePanel
from spikebridge.ui.header import STATES
from spikebridge.ui.items import CENTRE, RIGHT, Box, Frame, Item, Words
from spikebridge.ui.lettering import Face, text_width
from spikebridge.ui.painted import PaintedPanel

_HEAD, _GESTURE = 76, 122


class LaneHead(PaintedPanel):
    """Name, title, backends and state of a network, and whether it is the chosen one."""

    def __init__(self) -> None:
        super().__init__()
        self._number = 1
        self._lane: LaneSnapshot | None = None
        self.chosen = False

    def show_lane(self, lane: LaneSnapshot, number: int, chosen: bool) -> None:
        """number : from 1, which is also its key."""
        self._lane, self._number, self.chosen = lane, number, chosen
        self.refresh()

    def clear(self) -> None:
        self._lane, self.chosen = None, False
        self.refresh()

    def compose(self) -> Iterator[Item]:
        if self._lane is None:
            return
        model, pad = self._lane.model, self.px(14)
        inner = QRectF(self.rect()).adjusted(pad, self.px(4), -pad, 0)
        row = QRectF(inner.x(), inner.y(), inner.width(), self.px(28))
        tag = "✓ chosen" if self.chosen else f"press {self._number}"
        width = text_width("✓ chosen", Face(self.px(15), bold=True)) + self.px(20)
        place = QRectF(row.right() - width, row.y() + self.px(1), width, self.px(26))
        yield Box(place, theme.ACCENT if self.chosen else theme.RAISED, self.px(6))
        yield Words(place, tag, 15, theme.BACKGROUND if self.chosen else theme.MUTED, self.chosen, CENTRE)
        yield Words(row.adjusted(0, 0, -width - self.px(8), 0), f"{self._number}  {model.name}", 21, bold=True)
        row = QRectF(row.x(), row.bottom(), row.width(), self.px(23))
        icon, word, colour = STATES[self._lane.state]
        state = "" if self._lane.state == "running" else f"{icon} {word}"
        yield Words(row.adjusted(0, 0, -self.px(110), 0), model.title, 17, narrow=True)
        yield Words(row, state, 16, colour, True, RIGHT)
        row = QRectF(row.x(), row.bottom(), row.width(), self.px(22))
        backends = describe_backends(self._lane)
        if text_width(backends, Face(self.px(15), narrow=True)) > row.width():
            backends = backends_in_short(self._lane)
        yield Words(row, backends, 15, theme.MUTED, narrow=True)


class LaneColumn(QWidget):
    """A click on it chooses the network where there are several."""

    clicked = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.head = LaneHead()
        self.gesture = GesturePanel()
        self.bars = ClassBars()
        self._border = _Border()
        self._parts: tuple[PaintedPanel, ...] = (self._border, self.head, self.gesture, self.bars)
        for part in self._parts:
            part.setParent(self)
        self.head.rounded = False
        self._scale = 1.0

    def show_lane(self, lane: LaneSnapshot, number: int, chosen: bool) -> None:
        """The head's words; a few times a second."""
        self.head.show_lane(lane, number, chosen)
        self._border.show_chosen(chosen)
        if self.accessibleName() != lane.model.name:
            self.setAccessibleName(lane.model.name)

    def clear(self) -> None:
        """Nothing of a network; the gesture says why."""
        self.head.clear()
        self._border.show_chosen(False)
        self.bars.clear()

    def show_decision(self, lane: LaneSnapshot) -> None:
        """At the display's rate."""
        self.gesture.show_lane(lane)
        self.bars.show_lane(lane)

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        for part in self._parts:
            part.set_scale(scale)

    def stand_alone(self, place: QRect, narrowest_bars: int, foot: int) -> None:
        """Gesture and bars side by side. narrowest_bars : their least width. foot : px left free under the bars."""
        self._shape(place, alone=True)
        gap, width, height = round(16 * self._scale), place.width(), place.height()
        gesture = max(1, min(round((width - gap) * 0.46), width - gap - narrowest_bars))
        self.gesture.setGeometry(0, 0, gesture, height)
        self.bars.setGeometry(gesture + gap, 0, width - gesture - gap, height - foot)

    def stand_among(self, place: QRect) -> None:
        """All parts beneath each other, within the border."""
        self._shape(place, alone=False)
        edge, width, height = round(6 * self._scale), place.width(), place.height()
        head, middle, inner = round(_HEAD * self._scale), round(_GESTURE * self._scale), width - 2 * edge
        self._border.setGeometry(0, 0, width, height)
        self.head.setGeometry(edge, edge, inner, head)
        self.gesture.setGeometry(edge, edge + head, inner, middle)
        self.bars.setGeometry(edge, edge + head + middle, inner, height - 2 * edge - head - middle)

    def _shape(self, place: QRect, alone: bool) -> None:
        self.setGeometry(place)
        self.head.setVisible(not alone)
        self._border.setVisible(not alone)
        self.setCursor(Qt.CursorShape.ArrowCursor if alone else Qt.CursorShape.PointingHandCursor)
        for part in (self.gesture, self.bars):
            part.small, part.rounded = not alone, alone
            part.set_scale(self._scale)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        self.clicked.emit()


class _Border(PaintedPanel):
    """Around the chosen column."""

    def __init__(self) -> None:
        super().__init__()
        self._chosen = False

    def show_chosen(self, chosen: bool) -> None:
        self._chosen = chosen
        self.refresh()

    def compose(self) -> Iterator[Item]:
        place = QRectF(self.rect()) if self._chosen else QRectF()
        yield Frame(place, theme.ACCENT, max(2, self.px(3)), self.px(theme.RADIUS))
