"""The pool of processes: nothing of it outlives whom it works for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from spikebridge.datasets.worker_pool import worker_pool
from spikebridge.errors import StageError

PROGRAM = """
import os, time
from spikebridge.datasets.worker_pool import worker_pool

if __name__ == "__main__":
    with worker_pool(2, "simulate") as pool:
        jobs = [pool.submit(os.getpid) for _ in range(8)]
        pids = {job.result() for job in jobs}
        print(*pids, flush=True)
        time.sleep(60)
"""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")
def test_workers_end_when_their_program_is_killed(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    process = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True)
    try:
        pids = [int(pid) for pid in process.stdout.readline().split()]
        assert pids
        assert all(alive(pid) for pid in pids)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in pids)


def test_a_worker_that_is_ended_is_named():
    with pytest.raises(StageError, match="found one ended from outside"), worker_pool(1, "simulate") as pool:
        pool.submit(os._exit, 3).result()
