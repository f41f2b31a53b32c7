"""The menu of cameras: looked for beside the window, and worked by keys."""

from __future__ import annotations

import json
import subprocess
import threading
from types import SimpleNamespace

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from spikebridge.ui import camera_menu
from spikebridge.ui.camera_menu import OfferedCamera, look_for_cameras

EVK4 = OfferedCamera("camera:prophesee/1", "Prophesee EVK4   camera:prophesee/1   neuromorphic-drivers")
DAVIS = OfferedCamera("camera:inivation/2", "DAVIS   camera:inivation/2   dv-processing", "is in use")


@pytest.fixture
def looking(opened):
    """A window whose look for cameras gives what is put into ``found``, once ``go`` is set."""
    looked = SimpleNamespace(found=[EVK4, DAVIS], go=threading.Event(), times=0)
    looked.go.set()

    def look():
        looked.times += 1
        looked.go.wait(10)
        if isinstance(looked.found, Exception):
            raise looked.found
        return looked.found

    opened.window.cameras._look = look
    return looked


def texts(opened):
    return [action.text() for action in opened.window.cameras.menu.actions()]


def test_it_says_at_once_that_it_looks(opened, looking, until):
    looking.go.clear()
    QTest.keyClick(opened.window, Qt.Key.Key_C)
    assert texts(opened) == ["Looking for cameras …"]
    assert opened.window.cameras.menu.isVisible()
    opened.window.find_cameras()
    looking.go.set()
    until(lambda: len(texts(opened)) == 2)
    assert looking.times == 1
    opened.window.cameras.menu.hide()


def test_cameras_are_listed_and_opened_by_keys(opened, looking, until):
    opened.window.find_cameras()
    until(lambda: len(texts(opened)) == 2)
    menu = opened.window.cameras.menu
    assert texts(opened) == [f"&1   {EVK4.title}", f"&2   {DAVIS.title}   ⚠"]
    assert menu.actions()[1].toolTip() == "is in use"
    assert menu.activeAction() is menu.actions()[0]
    QTest.keyClick(menu, Qt.Key.Key_Down)
    QTest.keyClick(menu, Qt.Key.Key_Return)
    until(lambda: len(opened.sessions) == 2)
    assert opened.session.uri == "camera:inivation/2"


def test_without_a_camera_a_sentence_says_so(opened, looking, until):
    looking.found = []
    opened.window.find_cameras()
    until(lambda: "No camera was found" in opened.window.banner.words)
    assert not opened.window.cameras.menu.isVisible()


def test_a_look_that_fails_says_why(opened, looking, until):
    looking.found = subprocess.TimeoutExpired("devices", 20)
    opened.window.find_cameras()
    until(lambda: "timed out after 20 seconds" in opened.window.banner.words)


def test_a_menu_that_was_closed_stays_closed(opened, looking, until):
    looking.go.clear()
    opened.window.find_cameras()
    opened.window.cameras.menu.hide()
    looking.go.set()
    opened.window.cameras._thread.join()
    for _ in range(5):
        opened.draw()
        QTest.qWait(5)
    assert not opened.window.cameras.menu.isVisible()


def test_it_looks_in_a_process_of_its_own(monkeypatch):
    told = {"uri": "camera:a/1", "model": "A", "driver": "a-driver", "connection": "", "problem": "busy"}
    asked = []

    def run(arguments, **given):
        asked.append(arguments)
        return SimpleNamespace(stdout=json.dumps({"cameras": [told]}))

    monkeypatch.setattr(camera_menu.subprocess, "run", run)
    assert look_for_cameras() == [OfferedCamera("camera:a/1", "A   camera:a/1   a-driver", "busy")]
    assert asked[0][1:] == ["-m", "spikebridge", "devices", "--json"]


def test_the_real_look_answers():
    assert isinstance(look_for_cameras(), list)
