"""Charts as SVG text: grouped stacked bars, lines, a table of shades. The only file that imports matplotlib.

The same data gives the same bytes. Text stays text, and each mark shows its value when pointed at. What is returned is
an ``svg`` element: a file of its own, or part of an HTML page.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spikebridge.errors import MissingError
from spikebridge.evaluation.svg import tidy_svg, titled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

#: Told apart by people who see colours differently (Okabe and Ito).
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a7f00", "#444444")
_INK, _FAINT, _GRID = "#222222", "#666666", "#dddddd"
_WIDTH_IN, _HEIGHT_IN = 7.9, 3.4
#: So many letters are about as wide as a chart.
_LINE_LETTERS = 110
#: Bars of a group lie side by side on this share of its room, and none is wider than the second share.
_GROUP_SHARE, _WIDEST = 0.8, 0.36
#: matplotlib's own font measures the text; what shows it may be the reader's, which is hardly ever wider.
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "spikebridge",
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.8,
    "xtick.color": _FAINT,
    "ytick.color": _FAINT,
    "xtick.labelcolor": _INK,
    "ytick.labelcolor": _INK,
    "hatch.linewidth": 1.2,
    "legend.frameon": False,
    "legend.handlelength": 1.2,
    "legend.columnspacing": 1.4,
}


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar: its colour's number in the legend, its height, and whether it is an estimate (hatched)."""

    colour: int
    value: float
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """parts : from bottom to top. low, high : an interval around the top. published : another's value, a diamond.
    name : what stands below the bar."""

    parts: tuple[Part, ...]
    low: float | None = None
    high: float | None = None
    published: float | None = None
    name: str = ""

    @property
    def top(self) -> float:
        return sum(part.value for part in self.parts)


@dataclass(frozen=True, slots=True)
class Line:
    """points : (x, y), ascending in x."""

    name: str
    points: tuple[tuple[float, float], ...]
    dashed: bool = False


