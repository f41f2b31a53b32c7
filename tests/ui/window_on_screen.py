"""A window with three networks on a recording, to be run on a real display: prints where its parts are, then each state
that differs from the one before, as one JSON object a line."""

from __future__ import annotations

import json
from typing import Any

from fake_session import RECORDING, FakeSession
from PyQt6.QtCore import QPoint, QTimer
from PyQt6.QtWidgets import QApplication, QWidget

from spikebridge.ui.app import show_window
from spikebridge.ui.window import MainWindow


def main() -> None:
    session = FakeSession("wave.aedat", RECORDING, lanes=3)
    application = QApplication([])
    places: dict[str, Any] = {}
    before: dict[str, Any] = {}

    def look() -> None:
        nonlocal places, before
        window = next((w for w in application.topLevelWidgets() if isinstance(w, MainWindow)), None)
        if window is None or window.session is None:
            return
        # Places are told once they are the same twice: Qt lays out in several steps.
        now = _places(window)
        if now != places:
            places = now
            return
        state = _state(window, session) if before else places
        if state != before:
            before = state
            print(json.dumps(state), flush=True)

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(20)
    show_window(lambda _uri, _say: session, "wave.aedat")
    print(json.dumps({"ended": True, "closed": session.closed}), flush=True)


def _places(window: MainWindow) -> dict[str, Any]:
    page = window.page

    def middle(part: QWidget) -> list[int]:
        point = part.mapToGlobal(part.rect().center())
        return [point.x(), point.y()]

    rows = [page.table.mapToGlobal(QPoint(200, round(page.table.scale * (42 + 26 * n + 13)))) for n in range(3)]
    stepper = page.stage.settings.threshold
    return {
        "columns": [middle(column.head) for column in page.stage.shown_columns],
        "rows": [[row.x(), row.y()] for row in rows],
        "raise": middle(stepper._buttons[1]),
        "menu": middle(page.header.button),
        "seek": middle(page.replay_bar.seek_bar),
    }


def _state(window: MainWindow, session: FakeSession) -> dict[str, Any]:
    page, replay = window.page, session.replay
    assert replay is not None
    return {
        "chosen": [column.head.chosen for column in page.stage.shown_columns].index(True),
        "strip": page.strip.texts[2],
        "help": window.help.isVisible(),
        "features": page.stage.features.isVisible(),
        "menu": window.menu.isVisible(),
        "tuned": list(session.tuned),
        "paused": replay.state.paused,
        "position_us": replay.state.position_us,
        "speed": replay.state.speed,
        "loop": replay.state.loop,
        "steps": replay.steps,
        "fade_us": page.stage.events.fade_us,
        "palette": page.stage.events.palette_name,
        "frames": page.stage.events.shows_frames,
        "mirrored": page.stage.events.mirrored,
        "full_screen": window.isFullScreen(),
        "recording": next((words for words in page.header.texts if "REC " in words), ""),
        "n_recorded": len(session.recorded),
        "marked": list(session.marked),
    }


if __name__ == "__main__":
    main()
