"""Charts as SVG text: grouped stacked bars, lines, a table of shades. No dependency, nothing to load when opened."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 760, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 40, 46
#: Told apart by people who see colours differently (Okabe and Ito).
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a7f00", "#444444")
_FONT = "font-family='system-ui, sans-serif'"


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a bar: which colour of the legend, how high, and whether the figure is an estimate (hatched)."""

    colour: int
    value: float
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """parts : from bottom to top. low, high : an interval around the top. published : another's value, a diamond."""

    parts: tuple[Part, ...]
    low: float | None = None
    high: float | None = None
    published: float | None = None

    @property
    def top(self) -> float:
        return sum(part.value for part in self.parts)


@dataclass(frozen=True, slots=True)
class Line:
    """points : (x, y), ascending in x."""

    name: str
    points: tuple[tuple[float, float], ...]
    dashed: bool = False


def bar_chart(
    title: str,
    groups: Sequence[tuple[str, Sequence[Bar]]],
    legend: Sequence[str],
    y_label: str,
    bottom: float = 0.0,
    logarithmic: bool = False,
) -> str:
    """Groups of bars side by side; ``legend`` names the colours. A logarithmic axis takes one part a bar."""
    tops = [value for _, bars in groups for bar in bars for value in (bar.top, bar.high, bar.published) if value]
    axis = _Axis.fitting(bottom, max(tops, default=1.0), logarithmic, min((v for v in tops if v > 0), default=0.1))
    body = list(_frame(title, y_label, axis))
    room = (_WIDTH - _LEFT - _RIGHT) / max(1, len(groups))
    for index, (name, bars) in enumerate(groups):
        middle = _LEFT + (index + 0.5) * room
        width = min(34.0, 0.82 * room / max(1, len(bars)))
        body.append(_text(middle, _HEIGHT - _BOTTOM + 17, name, "middle"))
        for k, bar in enumerate(bars):
            body += _bar(bar, middle + (k - len(bars) / 2) * width, width * 0.88, axis)
    body += _legend(legend, any(part.estimated for _, bars in groups for bar in bars for part in bar.parts))
    if any(bar.published is not None for _, bars in groups for bar in bars):
        body.append(_text(_WIDTH - _RIGHT, 16, "◇ published", "end"))
    return _svg(body)


def line_chart(title: str, lines: Sequence[Line], x_label: str, y_label: str, top: float | None = None) -> str:
    """Lines over a common x from 0."""
    points = [point for line in lines for point in line.points]
    axis = _Axis.fitting(0.0, top or max((y for _, y in points), default=1.0), False, 0.1)
    right = max((x for x, _ in points), default=1.0) or 1.0
    body = list(_frame(title, y_label, axis))
    scale = (_WIDTH - _LEFT - _RIGHT) / right
    body += [_text(_LEFT + x * scale, _HEIGHT - _BOTTOM + 15, f"{x:g}", "middle") for x in _ticks(0.0, right)]
    body.append(_text((_LEFT + _WIDTH) / 2, _HEIGHT - 12, x_label, "middle"))
    for k, line in enumerate(lines):
        path = " ".join(f"{_LEFT + x * scale:.1f},{axis.place(y):.1f}" for x, y in line.points)
        dash = " stroke-dasharray='5 4'" if line.dashed else ""
        colour = COLOURS[k % len(COLOURS)]
        body.append(f"<polyline points='{path}' fill='none' stroke='{colour}' stroke-width='2'{dash}/>")
    return _svg([*body, *_legend([line.name for line in lines], False)])


def shade_chart(title: str, names: Sequence[str], table: Sequence[Sequence[int]]) -> str:
    """Counts by row (true) and column (named), shaded by their share of the row."""
    cell, left, top = 42, 190, 40
    size = left + cell * len(names) + 12
    body = [_text(8, 18, title, "start", 14, "600"), _text(left, top - 8, "named, in the order of the rows →", "start")]
    for row, (name, counts) in enumerate(zip(names, table, strict=True)):
        y, total = top + row * cell * 0.62, max(1, sum(counts))
        body.append(_text(left - 8, y + 17, f"{row} {name.replace('_', ' ')}", "end"))
        for column, count in enumerate(counts):
            share = count / total
            x, ink = left + column * cell, "#fff" if share > 0.5 else "#222"
            body.append(
                f"<rect x='{x}' y='{y:.1f}' width='{cell - 2}' height='{cell * 0.62 - 2:.1f}' fill='#0072b2' "
                f"fill-opacity='{max(0.04, share):.2f}'><title>{escape(name)} named {escape(names[column])}: {count}"
                "</title></rect>"
            )
            if count:
                body.append(_text(x + cell / 2 - 1, y + 17, str(count), "middle", 12, "400", ink))
    return _svg(body, size, int(top + len(names) * cell * 0.62 + 10))


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    logarithmic: bool

    @classmethod
    def fitting(cls, low: float, high: float, logarithmic: bool, smallest: float) -> _Axis:
        if logarithmic:
            return cls(10.0 ** math.floor(math.log10(smallest)), 10.0 ** math.ceil(math.log10(high * 1.01)), True)
        return cls(low, low + (high - low) * 1.08 or 1.0, False)

    def place(self, value: float) -> float:
        """Distance from the top of the picture, px."""
        if self.logarithmic:
            span = math.log10(self.high / self.low)
            share = math.log10(max(value, self.low) / self.low) / span
        else:
            share = (value - self.low) / (self.high - self.low)
        return _HEIGHT - _BOTTOM - min(1.0, max(0.0, share)) * (_HEIGHT - _TOP - _BOTTOM)

    def ticks(self) -> list[float]:
        if self.logarithmic:
            first, last = round(math.log10(self.low)), round(math.log10(self.high))
            return [10.0**power for power in range(first, last + 1)]
        return _ticks(self.low, self.high)