def require_matplotlib() -> None:
    """Raises MissingError, which says how to get it, where matplotlib cannot be imported."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingError(
            "expected matplotlib for charts, found none; run 'pip install spikebridge[report]'."
        ) from error


def bar_chart(
    title: str,
    groups: Sequence[tuple[str, Sequence[Bar]]],
    legend: Sequence[str],
    y_label: str,
    bottom: float = 0.0,
    logarithmic: bool = False,
) -> str:
    """Groups of bars side by side.

    groups : (name, bars). legend : names of the colours; an empty one is left out. bottom : where the axis begins,
    unless it is logarithmic.
    """
    with _styled():
        figure, axes = _chart(title)
        _scale(axes, [bar for _, bars in groups for bar in bars], bottom, logarithmic)
        named = any(bar.name for _, bars in groups for bar in bars)
        for place, (_, bars) in enumerate(groups):
            width = min(_WIDEST, _GROUP_SHARE / max(1, len(bars)))
            for k, bar in enumerate(bars):
                middle = place + (k - (len(bars) - 1) / 2) * width
                _draw_bar(axes, bar, middle, 0.88 * width)
                if bar.name:
                    _write_below(axes, bar.name, middle)
        axes.set_ylabel(y_label)
        axes.set_xticks(range(len(groups)), [name for name, _ in groups])
        axes.set_xlim(-0.6, max(1, len(groups)) - 0.4)
        axes.tick_params(axis="x", length=0, pad=13 if named else 4)
        axes.grid(visible=False, axis="x")
        _legend(axes, legend, [bar for _, bars in groups for bar in bars])
        return _svg(figure)


def line_chart(title: str, lines: Sequence[Line], x_label: str, y_label: str, top: float | None = None) -> str:
    """Lines over a common x from 0. top : where the y axis ends."""
    with _styled():
        figure, axes = _chart(title)
        for k, line in enumerate(lines):
            x, y = zip(*line.points, strict=True) if line.points else ((), ())
            style = "--" if line.dashed else "-"
            colour = COLOURS[k % len(COLOURS)]
            axes.plot(x, y, style, color=colour, linewidth=1.8, label=line.name, gid=titled(line.name))
        axes.set_xlim(0, max((x for line in lines for x, _ in line.points), default=1.0) or 1.0)
        axes.set_ylim(0, top)
        axes.set_xlabel(x_label)
        axes.set_ylabel(y_label)
        _place_legend(axes, axes.lines)
        return _svg(figure)


def shade_chart(title: str, names: Sequence[str], table: Sequence[Sequence[int]]) -> str:
    """Counts by row (true) and column (named), shaded by their share of the row."""
    with _styled({"axes.spines.left": False, "axes.spines.bottom": False, "axes.grid": False}):
        from matplotlib.patches import Rectangle

        figure, axes = _chart(title, (_WIDTH_IN, 1.1 + 0.32 * len(names)))
        for row, counts in enumerate(table):
            total = max(1, sum(counts))
            for column, count in enumerate(counts):
                share = count / total
                words = f"{_plain(names[row])} named {_plain(names[column])}: {count} of {sum(counts)}"
                place, size = (column - 0.47, row - 0.45), (0.94, 0.9)
                axes.add_patch(Rectangle(place, *size, facecolor=_shade(share), linewidth=0, gid=titled(words)))
                if count:
                    ink = "white" if share > 0.5 else _INK
                    axes.text(column, row, str(count), ha="center", va="center", color=ink, fontsize=8.5)
        axes.set_xlim(-0.5, max(1, len(names)) - 0.5)
        axes.set_ylim(max(1, len(names)) - 0.5, -0.5)
        axes.set_yticks(range(len(names)), [f"{_plain(name)}  {row}" for row, name in enumerate(names)])
        axes.set_xticks(range(len(names)), [str(row) for row in range(len(names))])
        axes.tick_params(length=0, top=False, labeltop=True, labelbottom=False)
        axes.set_xlabel("named, by the numbers of the rows")
        axes.xaxis.set_label_position("top")
        return _svg(figure)


@contextmanager
def _styled(changes: Mapping[str, object] | None = None) -> Iterator[None]:
    require_matplotlib()
    from matplotlib import rc_context

    with rc_context({**_STYLE, **(changes or {})}):
        yield


def _chart(title: str, size_in: tuple[float, float] = (_WIDTH_IN, _HEIGHT_IN)) -> tuple[Figure, Axes]:
    # Not by pyplot, which chooses a back end for windows and keeps every figure alive.
    from matplotlib.figure import Figure

    figure = Figure(size_in, layout="constrained")
    figure.suptitle(title, x=0.012, ha="left", fontsize=11, fontweight="bold")
    return figure, figure.add_subplot()


def _draw_bar(axes: Axes, bar: Bar, place: float, width: float) -> None:
    base = 0.0
    for part in bar.parts:
        colour, gid = COLOURS[part.colour % len(COLOURS)], titled(_short(part.value))
        hatch = {"hatch": "////", "edgecolor": "white"} if part.estimated else {}
        axes.bar(place, part.value, width, base, color=colour, linewidth=0, **hatch)[0].set_gid(gid)
        base += part.value
    if bar.low is not None and bar.high is not None:
        words = titled(f"{_short(bar.low)} to {_short(bar.high)}")
        axes.plot([place, place], [bar.low, bar.high], color=_INK, linewidth=1.3, marker="_", markersize=4, gid=words)
    if bar.published is not None:
        words = titled(f"published: {_short(bar.published)}")
        axes.plot(place, bar.published, "D", color="white", markeredgecolor=_INK, markersize=5, gid=words, zorder=3)


def _write_below(axes: Axes, words: str, place: float) -> None:
    """Small, between the axis and the name of the group."""
    text = axes.annotate(words, (place, 0), (0, -3), axes.get_xaxis_transform(), "offset points", va="top")
    text.set(ha="center", fontsize=7, color=_FAINT)


def _scale(axes: Axes, bars: Iterable[Bar], bottom: float, logarithmic: bool) -> None:
    from matplotlib.ticker import FuncFormatter

    tops = [value for bar in bars for value in (bar.top, bar.high, bar.published) if value]
    if logarithmic:
        low, high = min((top for top in tops if top > 0), default=0.1), max(tops, default=1.0)
        axes.set_yscale("log")
        axes.set_ylim(10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high * 1.01)))
        axes.yaxis.set_minor_formatter("")
    else:
        axes.set_ylim(bottom, bottom + (max(tops, default=1.0) - bottom) * 1.06)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _round_number(value)))


def _legend(axes: Axes, names: Sequence[str], bars: Sequence[Bar]) -> None:
    """Names of the colours, and what hatching and diamonds mean where there are some."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Patch | Line2D] = [
        Patch(color=COLOURS[k % len(COLOURS)], label=name, linewidth=0) for k, name in enumerate(names) if name
    ]
    if any(part.estimated for bar in bars for part in bar.parts):
        handles.append(Patch(facecolor=_FAINT, edgecolor="white", hatch="////", linewidth=0, label="estimated"))
    if any(bar.low is not None for bar in bars):
        handles.append(Line2D([], [], color=_INK, linewidth=1.3, label="interval"))
    if any(bar.published is not None for bar in bars):
        diamond = Line2D([], [], linestyle="none", marker="D", color="white", markeredgecolor=_INK, markersize=5)
        diamond.set_label("published")
        handles.append(diamond)
    _place_legend(axes, handles)


def _place_legend(axes: Axes, handles: Sequence[Patch | Line2D]) -> None:
    """Above the chart, as many names beside each other as fit."""
    if handles:
        widest = max(len(str(handle.get_label())) for handle in handles)
        columns = max(1, min(len(handles), _LINE_LETTERS // (widest + 6)))
        axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2, ncols=columns)


def _svg(figure: Figure) -> str:
    file = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(file, format="svg", metadata=nothing)
    return tidy_svg(file.getvalue())


def _shade(share: float) -> tuple[float, float, float]:
    """From nearly white to the first colour."""
    depth = 0.04 + 0.96 * share
    red, green, blue = (int(COLOURS[0][i : i + 2], 16) / 255 for i in (1, 3, 5))
    return 1 - depth * (1 - red), 1 - depth * (1 - green), 1 - depth * (1 - blue)


def _plain(label: str) -> str:
    return label.replace("_", " ")


def _short(value: float) -> str:
    return f"{value:.4g}"


def _round_number(value: float) -> str:
    for least, factor, letter in ((1e9, 1e9, " G"), (1e6, 1e6, " M"), (1e4, 1e3, " k")):
        if abs(value) >= least:
            return f"{value / factor:g}{letter}"
    return f"{value:g}"
