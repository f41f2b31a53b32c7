"""Opens and closes chains on worker threads, so that the window never waits."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PyQt6.QtCore import QObject, pyqtSignal

from spikebridge.errors import CancelledError
from spikebridge.ui.session import ChainSession, SessionOpener

_CLOSE_DEADLINE_S = 8.0


class SessionLoader(QObject):
    """The newest ``open`` wins; a chain that comes too late is closed again, unseen."""

    #: (uri, ChainSession), on the GUI thread.
    opened = pyqtSignal(str, object)
    #: (uri, SpikebridgeError or another exception), on the GUI thread.
    failed = pyqtSignal(str, object)
    #: (uri, words) on what is slow, on the GUI thread.
    said = pyqtSignal(str, str)
    _arrived = pyqtSignal(int, str)

    def __init__(self, opener: SessionOpener) -> None:
        super().__init__()
        self._opener = opener
        self._newest = 0
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._undelivered: dict[int, ChainSession] = {}
        self._arrived.connect(self._deliver)

    def open(self, uri: str, replaced: ChainSession | None = None) -> None:
        """Starts opening ``uri``; ``replaced`` is closed before, for sources that only one may hold."""
        with self._lock:
            self._newest += 1
            ticket = self._newest
        self._run(lambda: self._open(uri, ticket, replaced), "open")

    def close(self, session: ChainSession) -> None:
        """Ends a chain in the background."""
        self._run(session.close, "close")

    def shut_down(self) -> None:
        """No chain is given out any more; waits until all are closed, within a deadline."""
        with self._lock:
            self._newest += 1
        for thread in self._threads:
            thread.join(_CLOSE_DEADLINE_S)
        for session in self._undelivered.values():
            session.close()
        self._undelivered.clear()

    def _open(self, uri: str, ticket: int, replaced: ChainSession | None) -> None:
        try:
            if replaced is not None:
                replaced.close()
            session = self._opener(uri, lambda words: self._say(uri, ticket, words))
        except CancelledError:
            return
        except Exception as error:  # noqa: BLE001 - shown in the banner instead of ending the process
            self._report(uri, ticket, error)
            return
        with self._lock:
            self._undelivered[ticket] = session
        self._arrived.emit(ticket, uri)

    def _say(self, uri: str, ticket: int, words: str) -> None:
        with self._lock:
            if ticket != self._newest:
                raise CancelledError("closed, or another source was opened")
            self.said.emit(uri, words)

    def _deliver(self, ticket: int, uri: str) -> None:
        with self._lock:
            session = self._undelivered.pop(ticket, None)
        if session is None:
            return
        if ticket == self._newest:
            self.opened.emit(uri, session)
        else:
            self.close(session)

    def _report(self, uri: str, ticket: int, error: Exception) -> None:
        with self._lock:
            if ticket == self._newest:
                self.failed.emit(uri, error)

    def _run(self, work: Callable[[], None], name: str) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=work, name=f"spikebridge-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()
