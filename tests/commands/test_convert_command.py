"""The command ``convert`` as a user calls it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from calling import call
from recording_files import SHARED, needs_shared, random_events
from spikebridge.commands.convert import convert
from spikebridge.errors import UsageError
from spikebridge.events import Sensor
from spikebridge.recordings import open_recording
from spikebridge.recordings.aedat.aedat4_writing import Aedat4Writer


def recorded(path: Path, n: int) -> Path:
    with Aedat4Writer(path, Sensor(128, 128), "NONE") as writer:
        writer.write(random_events(n, longest_us=3))
    return path


def test_times_are_seconds_from_the_first_event_and_nothing_goes_to_standard_output(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.aedat4", 100_000)
    result = call(convert, path, tmp_path / "b.aedat4", "--from", 0.02, "--to", 0.03, "--crop", "0,0,64x128")
    assert result.stdout == ""
    assert "wrote" in result.stderr
    recording = open_recording(tmp_path / "b.aedat4")
    events = random_events(100_000, longest_us=3)
    t = events["t"] - events["t"][0]
    assert recording.n_events == ((t >= 20_000) & (t < 30_000) & (events["x"] < 64)).sum()
    assert recording.info.sensor.width == 64


@needs_shared
def test_what_is_lost_is_said(tmp_path: Path) -> None:
    result = call(convert, SHARED / "formats" / "davis346.aedat4", tmp_path / "b.aedat4")
    assert "of frames" in result.stderr
    assert result.stderr.index("of frames") < result.stderr.index("wrote")


@pytest.mark.parametrize("crop", ["1,2,3", "-1,0,5x5", "a,b,cxd", "1,2,3x4x5"])
def test_a_crop_that_is_none(tmp_path: Path, crop: str) -> None:
    path = recorded(tmp_path / "a.aedat4", 10)
    result = call(convert, path, tmp_path / "b.aedat4", f"--crop={crop}", fails=UsageError)
    assert "--crop X,Y,WIDTHxHEIGHT" in str(result.exception)


def test_ctrl_c_leaves_nothing_half_written(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.aedat4", 8_000_000)
    command = [sys.executable, "-m", "spikebridge", "convert", str(path), str(tmp_path / "b.aedat4")]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + 60
        while len(os.listdir(tmp_path)) == 1 and process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        assert len(os.listdir(tmp_path)) == 2
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert b"Traceback" not in said
    assert os.listdir(tmp_path) == ["a.aedat4"]
