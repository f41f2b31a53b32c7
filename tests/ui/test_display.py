from __future__ import annotations

import subprocess
import sys

import pytest

from spikebridge.ui.display import display_problem


def problem(environment, missing=(), platform="linux"):
    return display_problem(environment, lambda name: name not in missing, platform)


def words(found):
    return "" if found is None else found.sentence


def test_no_display_is_said_before_qt_aborts():
    assert "neither DISPLAY nor WAYLAND_DISPLAY" in words(problem({}))


@pytest.mark.parametrize(
    "environment", [{"DISPLAY": ":0"}, {"WAYLAND_DISPLAY": "wayland-0"}, {"QT_QPA_PLATFORM": "offscreen"}]
)
def test_nothing_to_say(environment):
    assert problem(environment) is None


def test_missing_libraries_come_with_the_command():
    found = problem({"DISPLAY": ":0"}, ("libEGL.so.1", "libxcb-cursor.so.0"))
    assert found.fix == "sudo apt-get install libegl1 libxcb-cursor0"
    assert found.fix in found.sentence


def test_x11_libraries_are_not_asked_for_off_screen():
    assert problem({"QT_QPA_PLATFORM": "offscreen"}, ("libxcb-cursor.so.0",)) is None
    assert problem({"QT_QPA_PLATFORM": "offscreen"}, ("libEGL.so.1",)) is not None


def test_elsewhere_qt_brings_its_own():
    assert problem({}, platform="darwin") is None


def test_qt_is_not_imported():
    code = "import sys, spikebridge.ui.display as d; d.display_problem(); print(any('PyQt' in m for m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
