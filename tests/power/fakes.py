"""Sysfs as RAPL shows it."""

from __future__ import annotations

from pathlib import Path


def rapl_zone(sysfs: Path, zone: str, name: str, energy_uj: int, range_uj: int = 1_000_000) -> Path:
    """Folder of one zone below class/powercap."""
    folder = sysfs / "class/powercap" / zone
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "max_energy_range_uj").write_text(f"{range_uj}\n")
    (folder / "energy_uj").write_text(f"{energy_uj}\n")
    return folder
