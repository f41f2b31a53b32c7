"""Words as pictures that are kept: one for each digit and one for each run of other characters.

What changes on the screen are digits, so that in a steady state nothing is measured or laid out. That would cost up to
four times as much as copying pictures where other threads had the processor's caches meanwhile, and ten times as much
for type of more than 64 px, whose outlines Qt fills anew each time.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFontMetricsF, QPainter, QPixmap

from spikebridge.ui import theme

_PARTS = re.compile(r"[0-9]|[^0-9]+")
_ELLIPSIS = "…"
#: Left free at both sides, for what a glyph draws beyond its advance, px.
_OVERHANG_PX = 2


class Face(NamedTuple):
    """A type face of one size in px."""

    size_px: int
    bold: bool = False
    narrow: bool = False


@lru_cache(maxsize=2048)
def text_width(text: str, face: Face) -> int:
    """How wide ``text`` is, px."""
    return sum(_advance(part, face) for part in _parts(text))


@lru_cache(maxsize=512)
def fitted_size(text: str, width_px: int, largest: Face) -> int:
    """The largest size in px, up to that of ``largest``, at which ``text`` is no wider than ``width_px``."""
    at_100 = text_width(text, largest._replace(size_px=100))
    return max(theme.SMALLEST_PX, min(largest.size_px, int(98 * width_px / max(1.0, at_100))))


@lru_cache(maxsize=2048)
def fitted(text: str, face: Face, room_px: int) -> tuple[str, int]:
    """(``text``, cut with an ellipsis where it is wider than ``room_px``; its width in px)."""
    width = text_width(text, face)
    if width <= room_px + 1:
        return text, width
    cuts = (text[:n].rstrip() + _ELLIPSIS for n in range(len(text), 0, -1))
    return next(((cut, text_width(cut, face)) for cut in cuts if text_width(cut, face) <= room_px), ("", 0))


@lru_cache(maxsize=512)
def wrapped(pieces: Sequence[str], face: Face, room_px: int) -> tuple[str, ...]:
    """Lines of ``pieces``, as many of them on each as its room of ``room_px`` allows."""
    lines: list[str] = []
    for piece in filter(None, pieces):
        longer = f"{lines[-1]} {piece}" if lines else piece
        if lines and text_width(longer, face) <= room_px:
            lines[-1] = longer
        else:
            lines.append(piece)
    return tuple(lines)


@lru_cache(maxsize=128)
def text_height(face: Face) -> int:
    """Of a line, px."""
    return math.ceil(_metrics(face).height())


def draw_text(painter: QPainter, top_left: QPointF, text: str, face: Face, rgba: int, ratio: float) -> None:
    """One line of ``text_width`` and ``text_height``. ratio : px of the screen for each px of the window."""
    # On whole px of the screen, or the pictures would be blurred.
    left, top = round(top_left.x() * ratio) / ratio, round(top_left.y() * ratio) / ratio
    for shift, picture in _laid_out(text, face, rgba, ratio):
        painter.drawPixmap(QPointF(left + shift, top), picture)


@lru_cache(maxsize=1024)
def _laid_out(text: str, face: Face, rgba: int, ratio: float) -> tuple[tuple[float, QPixmap], ...]:
    """(px from the left, picture) of each part."""
    x, parts = 0, []
    for part in _parts(text):
        parts.append((round((x - _OVERHANG_PX) * ratio) / ratio, _picture(part, face, rgba, ratio)))
        x += _advance(part, face)
    return tuple(parts)


@lru_cache(maxsize=2048)
def _parts(text: str) -> tuple[str, ...]:
    return tuple(_PARTS.findall(text))


@lru_cache(maxsize=2048)
def _advance(part: str, face: Face) -> int:
    """Whole px, so that digits stand at equal distances."""
    return round(_metrics(face).horizontalAdvance(part))


@lru_cache(maxsize=128)
def _metrics(face: Face) -> QFontMetricsF:
    return QFontMetricsF(theme.font(*face))


@lru_cache(maxsize=1024)
def _picture(part: str, face: Face, rgba: int, ratio: float) -> QPixmap:
    width, height = _advance(part, face) + 2 * _OVERHANG_PX, text_height(face)
    picture = QPixmap(math.ceil(width * ratio), math.ceil(height * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setFont(theme.font(*face))
    painter.setPen(QColor.fromRgba(rgba))
    where = QRectF(_OVERHANG_PX, 0, width, height)
    painter.drawText(where, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), part)
    painter.end()
    return picture
