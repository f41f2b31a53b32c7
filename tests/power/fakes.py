"""Sysfs as RAPL shows it, and files that may not be read."""

from __future__ import annotations

from pathlib import Path

import pytest


def rapl_zone(sysfs: Path, zone: str, name: str, energy_uj: int, range_uj: int = 1_000_000) -> Path:
    """Folder of one zone below class/powercap."""
    folder = sysfs / "class/powercap" / zone
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "max_energy_range_uj").write_text(f"{range_uj}\n")
    (folder / "energy_uj").write_text(f"{energy_uj}\n")
    return folder


def refuse(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Reading ``path`` is not permitted. Tests may run as root, whom no mode of a file keeps out."""
    read_bytes = Path.read_bytes

    def read(asked: Path) -> bytes:
        if asked == path:
            raise PermissionError(13, "Permission denied", str(asked))
        return read_bytes(asked)

    monkeypatch.setattr(Path, "read_bytes", read)
