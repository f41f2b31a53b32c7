"""The base of the painted panels, and the pictograms."""

from __future__ import annotations

from functools import lru_cache

from PyQt6.QtCore import QByteArray, QRectF, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPixmap
from PyQt6.QtSvg import QSvgRenderer
from PyQt6.QtWidgets import QWidget

from spikebridge.resources import assets_folder
from spikebridge.ui import theme

#: The white of the pictogram files, replaced by the wanted colour.
_INK = b"#fff"
Align = Qt.AlignmentFlag


class PaintedPanel(QWidget):
    """A panel that draws itself at ``scale``; texts get fixed places, so that no value moves another."""

    def __init__(self, parent: QWidget | None = None, ground: QColor = theme.PANEL) -> None:
        super().__init__(parent)
        self.scale = 1.0
        self._ground = ground

    def set_scale(self, scale: float) -> None:
        self.scale = scale
        self.update()

    def px(self, size: float) -> int:
        """``size`` of the reference screen in px of this one."""
        return round(size * self.scale)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._ground)
        painter.drawRoundedRect(QRectF(self.rect()), self.px(theme.RADIUS), self.px(theme.RADIUS))
        self.paint(painter)
        painter.end()

    def paint(self, painter: QPainter) -> None:
        """Draws the content."""
        raise NotImplementedError

    def text(
        self,
        painter: QPainter,
        rect: QRectF,
        text: str,
        size: float,
        colour: QColor = theme.TEXT,
        bold: bool = False,
        align: Qt.AlignmentFlag = Align.AlignLeft | Align.AlignVCenter,
        narrow: bool = False,
    ) -> None:
        """One line, cut with an ellipsis where it is too long."""
        painter.setFont(theme.font(self.px(size), bold, narrow))
        painter.setPen(colour)
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(rect.width()) + 1)
        painter.drawText(rect, int(align), shown)


@lru_cache(maxsize=512)
def fitted_size(text: str, width_px: int, largest_px: int, bold: bool = False, narrow: bool = False) -> int:
    """The largest size in px, up to ``largest_px``, at which ``text`` is no wider than ``width_px``."""
    advance = QFontMetricsF(theme.font(100, bold, narrow)).horizontalAdvance(text)
    return max(9, min(largest_px, int(98 * width_px / max(1.0, advance))))


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
