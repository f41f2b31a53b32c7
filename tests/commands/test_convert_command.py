from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from calling import invoke
from recording_files import random_events
from spikebridge.events import Sensor
from spikebridge.recordings.aedat.aedat4_writing import Aedat4Writer


def recorded(path: Path, n: int) -> Path:
    with Aedat4Writer(path, Sensor(128, 128), "NONE") as writer:
        writer.write(random_events(n, longest_us=3))
    return path
