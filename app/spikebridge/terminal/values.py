"""How single values are written: for a program as JSON, for people with a unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]


def energy_text(value_mj: float) -> str:
    """With the unit that reads best: ``1.23 µJ``."""
    for unit, factor in (("J", 1e-3), ("mJ", 1.0), ("µJ", 1e3)):
        if value_mj * factor >= 1:
            return f"{value_mj * factor:.3g} {unit}"
    return f"{value_mj * 1e6:.3g} nJ"
