"""What the accumulator sees: spike counts of every channel and interval, as a mosaic."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QImage

from spikebridge.contracts import Features
from spikebridge.ui import theme
from spikebridge.ui.figures import number
from spikebridge.ui.items import CENTRE, Image, Item, Words
from spikebridge.ui.lettering import Face, fitted_size
from spikebridge.ui.painted import PaintedPanel
from spikebridge.ui.surface import palette

_TITLE = "What the accumulator sees"
_COLOURS = palette((255, 190, 60), (255, 190, 60), (20, 26, 35))[::2]


class FeatureView(PaintedPanel):
    """One tile for each channel, brightest where most was counted; the intervals of the window are summed."""

    def __init__(self) -> None:
        super().__init__()
        self._tiles: NDArray[np.uint8] | None = None
        self._whose = ""
        self._words = ("", "")

    def show_features(
        self, features: Features | None, shape: tuple[int, int, int, int] | None, whose: str = ""
    ) -> None:
        """(C·T/I, h, w) counts and (C, T/I, h, w); None while there are none yet. whose : name of the lane."""
        self._whose = whose
        self._tiles = None
        if features is not None and shape is not None:
            sums = features.reshape(shape).sum(axis=1, dtype=np.uint32)
            highest = int(sums.max())
            self._tiles = mosaic((sums * 127 // max(1, highest)).astype(np.uint8))
            c, intervals, h, w = shape
            self._words = (f"{number(c, 'channel')} of {w}×{h}", f"sum of {number(intervals, 'interval')}: 0…{highest}")
        self.refresh()

    def compose(self) -> Iterator[Item]:
        pad, line = self.px(16), self.px(24)
        row = QRectF(pad, self.px(12), self.width() - 2 * pad, line)
        largest = fitted_size(_TITLE, int(row.width()), Face(self.px(18), True, True)) / self.scale
        yield Words(row, _TITLE, largest, theme.MUTED, True, narrow=True)
        yield Words(row.translated(0, line), self._whose, 16, theme.TEXT, narrow=True)
        top, bottom = self.px(12) + 2 * line, self.height() - self.px(10) - 2 * line
        room = QRectF(pad, top, self.width() - 2 * pad, max(1, bottom - top - self.px(6)))
        if self._tiles is None:
            yield Words(room, "waiting for spikes", 18, theme.MUTED, align=CENTRE)
            return
        height, width = self._tiles.shape
        image = QImage(self._tiles.tobytes(), width, height, width, QImage.Format.Format_Indexed8)
        image.setColorTable(_COLOURS)
        factor = min(room.width() / width, room.height() / height)
        size = (width * factor, height * factor)
        yield Image(QRectF(room.center().x() - size[0] / 2, room.center().y() - size[1] / 2, *size), image)
        for i, words in enumerate(self._words):
            yield Words(
                QRectF(pad, bottom + i * line, self.width() - 2 * pad, line), words, 15, theme.MUTED, narrow=True
            )


def mosaic(tiles: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(C, h, w) → (rows·(h+1), columns·(w+1)), row by row, as square as possible, one dark pixel between tiles."""
    c, h, w = tiles.shape
    columns = math.ceil(math.sqrt(c))
    rows = math.ceil(c / columns)
    canvas = np.zeros((rows * columns, h + 1, w + 1), np.uint8)
    canvas[:c, :h, :w] = tiles
    grid = canvas.reshape(rows, columns, h + 1, w + 1).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(grid.reshape(rows * (h + 1), columns * (w + 1)))
