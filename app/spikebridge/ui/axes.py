"""What pyqtgraph draws of a chart: axes, curves and a stacked area over the last half minute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QRect, QRectF, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QWidget

from spikebridge.ui import theme
from spikebridge.ui.history import POINT_S, POINTS

if TYPE_CHECKING:
    import pyqtgraph

#: Type of the labels, and the room for them, px of the reference screen.
_LABEL, _LEFT, _FOOT = 15, 84, 26
#: Half a line above, or the words of the highest level would be cut.
_HEAD = 10
#: Between the middles of neighbouring words of the vertical axis: px of the reference screen, and of any.
_APART, _LEAST_APART_PX = 20, 13
_SPAN_S = POINTS * POINT_S
#: When each point was, s.
_TIMES = np.arange(1 - POINTS, 1) * POINT_S
_TICKS_S = (25, 20, 15, 10, 5)


class Level(NamedTuple):
    """A value on the vertical axis and its words."""

    value: float
    words: str


class Curve(NamedTuple):
    """values : (n,) of the newest points; NaN leaves a gap."""

    values: NDArray[np.float64]
    colour: QColor
    style: Qt.PenStyle = Qt.PenStyle.SolidLine


class Axes:
    """Time from left to right: values come oldest first, and the newest stands at the right edge."""

    def __init__(self, parent: QWidget) -> None:
        # Here, for the first time when a source was opened: the window appears without waiting for it.
        import pyqtgraph

        self._graph = pyqtgraph
        graph = pyqtgraph.PlotWidget(parent, background=theme.PANEL)
        self.widget: QWidget = graph
        self.widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.widget.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._plot = graph.getPlotItem()
        self._plot.disableAutoRange()
        self._plot.setXRange(-_SPAN_S, 0, padding=0)
        self._plot.getAxis("bottom").setTicks([[(-seconds, f"−{seconds} s") for seconds in _TICKS_S]])
        for side in ("left", "bottom"):
            self._plot.getAxis(side).setPen(None)
            self._plot.getAxis(side).setTextPen(theme.MUTED)
        # Not pyqtgraph's own grid: with it, an axis leaves out the words at its ends.
        self._lines = self._add_curve(theme.LINE, Qt.PenStyle.SolidLine, "pairs")
        self._area = pyqtgraph.ImageItem(axisOrder="row-major")
        self._plot.addItem(self._area)
        #: px above and below the area, and between neighbouring words.
        self._around, self._apart = 0, 1
        self._curves: list[pyqtgraph.PlotCurveItem] = []
        self._shown: tuple[float, float, tuple[Level, ...]] = (0.0, 1.0, ())
        self.widget.show()

    def set_scale(self, scale: float) -> None:
        """px for each px of the reference screen."""
        for side, distance in (("left", 8), ("bottom", 4)):
            axis = self._plot.getAxis(side)
            axis.setTickFont(theme.font(round(_LABEL * scale)))
            axis.setStyle(tickLength=0, tickTextOffset=round(distance * scale))
        self._plot.getAxis("left").setWidth(round(_LEFT * scale))
        self._plot.getAxis("bottom").setHeight(round(_FOOT * scale))
        self._plot.layout.setContentsMargins(0, round(_HEAD * scale), 0, 0)
        self._around = round(_HEAD * scale) + round(_FOOT * scale)
        self._apart = max(_LEAST_APART_PX, round(_APART * scale))

    def place(self, place: QRect) -> None:
        """All of it, with the labels."""
        if place != self.widget.geometry():
            self.widget.setGeometry(place)

    @property
    def height(self) -> int:
        """Of the area for the curves, px."""
        # pyqtgraph's own is that of before the last change until Qt has laid it out.
        return max(1, self.widget.height() - self._around)

    @property
    def most_levels(self) -> int:
        """So many have room for their words."""
        return max(2, 1 + self.height // self._apart)

    # ------------------------------------------------ what is drawn

    @property
    def levels(self) -> tuple[Level, ...]:
        return self._shown[2]

    def show_levels(self, lowest: float, highest: float, levels: Sequence[Level]) -> None:
        """What the vertical axis spans, and where it has its words and lines."""
        shown = (lowest, highest, tuple(levels))
        if shown == self._shown:
            return
        self._shown = shown
        self._plot.setYRange(lowest, highest, padding=0)
        self._plot.getAxis("left").setTicks([levels])
        self._lines.setData([-_SPAN_S, 0] * len(levels), [level.value for level in levels for _ in range(2)])

    @property
    def area(self) -> NDArray[np.uint8] | None:
        """The image that is seen, None where none is."""
        return self._area.image  # type: ignore[no-any-return]

    def show_area(self, pixels: NDArray[np.uint8], highest: float) -> None:
        """(rows, n, 4) RGBA: a column for each point, row 0 at zero and the last at ``highest``. None for n = 0."""
        n = pixels.shape[1]
        if not n:
            self._area.clear()
            return
        self._area.setImage(pixels, autoLevels=False)
        self._area.setRect(QRectF(-n * POINT_S, 0, n * POINT_S, highest))

    @property
    def curves(self) -> list[NDArray[np.float64]]:
        """Values of those that are shown, in their order."""
        return [values for _, values in (curve.getData() for curve in self._curves) if values is not None]

    def show_curves(self, curves: Sequence[Curve]) -> None:
        """The nth one keeps the colour and style that it was first shown in."""
        for curve in curves[len(self._curves) :]:
            self._curves.append(self._add_curve(curve.colour, curve.style, "finite"))
        for n, item in enumerate(self._curves):
            if n < len(curves):
                item.setData(_TIMES[POINTS - curves[n].values.size :], curves[n].values)
            else:
                item.clear()

    def _add_curve(self, colour: QColor, style: Qt.PenStyle, connect: str) -> pyqtgraph.PlotCurveItem:
        # Pens of 1 px only: wider ones take three times as long.
        curve = self._graph.PlotCurveItem(pen=self._graph.mkPen(colour, width=1, style=style), connect=connect)
        self._plot.addItem(curve)
        return curve
