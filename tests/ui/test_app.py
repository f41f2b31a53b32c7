from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from fake_session import FakeSession
from PyQt6.QtCore import QTimer
from PyQt6.QtGui import QImage

from spikebridge.errors import CancelledError, InputError, MissingError, UsageError
from spikebridge.recordings import open_recording
from spikebridge.recordings.labels import labels_path, read_labels
from spikebridge.settings import LaneSettings, RecordSettings, RunSettings, SourceSettings
from spikebridge.ui import app
from spikebridge.ui.app import check_writable, run_window, show_window
from spikebridge.ui.commands import new_recording
from spikebridge.ui.window import MainWindow


def missing(uri, _say):
    raise InputError(f"expected a recording at '{uri}', found nothing; check the path.")


def test_screenshot(tmp_path):
    path = tmp_path / "window.png"
    sessions = []

    def opener(uri, _say):
        sessions.append(FakeSession(uri))
        return sessions[-1]

    assert show_window(opener, "sim:", screenshot=path, duration_s=0.3) == 0
    assert (QImage(str(path)).width(), QImage(str(path)).height()) == (1920, 1080)
    assert sessions[0].closed


def test_a_timed_run_ends_with_the_error_of_opening():
    with pytest.raises(InputError, match=r"typo\.aedat"):
        show_window(missing, "typo.aedat", duration_s=0.3)


def test_an_open_ended_run_shows_the_error_and_stays(application):
    shown = []

    def look():
        window = next(w for w in application.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible())
        if window.banner.words:
            shown.append(window.banner.words)
            window.close()
        else:
            QTimer.singleShot(20, look)

    QTimer.singleShot(20, look)
    assert show_window(missing, "typo.aedat") == InputError.exit_code
    assert "typo.aedat" in shown[0]


@pytest.mark.parametrize("where", ["slot", "thread"])
def test_a_fault_is_a_banner_and_the_window_lives(application, opened, until, where, capfd):
    def fault():
        raise RuntimeError("boom")

    before = sys.excepthook, threading.excepthook
    with app._errors_shown(opened.window):
        if where == "slot":
            QTimer.singleShot(0, fault)
        else:
            thread = threading.Thread(target=fault)
            thread.start()
            thread.join()
        until(lambda: "boom" in opened.window.banner.words)
    assert (sys.excepthook, threading.excepthook) == before
    assert opened.window.isVisible()
    assert "RuntimeError: boom" in capfd.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_cleanly(number):
    before = signal.getsignal(number)
    session = FakeSession()
    QTimer.singleShot(300, lambda: os.kill(os.getpid(), number))
    assert show_window(lambda _uri, _say: session, "sim:") == 0
    assert session.closed
    assert signal.getsignal(number) is before


@pytest.mark.parametrize(
    ("path", "words"),
    [("no/such/folder/a.png", "create it first"), ("a.jpg", "end in .png"), ("folder.png", "directory")],
)
def test_a_screenshot_that_cannot_be_written_is_refused_first(tmp_path, path, words):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UsageError, match=words):
        show_window(missing, "sim:", screenshot=tmp_path / path)


def test_no_write_permission_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UsageError, match="write permission"):
        check_writable(tmp_path / "a.png")


def test_a_failed_chain_gives_its_exit_code():
    session = FakeSession()
    session.show(replace(session.newest, state="failed", failure="expected this, found that."))
    assert show_window(lambda _uri, _say: session, "sim:", duration_s=0.5) == 5


def test_a_slow_opening_is_told_and_given_up_when_the_window_closes(application, until):
    ended = threading.Event()

    def opener(_uri, say):
        try:
            while True:
                say("Loihi 2: attaching the profilers")
                time.sleep(0.01)
        finally:
            ended.set()

    window = MainWindow(opener)
    window.show()
    window.open("sim:")
    until(lambda: "attaching the profilers" in window.page.header.source)
    assert "attaching the profilers" in window.page.stage.columns[0].gesture.said
    assert window.page.header.state == "opening"
    window.end()
    assert ended.wait(1)


