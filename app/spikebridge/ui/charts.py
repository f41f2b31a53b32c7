"""Latency and power over the last half minute."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QImage, QPen, QPolygonF

from spikebridge.stages import STAGES
from spikebridge.ui import figures, theme
from spikebridge.ui.history import POINTS, Latencies, Rails
from spikebridge.ui.items import Canvas, Image, Item
from spikebridge.ui.plot import Entry, Plot

STAGE_COLOURS = {
    "source": theme.MUTED,
    "inbox": theme.FAINT,
    "bin": theme.ORANGE,
    "snn": theme.SKY,
    "accumulator": theme.GREEN,
    "ann": theme.PURPLE,
    "decision": theme.YELLOW,
}
#: Dashes as well as colours tell the rails apart.
_DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)
#: This part of the points lies below the top of the axis: single late ones may not press all others flat.
_BELOW_TOP = 0.98
_LEVELS = (0.0, 0.5, 1.0)


class LatencyChart(Plot):
    """Time in each stage, stacked in the order of the chain, in ms."""

    def __init__(self) -> None:
        super().__init__("Latency, ms")
        self._latencies = Latencies()
        self._highest = 1.0

    def show_latencies(self, latencies: Latencies) -> None:
        """Called again for each new point."""
        self._latencies, n = latencies, latencies.n
        if n:
            totals = np.sort(latencies.values_ms[:, -n:].sum(axis=0))
            self._highest = max(0.5, nice_ceiling(float(totals[int(_BELOW_TOP * (n - 1))])))
        self.refresh()

    def entries(self) -> Sequence[Entry]:
        newest = self._latencies.values_ms[:, -1].tolist() if self._latencies.n else []
        return [
            Entry(f"{stage.title} {figures.three_digits(ms)}", f"{stage.title} 00.0", STAGE_COLOURS[stage.key])
            for stage, ms in zip(STAGES, newest, strict=False)
        ]

    def levels(self, area: QRectF) -> Sequence[tuple[float, str]]:
        return [(part, f"{part * self._highest:.3g}") for part in _LEVELS] if self._latencies.n else ()

    def curves(self, area: QRectF) -> Iterator[Item]:
        if self._latencies.n:
            # An image, not filled curves, which cost 20 ms.
            sums_ms = self._latencies.values_ms.cumsum(axis=0)
            pixels = _COLOURS[stack_image(sums_ms, self._highest, int(area.height()))[::-1]]
            height, width = pixels.shape
            yield Image(area, QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32))


class PowerChart(Plot):
    """Watts of each rail on a logarithmic scale: a neuromorphic chip and a host differ by thousands."""

    def __init__(self) -> None:
        super().__init__("Power")
        self._sources: tuple[Rails, ...] = ()
        self._decades = range(0)

    def show_rails(self, *sources: Rails) -> None:
        """The rails of this host, and those of a chip; called again for each new point."""
        self._sources = sources
        known = [w for source in sources for watts in source.watts.values() for w in watts if math.isfinite(w)]
        if known:
            lowest, highest = math.log10(min(known)), math.log10(max(known))
            self._decades = range(math.floor(lowest - 0.1), math.ceil(highest + 0.1) + 1)
        else:
            self._decades = range(0)
        self.refresh()

    def entries(self) -> Sequence[Entry]:
        entries: list[Entry] = []
        for source in self._sources:
            for rail, reading in source.latest.items():
                value, provenance = figures.power(reading.watts, reading.provenance)
                colour, style = _series(len(entries))
                entries.append(Entry(f"{rail} {value} {provenance}", f"{rail} 00.0 mW {provenance}", colour, style))
        return entries

    def levels(self, area: QRectF) -> Sequence[tuple[float, str]]:
        if not self._decades:
            return ()
        span = len(self._decades) - 1
        # Neighbouring labels need 20 px each.
        every = math.ceil(span * self.px(20) / max(1.0, area.height()))
        return [((decade - self._decades[0]) / span, decade_text(decade)) for decade in self._decades[:: max(1, every)]]

    def curves(self, area: QRectF) -> Iterator[Item]:
        histories = [watts for source in self._sources for watts in source.watts.values()]
        for n, watts in enumerate(histories if self._decades else ()):
            heights = (np.log10(watts) - self._decades[0]) / (len(self._decades) - 1)
            yield Curve(area, tuple(heights.tolist()), *_series(n))


class Curve(NamedTuple):
    """The newest of ``POINTS`` values at the right edge. heights : from 0 to 1 of the place; NaN leaves a gap."""

    place: QRectF
    heights: tuple[float, ...]
    colour: QColor
    style: Qt.PenStyle

    def draw(self, canvas: Canvas) -> None:
        painter = canvas.painter
        # Pens of 1 px only: wider ones take three times as long.
        painter.setPen(QPen(self.colour, 1, self.style))
        step = self.place.width() / POINTS
        x = self.place.right() - step * len(self.heights)
        # Half a px inside, where the line's own thickness is.
        bottom, height = self.place.bottom() - 0.5, self.place.height() - 1
        line: list[QPointF] = []
        for value in (*self.heights, math.nan):
            if math.isfinite(value):
                line.append(QPointF(x, bottom - value * height))
            elif line:
                painter.drawPolyline(QPolygonF(line))
                line = []
            x += step


def _series(n: int) -> tuple[QColor, Qt.PenStyle]:
    """Colour and dashes of the nth rail."""
    return theme.SERIES[n % len(theme.SERIES)], _DASHES[n % len(_DASHES)]


def decade_text(decade: int) -> str:
    """``10 mW``, ``1 W``: a power of ten of a watt."""
    for smallest, unit in ((0, "W"), (-3, "mW"), (-6, "µW"), (-9, "nW")):
        if decade >= smallest:
            return f"{10 ** (decade - smallest)} {unit}"
    return f"10^{decade} W"


def stack_image(sums_ms: NDArray[np.float64], highest_ms: float, rows: int) -> NDArray[np.uint8]:
    """(rows, n) from (n_stages, n) cumulative values: the stage at each height, n_stages above all, n_stages + 1 on the
    line along the top of the stack; row 0 is zero."""
    rows = max(1, rows)
    places = np.arange(rows)[:, None]
    heights = (places + 0.5) * highest_ms / rows
    image = np.zeros((rows, sums_ms.shape[1]), np.uint8)
    for sums in sums_ms:
        image += sums <= heights
    top = np.clip(sums_ms[-1] * rows / highest_ms, 0, rows - 1).astype(np.int64)
    image[(places == top) & (top > 0)] = len(sums_ms) + 1
    return image


def _stack_colours() -> NDArray[np.uint32]:
    """(n_stages + 2,) ARGB: the stages, nothing, and the line along the top."""
    colours = [STAGE_COLOURS[stage.key].darker(130).rgba() for stage in STAGES]
    return np.array([*colours, 0, theme.TEXT.rgba()], np.uint32)


_COLOURS = _stack_colours()


def nice_ceiling(value: float) -> float:
    """The next of 1, 2, 5 × 10ⁿ: the axis changes seldom."""
    if value <= 0:
        return 1.0
    decade = 10.0 ** np.floor(np.log10(value))
    return float(next(step * decade for step in (1, 2, 5, 10, 20) if step * decade >= value * 1.05))
