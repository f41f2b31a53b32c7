"""Whether a window can be opened here, found out without importing Qt: Qt aborts the process when it cannot."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

#: Libraries that PyQt6's wheel expects from the system, with the Debian and Ubuntu packages that hold them.
_QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
}
_X11_LIBRARIES = {
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
#: Platforms of Qt that draw without a display server.
_WITHOUT_DISPLAY = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs", "vkkhrdisplay")


@dataclass(frozen=True, slots=True)
class DisplayProblem:
    """Why no window can be opened. fix : the command that helps, where one does."""

    sentence: str
    fix: str = ""


def display_problem(
    environment: Mapping[str, str] = os.environ,
    loads: Callable[[str], bool] | None = None,
    platform: str = sys.platform,
) -> DisplayProblem | None:
    """What keeps a window from being opened here, or None when it can."""
    if not platform.startswith("linux"):
        return None
    loads = loads or _loads
    chosen = environment.get("QT_QPA_PLATFORM", "").split(":")[0]
    on_x11 = bool(environment.get("DISPLAY")) and not chosen.startswith("wayland")
    if chosen not in _WITHOUT_DISPLAY and not (on_x11 or environment.get("WAYLAND_DISPLAY")):
        return DisplayProblem(
            "expected a display for the window, found neither DISPLAY nor WAYLAND_DISPLAY set; run from a desktop "
            "session, or use --headless."
        )
    wanted = dict(_QT_LIBRARIES)
    if chosen not in _WITHOUT_DISPLAY and on_x11 and not environment.get("WAYLAND_DISPLAY"):
        wanted |= _X11_LIBRARIES
    missing = [name for name in wanted if not loads(name)]
    if not missing:
        return None
    fix = f"sudo apt-get install {' '.join(wanted[name] for name in missing)}"
    return DisplayProblem(
        f"expected the system libraries of Qt, found no {', '.join(missing)}; run '{fix}' (Debian, Ubuntu), or use "
        "--headless.",
        fix,
    )


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
