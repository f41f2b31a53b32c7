"""Latency and power over the last minute."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QPainter, QPen
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from spikebridge.contracts import STAGES, PowerReading
from spikebridge.ui import figures, theme
from spikebridge.ui.painted import PaintedPanel

#: One minute at ten points a second; pyqtgraph's limit for curves that cost nothing.
POINTS = 600
POINT_S = 0.1
STAGE_COLOURS = {
    "inbox": theme.FAINT,
    "bin": theme.ORANGE,
    "snn": theme.SKY,
    "accumulator": theme.GREEN,
    "ann": theme.PURPLE,
    "decision": theme.YELLOW,
}
_X = np.arange(1 - POINTS, 1) * POINT_S
#: Dashes as well as colours tell the rails apart.
_DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)


class _Legend(PaintedPanel):
    """The chart's title, and a swatch, a name and the present value of each curve, on one line."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self._entries: list[tuple[str, QPen]] = []

    @property
    def words(self) -> list[str]:
        return [words for words, _ in self._entries]

    def show_entries(self, entries: list[tuple[str, QPen]]) -> None:
        self._entries = entries
        self.update()

    def paint(self, painter: QPainter) -> None:
        size, height = 16, self.height()
        painter.setFont(theme.font(self.px(18), bold=True))
        width = painter.fontMetrics().horizontalAdvance(self._title)
        x = float(self.px(16))
        self.text(painter, QRectF(x, 0, width + 4, height), self._title, 18, theme.MUTED, True)
        x += width + self.px(22)
        for words, pen in self._entries:
            thick = QPen(pen)
            thick.setWidth(max(2, self.px(4)))
            painter.setPen(thick)
            painter.drawLine(int(x), height // 2, int(x) + self.px(22), height // 2)
            x += self.px(28)
            painter.setFont(theme.font(self.px(size), narrow=True))
            width = painter.fontMetrics().horizontalAdvance(words)
            self.text(painter, QRectF(x, 0, min(width + 2, self.width() - x), height), words, size, narrow=True)
            x += width + self.px(18)


class Chart(QWidget):
    """A legend above a plot of the last minute; ``Y`` starts at zero unless logarithmic."""

    def __init__(self, title: str, unit: str) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setStyleSheet(f"Chart {{ background: {theme.PANEL.name()}; border-radius: {theme.RADIUS}px; }}")
        self.legend = _Legend(title)
        self.plot = pg.PlotWidget(background=theme.PANEL)
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot.setMenuEnabled(False)
        self.plot.hideButtons()
        self.plot.setMouseEnabled(False, False)
        self.plot.setXRange(_X[0], 0, padding=0)
        self._unit = unit
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
        self.plot.getAxis("left").setWidth(round(64 * scale))
        self.plot.getAxis("bottom").setHeight(round(24 * scale))
        self.plot.showGrid(x=False, y=True, alpha=0.18)


class LatencyChart(Chart):
    """Time in each stage, stacked from inbox to decision, in ms."""

    def __init__(self) -> None:
        super().__init__("Latency, ms", "ms")
        self._history: deque[Mapping[str, float]] = deque(maxlen=POINTS)
        self._curves = {}
        # The highest sum is drawn first: each further one covers it but for its own share.
        for stage in reversed(STAGES):
            colour = STAGE_COLOURS[stage]
            curve = pg.PlotCurveItem(pen=pg.mkPen(colour, width=1), brush=pg.mkBrush(colour.darker(165)), fillLevel=0)
            self.plot.addItem(curve)
            self._curves[stage] = curve
        self.plot.getAxis("bottom").setLabel("")

    def clear(self) -> None:
        self._history.clear()
        for curve in self._curves.values():
            curve.setData([], [])

    def add(self, latency_us: Mapping[str, float] | None) -> None:
        """One point, ten times a second."""
        if latency_us is None:
            return
        self._history.append(latency_us)
        sums = self.stacked_ms()
        x = _X[-len(self._history) :]
        for i, stage in enumerate(STAGES):
            self._curves[stage].setData(x, sums[i])
        self.plot.setYRange(0, max(0.5, nice_ceiling(float(np.percentile(sums[-1], 99.5)))), padding=0)
        self.legend.show_entries(
            [(f"{s} {figures.three_digits(latency_us.get(s, 0) / 1000)}", QPen(STAGE_COLOURS[s], 1)) for s in STAGES]
        )

    def stacked_ms(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """(n_stages, n) cumulative over the stages."""
        values = np.array([[point.get(stage, 0.0) for point in self._history] for stage in STAGES])
        return values.cumsum(axis=0) / 1000


class PowerChart(Chart):
    """Watts of each rail on a logarithmic scale: a neuromorphic chip and a host differ by thousands."""

    def __init__(self) -> None:
        super().__init__("Power, mW", "mW")
        self.plot.setLogMode(x=False, y=True)
        self._histories: dict[str, deque[float]] = {}
        self._curves: dict[str, pg.PlotDataItem] = {}

    def clear(self) -> None:
        for curve in self._curves.values():
            self.plot.removeItem(curve)
        self._curves.clear()
        self._histories.clear()

    def add(self, readings: Iterable[PowerReading]) -> None:
        """One point of every rail, ten times a second."""
        entries = []
        for reading in readings:
            curve = self._curves.get(reading.rail) or self._add_rail(reading.rail)
            history = self._histories[reading.rail]
            known = reading.watts is not None and reading.watts > 0 and reading.provenance != "unavailable"
            history.append(1000 * (reading.watts or 0) if known else np.nan)
            curve.setData(_X[-len(history) :], np.array(history))
            value, provenance = figures.power(reading.watts, reading.provenance)
            entries.append((f"{reading.rail} {value} {provenance}", curve.opts["pen"]))
        self._fit()
        self.legend.show_entries(entries)

    def _add_rail(self, rail: str) -> pg.PlotDataItem:
        n = len(self._curves)
        pen = pg.mkPen(theme.SERIES[n % len(theme.SERIES)], width=1, style=_DASHES[n % len(_DASHES)])
        curve = pg.PlotDataItem(pen=pen, connect="finite")
        self.plot.addItem(curve)
        self._curves[rail] = curve
        self._histories[rail] = deque(maxlen=POINTS)
        return curve

    def _fit(self) -> None:
        values = np.array([v for history in self._histories.values() for v in history])
        values = np.log10(values[np.isfinite(values)])
        if values.size:
            self.plot.setYRange(np.floor(values.min()), np.ceil(values.max() + 0.05), padding=0)


def nice_ceiling(value: float) -> float:
    """The next of 1, 2, 5 × 10ⁿ: the axis changes seldom."""
    if value <= 0:
        return 1.0
    decade = 10.0 ** np.floor(np.log10(value))
    return float(next(step * decade for step in (1, 2, 5, 10) if step * decade >= value * 1.05))
