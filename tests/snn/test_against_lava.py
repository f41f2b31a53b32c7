"""The emulator against Lava itself: spikes, currents and voltages of each step.

Against Lava's stored output always; against a running Lava where there is one: a few networks by default, N of them
with SPIKEBRIDGE_LAVA_NETWORKS=N (``all`` for all 240, some minutes). SPIKEBRIDGE_LAVA_PYTHON names Lava's interpreter.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from comparison import emulate, first_divergence
from lava_cases import FULL_EVERY, N_CASES, STORE, digest, digest_case, read_output, write_case
from random_networks import random_case

ROOT = Path(__file__).parents[2]
LAVA_PYTHON = Path(os.environ.get("SPIKEBRIDGE_LAVA_PYTHON", ROOT / ".venv-lava/bin/python"))
WANTED = os.environ.get("SPIKEBRIDGE_LAVA_NETWORKS", "4")
SILENCE_S = 60.0


def test_equal_to_lavas_stored_output() -> None:
    with np.load(STORE) as store:
        rows = store["digests"]
        assert len(rows) >= 200
        for seed, of_case, of_output in rows:
            case = random_case(int(seed))
            assert digest_case(case) == of_case, f"network {seed} is drawn differently: renew data/lava_reference.npz"
            found = emulate(case)
            if int(seed) % FULL_EVERY == 0:
                expected = {
                    name.partition("/")[2]: store[name].astype(np.int64)
                    for name in store.files
                    if name.startswith(f"{seed}/")
                }
                assert first_divergence(expected, found) is None, f"network {seed}"
            assert digest(found) == of_output, f"network {seed}"


@pytest.mark.timeout(1800)
def test_equal_to_lava_running_here(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    if not LAVA_PYTHON.exists():
        reason = f"NOT COMPARED WITH LAVA: no interpreter at {LAVA_PYTHON}, SPIKEBRIDGE_LAVA_PYTHON can name one"
        pytestconfig.get_terminal_writer().line(f"\n{reason}", yellow=True)
        pytest.skip(reason)
    seeds = range(N_CASES if WANTED == "all" else int(WANTED))
    for seed in seeds:
        write_case(random_case(seed), tmp_path)
    hung = run_lava(tmp_path, len(seeds))
    failed, steps = list(hung), 0
    for seed in seeds:
        if (expected := read_output(tmp_path, seed)) is None:
            continue
        assert first_divergence(expected, emulate(random_case(seed))) is None, f"network {seed}"
        steps += len(expected["spikes"])
    compared = sum(read_output(tmp_path, seed) is not None for seed in seeds)
    pytestconfig.get_terminal_writer().line(f"\ncompared with Lava: {compared} networks, {steps} steps, none diverged")
    assert compared == len(seeds), f"Lava gave nothing for {len(seeds) - compared} networks: {failed}"


def run_lava(folder: Path, n_cases: int) -> list[str]:
    """Runs the worker until all cases are done; one that falls silent is killed and the rest is started again.

    Returns what failed, in its words."""
    failures: list[str] = []
    for _ in range(3):
        failures += _run_worker(folder)
        if len(list(folder.glob("*.out.npz"))) == n_cases:
            break
    return failures


def _run_worker(folder: Path) -> list[str]:
    worker = subprocess.Popen(
        [LAVA_PYTHON, Path(__file__).with_name("lava_reference.py"), folder],
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
