"""Numbers as they stand on the screen: three digits, a unit, and a width that hardly changes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from spikebridge.contracts import Energy, Provenance

NOTHING = "–"
_THOUSANDS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_WATTS = ((1.0, "W"), (1e-3, "mW"), (1e-6, "µW"), (1e-9, "nW"))
_MILLIJOULES = ((1e3, "J"), (1.0, "mJ"), (1e-3, "µJ"), (1e-6, "nJ"))


def three_digits(value: float) -> str:
    """Three significant digits without exponent: 0.42, 4.20, 42.0, 420."""
    magnitude = abs(value)
    if magnitude >= 99.95:
        return f"{value:.0f}"
    if magnitude >= 9.995:
        return f"{value:.1f}"
    return f"{value:.2f}"


def milliseconds(value_us: float) -> str:
    """``4.20 ms``; from a second on ``1.23 s``."""
    if value_us >= 999_500:
        return f"{three_digits(value_us / 1e6)} s"
    return f"{three_digits(value_us / 1000)} ms"


def rate(value_hz: float, unit: str) -> str:
    """``182 k events/s``, ``100 steps/s``, ``6.25 decisions/s``."""
    size, prefix = _prefix(value_hz)
    if prefix:
        return f"{three_digits(value_hz / size)} {prefix} {unit}"
    return f"{value_hz:.3g} {unit}" if value_hz < 9.5 else f"{value_hz:.0f} {unit}"


def byte_rate(value: float | None) -> str:
    """``910 kB/s``; empty where nothing is sent."""
    if value is None:
        return ""
    size, prefix = _prefix(value)
    return f"{three_digits(value / size)} {prefix}B/s" if prefix else f"{value:.0f} B/s"


def power(watts: float | None, provenance: Provenance) -> tuple[str, str]:
    """(``12.3 mW``, ``estimated``): the value never stands without its provenance."""
    if watts is None or provenance == "unavailable":
        return f"{NOTHING} mW", "unavailable"
    return _with_unit(watts, _WATTS), provenance


def energy(value: Energy) -> tuple[str, str]:
    """(``1.10 µJ + 3.00 µJ constant``, ``per decision, estimated``); empty if unavailable."""
    if value.activity_mj is None or value.provenance == "unavailable":
        return "", ""
    constant = f" + {millijoules(value.constant_mj)} constant" if value.constant_mj else ""
    return f"{millijoules(value.activity_mj)}{constant}", f"per decision, {value.provenance}"


def static_energy(value: Energy) -> str:
    """``+ 2.30 mJ static: measured on one board``: the value never stands without its origin; empty where there is
    none."""
    if value.static_mj is None or value.provenance == "unavailable":
        return ""
    return f"+ {millijoules(value.static_mj)} static: {value.static_source or 'origin not known'}"


def millijoules(value_mj: float | None) -> str:
    """With the unit that reads best: ``1.23 µJ``."""
    return NOTHING if value_mj is None else _with_unit(value_mj, _MILLIJOULES)


def share(value: float | None) -> str:
    """``87.3%``."""
    return NOTHING if value is None else f"{value:.1%}"


def count(value: int) -> str:
    """``1 234 567`` with thin spaces."""
    return f"{value:,}".replace(",", "\u2009")


def number(n: int, what: str) -> str:
    """``1 event``, ``12 events``."""
    return f"{count(n)} {what}{'' if n == 1 else 's'}"


def clock(value_us: int) -> str:
    """``1:02.3``, minutes, seconds and tenths; ``1:01:02.3`` from an hour on."""
    tenths = max(0, value_us) // 100_000
    hours, minutes = tenths // 36_000, tenths // 600 % 60
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{head}:{tenths // 10 % 60:02d}.{tenths % 10}"


def label_text(label: str | None) -> str:
    """A label for people: ``Left arm counter-clockwise``, ``No gesture``."""
    if label is None:
        return "No gesture"
    words = label.replace("counter_clockwise", "counter-clockwise").replace("_", " ")
    return words[:1].upper() + words[1:]


def short_label_text(label: str | None) -> str:
    """``Left arm ccw``: for where there is little room."""
    return label_text(label).replace("counter-clockwise", "ccw").replace("clockwise", "cw")


def sentence(words: str) -> str:
    """With a large first letter; the rest as it is."""
    words = words.strip()
    return words[:1].upper() + words[1:]


def _prefix(value: float) -> tuple[float, str]:
    # What would round to 1000 belongs to the next prefix.
    return next(((size, prefix) for size, prefix in _THOUSANDS if value >= 0.9995 * size), (1.0, ""))


def _with_unit(value: float, units: Sequence[tuple[float, str]]) -> str:
    if value == 0 or not math.isfinite(value):
        return f"{value:.0f} {units[1][1]}"
    size, unit = next(((size, unit) for size, unit in units if abs(value) >= 0.9995 * size), units[-1])
    return f"{three_digits(value / size)} {unit}"
