"""Aligned columns for reports in the terminal."""

from __future__ import annotations

from collections.abc import Sequence


def table(*rows: Sequence[str]) -> list[str]:
    """One line a row: the first column to the left, the others to the right, as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]


def figure(value: float) -> str:
    """Whole from a hundred on, else three digits: ``12,345``, ``6.78``."""
    return f"{value:,.0f}" if value == 0 or abs(value) >= 100 else f"{value:.3g}"


def energy(value_mj: float) -> str:
    """With the unit that reads best: ``1.23 µJ``."""
    for unit, factor in (("J", 1e-3), ("mJ", 1.0), ("µJ", 1e3)):
        if value_mj * factor >= 1:
            return f"{value_mj * factor:.3g} {unit}"
    return f"{value_mj * 1e6:.3g} nJ"
