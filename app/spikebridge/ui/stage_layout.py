"""The upper part of the window: events, feature maps when wanted, and each network's gesture and bars."""

from __future__ import annotations

from functools import partial

from PyQt6.QtCore import QRect, pyqtSignal
from PyQt6.QtWidgets import QWidget

from spikebridge.ui.event_view import EventView
from spikebridge.ui.feature_view import FeatureView
from spikebridge.ui.lane_column import LaneColumn
from spikebridge.ui.settings_bar import SettingsBar

#: Columns that stay readable side by side.
MOST_COLUMNS = 3
#: At most this part of the width goes to the picture of a wide sensor.
_WIDEST_VIEW = 0.5
#: Widths on the reference screen while the feature maps are open.
_FEATURES, _NARROWEST_GESTURE, _NARROWEST_BARS = 370, 410, 560
_SMALL_FEATURES, _NARROWEST_COLUMN = 290, 396


class Stage(QWidget):
    """Places its parts by hand: the event view as large as the height and the sensor's shape allow."""

    chosen = pyqtSignal(int)

    def __init__(self) -> None:
        super().__init__()
        self.events = EventView(self)
        self.features = FeatureView()
        #: Under the bars of a network that is alone; where there are several the window has another place for it.
        self.settings = SettingsBar()
        self.features.setParent(self)
        self.columns = [LaneColumn(self) for _ in range(MOST_COLUMNS)]
        for number, column in enumerate(self.columns):
            column.clicked.connect(partial(self.chosen.emit, number))
        self.features.hide()
        self._lanes = 1
        self._scale = 1.0
        self.show_lanes(1)

    @property
    def shown_columns(self) -> list[LaneColumn]:
        """Those of the first networks."""
        return self.columns[: min(self._lanes, MOST_COLUMNS)]

    def show_lanes(self, n: int) -> None:
        """Room for so many networks."""
        self._lanes = n
        for column in self.columns:
            column.setVisible(column in self.shown_columns)
        if n == 1:
            self.settings.setParent(self)
            self.settings.show()
        self.arrange()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.features.set_scale(scale)
        self.settings.set_scale(scale)
        for column in self.columns:
            column.set_scale(scale)
        self.arrange()

    def show_features(self, shown: bool) -> None:
        self.features.setVisible(shown)
        self.arrange()

    def arrange(self) -> None:
        """Called again when the sensor, the size or the visible parts change."""
        gap, height, px = round(16 * self._scale), self.height(), self._scale
        sensor, alone, columns = self.events.sensor, self._lanes == 1, self.shown_columns
        opened = not self.features.isHidden()
        features = round((_FEATURES if alone else _SMALL_FEATURES) * px) if opened else 0
        narrowest = _NARROWEST_GESTURE * px + self._narrowest_bars + gap
        if not alone:
            narrowest = len(columns) * (_NARROWEST_COLUMN * px + gap)
        room = self.width() * _WIDEST_VIEW
        if opened or not alone:
            room = min(room if not opened else self.width(), self.width() - features - narrowest - 2 * gap)
        view = min(round(height * sensor.width / sensor.height), round(room))
        self.events.setGeometry(0, 0, view, height)
        x = view + gap
        if opened:
            self.features.setGeometry(x, 0, features, height)
            x += features + gap
        self._arrange_lanes(QRect(x, 0, self.width() - x, height))

    @property
    def _narrowest_bars(self) -> int:
        """px; the settings stand under them."""
        return max(round(_NARROWEST_BARS * self._scale), self.settings.sizeHint().width())

    def _arrange_lanes(self, place: QRect) -> None:
        columns = self.shown_columns
        gap = round(16 * self._scale)
        if self._lanes == 1:
            controls = self.settings.sizeHint().height()
            columns[0].stand_alone(place, self._narrowest_bars, controls + gap // 2)
            left = columns[0].x() + columns[0].bars.x()
            self.settings.setGeometry(left, place.bottom() + 1 - controls, self.width() - left, controls)
            return
        for i, column in enumerate(columns):
            left = round(i * (place.width() + gap) / len(columns))
            right = round((i + 1) * (place.width() + gap) / len(columns)) - gap
            column.stand_among(QRect(place.x() + left, 0, right - left, place.height()))

    def resizeEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        self.arrange()
