"""What can be done, one method for each command of ``actions``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Protocol

from PyQt6.QtCore import QStandardPaths
from PyQt6.QtWidgets import QFileDialog

from spikebridge.ui.banner import Banner
from spikebridge.ui.help_overlay import HelpOverlay
from spikebridge.ui.page import Page
from spikebridge.ui.session import ChainSession
from spikebridge.ui.settings_bar import next_smoothing_us, next_threshold


class Window(Protocol):
    """What commands act on."""

    page: Page
    banner: Banner
    help: HelpOverlay

    @property
    def session(self) -> ChainSession | None:
        """None while no source is open."""
        ...

    def open(self, uri: str) -> None: ...

    def find_cameras(self) -> None:
        """Looks for cameras, and offers those that are found."""
        ...

    def close_source(self) -> None: ...

    def isFullScreen(self) -> bool: ...  # noqa: N802 - Qt's name

    def toggle_full_screen(self) -> None: ...

    def close(self) -> bool: ...


class Commands:
    """Of one window."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._page = window.page

    # ------------------------------------------------ source

    def choose_recording(self) -> None:
        # The format is told from the content, so any file may be chosen.
        path, _ = QFileDialog.getOpenFileName(self._page.window(), "Open a recording", "", "All files (*)")
        if path:
            self._window.open(path)

    def choose_camera(self) -> None:
        self._window.find_cameras()

    def open_simulated(self) -> None:
        self._window.open("sim:")

    def close_source(self) -> None:
        self._window.close_source()

    # ------------------------------------------------ networks

    def choose_first(self) -> None:
        self.choose(0)

    def choose_second(self) -> None:
        self.choose(1)

    def choose_third(self) -> None:
        self.choose(2)

    def choose_next(self) -> None:
        session = self._window.session
        if session is not None:
            self.choose((self._page.chosen + 1) % len(session.snapshot().lanes))

    def choose(self, lane: int) -> None:
        """A lane there is none of is left alone."""
        session = self._window.session
        if session is None or lane == self._page.chosen or lane >= len(session.snapshot().lanes):
            return
        if not self._page.stage.features.isHidden():
            session.want_features(self._page.chosen, False)
            session.want_features(lane, True)
        self._page.choose(lane, session.snapshot())

    # ------------------------------------------------ decision

    def lower_threshold(self) -> None:
        self.step_threshold(-1)

    def raise_threshold(self) -> None:
        self.step_threshold(1)

    def lower_smoothing(self) -> None:
        self.step_smoothing(-1)

    def raise_smoothing(self) -> None:
        self.step_smoothing(1)

    def step_threshold(self, direction: int) -> None:
        """Of the chosen lane, to the next value up or down."""
        session = self._window.session
        if session is not None:
            snapshot = session.snapshot()
            lane = snapshot.lanes[self._page.chosen]
            threshold = next_threshold(lane.threshold, direction)
            session.tune(self._page.chosen, threshold=threshold)
            self._page.show_settings(snapshot, threshold, lane.smoothing_us)

    def step_smoothing(self, direction: int) -> None:
        """Of the chosen lane, to the next value up or down."""
        session = self._window.session
        if session is not None:
            snapshot = session.snapshot()
            lane = snapshot.lanes[self._page.chosen]
            smoothing_us = next_smoothing_us(lane.smoothing_us, direction)
            session.tune(self._page.chosen, smoothing_us=smoothing_us)
            self._page.show_settings(snapshot, lane.threshold, smoothing_us)

    # ------------------------------------------------ view

    def toggle_features(self) -> None:
        stage = self._page.stage
        shown = stage.features.isHidden()
        stage.show_features(shown)
        if self._window.session is not None:
            self._window.session.want_features(self._page.chosen, shown)

    def next_fade(self) -> None:
        self._page.stage.events.next_fade()

    def next_palette(self) -> None:
        self._page.stage.events.next_palette()

    def toggle_frames(self) -> None:
        self._page.stage.events.toggle_frames()

    def toggle_mirror(self) -> None:
        self._page.stage.events.toggle_mirror()

    def toggle_full_screen(self) -> None:
        self._window.toggle_full_screen()

    # ------------------------------------------------ recording what comes

    def toggle_recording(self) -> None:
        """To a new file in the user's folder of videos, until the same command ends it."""
        session = self._window.session
        if session is not None:
            recording = session.snapshot().recording
            session.record(None if recording is not None and recording.running else new_recording())

    def next_label(self) -> None:
        """Of the chosen network's gestures; where one is marked, the next one is from now on."""
        session = self._window.session
        if session is None:
            return
        snapshot = session.snapshot()
        labels = snapshot.lanes[self._page.chosen].model.labels
        before = self._page.header.mark
        self._page.header.mark = labels[(labels.index(before) + 1) % len(labels) if before in labels else 0]
        if snapshot.recording is not None and snapshot.recording.label == before:
            session.mark(self._page.header.mark)
        self._page.header.refresh()

    def toggle_mark(self) -> None:
        session = self._window.session
        if session is not None:
            recording = session.snapshot().recording
            marked = recording is not None and recording.label is not None
            session.mark(None if marked else self._page.header.mark)

    # ------------------------------------------------ recording

    def toggle_play(self) -> None:
        self._page.replay_bar.toggle()

    def step_once(self) -> None:
        self._page.replay_bar.step()

    def seek_back(self) -> None:
        self._page.replay_bar.seek_by(-1)

    def seek_on(self) -> None:
        self._page.replay_bar.seek_by(1)

    def seek_start(self) -> None:
        self._page.replay_bar.seek_start()

    def toggle_loop(self) -> None:
        self._page.replay_bar.toggle_loop()

    def faster(self) -> None:
        self._page.replay_bar.change_speed(1)

    def slower(self) -> None:
        self._page.replay_bar.change_speed(-1)

    # ------------------------------------------------ program

    def open_menu(self) -> None:
        self._page.header.button.showMenu()

    def toggle_help(self) -> None:
        self._window.help.setVisible(self._window.help.isHidden())
        self._window.help.raise_()

    def dismiss(self) -> None:
        """The topmost thing that can go: help, banner, full screen."""
        window = self._window
        if not window.help.isHidden():
            window.help.hide()
        elif not window.banner.isHidden():
            window.banner.dismiss()
        elif window.isFullScreen():
            self.toggle_full_screen()

    def quit(self) -> None:
        self._window.close()


def new_recording() -> Path:
    """A name that is free and says when: in the user's folder of videos, as the desktop names it."""
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
    return Path(folder or Path.home()) / f"spikebridge-{datetime.now():%Y-%m-%d-%H%M%S}.aedat4"
