"""Runs the window: the application, its hooks, signals, and the screenshot."""

from __future__ import annotations

import dataclasses
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType

from PyQt6.QtCore import QObject, QSocketNotifier, QTimer, pyqtSignal
from PyQt6.QtWidgets import QApplication

from spikebridge.contracts import Say
from spikebridge.engine import Engine
from spikebridge.errors import SpikebridgeError, UsageError
from spikebridge.settings import RecordSettings, RunSettings
from spikebridge.snapshot import Watcher
from spikebridge.ui import theme
from spikebridge.ui.session import ChainSession, SessionOpener
from spikebridge.ui.window import MainWindow

_SCREENSHOT_AFTER_S = 4.0


def run_window(
    uri: str,
    settings: RunSettings,
    *,
    screenshot: Path | None = None,
    duration_s: float | None = None,
    watchers: Sequence[Watcher] = (),
) -> int:
    """Shows the window on ``uri``, whose chain runs in a process of its own; as ``show_window`` otherwise."""
    if screenshot is not None:
        check_writable(screenshot)
    engine = Engine()
    try:
        return show_window(
            _Opener(engine, settings), uri, screenshot=screenshot, duration_s=duration_s, watchers=watchers
        )
    finally:
        engine.close()


class _Opener:
    """Opens sources, the first one with the recording that was asked for: another would need another name."""

    def __init__(self, engine: Engine, settings: RunSettings) -> None:
        self._engine, self._settings = engine, settings

    def __call__(self, uri: str, say: Say) -> ChainSession:
        session = self._engine.open(uri, self._settings, say)
        self._settings = dataclasses.replace(self._settings, record=RecordSettings())
        return session


def show_window(
    opener: SessionOpener,
    uri: str,
    *,
    screenshot: Path | None = None,
    duration_s: float | None = None,
    watchers: Sequence[Watcher] = (),
) -> int:
    """Shows the window on ``uri`` until it is closed, Ctrl-C, or ``duration_s`` have passed; returns the exit code.

    screenshot : PNG of the window at the end (after 4 s where no duration is given). With a screenshot or a duration a
    source that cannot be opened ends the run with its error; otherwise it is a banner and the window stays.
    watchers : follow whatever source is open, from before the window is seen until it is closed.
    """
    if screenshot is not None:
        check_writable(screenshot)
        duration_s = duration_s or _SCREENSHOT_AFTER_S
    application = QApplication.instance() or QApplication(sys.argv[:1])
    if not isinstance(application, QApplication):
        raise ValueError("expected a QApplication, got a QCoreApplication made before")
    application.setApplicationName("Spikebridge")
    application.setStyle("Fusion")
    application.setPalette(theme.palette())
    window = MainWindow(opener)
    window.resize(theme.REFERENCE_WIDTH, theme.REFERENCE_HEIGHT)
    ending: _Ending | None = None
    try:
        with _errors_shown(window), _ends_on_signal(window), _decisions_come_first(), ExitStack() as entered:
            for watcher in watchers:
                entered.enter_context(watcher(window.snapshot))
            window.show()
            window.open(uri)
            if duration_s is not None:
                ending = _Ending(window, duration_s, screenshot)
            application.exec()
            window.close()
    finally:
        window.end()
    if ending is not None and ending.error is not None:
        raise ending.error
    if isinstance(window.opening_error, SpikebridgeError):
        return window.opening_error.exit_code
    return SpikebridgeError.exit_code if window.has_failed or window.opening_error is not None else 0


def check_writable(path: Path) -> None:
    """Raises UsageError where no PNG can be written, before anything was opened."""
    if path.suffix.lower() != ".png":
        raise UsageError(f"expected the screenshot's path to end in .png, found '{path}'.")
    if path.is_dir():
        raise UsageError(f"expected a file name for the screenshot, found the directory '{path}'; add a name.")
    if not path.parent.is_dir():
        raise UsageError(f"expected the directory '{path.parent}' for the screenshot, found none; create it first.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"expected write permission for the screenshot '{path}', found none; choose another place.")


@contextmanager
def _decisions_come_first() -> Iterator[None]:
    """Whoever draws does not take the processor from a chain that computes: it waits the half millisecond. Linux only;
    elsewhere nothing changes."""
    scheduler = getattr(os, "sched_setscheduler", None)
    if scheduler is None:
        yield
        return
    with suppress(OSError):
        scheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        yield
    finally:
        with suppress(OSError):
            scheduler(0, os.SCHED_OTHER, os.sched_param(0))


class _Ending(QObject):
    """Ends the run, with a picture of the window, ``duration_s`` after the source was opened: a slow start must not end
    in an empty picture."""

    def __init__(self, window: MainWindow, duration_s: float, screenshot: Path | None) -> None:
        super().__init__(window)
        self.error: Exception | None = None
        self._window = window
        self._duration_ms = round(duration_s * 1000)
        self._screenshot = screenshot
        window.source_opened.connect(lambda: QTimer.singleShot(self._duration_ms, self._end))
        window.source_failed.connect(self._fail)

    def _end(self) -> None:
        path = self._screenshot
        if path is not None and not self._window.grab().save(str(path), "PNG"):
            self.error = UsageError(
                f"expected to write the screenshot '{path}', found that it failed; is the disk full?"
            )
        self._window.close()

    def _fail(self, error: Exception) -> None:
        self.error = error
        self._window.close()


class _Errors(QObject):
    """Carries errors of any thread to the GUI thread."""

    raised = pyqtSignal(object)


@contextmanager
def _errors_shown(window: MainWindow) -> Iterator[None]:
    """Both exception hooks lead to the banner: without them a failing slot aborts the process."""
    errors = _Errors()
    errors.raised.connect(window.show_error)

    def from_slot(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            window.close()
            return
        traceback.print_exception(kind, error, trace)
        errors.raised.emit(error)

    def from_thread(arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None and not isinstance(arguments.exc_value, SystemExit):
            from_slot(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    before = sys.excepthook, threading.excepthook
    sys.excepthook, threading.excepthook = from_slot, from_thread
    try:
        yield
    finally:
        sys.excepthook, threading.excepthook = before


@contextmanager
def _ends_on_signal(window: MainWindow) -> Iterator[None]:
    """Ctrl-C and SIGTERM close the window. Python sees a signal only when it runs, so a socket wakes Qt's loop."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    # PyQt takes a descriptor, its stubs say voidptr.
    notifier = QSocketNotifier(reader.fileno(), QSocketNotifier.Type.Read)  # type: ignore[call-overload]

    def wake() -> None:
        reader.recv(64)

    notifier.activated.connect(wake)
    before = {number: signal.signal(number, lambda *_: window.close()) for number in (signal.SIGINT, signal.SIGTERM)}
    wakeup = signal.set_wakeup_fd(writer.fileno())
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        notifier.setEnabled(False)
        reader.close()
        writer.close()
