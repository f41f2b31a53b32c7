"""Runs cases on Lava and on SLAYER, in the interpreter that has them, and reads what they computed."""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from comparison import Run
from random_networks import Case

from spikebridge.snn import save_network
from spikebridge.snn.lava import environment

#: Longest time without a word from a worker.
SILENCE_S = 120.0
_SUFFIX = {"lava": ".out.npz", "slayer": ".slayer.npz"}
_SETTINGS = {"lava": "lava.lib.dl", "slayer": "torch"}


@cache
def missing(name: str) -> str:
    """Why ``lava`` or ``slayer`` cannot run here, or ""."""
    ok, found, fix = environment.status()
    if not ok:
        return f"{found}; {fix}"
    python = environment.find_python()
    probe = f"import importlib.util as u, sys; sys.exit(u.find_spec('{_SETTINGS[name]}') is None)"
    if subprocess.run([str(python), "-s", "-c", probe], check=False).returncode:
        return f"{python} has no {_SETTINGS[name]}; make lava installs all of lava-dl"
    return ""


def require(name: str, notes: list[str]) -> None:
    """A skip, and a line at the end of the run, where ``lava`` or ``slayer`` cannot run."""
    if reason := missing(name):
        note = f"NOT COMPARED WITH {name.upper()}: {reason}"
        if note not in notes:
            notes.append(note)
        pytest.skip(note)


def write_case(case: Case, folder: Path, net: Path | None = None) -> None:
    """net : the network's own file, where it has one."""
    target = folder / f"{case.name}.net"
    if net is None:
        save_network(case.network, target)
    else:
        shutil.copyfile(net, target)
    np.savez(folder / f"{case.name}.npz", counts=case.counts, graded=case.graded)


def read_output(folder: Path, case: str, by: str = "lava") -> Run | None:
    """None where the worker gave nothing."""
    path = folder / f"{case}{_SUFFIX[by]}"
    if not path.exists():
        return None
    with np.load(path) as stored:
        return {name: stored[name].astype(np.int64) for name in stored.files}


def run_worker(by: str, folder: Path, draw: int = 0) -> list[str]:
    """Runs all cases of the folder; a worker that falls silent is killed and the rest is started again.

    draw : networks that SLAYER draws first. Returns what failed, in the worker's words."""
    failures: list[str] = []
    drawn = ["--draw", str(draw)] if draw else []
    for _ in range(3):
        failures += _run_once([Path(__file__).with_name(f"{by}_reference.py"), folder, *drawn])
        if len(list(folder.glob(f"*{_SUFFIX[by]}"))) >= len(list(folder.glob("*.net"))):
            break
    return failures


def _run_once(command: Sequence[str | Path]) -> list[str]:
    worker = subprocess.Popen(
        [environment.require_python(), "-s", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert worker.stdout is not None
    failures = []
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(worker.stdout, selectors.EVENT_READ)
            heard = time.monotonic()
            while True:
                if not selector.select(SILENCE_S):
                    failures.append(f"silent for {time.monotonic() - heard:.0f} s")
                    break
                heard = time.monotonic()
                if not (line := worker.stdout.readline()):
                    break
                if line.startswith("failed"):
                    failures.append(line.strip())
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        worker.stdout.close()
    return failures
