"""Whether this host is a Jetson, so that the screen may say so."""

from __future__ import annotations

import re
from pathlib import Path


def jetson_name(root: Path = Path("/")) -> str:
    """``Jetson Orin Nano``, as the device tree below ``root`` names the module; empty on other machines."""
    try:
        model = (root / "proc/device-tree/model").read_bytes().decode("ascii", "replace").strip("\0 \n")
    except OSError:
        return ""
    found = re.search(r"Jetson[ -].*?(?= Developer Kit| Engineering Reference|$)", model)
    return found[0].replace("-", " ") if found else ""
