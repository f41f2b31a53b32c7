"""Workers for the tests: with the stand-in on this Python, or with the real Lava where its environment is."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import psutil
import pytest

from spikebridge.settings import LoihiBoard
from spikebridge.snn import Conv, Dense, Network, Neuron, save_network
from spikebridge.snn.lava import LavaOptions, environment

STANDIN = Path(__file__).parent / "standin_lava"


def standin_options(**changes: object) -> LavaOptions:
    """The hardware path of the worker on the stand-in."""
    options = LavaOptions(
        python=Path(sys.executable), import_path=str(STANDIN), start_deadline_s=20, board=LoihiBoard()
    )
    return dataclasses.replace(options, **changes)  # type: ignore[arg-type]


def real_python() -> Path:
    """Lava's interpreter, or a loud skip."""
    ok, found, fix = environment.status()
    if not ok:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn(f"THE REAL LAVA WAS NOT TESTED: {found}; {fix}", UserWarning, stacklevel=1)
        pytest.skip(f"THE REAL LAVA WAS NOT TESTED: {found}; {fix}")
    python = environment.find_python()
    assert python is not None
    return python


def small_network(folder: Path, seed: int = 5) -> tuple[Path, Network]:
    """Two convolutions and a dense layer that fire often; written as a .net file."""
    rng = np.random.default_rng(seed)
    neuron = Neuron(1229, 1024, 64)
    network = Network(
        (2, 10, 12),
        (
            Conv("1", 2 * rng.integers(-20, 50, (4, 2, 3, 3)), neuron, rng.integers(-20, 20, 4), (2, 2), (1, 1)),
            Conv("2", 2 * rng.integers(-20, 50, (6, 4, 3, 3)), neuron, None, (1, 2), (1, 0)),
            Dense("3", 2 * rng.integers(-30, 50, (7, 6 * 5 * 2)), neuron, None),
        ),
    )
    save_network(network, folder / "small.net")
    return folder / "small.net", network


def descendants(pid: int) -> list[psutil.Process]:
    """The process and all below it."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def left_of(processes: list[psutil.Process], within_s: float = 5.0) -> list[psutil.Process]:
    """Those that still run after some time; a zombie that nobody took in does not."""
    deadline_s = time.monotonic() + within_s
    while left := [process for process in processes if _runs(process)]:
        if time.monotonic() > deadline_s:
            break
        time.sleep(0.02)
    return left


def shared_memory_of(pid: int) -> list[Path]:
    return sorted(Path("/dev/shm").glob(f"sb{pid:06x}*")) if os.path.isdir("/dev/shm") else []


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