def test_another_source_gives_up_the_slow_opening_before(application, until):
    given_up = threading.Event()

    def opener(uri, say):
        if uri == "second":
            return FakeSession(uri)
        try:
            while True:
                say("waiting")
                time.sleep(0.01)
        except CancelledError:
            given_up.set()
            raise

    window = MainWindow(opener)
    window.show()
    window.open("first")
    until(lambda: "waiting" in window.page.header.source)
    window.open("second")
    until(lambda: window.session is not None)
    assert given_up.wait(1)
    assert not window.banner.words
    window.end()


def test_the_chain_runs_in_a_process_of_its_own_and_ends_with_the_window(tmp_path, monkeypatch):
    """The real engine behind the real window, on a network without spiking layers."""
    sessions = []

    class Watched(app.Engine):
        def open(self, uri, settings, say):
            sessions.append(super().open(uri, settings, say))
            return sessions[-1]

    monkeypatch.setattr(app, "Engine", Watched)
    path = tmp_path / "window.png"
    settings = RunSettings((LaneSettings("ann-160ms"), LaneSettings("ann-160ms", "again")), SourceSettings(seed=1))
    assert run_window("sim:air_drums", settings, screenshot=path, duration_s=1.5) == 0
    assert QImage(str(path)).width() == 1920
    (session,) = sessions
    assert session.pid != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(session.pid, 0)
    last = session.snapshot()
    assert [lane.model.name for lane in last.lanes] == ["ann-160ms", "again"]
    assert all(lane.counters.decisions > 0 for lane in last.lanes)
    assert last.pairs[0].agreement == 1


class Watching:
    """Follows a run on a thread, as an endpoint for metrics would."""

    def __init__(self):
        self.seen, self.began, self.ended = [], 0, 0

    @contextmanager
    def __call__(self, newest):
        self.began += 1
        self.newest = newest
        self.seen.append(newest())
        done = threading.Event()
        thread = threading.Thread(target=lambda: self._follow(done))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
            self.ended += 1

    def _follow(self, done):
        while not done.wait(0.005):
            snapshot = self.newest()
            if snapshot is not self.seen[-1]:
                self.seen.append(snapshot)


@pytest.mark.skipif(not hasattr(os, "sched_setscheduler"), reason="Linux only")
def test_drawing_does_not_take_the_processor_from_who_decides():
    """The chain's process is not held back with it, though a thread of the window starts it."""
    policies, engine = {}, app.Engine()
    engine.close()  # the next source starts a new process

    def opener(uri, say):
        session = engine.open("sim:", RunSettings((LaneSettings("ann-160ms"),)), say)
        youngest = max(int(task) for task in os.listdir(f"/proc/{session.pid}/task"))
        policies["chain"] = {os.sched_getscheduler(session.pid), os.sched_getscheduler(youngest)}
        return session

    @contextmanager
    def watcher(_newest):
        policies["drawing"] = os.sched_getscheduler(0)
        yield

    assert show_window(opener, "sim:", duration_s=0.3, watchers=[watcher]) == 0
    engine.close()
    assert policies == {"drawing": os.SCHED_BATCH, "chain": {os.SCHED_OTHER}}
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_watchers_follow_whatever_source_is_open_as_long_as_the_window_is(application):
    sessions, watchers = [], (Watching(), Watching())

    def opener(uri, _say):
        sessions.append(FakeSession(uri))
        return sessions[-1]

    def window():
        return next(w for w in application.topLevelWidgets() if isinstance(w, MainWindow) and w.isVisible())

    QTimer.singleShot(400, lambda: window().close_source())
    QTimer.singleShot(600, lambda: window().open("other.aedat"))
    QTimer.singleShot(1000, lambda: window().close())
    assert show_window(opener, "sim:", watchers=watchers) == 0
    for watcher in watchers:
        assert (watcher.began, watcher.ended) == (1, 1)
        first, second = (session.newest for session in sessions)
        assert watcher.seen[:4] == [None, first, None, second]


