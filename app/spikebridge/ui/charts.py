"""Latency and power over the last half minute."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QPainter, QPen
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from spikebridge.contracts import PowerReading
from spikebridge.stages import STAGES
from spikebridge.ui import figures, theme
from spikebridge.ui.painted import PaintedPanel

#: Half a minute at ten points a second: half of what pyqtgraph's curves draw at no noticeable cost.
POINTS = 300
POINT_S = 0.1
STAGE_COLOURS = {
    "source": theme.MUTED,
    "inbox": theme.FAINT,
    "bin": theme.ORANGE,
    "snn": theme.SKY,
    "accumulator": theme.GREEN,
    "ann": theme.PURPLE,
    "decision": theme.YELLOW,
}
#: Rows of the stacked area; more than the plot's height on most screens.
_ROWS, _BANDS = 160, 4
_X = np.arange(1 - POINTS, 1) * POINT_S
#: Dashes as well as colours tell the rails apart.
_DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)


class _Legend(PaintedPanel):
    """The chart's title, and a swatch, a name and the present value of each curve, on one line."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self._entries: list[tuple[str, QPen]] = []
        self._widths: dict[int, int] = {}

    def set_scale(self, scale: float) -> None:
        self._widths.clear()
        super().set_scale(scale)

    @property
    def words(self) -> list[str]:
        return [words for words, _ in self._entries]

    def show_entries(self, entries: list[tuple[str, QPen]]) -> None:
        self._entries = entries
        self.update()

    def paint(self, painter: QPainter) -> None:
        height = self.height()
        painter.setFont(theme.font(self.px(18), bold=True))
        width = painter.fontMetrics().horizontalAdvance(self._title) + 4
        x = float(self.px(16))
        self.text(painter, QRectF(x, 0, width, height), self._title, 18, theme.MUTED, True)
        x += width + self.px(14)
        for i, (words, pen) in enumerate(self._entries):
            thick = QPen(pen)
            thick.setWidth(max(2, self.px(4)))
            painter.setPen(thick)
            painter.drawLine(int(x), height // 2, int(x) + self.px(26), height // 2)
            x += self.px(32)
            width = self._room(painter, i, words)
            self.text(painter, QRectF(x, 0, min(width, self.width() - x), height), words, 16, narrow=True)
            x += width + self.px(12)

    def _room(self, painter: QPainter, i: int, words: str) -> int:
        """As wide as this entry ever was, so that the ones after it stay in place."""
        painter.setFont(theme.font(self.px(16), narrow=True))
        self._widths[i] = max(self._widths.get(i, 0), painter.fontMetrics().horizontalAdvance(words) + 2)
        return self._widths[i]


class Chart(QWidget):
    """A legend above a plot of the last half minute."""

    def __init__(self, title: str, axis: pg.AxisItem | None = None) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setStyleSheet(f"Chart {{ background: {theme.PANEL.name()}; border-radius: {theme.RADIUS}px; }}")
        self.legend = _Legend(title)
        self.plot = pg.PlotWidget(
            background=theme.PANEL, axisItems={"bottom": _TimeAxis("bottom"), **({"left": axis} if axis else {})}
        )
        self.plot.getPlotItem().disableAutoRange()
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.setMouseEnabled(False, False)
        self.plot.setXRange(_X[0], 0, padding=0)
        # pyqtgraph's own grid costs up to 50 ms a repaint, in which no other thread runs Python.
        self._levels = pg.PlotCurveItem(pen=pg.mkPen(theme.LINE, width=1), connect="pairs")
        self.plot.addItem(self._levels)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.legend)
        layout.addWidget(self.plot, 1)
        self.set_scale(1.0)

    def set_scale(self, scale: float) -> None:
        self.legend.set_scale(scale)
        self.legend.setFixedHeight(round(34 * scale))
        for name in ("left", "bottom"):
            axis = self.plot.getAxis(name)
            axis.setTickFont(theme.font(round(15 * scale)))
            axis.setPen(pg.mkPen(theme.LINE))
            axis.setTextPen(pg.mkPen(theme.MUTED))
            axis.setStyle(tickLength=-4)
        self.plot.getAxis("left").setWidth(round(88 * scale))
        self.plot.getAxis("bottom").setHeight(round(24 * scale))
        # Half a line above the plot, or the label of its highest level is cut.
        self.plot.getPlotItem().layout.setContentsMargins(0, round(9 * scale), 0, 0)

    def show_range(self, lowest: float, highest: float, levels: Iterable[float]) -> None:
        """The vertical axis, and faint lines at ``levels``."""
        y = np.repeat(np.array(list(levels), np.float64), 2)
        self._levels.setData(np.tile([_X[0], 0.0], y.size // 2), y)
        self.plot.setYRange(lowest, highest, padding=0)


class LatencyChart(Chart):
    """Time in each stage, stacked in the order of the chain, in ms."""

    def __init__(self) -> None:
        super().__init__("Latency, ms")
        self._history: deque[Mapping[str, float]] = deque(maxlen=POINTS)
        # An image, not filled curves: filling six of them costs 20 ms in which no other thread runs Python.
        # In bands, because Qt hands images of about a hundred rows to helper threads and waits for them.
        self._bands = [pg.ImageItem(axisOrder="row-major") for _ in range(_BANDS)]
        for band in self._bands:
            band.setLookupTable(_stack_colours())
            self.plot.addItem(band)
        self._total = pg.PlotCurveItem(pen=pg.mkPen(theme.TEXT, width=1))
        self.plot.addItem(self._total)

    def clear(self) -> None:
        self._history.clear()
        for band in self._bands:
            band.clear()
        self._total.setData([], [])
        self.legend.show_entries([])

    def add(self, latency_us: Mapping[str, float] | None) -> None:
        """One point, ten times a second."""
        if latency_us is None:
            return
        self._history.append(latency_us)
        sums = self.stacked_ms()
        highest = max(0.5, nice_ceiling(float(np.percentile(sums[-1], 98))))
        x = _X[-len(self._history) :]
        height = highest / _BANDS
        for i, (band, image) in enumerate(zip(self._bands, np.split(stack_image(sums, highest), _BANDS), strict=True)):
            band.setImage(image, autoLevels=False, levels=(0, len(STAGES)))
            band.setRect(QRectF(x[0] - POINT_S / 2, i * height, POINT_S * x.size, height))
        self._total.setData(x, sums[-1])
        self.show_range(0, highest, (highest / 4, highest / 2, highest * 3 / 4))
        self.legend.show_entries(
            [
                (f"{s.title} {figures.three_digits(latency_us.get(s.key, 0) / 1000)}", QPen(STAGE_COLOURS[s.key], 1))
                for s in STAGES
            ]
        )

    def stacked_ms(self) -> NDArray[np.float64]:
        """(n_stages, n) cumulative over the stages."""
        values = np.array([[point.get(stage.key, 0.0) for point in self._history] for stage in STAGES])
        sums: NDArray[np.float64] = values.cumsum(axis=0) / 1000
        return sums


class PowerChart(Chart):
    """Watts of each rail on a logarithmic scale: a neuromorphic chip and a host differ by thousands."""

    def __init__(self) -> None:
        super().__init__("Power", _DecadeAxis("left"))
        self._histories: dict[str, deque[float]] = {}
        self._curves: dict[str, pg.PlotCurveItem] = {}

    def clear(self) -> None:
        for curve in self._curves.values():
            self.plot.removeItem(curve)
        self._curves.clear()
        self._histories.clear()
        self.legend.show_entries([])

    def add(self, readings: Iterable[PowerReading]) -> None:
        """One point of every rail, ten times a second."""
        entries = []
        for reading in readings:
            curve = self._curves.get(reading.rail) or self._add_rail(reading.rail)
            history = self._histories[reading.rail]
            known = reading.watts is not None and reading.watts > 0 and reading.provenance != "unavailable"
            history.append(math.log10(reading.watts or 1.0) if known else math.nan)
            curve.setData(_X[-len(history) :], np.array(history))
            value, provenance = figures.power(reading.watts, reading.provenance)
            entries.append((f"{reading.rail} {value} {provenance}", curve.opts["pen"]))
        self._fit()
        self.legend.show_entries(entries)

    def _add_rail(self, rail: str) -> pg.PlotCurveItem:
        n = len(self._curves)
        pen = pg.mkPen(theme.SERIES[n % len(theme.SERIES)], width=1, style=_DASHES[n % len(_DASHES)])
        curve = pg.PlotCurveItem(pen=pen, connect="finite")
        self.plot.addItem(curve)
        self._curves[rail] = curve
        self._histories[rail] = deque(maxlen=POINTS)
        return curve

    def _fit(self) -> None:
        values = np.array([v for history in self._histories.values() for v in history])
        values = values[np.isfinite(values)]
        if values.size:
            lowest, highest = math.floor(values.min() - 0.1), math.ceil(values.max() + 0.1)
            self.show_range(lowest, highest, range(lowest, highest + 1))


class _TimeAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Seconds before now."""

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:  # noqa: N802 - Qt's style
        return [f"{value:g} s".replace("-", "−") for value in values]


class _DecadeAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Ticks at powers of ten of a watt, in words: 10 mW, 1 W."""

    def tickValues(self, lowest: float, highest: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N802
        decades = range(math.ceil(lowest), math.floor(highest) + 1)
        # Neighbouring labels need 24 px each.
        every = max(1, math.ceil(len(decades) * 24 / max(1.0, size)))
        return [(every, [float(decade) for decade in decades[::every]])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:  # noqa: N802
        return [_decade_text(round(value)) for value in values]


def _decade_text(decade: int) -> str:
    for smallest, unit in ((0, "W"), (-3, "mW"), (-6, "µW"), (-9, "nW")):
        if decade >= smallest:
            return f"{10 ** (decade - smallest)} {unit}"
    return f"10^{decade} W"


def stack_image(sums_ms: NDArray[np.float64], highest_ms: float) -> NDArray[np.uint8]:
    """(_ROWS, n) from (n_stages, n) cumulative values: the stage at each height, n_stages above all; row 0 is zero."""
    heights = (np.arange(_ROWS) + 0.5) * highest_ms / _ROWS
    stages: NDArray[np.uint8] = (sums_ms[:, None, :] <= heights[None, :, None]).sum(axis=0, dtype=np.uint8)
    return stages


def _stack_colours() -> NDArray[np.uint8]:
    """(n_stages + 1, 4) RGBA, the last transparent."""
    colours = [STAGE_COLOURS[stage.key].darker(130) for stage in STAGES]
    return np.array([*((c.red(), c.green(), c.blue(), 255) for c in colours), (0, 0, 0, 0)], np.uint8)


def nice_ceiling(value: float) -> float:
    """The next of 1, 2, 5 × 10ⁿ: the axis changes seldom."""
    if value <= 0:
        return 1.0
    decade = 10.0 ** np.floor(np.log10(value))
    return float(next(step * decade for step in (1, 2, 5, 10, 20) if step * decade >= value * 1.05))
