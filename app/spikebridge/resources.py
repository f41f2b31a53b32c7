"""Where the files live that ship with the program."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
#: In a checkout the top level holds models/ and assets/; in a wheel they lie inside the package.
_ROOT = _PACKAGE if (_PACKAGE / "models").is_dir() else _PACKAGE.parent.parent


def models_folder() -> Path:
    """Folder of the shipped model bundles."""
    return _ROOT / "models"


def assets_folder() -> Path:
    """Folder of icons and simulated recordings."""
    return _ROOT / "assets"
