"""The picture of the events."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QRect, QSize, Qt
from PyQt6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPaintEvent, QPixmap
from PyQt6.QtWidgets import QWidget

from spikebridge.events import Sensor
from spikebridge.picture import Picture
from spikebridge.ui import theme
from spikebridge.ui.frame_clock import FrameClock
from spikebridge.ui.surface import FADES_US, NEWEST_OFF, NEWEST_ON, PALETTES, Shader, expand, expand_over

_DEFAULT_FADE = 2
#: Sensor pixels of equal size are worth this part of the picture's width, not more.
_WORTH_IT = 0.93


class EventView(QWidget):
    """Draws the newest events on ``advance``; letterboxed, in whole multiples of a pixel where there is room.

    Palette indices become colours at the size of the screen in compiled code, which lets other threads run; Qt then
    only copies. Left to Qt, enlarging an indexed image takes longer, on helper threads, while Python stands still.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(160, 160)
        self.frames = FrameClock()
        self.mirrored = False
        self.shows_frames = False
        self.message = ""
        self._fade = _DEFAULT_FADE
        self._palette = 0
        self._surface = Picture(Sensor(128, 128))
        self._shader = Shader(self._surface.sensor)
        self._shaded_us = -1
        self._target = QRect()
        self._image = QImage()
        self._caption = QPixmap()
        self._fit()

    # ------------------------------------------------ settings

    @property
    def fade_us(self) -> int:
        return FADES_US[self._fade]

    @property
    def palette_name(self) -> str:
        return list(PALETTES)[self._palette]

    def next_fade(self) -> None:
        self.set_fade(FADES_US[(self._fade + 1) % len(FADES_US)])

    def set_fade(self, fade_us: int) -> None:
        """One of ``FADES_US``."""
        self._fade = FADES_US.index(fade_us)
        self._caption = QPixmap()
        self._shade()

    def toggle_mirror(self) -> None:
        self.mirrored = not self.mirrored
        self._fit()

    def toggle_frames(self) -> None:
        """Whether the frames of a camera that takes some are under the events."""
        self.shows_frames = not self.shows_frames
        self._caption = QPixmap()
        self._shade()
        self.update()

    def next_palette(self) -> None:
        self.set_palette((self._palette + 1) % len(PALETTES))

    def set_palette(self, index: int) -> None:
        self._palette = index
        self._fit()

    def set_message(self, message: str) -> None:
        """Words over the picture, such as "Paused"; empty for none."""
        if message != self.message:
            self.message = message
            self.update()

    def show_picture(self, picture: Picture) -> None:
        """Shows another picture from now on; ``advance`` follows it."""
        self._surface = picture
        self._shader = Shader(picture.sensor)
        self._fit()

    def show_nothing(self) -> None:
        """An empty picture of the same sensor; lets go of the one before."""
        self.show_picture(Picture(self._surface.sensor))

    @property
    def sensor(self) -> Sensor:
        return self._surface.sensor

    # ------------------------------------------------ frames

    def advance(self) -> None:
        """Draws what has come since the last frame, and asks for the next one also when there was nothing."""
        self.frames.began()
        if self._surface.now_us != self._shaded_us:
            self._shade()
        self.frames.ended()
        self.update(self._target)

    def _shade(self) -> None:
        self._shaded_us = self._surface.now_us
        self._shader.shade(self._surface, self.fade_us, self._pixels)
        if self.shows_frames and self._surface.frame_us is not None:
            expand_over(self._surface.frame, self._pixels, self._colours, self._rows, self._columns, self._screen)
        else:
            expand(self._pixels, self._colours, self._rows, self._columns, self._screen)

    def _fit(self) -> None:
        """Chooses the size of the picture in device pixels and makes the image for it."""
        ratio = self.devicePixelRatioF()
        size = picture_size(self.sensor, QSize(round(self.width() * ratio), round(self.height() * ratio)))
        width, height = size.width(), size.height()
        shrinks = width < self.sensor.width
        shape = (height, width) if shrinks else (self.sensor.height, self.sensor.width)
        self._pixels = np.zeros(shape, np.uint8)
        self._rows = np.arange(height) * shape[0] // height
        self._columns = np.arange(width) * shape[1] // width
        if self.mirrored:
            self._columns = self._columns[::-1].copy()
        self._colours = np.array(PALETTES[self.palette_name], np.uint32)
        self._screen = np.zeros((height, width), np.uint32)
        # PyQt takes any buffer, its stubs say bytes.
        self._image = QImage(self._screen.data, width, height, 4 * width, QImage.Format.Format_RGB32)  # type: ignore[call-overload]
        self._image.setDevicePixelRatio(ratio)
        w, h = round(width / ratio), round(height / ratio)
        self._target = QRect((self.width() - w) // 2, (self.height() - h) // 2, w, h)
        self._caption = QPixmap()
        self._shade()
        self.update()

    def resizeEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        self._fit()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        self.frames.began()
        painter = QPainter(self)
        if event is None or not self._target.contains(event.rect()):
            painter.fillRect(self.rect(), theme.BACKGROUND)
        painter.drawImage(self._target.topLeft(), self._image)
        self._paint_caption(painter)
        if self.message:
            self._paint_message(painter)
        painter.end()
        self.frames.ended()
        self.frames.frame()

    def _paint_caption(self, painter: QPainter) -> None:
        """What the colours mean and how long an event is seen, in the lower left corner."""
        if self._caption.isNull():
            self._caption = self._draw_caption()
        ratio = self._caption.devicePixelRatio()
        painter.drawPixmap(
            self._target.left(), round(self._target.bottom() + 1 - self._caption.height() / ratio), self._caption
        )

    @property
    def caption(self) -> tuple[str, ...]:
        """How long an event is seen, at length and in short; the first that fits is shown."""
        last = f"{self.fade_us / 1000:g} ms"
        rest = (", over frames" if self.shows_frames else "") + (", mirrored" if self.mirrored else "")
        return (f"events of the last {last}{rest}", f"events of {last}", last)

    def _draw_caption(self) -> QPixmap:
        size = max(11, self.height() // 32)
        font = theme.font(size, narrow=True)
        metrics = QFontMetrics(font)
        ratio = self.devicePixelRatioF()
        for words in self.caption:
            widths = [metrics.horizontalAdvance(text) for text in ("■ ON ", "■ OFF ", words)]
            if sum(widths) + 2 * size <= self._target.width():
                break
        pixmap = QPixmap(round((sum(widths) + 2 * size) * ratio), round(2 * size * ratio))
        pixmap.setDevicePixelRatio(ratio)
        ground = theme.BACKGROUND.toRgb()
        ground.setAlpha(170)
        pixmap.fill(ground)
        painter = QPainter(pixmap)
        painter.setFont(font)
        table = PALETTES[self.palette_name]
        x = size // 2
        for text, colour, width in zip(
            ("■ ON", "■ OFF", words), (table[NEWEST_ON], table[NEWEST_OFF], None), widths, strict=True
        ):
            painter.setPen(theme.MUTED if colour is None else QColor(colour))
            painter.drawText(QRect(x, 0, width + size, 2 * size), Qt.AlignmentFlag.AlignVCenter, text)
            x += width + size // 4
        painter.end()
        return pixmap

    def _paint_message(self, painter: QPainter) -> None:
        scale = theme.scale_for(theme.REFERENCE_WIDTH, 2 * self.height())
        painter.setFont(theme.font(round(34 * scale), bold=True))
        height = round(72 * scale)
        band = QRect(self._target.left(), self._target.center().y() - height // 2, self._target.width(), height)
        ground = theme.BACKGROUND.toRgb()
        ground.setAlpha(190)
        painter.fillRect(band, ground)
        painter.setPen(theme.TEXT)
        painter.drawText(band, Qt.AlignmentFlag.AlignCenter, self.message)


def picture_size(sensor: Sensor, room: QSize) -> QSize:
    """The largest size with the sensor's aspect ratio in ``room``; a whole multiple where that costs little room."""
    factor = min(room.width() / sensor.width, room.height() / sensor.height)
    if factor >= 1 and int(factor) >= _WORTH_IT * factor:
        factor = int(factor)
    return QSize(max(1, int(sensor.width * factor)), max(1, int(sensor.height * factor)))