def test_a_watcher_that_cannot_begin_ends_the_run_before_a_window_is_seen(application):
    @contextmanager
    def busy(_newest):
        raise UsageError("expected the port to be free, found it taken.")
        yield

    first = Watching()
    with pytest.raises(UsageError, match="port to be free"):
        show_window(lambda uri, _say: FakeSession(uri), "sim:", watchers=(first, busy))
    assert first.ended == 1


def test_no_gesture_is_left_of_a_chain_that_was_killed(application, until):
    """The real engine behind the real window."""
    settings = RunSettings((LaneSettings("ann-160ms"), LaneSettings("ann-160ms", "again")), SourceSettings(seed=1))
    engine = app.Engine()
    window = MainWindow(lambda uri, say: engine.open(uri, settings, say))
    window.show()
    window.open("sim:air_drums")
    columns = window.page.stage.columns[:2]
    until(lambda: all(column.gesture.said in ("Air drums", "No gesture") for column in columns))
    os.kill(window.session.pid, signal.SIGKILL)
    until(lambda: {column.gesture.said for column in columns} == {"⚠ Failed"})
    until(lambda: "killed by SIGKILL" in window.banner.words)
    assert all("killed by SIGKILL" in column.bars.items[0].text for column in columns)
    window.end()
    engine.close()


def test_watchers_see_the_real_chain():
    watcher = Watching()
    settings = RunSettings((LaneSettings("ann-160ms"),), SourceSettings(seed=1))
    assert run_window("sim:air_drums", settings, duration_s=1.0, watchers=(watcher,)) == 0
    assert watcher.ended == 1
    assert watcher.seen[0] is None
    assert any(s is not None and s.lanes[0].counters.decisions > 0 for s in watcher.seen)


def test_a_screenshot_that_cannot_be_written_is_refused_before_a_process_starts(monkeypatch, tmp_path):
    monkeypatch.setattr(app, "Engine", None)
    with pytest.raises(UsageError, match=r"end in \.png"):
        run_window("sim:", RunSettings(), screenshot=tmp_path / "a.jpg")


def test_the_window_records_what_it_shows(tmp_path):
    path = tmp_path / "a.aedat4"
    settings = RunSettings(
        (LaneSettings("ann-160ms"),), SourceSettings(seed=1), record=RecordSettings(path, label="air_drums")
    )
    assert run_window("sim:air_drums", settings, duration_s=1.0) == 0
    recording = open_recording(path)
    assert recording.n_events > 1000
    assert not recording.counters().truncated
    recording.close()
    assert [span.label for span in read_labels(labels_path(path))[0]] == [8]


def test_only_the_first_source_that_opens_is_recorded(tmp_path):
    """Another one would need another name."""
    settings, opened = RunSettings(record=RecordSettings(tmp_path / "a.aedat4")), []

    class Engine:
        def open(self, uri, settings, _say):
            opened.append((uri, settings.record.path))
            if uri == "camera:":
                raise MissingError("expected a camera, found none.")
            return FakeSession(uri)

    opener = app._Opener(Engine(), settings)
    with pytest.raises(MissingError):
        opener("camera:", print)
    opener("sim:", print)
    opener("wave.aedat", print)
    assert opened == [("camera:", settings.record.path), ("sim:", settings.record.path), ("wave.aedat", None)]


def test_the_key_records_to_the_folder_of_videos(application, tmp_path, monkeypatch):
    (tmp_path / "user-dirs.dirs").write_text('XDG_VIDEOS_DIR="$HOME/Filme"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = new_recording()
    assert path.parent == Path.home() / "Filme"
    assert re.fullmatch(r"spikebridge-\d{4}-\d\d-\d\d-\d{6}\.aedat4", path.name)
