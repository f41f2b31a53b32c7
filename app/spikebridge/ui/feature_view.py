"""What the accumulator sees: spike counts of every channel and interval, as a mosaic."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QImage, QPainter

from spikebridge.contracts import Features
from spikebridge.ui import theme
from spikebridge.ui.painted import Align, PaintedPanel
from spikebridge.ui.surface import palette

_COLOURS = palette((255, 190, 60), (255, 190, 60), (20, 26, 35))[::2]


class FeatureView(PaintedPanel):
    """One tile for each channel, brightest where it spiked most; the intervals of the window are summed."""

    def __init__(self) -> None:
        super().__init__()
        self._tiles: NDArray[np.uint8] | None = None
        self._shape = (0, 0, 0, 0)
        self._highest = 0

    def show_features(self, features: Features | None, shape: tuple[int, int, int, int] | None) -> None:
        """(C·T/I, h, w) counts and (C, T/I, h, w); None while there are none yet."""
        if features is None or shape is None:
            self._tiles = None
        else:
            sums = features.reshape(shape).sum(axis=1, dtype=np.uint32)
            self._highest = int(sums.max())
            self._tiles = mosaic((sums * 127 // max(1, self._highest)).astype(np.uint8))
            self._shape = shape
        self.update()

    def paint(self, painter: QPainter) -> None:
        pad, head = self.px(16), self.px(44)
        room = QRectF(pad, head, self.width() - 2 * pad, self.height() - head - pad - self.px(26))
        title = QRectF(pad, self.px(10), self.width() - 2 * pad, head - self.px(10))
        self.text(painter, title, "What the accumulator sees", 18, theme.MUTED, True, narrow=True)
        if self._tiles is None:
            self.text(painter, room, "waiting for spikes", 18, theme.MUTED, align=Align.AlignCenter)
            return
        height, width = self._tiles.shape
        image = QImage(self._tiles.tobytes(), width, height, width, QImage.Format.Format_Indexed8)
        image.setColorTable(_COLOURS)
        factor = min(room.width() / width, room.height() / height)
        size = (width * factor, height * factor)
        left, top = room.center().x() - size[0] / 2, room.center().y() - size[1] / 2
        painter.drawImage(QRectF(left, top, *size), image)
        c, intervals, h, w = self._shape
        words = f"{c} channels {w}×{h}, sum of {intervals} intervals: 0…{self._highest}"
        foot = QRectF(pad, self.height() - self.px(36), self.width() - 2 * pad, self.px(28))
        self.text(painter, foot, words, 15, theme.MUTED, narrow=True)


def mosaic(tiles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(C, h, w) → (rows·(h+1), columns·(w+1)), row by row, as square as possible, one dark pixel between tiles."""
    c, h, w = tiles.shape
    columns = math.ceil(math.sqrt(c))
    rows = math.ceil(c / columns)
    canvas = np.zeros((rows * columns, h + 1, w + 1), np.uint8)
    canvas[:c, :h, :w] = tiles
    grid = canvas.reshape(rows, columns, h + 1, w + 1).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(grid.reshape(rows * (h + 1), columns * (w + 1)))
