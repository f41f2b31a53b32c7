"""Keys and clicks as an X server delivers them, without a window manager, as on a kiosk."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("Xvfb") is None, reason="no Xvfb, see the end of the run")
SCRIPT = Path(__file__).with_name("window_on_screen.py")


@pytest.fixture
def display():
    """Of an X server of its own."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1920x1080x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL) as server:
        os.close(writer)
        with os.fdopen(reader) as told:
            number = told.readline().strip()
        assert number, "expected Xvfb to start, found it ended"
        yield f":{number}"
        server.terminate()


class Screen:
    """A window on the display, and what a person does with it."""

    def __init__(self, display, process):
        self._environment = {**os.environ, "DISPLAY": display}
        self._lines = queue.SimpleQueue()
        self.state = {}
        self._thread = threading.Thread(target=self._read, args=(process.stdout,))
        self._thread.start()
        self.places = self._next()
        self.expect(chosen=0)

    def press(self, key):
        self._do("key", key)

    def click(self, place):
        self._do("mousemove", *map(str, place), "click", "1")

    def expect(self, **expected):
        """Until the window shows it."""
        while not all(self.state.get(key) == value for key, value in expected.items()):
            self.state = self._next()

    def joined(self):
        self._thread.join(20)

    def _do(self, *what):
        subprocess.run(["xdotool", *what], env=self._environment, check=True, timeout=20)

    def _read(self, lines):
        for line in lines:
            self._lines.put(json.loads(line))
        self._lines.put(None)

    def _next(self):
        try:
            state = self._lines.get(timeout=20)
        except queue.Empty:
            pytest.fail(f"waited in vain; the window shows {self.state}")
        assert state is not None, "the window's process has ended"
        return state


@pytest.fixture
def screen(display):
    path = os.pathsep.join(entry for entry in sys.path if entry)
    environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "PYTHONPATH": path}
    with subprocess.Popen([sys.executable, str(SCRIPT)], stdout=subprocess.PIPE, text=True, env=environment) as process:
        screen = Screen(display, process)
        yield screen
        process.terminate()
        process.wait(20)
        screen.joined()


STRIPS = ("1.11 ms", "2.11 ms", "3.11 ms")


def test_keys_choose_a_network(screen):
    for key, chosen in (("2", 1), ("3", 2), ("1", 0), ("n", 1), ("n", 2), ("n", 0)):
        screen.press(key)
        screen.expect(chosen=chosen, strip=STRIPS[chosen])


def test_every_other_key_does_what_the_help_says(screen):
    steps = (
        *((key, {"help": shown}) for key in ("h", "question", "F1") for shown in (True, False)),
        ("h", {"help": True}),
        ("Escape", {"help": False}),
        ("bracketright", {"tuned": [[0, 0.55, None]]}),
        ("bracketleft", {"tuned": [[0, 0.55, None], [0, 0.45, None]]}),
        ("braceright", {"tuned": [[0, 0.55, None], [0, 0.45, None], [0, None, 300_000]]}),
        ("braceleft", {"tuned": [[0, 0.55, None], [0, 0.45, None], [0, None, 300_000], [0, None, 150_000]]}),
        ("f", {"features": True}),
        ("f", {"features": False}),
        ("d", {"fade_us": 120_000}),
        ("p", {"palette": "white and grey"}),
        ("b", {"frames": True}),
        ("b", {"frames": False}),
        ("m", {"mirrored": True}),
        ("s", {"recording": "● REC 0:12   T: hand clap", "n_recorded": 1}),
        ("g", {"recording": "● REC 0:12   T: right hand wave"}),
        ("t", {"recording": "● REC 0:12   ▶ right hand wave", "marked": ["right_hand_wave"]}),
        ("g", {"recording": "● REC 0:12   ▶ left hand wave", "marked": ["right_hand_wave", "left_hand_wave"]}),
        ("t", {"recording": "● REC 0:12   T: left hand wave"}),
        ("ctrl+s", {"recording": "", "n_recorded": 2}),
        ("F11", {"full_screen": True}),
        ("Escape", {"full_screen": False}),
        ("space", {"paused": True}),
        ("k", {"paused": False}),
        ("period", {"paused": True, "steps": 1}),
        ("Right", {"position_us": 2_000_000}),
        ("Left", {"position_us": 1_000_000}),
        ("Right", {"position_us": 2_000_000}),
        ("Home", {"position_us": 1_000_000}),
        ("l", {"loop": True}),
        ("plus", {"speed": 2}),
        ("equal", {"speed": 4}),
        ("KP_Add", {"speed": 10}),
        ("minus", {"speed": 4}),
        ("KP_Subtract", {"speed": 2}),
        ("F10", {"menu": True}),
        ("Escape", {"menu": False}),
        ("q", {"ended": True, "closed": 1}),
    )
    for key, expected in steps:
        screen.press(key)
        screen.expect(**expected)


def test_clicks(screen):
    for chosen in (1, 2, 0):
        screen.click(screen.places["columns"][chosen])
        screen.expect(chosen=chosen, strip=STRIPS[chosen])
    for chosen in (2, 1, 0):
        screen.click(screen.places["rows"][chosen])
        screen.expect(chosen=chosen, strip=STRIPS[chosen])
    screen.click(screen.places["raise"])
    screen.expect(tuned=[[0, 0.55, None]])
    screen.click(screen.places["seek"])
    screen.expect(position_us=pytest.approx(2_000_000, abs=10_000))
    screen.click(screen.places["menu"])
    screen.expect(menu=True)
    screen.press("Escape")
    screen.expect(menu=False)
    # what was clicked has not taken the keys
    screen.press("space")
    screen.expect(paused=True)
    screen.press("2")
    screen.expect(chosen=1)
