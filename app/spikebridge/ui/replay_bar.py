"""Controls of a recording: play, step, loop, speed, and a seek bar that shows where the events are."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, QRectF, QSizeF, Qt, pyqtSignal
from PyQt6.QtGui import QImage, QMouseEvent, QPainter, QPolygonF
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QToolButton, QWidget

from spikebridge.contracts import SourceInfo
from spikebridge.ui import theme
from spikebridge.ui.figures import clock
from spikebridge.ui.items import RIGHT, Box, Image, Item, Line, Words
from spikebridge.ui.painted import PaintedPanel
from spikebridge.ui.session import ReplayControls

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0, math.inf)


def speed_text(speed: float) -> str:
    return "speed max" if math.isinf(speed) else f"speed {speed:g}×"


class SeekBar(PaintedPanel):
    """The recording from first to last event with its event rate behind it; a click or drag seeks."""

    sought = pyqtSignal(float)

    def __init__(self) -> None:
        super().__init__(ground=theme.RAISED)
        self.fraction = 0.0
        self._indexed = 1.0
        self._overview: NDArray[np.float32] = np.zeros(0, np.float32)
        self._picture = QImage()
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName("Position in the recording")

    def show_position(self, fraction: float) -> None:
        if abs(fraction - self.fraction) * self.width() >= 0.5:
            self.fraction = fraction
            self.refresh()

    def show_indexed(self, indexed: float) -> None:
        """How much of the recording is known, 0 to 1; below 1 the bar goes to the end of that part."""
        if indexed != self._indexed:
            self._indexed = indexed
            self.setAccessibleDescription(self._words())
            self.refresh()

    def show_overview(self, rates: NDArray[np.float32]) -> None:
        self._overview = rates
        self._picture = QImage()
        self.refresh()

    @property
    def has_overview(self) -> bool:
        return self._overview.size > 0

    def compose(self) -> Iterator[Item]:
        width, height = self.width(), self.height()
        if self._overview.size and self._picture.deviceIndependentSize() != QSizeF(self.size()):
            # The polygon of the rates costs several ms: drawn once for each size.
            self._picture = self._draw_overview()
        yield Image(QRectF(0, 0, width, height) if self._overview.size else QRectF(), self._picture)
        played = theme.ACCENT.toRgb()
        played.setAlpha(90)
        at, thick = width * self.fraction, max(2, self.px(3))
        yield Box(QRectF(0, 0, at, height), played)
        yield Line(QRectF(at - thick / 2, 0, thick, height), theme.TEXT)
        yield Words(QRectF(0, 0, width - self.px(12), height), self._words(), 18, theme.MUTED, align=RIGHT)

    def _words(self) -> str:
        return "" if self._indexed >= 1 else f"indexing {int(100 * self._indexed)} %"

    def _draw_overview(self) -> QImage:
        ratio = self.devicePixelRatioF()
        size = (round(self.width() * ratio), round(self.height() * ratio))
        picture = QImage(*size, QImage.Format.Format_ARGB32_Premultiplied)
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        width, height = self.width(), self.height()
        rates = np.sqrt(self._overview / max(1.0, float(self._overview.max())))
        x = np.linspace(0, width, rates.size)
        points = [QPointF(float(a), height * (1 - 0.9 * float(b))) for a, b in zip(x, rates, strict=True)]
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.FAINT)
        painter.drawPolygon(QPolygonF([QPointF(0, height), *points, QPointF(width, height)]))
        painter.end()
        return picture

    def _seek(self, event: QMouseEvent) -> None:
        self.fraction = min(1.0, max(0.0, event.position().x() / max(1, self.width())))
        self.refresh()
        self.sought.emit(self.fraction)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        if event is not None:
            self._seek(event)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        if event is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self._seek(event)


class ReplayBar(QWidget):
    """Shown for recordings only. ``replayed`` asks for a recording that has ended to be opened again."""

    replayed = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self._replay: ReplayControls | None = None
        self._first_us = self._last_us = 0
        self._ended = False
        self._play = self._button("▶", "Play or pause (Space)")
        self._play.clicked.connect(self.toggle)
        self._step = self._button("▮▶", "One step (.)")
        self._step.clicked.connect(self.step)
        self._loop = self._button("⟳ loop", "Start again at the end (L)")
        self._loop.setCheckable(True)
        self._loop.clicked.connect(self.toggle_loop)
        self._speed = QComboBox()
        self._speed.setToolTip("Speed (+ and −)")
        self._speed.setAccessibleName("Speed")
        self._speed.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._speed.addItems([speed_text(speed) for speed in SPEEDS])
        self._speed.activated.connect(lambda i: self.set_speed(SPEEDS[i]))
        self._elapsed, self._remaining = QLabel(), QLabel()
        self.seek_bar = SeekBar()
        self.seek_bar.sought.connect(self._seek_fraction)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        parts = (self._play, self._step, self._elapsed, self.seek_bar, self._remaining, self._loop, self._speed)
        for part in parts:
            layout.addWidget(part, 1 if part is self.seek_bar else 0)

    def _button(self, text: str, hint: str) -> QToolButton:
        button = QToolButton()
        button.setText(text)
        button.setToolTip(hint)
        button.setAccessibleName(hint)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def set_scale(self, scale: float) -> None:
        self.seek_bar.set_scale(scale)
        widest = "−0:00:00.0" if self._last_us - self._first_us >= 3_600_000_000 else "−00:00.0"
        for label in (self._elapsed, self._remaining):
            label.ensurePolished()
            label.setFixedWidth(label.fontMetrics().horizontalAdvance(widest) + round(8 * scale))
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.seek_bar.setFixedHeight(round(38 * scale))
        self._play.setFixedWidth(round(64 * scale))
        self._step.setFixedWidth(round(64 * scale))

    # ------------------------------------------------ what it shows

    def set_replay(self, replay: ReplayControls | None, info: SourceInfo | None) -> None:
        """The recording to control, or None for a live source: then the bar hides."""
        self._replay = replay
        self._ended = False
        self.seek_bar.show_overview(np.zeros(0, np.float32))
        if replay is not None and info is not None:
            self._first_us, self._last_us = info.t_first_us or 0, info.t_last_us or 0
            self.set_scale(self.seek_bar.scale)
        self.setVisible(replay is not None)

    def refresh(self, ended: bool, info: SourceInfo) -> None:
        """Reads the position, and the end as far as it is known; a few times a second."""
        if self._replay is None:
            return
        self._ended = ended
        status = self._replay.status()
        self.seek_bar.show_indexed(status.indexed)
        if info.t_last_us is not None and info.t_last_us != self._last_us:
            self._last_us = info.t_last_us
            self.set_scale(self.seek_bar.scale)  # it may be longer than an hour now
        position_us = min(max(status.position_us, self._first_us), self._last_us)
        self.seek_bar.show_position((position_us - self._first_us) / max(1, self._last_us - self._first_us))
        if not self.seek_bar.has_overview and (rates := self._replay.overview()).size:
            self.seek_bar.show_overview(rates)
        self._elapsed.setText(clock(position_us - self._first_us))
        self._remaining.setText("−" + clock(self._last_us - position_us))
        self._play.setText("▶" if status.paused or ended else "▮▮")
        self._step.setEnabled(not ended)
        self._loop.setChecked(status.loop)
        if status.speed in SPEEDS and not self._speed.hasFocus():
            self._speed.setCurrentIndex(SPEEDS.index(status.speed))

    # ------------------------------------------------ actions

    def toggle(self) -> None:
        if self._replay is not None:
            if self._ended:
                self.replayed.emit()
            else:
                self._replay.pause(not self._replay.status().paused)

    def step(self) -> None:
        if self._replay is not None:
            if not self._replay.status().paused:
                self._replay.pause(True)
            self._replay.step()

    def toggle_loop(self) -> None:
        if self._replay is not None:
            self._replay.set_loop(not self._replay.status().loop)

    def set_speed(self, speed: float) -> None:
        if self._replay is not None:
            self._replay.set_speed(speed)

    def change_speed(self, direction: int) -> None:
        """To the next faster or slower one of the list."""
        if self._replay is not None:
            speed = self._replay.status().speed
            others = [s for s in SPEEDS if (s > speed if direction > 0 else s < speed)]
            if others:
                self.set_speed(min(others) if direction > 0 else max(others))

    def seek_by(self, seconds: float) -> None:
        if self._replay is not None:
            self._seek(self._replay.status().position_us + round(seconds * 1e6))

    def seek_start(self) -> None:
        self._seek(self._first_us)

    def _seek_fraction(self, fraction: float) -> None:
        self._seek(self._first_us + round(fraction * (self._last_us - self._first_us)))

    def _seek(self, t_us: int) -> None:
        if self._replay is not None:
            self._replay.seek(min(max(t_us, self._first_us), self._last_us))
