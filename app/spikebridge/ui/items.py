"""What painted panels are made of: plain records that can be compared and draw themselves."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal, NamedTuple, Protocol, TypeAlias

from PyQt6.QtCore import QByteArray, QPointF, QRectF, QSizeF, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPen, QPixmap, QPolygonF, QRegion
from PyQt6.QtSvg import QSvgRenderer

from spikebridge.resources import assets_folder
from spikebridge.ui import theme
from spikebridge.ui.lettering import Face, draw_text, fitted, text_height

Alignment: TypeAlias = Literal["left", "right", "centre"]
LEFT: Alignment = "left"
RIGHT: Alignment = "right"
CENTRE: Alignment = "centre"
#: The white of the pictogram files, replaced by the wanted colour.
_INK = b"#fff"


class Canvas(NamedTuple):
    """Where items are drawn.

    scale : px for each px of the reference screen. ratio : px of the screen for each px of the window. damaged : what
    has to be painted.
    """

    painter: QPainter
    scale: float
    ratio: float
    damaged: QRegion


class Item(Protocol):
    """One thing on a panel. place : all that it paints lies in there."""

    @property
    def place(self) -> QRectF: ...

    def draw(self, canvas: Canvas) -> None:
        """All of it; only what is damaged is seen."""
        ...


class Words(NamedTuple):
    """One line of text, cut with an ellipsis where it is too long. size : px of the reference screen."""

    place: QRectF
    text: str
    size: float
    colour: QColor = theme.TEXT
    bold: bool = False
    align: Alignment = LEFT
    narrow: bool = False

    def draw(self, canvas: Canvas) -> None:
        if self.text:
            face = self._face(canvas.scale)
            shown, width = fitted(self.text, face, int(self.place.width()))
            draw_text(canvas.painter, self._corner(face, width), shown, face, self.colour.rgba(), canvas.ratio)

    def shown(self, scale: float) -> str:
        """What can be read of it."""
        return fitted(self.text, self._face(scale), int(self.place.width()))[0]

    def extent(self, scale: float) -> QRectF:
        """Where it is painted."""
        face = self._face(scale)
        _, width = fitted(self.text, face, int(self.place.width()))
        return QRectF(self._corner(face, width), QSizeF(width, text_height(face)))

    def _face(self, scale: float) -> Face:
        return Face(round(self.size * scale), self.bold, self.narrow)

    def _corner(self, face: Face, width: int) -> QPointF:
        left = self.place.left()
        if self.align != LEFT:
            spare = self.place.width() - width
            left += spare if self.align == RIGHT else spare / 2
        return QPointF(left, self.place.center().y() - text_height(face) / 2)


class Paragraph(NamedTuple):
    """A sentence on as many lines as it needs."""

    place: QRectF
    text: str
    size: float
    colour: QColor = theme.TEXT

    def draw(self, canvas: Canvas) -> None:
        painter = canvas.painter
        painter.setFont(theme.font(round(self.size * canvas.scale)))
        painter.setPen(self.colour)
        where = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.place, int(where) | int(Qt.TextFlag.TextWordWrap), self.text)


class Box(NamedTuple):
    """A filled rectangle of whole px with round corners; radius in px."""

    place: QRectF
    colour: QColor
    radius: float = 0

    def draw(self, canvas: Canvas) -> None:
        painter, place, edge = canvas.painter, self.place.toRect(), math.ceil(self.radius)
        damaged = canvas.damaged.intersected(place).boundingRect()
        if not edge or place.adjusted(0, edge, 0, -edge).contains(damaged):
            # Rounding costs five times as much, also where no corner is seen.
            painter.fillRect(place, self.colour)
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.colour)
        painter.drawRoundedRect(QRectF(place), self.radius, self.radius)


class Frame(NamedTuple):
    """A rectangle with round corners, not filled; width and radius in px."""

    place: QRectF
    colour: QColor
    width: float
    radius: float

    def draw(self, canvas: Canvas) -> None:
        painter = canvas.painter
        half = self.width / 2
        painter.setPen(QPen(self.colour, self.width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(self.place.adjusted(half, half, -half, -half), self.radius, self.radius)


class Line(NamedTuple):
    """Along the longer side of its place, as thick as the shorter."""

    place: QRectF
    colour: QColor
    style: Qt.PenStyle = Qt.PenStyle.SolidLine

    def draw(self, canvas: Canvas) -> None:
        painter = canvas.painter
        place, centre = self.place, self.place.center()
        upright = place.height() > place.width()
        painter.setPen(
            QPen(self.colour, place.width() if upright else place.height(), self.style, Qt.PenCapStyle.FlatCap)
        )
        if upright:
            painter.drawLine(QPointF(centre.x(), place.top()), QPointF(centre.x(), place.bottom()))
        else:
            painter.drawLine(QPointF(place.left(), centre.y()), QPointF(place.right(), centre.y()))


class Pointer(NamedTuple):
    """A triangle that points to the right and fills its place."""

    place: QRectF
    colour: QColor

    def draw(self, canvas: Canvas) -> None:
        painter = canvas.painter
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.colour)
        tip = QPointF(self.place.right(), self.place.center().y())
        painter.drawPolygon(QPolygonF([self.place.topLeft(), tip, self.place.bottomLeft()]))


class Icon(NamedTuple):
    """A gesture's picture in a square."""

    place: QRectF
    name: str
    colour: QColor

    def draw(self, canvas: Canvas) -> None:
        size_px = round(self.place.width() * canvas.ratio)
        picture = pictogram(self.name, size_px, self.colour.name())
        canvas.painter.drawPixmap(self.place, picture, QRectF(picture.rect()))


class Image(NamedTuple):
    """An image, stretched over its place."""

    place: QRectF
    image: QImage

    def draw(self, canvas: Canvas) -> None:
        painter = canvas.painter
        painter.drawImage(self.place, self.image)


@lru_cache(maxsize=64)
def pictogram(name: str, size_px: int, colour: str) -> QPixmap:
    """The gesture's picture, square, in one colour; that of "none" where there is no file."""
    path = assets_folder() / "gestures" / f"{name}.svg"
    if not path.is_file():
        path = path.with_name("none.svg")
    pixmap = QPixmap(size_px, size_px)
    pixmap.fill(Qt.GlobalColor.transparent)
    if path.is_file():
        painter = QPainter(pixmap)
        QSvgRenderer(QByteArray(path.read_bytes().replace(_INK, colour.encode()))).render(painter)
        painter.end()
    return pixmap
