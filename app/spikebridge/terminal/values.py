"""How single values are written: for a program as JSON, for people with a unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]


def figure_text(value: float) -> str:
    """Whole from a hundred on, else three digits: ``12,345``, ``6.78``."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def energy_text(value_mj: float) -> str:
    """With the unit that reads best: ``1.23 µJ``."""
    for unit, factor in (("J", 1e-3), ("mJ", 1.0), ("µJ", 1e3)):
        if value_mj * factor >= 1:
            return f"{figure_text(value_mj * factor)} {unit}"
    return f"{figure_text(value_mj * 1e6)} nJ"
