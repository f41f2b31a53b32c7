"""A recording as a film: the events alone, or with the decision, the bars and the strip. Every run gives the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPoint, QRect, QRectF, QSize
from PyQt6.QtGui import QImage, QPainter
from PyQt6.QtWidgets import QApplication, QWidget

from spikebridge.bundle import load_model
from spikebridge.contracts import Recording
from spikebridge.errors import UsageError
from spikebridge.events import EventPacket, Sensor
from spikebridge.picture import Picture
from spikebridge.run.offline import OfflineLane
from spikebridge.run.opening import open_chain
from spikebridge.settings import DEFAULT_MODEL, LaneSettings
from spikebridge.snapshot import LaneSnapshot
from spikebridge.ui import theme
from spikebridge.ui.bridge_strip import BridgeStrip
from spikebridge.ui.event_view import EventView, picture_size
from spikebridge.ui.film_writing import FilmWriter, open_film
from spikebridge.ui.history import LaneHistory
from spikebridge.ui.items import RIGHT, Item, Words
from spikebridge.ui.lane_column import LaneColumn
from spikebridge.ui.painted import PaintedPanel
from spikebridge.ui.surface import FADES_US, PALETTES, Shader, expand

Style: TypeAlias = Literal["demo", "events"]
#: Of the words and figures, per second of the film.
_WORDS_HZ = 5
#: Height of the bare picture where no size is asked for, px at least.
_EVENTS_PX = 720
_HEAD, _STRIP, _BARS = 48, 228, 560
_DEFAULT_FADE_US = 60_000


@dataclass(frozen=True, slots=True)
class FilmSettings:
    """How a film is made.

    start_us, stop_us : from the recording's first event on, half open; None for its end. speed : the recording's
    seconds for each second of film. size : px; None for 1920×1080, and whole multiples of the sensor's px for the
    bare events. fade_us : how long an event is seen.
    """

    style: Style = "demo"
    model: str = DEFAULT_MODEL
    start_us: int = 0
    stop_us: int | None = None
    speed: Fraction = Fraction(1)
    fps: int = 30
    size: tuple[int, int] | None = None
    fade_us: int = _DEFAULT_FADE_US

    def __post_init__(self) -> None:
        if self.fade_us not in FADES_US:
            known = ", ".join(str(t // 1000) for t in FADES_US)
            raise UsageError(f"expected a fade of {known} ms, found {self.fade_us / 1000:g} ms.")


class _Scene(Protocol):
    """What a film shows at the moments of its frames."""

    size: tuple[int, int]

    def frame(self, t_us: int) -> NDArray[np.uint32]:
        """The (H, W) picture at a time of the camera's clock; moments come in order."""
        ...

    def close(self) -> None: ...


def render_film(
    recording: Recording, path: Path, settings: FilmSettings, on_progress: Callable[[int], None] = lambda frames: None
) -> int:
    """Writes the film, whole or not at all; returns its frames. ``on_progress`` gets how many are done."""
    moments = _moments(recording, settings)
    with closing(_scene(recording, settings)) as scene, _film(path, settings, scene) as film:
        for n, t_us in enumerate(moments, 1):
            film.add(scene.frame(t_us))
            on_progress(n)
    return len(moments)


def count_frames(recording: Recording, settings: FilmSettings) -> int:
    """Frames that the film will have."""
    return len(_moments(recording, settings))


