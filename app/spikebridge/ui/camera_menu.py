"""The cameras that are plugged in, as a menu; looked for beside the window, which does not wait."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from PyQt6.QtCore import QObject, QPoint, pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu, QWidget

#: Opening some cameras only to read their number takes a second each.
_WITHIN_S = 20.0
_NONE = "no camera was found; plug one in, and 'spikebridge doctor' says what it needs."


@dataclass(frozen=True, slots=True)
class OfferedCamera:
    """One line of the menu. problem : why it can't be opened, or what to mind; empty where there is nothing."""

    uri: str
    title: str
    problem: str = ""


#: Looks for cameras; may take seconds, and runs on a thread of its own.
Look: TypeAlias = Callable[[], list[OfferedCamera]]


def look_for_cameras() -> list[OfferedCamera]:
    """In a process of its own: drivers are large, and one that crashes must not take the window with it."""
    child = subprocess.run(
        [sys.executable, "-m", "spikebridge", "devices", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        timeout=_WITHIN_S,
        check=True,
    )
    return [
        OfferedCamera(found["uri"], f"{found['model']}   {found['uri']}   {found['driver']}", found["problem"])
        for found in json.loads(child.stdout)["cameras"]
    ]


class CameraMenu(QObject):
    """Shows what was found as a menu that works by arrows, Enter and the numbers of its lines."""

    #: The address of the camera that was chosen.
    chosen = pyqtSignal(str)
    #: A sentence for the banner.
    said = pyqtSignal(str)
    _looked = pyqtSignal(object)

    def __init__(self, window: QWidget, look: Look = look_for_cameras) -> None:
        super().__init__(window)
        self.menu = QMenu(window)
        self._window = window
        self._look = look
        self._thread: threading.Thread | None = None
        self._looked.connect(self._show)

    def open(self) -> None:
        """Shows at once that it is being looked; looks once at a time."""
        self.menu.clear()
        looking = QAction("Looking for cameras …", self.menu)
        looking.setEnabled(False)
        self.menu.addAction(looking)
        self.menu.popup(self._window.mapToGlobal(QPoint(self._window.width() // 3, self._window.height() // 4)))
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name="spikebridge-cameras", daemon=True)
            self._thread.start()

    def shut_down(self) -> None:
        """Waits for a look that is under way."""
        if self._thread is not None:
            self._thread.join(_WITHIN_S)

    def _run(self) -> None:
        try:
            found: list[OfferedCamera] | str = self._look()
        except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
            found = f"expected a list of cameras, found: {error}; run 'spikebridge devices' to see why."
        self._looked.emit(found)

    def _show(self, found: list[OfferedCamera] | str) -> None:
        if self.menu.isHidden():
            return  # nobody waits for it any more
        if isinstance(found, str) or not found:
            self.menu.hide()
            self.said.emit(found if isinstance(found, str) else _NONE)
            return
        self.menu.clear()
        for number, camera in enumerate(found, start=1):
            action = QAction(f"&{number}   {camera.title}" + ("   ⚠" if camera.problem else ""), self.menu)
            action.setToolTip(camera.problem)
            action.triggered.connect(partial(self._choose, camera))
            self.menu.addAction(action)
        self.menu.setToolTipsVisible(True)
        self.menu.setActiveAction(self.menu.actions()[0])

    def _choose(self, camera: OfferedCamera, checked: bool = False) -> None:
        """Opening says what is wrong with a camera, should it still be."""
        self.chosen.emit(camera.uri)
