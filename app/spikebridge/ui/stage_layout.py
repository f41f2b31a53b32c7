"""The upper part of the window: events, feature maps when wanted, gesture, bars."""

from __future__ import annotations

from PyQt6.QtCore import QRect
from PyQt6.QtWidgets import QWidget

from spikebridge.ui.class_bars import ClassBars
from spikebridge.ui.event_view import EventView
from spikebridge.ui.feature_view import FeatureView
from spikebridge.ui.gesture_panel import GesturePanel
from spikebridge.ui.settings_bar import SettingsBar

#: At most this part of the width goes to the picture of a wide sensor.
_WIDEST_VIEW = 0.5
#: Widths on the reference screen while the feature maps are open.
_FEATURES, _NARROWEST_GESTURE, _NARROWEST_BARS = 370, 410, 560


class Stage(QWidget):
    """Places its five parts by hand: the event view as large as the height and the sensor's shape allow."""

    def __init__(self) -> None:
        super().__init__()
        self.events = EventView(self)
        self.features = FeatureView()
        self.gesture = GesturePanel()
        self.bars = ClassBars()
        self.settings = SettingsBar()
        for part in (self.features, self.gesture, self.bars, self.settings):
            part.setParent(self)
        self.features.hide()
        self._scale = 1.0

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        for part in (self.features, self.gesture, self.bars, self.settings):
            part.set_scale(scale)
        self.arrange()

    def show_features(self, shown: bool) -> None:
        self.features.setVisible(shown)
        self.arrange()

    def arrange(self) -> None:
        """Called again when the sensor, the size or the visible parts change."""
        gap, height = round(16 * self._scale), self.height()
        sensor = self.events.sensor
        px = self._scale
        room = self.width() * _WIDEST_VIEW
        if not self.features.isHidden():
            room = self.width() - (_FEATURES + _NARROWEST_GESTURE + _NARROWEST_BARS) * px - 3 * gap
        view = min(round(height * sensor.width / sensor.height), round(room))
        self.events.setGeometry(0, 0, view, height)
        x = view + gap
        if not self.features.isHidden():
            self.features.setGeometry(x, 0, round(_FEATURES * px), height)
            x += round(_FEATURES * px) + gap
        gesture = min(round((self.width() - x - gap) * 0.46), round(self.width() - x - gap - _NARROWEST_BARS * px))
        self.gesture.setGeometry(QRect(x, 0, gesture, height))
        x += gesture + gap
        controls = self.settings.sizeHint().height()
        self.bars.setGeometry(QRect(x, 0, self.width() - x, height - controls - gap // 2))
        self.settings.setGeometry(QRect(x, height - controls, self.width() - x, controls))

    def resizeEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        self.arrange()