def _moments(recording: Recording, settings: FilmSettings) -> list[int]:
    """Camera clock at the frames of the film, µs."""
    first_us, end_us = _range_of(recording)
    start_us = first_us + settings.start_us
    stop_us = end_us if settings.stop_us is None else min(end_us, first_us + settings.stop_us)
    if start_us >= stop_us:
        raise UsageError(
            f"expected a part that begins before it ends, within the {(end_us - first_us) / 1e6:.3f} s of the "
            f"recording, found {settings.start_us / 1e6:g} s to {(stop_us - first_us) / 1e6:g} s."
        )
    each_us = settings.speed * 1_000_000 / settings.fps
    n = -((start_us - stop_us) // each_us)
    return [start_us + int(each_us * (k + 1)) for k in range(int(n))]


def _range_of(recording: Recording) -> tuple[int, int]:
    info = recording.info
    if info.t_first_us is None or info.t_last_us is None:
        raise ValueError(f"expected a recording with its first and last time, got {info}")
    return info.t_first_us, info.t_last_us + 1


def _film(path: Path, settings: FilmSettings, scene: _Scene) -> AbstractContextManager[FilmWriter]:
    return open_film(path, settings.fps, *scene.size)


def _scene(recording: Recording, settings: FilmSettings) -> _Scene:
    start_us = _range_of(recording)[0] + settings.start_us
    if settings.style == "events":
        return _EventsScene(recording, settings, start_us)
    return _DemoScene(recording, settings, start_us)


class _EventsScene:
    """Every pixel of the sensor as a square, on a ground that is black where it must fill an even number of px."""

    def __init__(self, recording: Recording, settings: FilmSettings, start_us: int) -> None:
        self._recording, self._fade_us, self._until_us = recording, settings.fade_us, start_us
        sensor = recording.info.sensor
        self._picture, self._shader = Picture(sensor), Shader(sensor)
        room = QSize(*settings.size) if settings.size else _whole_multiple(sensor)
        shown = picture_size(sensor, room)
        width, height = shown.width(), shown.height()
        self.size = _even(*settings.size) if settings.size else _even(width, height)
        shrinks = width < sensor.width
        shape = (height, width) if shrinks else (sensor.height, sensor.width)
        self._pixels = np.zeros(shape, np.uint8)
        self._rows = np.arange(height) * shape[0] // height
        self._columns = np.arange(width) * shape[1] // width
        self._colours = np.array(next(iter(PALETTES.values())), np.uint32)
        self._shown = np.zeros((height, width), np.uint32)

    def frame(self, t_us: int) -> NDArray[np.uint32]:
        self._picture.absorb(self._recording.read(self._until_us, t_us), t_us)
        self._until_us = t_us
        self._shader.shade(self._picture, self._fade_us, self._pixels)
        expand(self._pixels, self._colours, self._rows, self._columns, self._shown)
        width, height = self.size
        screen = np.full((height, width), self._colours[0], np.uint32)
        top, left = (height - self._shown.shape[0]) // 2, (width - self._shown.shape[1]) // 2
        screen[top : top + self._shown.shape[0], left : left + self._shown.shape[1]] = self._shown
        return screen

    def close(self) -> None:
        """Nothing is open."""


class _DemoScene:
    """The window's parts that depend on the recording alone, drawn off the screen."""

    def __init__(self, recording: Recording, settings: FilmSettings, start_us: int) -> None:
        # Held: widgets need it as long as they live.
        self._application = QApplication.instance() or QApplication(["render"])
        lane, bundle = LaneSettings(settings.model), load_model(settings.model)
        self._recording, self._settings = recording, settings
        self._start_us = self._until_us = self._stepped_us = start_us
        self._step_us = bundle.input.step_us
        self._lane = OfflineLane(open_chain(lane, bundle, recording.info.sensor), recording.info)
        self._sequence = self._frames = 0
        self._picture = Picture(recording.info.sensor)
        width, height = self.size = _even(*(settings.size or (theme.REFERENCE_WIDTH, theme.REFERENCE_HEIGHT)))
        self._page = _FilmPage(recording.info.title, self._picture, settings)
        self._page.resize(width, height)
        self._page.arrange()
        self._history = LaneHistory()
        self._image = QImage(width, height, QImage.Format.Format_RGB32)

    def frame(self, t_us: int) -> NDArray[np.uint32]:
        self._picture.absorb(self._recording.read(self._until_us, t_us), t_us)
        self._until_us = t_us
        for packet in self._packets_until(t_us):
            self._lane.process(packet)
        snapshot = self._lane.snapshot()
        self._page.show_frame(snapshot, t_us - _range_of(self._recording)[0])
        if self._frames % max(1, self._settings.fps // _WORDS_HZ) == 0:
            self._history.add_cards(snapshot.cards)
            self._page.strip.show_cards(snapshot.cards, self._history.sparks)
        self._frames += 1
        painter = QPainter(self._image)
        self._page.render(painter, QPoint())
        painter.end()
        return _pixels_of(self._image)

    def close(self) -> None:
        self._lane.close()
        self._page.deleteLater()

    def _packets_until(self, t_us: int) -> Iterator[EventPacket]:
        """All steps that are over by then."""
        while self._stepped_us + self._step_us <= t_us:
            start_us = self._stepped_us
            self._stepped_us += self._step_us
            events = self._recording.read(start_us, self._stepped_us)
            yield EventPacket(events, start_us, self._stepped_us, self._sequence, 0)
            self._sequence += 1


class _FilmPage(QWidget):
    """Events, gesture and bars, and the strip beneath; above them what is seen, and when."""

    def __init__(self, title: str, picture: Picture, settings: FilmSettings) -> None:
        super().__init__()
        self.setAutoFillBackground(True)
        self.setPalette(theme.palette())
        self._head = _Head(title, settings.speed)
        self._events = EventView()
        self._column = LaneColumn(self)
        self.strip = BridgeStrip()
        for part in (self._head, self._events, self.strip):
            part.setParent(self)
        self._events.set_fade(settings.fade_us)
        self._events.show_picture(picture)

    def arrange(self) -> None:
        """Places the parts as the window does."""
        scale = theme.scale_for(self.width(), self.height())
        for part in (self._head, self._column, self.strip):
            part.set_scale(scale)
        gap = round(2 * theme.UNIT * scale)
        width, top = self.width() - 2 * gap, gap + round(_HEAD * scale)
        strip = round(_STRIP * scale)
        height = self.height() - top - strip - 2 * gap
        sensor = self._events.sensor
        view = min(round(height * sensor.width / sensor.height), width // 2)
        self._head.setGeometry(gap, gap // 2, width, top - gap)
        self._events.setGeometry(gap, top, view, height)
        place = QRect(2 * gap + view, top, width - view - gap, height)
        self._column.stand_alone(place, round(_BARS * scale), 0)
        self.strip.setGeometry(gap, self.height() - strip - gap, width, strip)

    def show_frame(self, lane: LaneSnapshot, since_us: int) -> None:
        """since_us : since the recording's first event."""
        self._head.show_time(since_us)
        self._events.advance()
        self._column.show_decision(lane)


class _Head(PaintedPanel):
    """The recording's name, its time, and how fast it is shown."""

    def __init__(self, title: str, speed: Fraction) -> None:
        super().__init__(ground=theme.BACKGROUND)
        self.rounded = False
        self._title = title
        self._speed = "" if speed == 1 else f"   ×{float(speed):g}"
        self._since_us = 0

    def show_time(self, since_us: int) -> None:
        self._since_us = since_us
        self.refresh()

    def set_scale(self, scale: float) -> None:
        self.scale = scale
        self.refresh()

    def compose(self) -> Iterator[Item]:
        place = QRectF(self.rect())
        yield Words(place.adjusted(0, 0, -self.px(260), 0), self._title, 24, bold=True)
        time = f"{self._since_us // 1_000_000}.{self._since_us // 10_000 % 100:02} s{self._speed}"
        yield Words(place, time, 22, theme.MUTED, align=RIGHT)


def _pixels_of(image: QImage) -> NDArray[np.uint32]:
    """A copy, (H, W)."""
    bits = image.constBits()
    if bits is None:
        raise ValueError("expected an image with pixels, got none")
    bits.setsize(image.sizeInBytes())
    return np.frombuffer(bits.asstring(), np.uint32).reshape(image.height(), image.width())


def _whole_multiple(sensor: Sensor) -> QSize:
    factor = max(1, -(-_EVENTS_PX // sensor.height))
    return QSize(sensor.width * factor, sensor.height * factor)


def _even(width: int, height: int) -> tuple[int, int]:
    """As films are encoded."""
    return width + width % 2, height + height % 2
