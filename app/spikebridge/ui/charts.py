"""Latency and power over the last half minute."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor

from spikebridge.stages import STAGES
from spikebridge.ui import figures, theme
from spikebridge.ui.axes import Axes, Curve, Level
from spikebridge.ui.history import POINTS, Latencies, Rails
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

    def draw(self, axes: Axes) -> None:
        n, highest = self._latencies.n, self._highest
        sums_ms = self._latencies.values_ms[:, POINTS - n :].cumsum(axis=0)
        # An image, not filled curves, which cost 20 ms.
        axes.show_area(_COLOURS[stack_image(sums_ms, highest, axes.height)], highest)
        axes.show_curves([Curve(sums_ms[-1], theme.TEXT)])
        levels = (0.0, highest / 2, highest) if axes.most_levels > 2 else (0.0, highest)
        axes.show_levels(0, highest, [Level(value, f"{value:.3g}") for value in levels if n])


class PowerChart(Plot):
    """Watts of each rail on a logarithmic scale: a neuromorphic chip and a host differ by thousands."""

    def __init__(self) -> None:
        super().__init__("Power")
        self._sources: tuple[Rails, ...] = ()

    def show_rails(self, *sources: Rails) -> None:
        """The rails of this host, and those of a chip; called again for each new point."""
        self._sources = sources
        self.refresh()

    def entries(self) -> Sequence[Entry]:
        entries: list[Entry] = []
        for source in self._sources:
            for rail, reading in source.latest.items():
                value, provenance = figures.power(reading.watts, reading.provenance)
                colour, style = _series(len(entries))
                entries.append(Entry(f"{rail} {value} {provenance}", f"{rail} 00.0 mW {provenance}", colour, style))
        return entries

    def draw(self, axes: Axes) -> None:
        histories = [np.log10(watts) for source in self._sources for watts in source.watts.values()]
        axes.show_curves([Curve(history, *_series(n)) for n, history in enumerate(histories)])
        known = [history[np.isfinite(history)] for history in histories]
        values = np.concatenate(known) if known else np.zeros(0)
        if not values.size:
            axes.show_levels(0, 1, ())
            return
        lowest, highest = math.floor(values.min() - 0.1), math.ceil(values.max() + 0.1)
        decades = range(lowest, highest + 1, math.ceil((highest - lowest) / (axes.most_levels - 1)))
        axes.show_levels(lowest, highest, [Level(decade, decade_text(decade)) for decade in decades])


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
    """(rows, n) from (n_stages, n) cumulative values: the stage at each height, n_stages above all; row 0 is zero."""
    heights = (np.arange(rows)[:, None] + 0.5) * highest_ms / rows
    image = np.zeros((rows, sums_ms.shape[1]), np.uint8)
    for sums in sums_ms:
        image += sums <= heights
    return image


def _stack_colours() -> NDArray[np.uint8]:
    """(n_stages + 1, 4) RGBA, the last transparent."""
    colours = [STAGE_COLOURS[stage.key].darker(130) for stage in STAGES]
    return np.array([*((c.red(), c.green(), c.blue(), 255) for c in colours), (0, 0, 0, 0)], np.uint8)


_COLOURS = _stack_colours()


def nice_ceiling(value: float) -> float:
    """The next of 1, 2, 5 × 10ⁿ: the axis changes seldom."""
    if value <= 0:
        return 1.0
    decade = 10.0 ** np.floor(np.log10(value))
    return float(next(step * decade for step in (1, 2, 5, 10, 20) if step * decade >= value * 1.05))
