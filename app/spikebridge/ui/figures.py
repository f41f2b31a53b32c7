"""Numbers as they stand on the screen: three digits, a unit, and a width that hardly changes."""

from __future__ import annotations

from spikebridge.contracts import Energy, Provenance

NOTHING = "–"
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))
_ENERGY = ((1.0, "mJ"), (1e-3, "µJ"), (1e-6, "nJ"))


def three_digits(value: float) -> str:
    """Three significant digits without exponent: 0.42, 4.20, 42.0, 420."""
    magnitude = abs(value)
    if magnitude >= 99.95:
        return f"{value:.0f}"
    if magnitude >= 9.995:
        return f"{value:.1f}"
    return f"{value:.2f}"


def milliseconds(value_us: float) -> str:
    return f"{three_digits(value_us / 1000)} ms"


def rate(value_hz: float, unit: str) -> str:
    """``182 k events/s``."""
    for size, prefix in _PREFIXES:
        if value_hz >= size:
            return f"{three_digits(value_hz / size)} {prefix} {unit}"
    return f"{value_hz:.0f} {unit}"


def byte_rate(value: float | None) -> str:
    """``910 kB/s``; empty where nothing is sent."""
    if value is None:
        return ""
    for size, prefix in _PREFIXES:
        if value >= size:
            return f"{three_digits(value / size)} {prefix}B/s"
    return f"{value:.0f} B/s"


def power(watts: float | None, provenance: Provenance) -> tuple[str, str]:
    """(``12.3 mW``, ``estimated``): the value never stands without its provenance."""
    if watts is None or provenance == "unavailable":
        return f"{NOTHING} mW", "unavailable"
    if watts >= 10:
        return f"{three_digits(watts)} W", provenance
    return f"{three_digits(watts * 1000)} mW", provenance


def energy(value: Energy) -> str:
    """``1.10 µJ + 3.00 µJ constant + 2.30 mJ static / decision``; empty when unavailable."""
    if value.activity_mj is None or value.provenance == "unavailable":
        return ""
    parts = [_energy(value.activity_mj)]
    parts += [f"{_energy(value.constant_mj)} constant"] if value.constant_mj else []
    parts += [] if value.static_mj is None else [f"{_energy(value.static_mj)} static"]
    return f"{' + '.join(parts)} / decision"


def _energy(value_mj: float) -> str:
    for size, unit in _ENERGY:
        if value_mj >= size:
            return f"{three_digits(value_mj / size)} {unit}"
    return f"{three_digits(value_mj / 1e-6)} nJ"


def count(value: int) -> str:
    """``1 234 567`` with thin spaces."""
    return f"{value:,}".replace(",", "\u2009")


def clock(value_us: int) -> str:
    """``1:02.3``, minutes, seconds and tenths."""
    tenths = max(0, value_us) // 100_000
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


def label_text(label: str | None) -> str:
    """A label for people: ``Left arm counter-clockwise``, ``No gesture``."""
    if label is None:
        return "No gesture"
    words = label.replace("counter_clockwise", "counter-clockwise").replace("_", " ")
    return words[:1].upper() + words[1:]