def _ticks(low: float, high: float) -> list[float]:
    rough = (high - low) / 5
    unit = 10.0 ** math.floor(math.log10(rough))
    step = unit * next((factor for factor in (1, 2, 5) if factor * unit >= rough), 10)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 10) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _frame(title: str, y_label: str, axis: _Axis) -> Iterator[str]:
    yield _text(8, 18, title, "start", 14, "600")
    for tick in axis.ticks():
        y = axis.place(tick)
        yield f"<line x1='{_LEFT}' x2='{_WIDTH - _RIGHT}' y1='{y:.1f}' y2='{y:.1f}' stroke='#ddd'/>"
        yield _text(_LEFT - 6, y + 4, _short(tick), "end")
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    yield f"<g transform='rotate(-90 14 {middle:.0f})'>{_text(14, middle, y_label, 'middle')}</g>"


def _short(value: float) -> str:
    for factor, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= 10 * factor:
            return f"{value / factor:g}{letter}"
    return f"{value:g}"


def _bar(bar: Bar, x: float, width: float, axis: _Axis) -> Iterator[str]:
    base = 0.0
    for part in bar.parts:
        top, foot = axis.place(base + part.value), axis.place(max(base, axis.low))
        colour = COLOURS[part.colour % len(COLOURS)]
        shape = f"x='{x:.1f}' y='{top:.1f}' width='{width:.1f}' height='{max(0.0, foot - top):.1f}'"
        yield f"<rect {shape} fill='{colour}'><title>{part.value:.4g}</title></rect>"
        if part.estimated:
            yield f"<rect {shape} fill='url(#estimated)'/>"
        base += part.value
    middle = x + width / 2
    if bar.low is not None and bar.high is not None:
        ends = f"y1='{axis.place(bar.low):.1f}' y2='{axis.place(bar.high):.1f}'"
        yield f"<line x1='{middle:.1f}' x2='{middle:.1f}' {ends} stroke='#222' stroke-width='1.5'/>"
    if bar.published is not None:
        y = axis.place(bar.published)
        yield (
            f"<path d='M{middle:.1f} {y - 6:.1f} l5 6 l-5 6 l-5 -6 z' fill='#fff' stroke='#222' stroke-width='1.5'>"
            f"<title>published: {bar.published:.4g}</title></path>"
        )


def _legend(names: Sequence[str], estimated: bool) -> Iterator[str]:
    x = float(_LEFT)
    shown = [(name, COLOURS[k % len(COLOURS)]) for k, name in enumerate(names)]
    for name, fill in [*(one for one in shown if one[0]), *([("estimated", "url(#estimated)")] if estimated else [])]:
        if name == "estimated":
            yield f"<rect x='{x:.0f}' y='26' width='10' height='10' fill='#444'/>"
        yield f"<rect x='{x:.0f}' y='26' width='10' height='10' fill='{fill}' stroke='#999' stroke-width='0.5'/>"
        yield _text(x + 14, 35, name, "start")
        x += 26 + 6.6 * len(name)


def _text(x: float, y: float, words: str, anchor: str, size: int = 12, weight: str = "400", ink: str = "#222") -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' font-size='{size}' font-weight='{weight}' "
        f"fill='{ink}'>{escape(words)}</text>"
    )


def _svg(body: Sequence[str], width: int = _WIDTH, height: int = _HEIGHT) -> str:
    hatch = (
        "<defs><pattern id='estimated' width='6' height='6' patternUnits='userSpaceOnUse' "
        "patternTransform='rotate(45)'><line x1='0' x2='0' y1='0' y2='6' stroke='#fff' stroke-width='3'/></pattern>"
        "</defs>"
    )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' "
        f"role='img' {_FONT}><rect width='100%' height='100%' fill='#fff'/>{hatch}{''.join(body)}</svg>"
    )
