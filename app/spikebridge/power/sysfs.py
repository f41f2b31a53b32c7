"""Single values from the kernel's files."""

from __future__ import annotations

from pathlib import Path


def read_number(path: Path) -> int:
    """Raises OSError or ValueError where there is none."""
    return int(path.read_bytes())


def read_text(path: Path) -> str:
    """Empty where it cannot be read."""
    try:
        return path.read_bytes().decode(errors="replace").strip()
    except OSError:
        return ""
