"""A worker that hangs, dies or loses its program: a named error in time, and nothing left. Lava is a stand-in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import psutil
import pytest
from lava_workers import descendants, left_of, shared_memory_of, small_network, standin_options

from spikebridge.errors import MissingError, StageError
from spikebridge.snn import Network
from spikebridge.snn.lava import LavaOptions, LavaStage
from spikebridge.snn.lava.worker import wire

#: A file and what is in it.
Described: TypeAlias = tuple[Path, Network]
SHAPE = (2, 10, 12)
EVENTS = np.ones(SHAPE, np.uint8)
#: What the issue allows from a hang to its error.
BOUND_S = 2.0

PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from lava_workers import standin_options
from spikebridge.snn import load_network
from spikebridge.snn.lava import LavaStage
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with it ignored
stage = LavaStage(Path(sys.argv[1]), load_network(sys.argv[1]), standin_options())
stage.wait_ready()
print(stage._start.worker.pid, flush=True)
{end}
"""


def _worker_pid(stage: LavaStage) -> int:
    return stage._start.worker.pid


@pytest.fixture
def network(tmp_path: Path) -> Described:
    return small_network(tmp_path)


@pytest.fixture
def stage(network: Described) -> Iterator[LavaStage]:
    with LavaStage(*network, standin_options()) as stage:
        stage.wait_ready()
        yield stage


def test_close_leaves_nothing(stage: LavaStage) -> None:
    processes = descendants(_worker_pid(stage))
    assert len(processes) == 4  # guard, Lava, and the two that Lava forked
    stage.close()
    assert left_of(processes, within_s=0) == []
    stage.close()
    with pytest.raises(StageError, match="closed"):
        stage.step(EVENTS)


def test_close_while_starting(network: Described) -> None:
    stage = LavaStage(*network, standin_options())
    processes = descendants(_worker_pid(stage))
    stage.close()
    assert left_of(processes) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_guard_killed(stage: LavaStage, number: int) -> None:
    processes = descendants(_worker_pid(stage))
    os.kill(_worker_pid(stage), number)
    assert left_of(processes) == []
    with pytest.raises(StageError, match="ended"):
        stage.step(EVENTS)


@pytest.mark.parametrize("victim", [1, 2])
def test_death_of_lava_or_one_of_its_processes_is_named(stage: LavaStage, victim: int) -> None:
    processes = descendants(_worker_pid(stage))
    processes[victim].kill()
    assert left_of(processes) == []
    with pytest.raises(StageError, match=r"ended.*started again"):
        stage.step(EVENTS)


def test_hang_is_a_named_error_in_time(network: Described, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDIN_LAVA", "hang")
    with LavaStage(*network, standin_options(step_deadline_s=0.4)) as stage:
        stage.wait_ready()
        processes = descendants(_worker_pid(stage))
        began_s = time.monotonic()
        with pytest.raises(StageError, match=r"within 0.4 s, found it hung") as raised:
            stage.step(EVENTS)
        assert time.monotonic() - began_s < BOUND_S
        assert raised.value.stage == "snn"
        assert left_of(processes) == []
        assert stage.state == "ended"
        with pytest.raises(StageError, match="hung"):
            stage.step(EVENTS)


def test_frozen_worker_is_a_hang(stage: LavaStage) -> None:
    processes = descendants(_worker_pid(stage))
    for process in processes:
        process.suspend()
    began_s = time.monotonic()
    with pytest.raises(StageError, match="hung"):
        stage._start.worker.request(wire.STEP, EVENTS.tobytes(), wire.SPIKES, 0.2)
    assert time.monotonic() - began_s < BOUND_S
    stage.close()
    assert left_of(processes) == []


def test_reset_restarts_after_a_death(network: Described, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANDIN_LAVA", "die")
    with LavaStage(*network, standin_options()) as stage:
        with pytest.raises(StageError):
            stage.step(EVENTS)
        monkeypatch.delenv("STANDIN_LAVA")
        stage.reset()
        assert stage.step(EVENTS).shape == (7, 1, 1)
        assert stage.state == "running"


def test_hang_at_the_start_is_named_with_what_it_did(network: Described, tmp_path: Path) -> None:
    (tmp_path / "lava/utils").mkdir(parents=True)
    (tmp_path / "lava/utils/loihi.py").write_text("import time; time.sleep(60)")
    with LavaStage(*network, standin_options(import_path=str(tmp_path), start_deadline_s=4.0)) as stage:
        with pytest.raises(StageError, match=r"hung.*while importing Lava"):
            stage.wait_ready()
        assert stage.state == "ended"


def test_interpreter_that_is_not_there(network: Described, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="lava-setup"):
        LavaStage(*network, LavaOptions(python=tmp_path / "python"))


def test_interpreter_without_lava(network: Described, tmp_path: Path) -> None:
    options = LavaOptions(python=Path(sys.executable), import_path=str(tmp_path))
    with LavaStage(*network, options) as stage, pytest.raises(MissingError, match=r"lava.*lava-setup"):
        stage.wait_ready()


def test_wrong_counts_are_a_programmers_error_and_harm_nothing(stage: LavaStage) -> None:
    with pytest.raises(ValueError, match="expected uint8 counts"):
        stage.step(EVENTS[:1])
    assert stage.step(EVENTS).shape == (7, 1, 1)


@pytest.mark.parametrize(
    ("end", "number"),
    [
        ("time.sleep(60)", signal.SIGKILL),
        ("time.sleep(60)", signal.SIGTERM),
        ("time.sleep(60)", signal.SIGINT),
        ("raise RuntimeError", None),
        ("os._exit(0)", None),
        ("sys.exit(0)", None),
        ("os.abort()", None),
        ("stage.close()", None),
    ],
)
def test_no_process_survives_its_program(network: Described, end: str, number: int | None) -> None:
    """However the program ends, in a terminal's foreground or not."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(end=end if number else f"time.sleep(0.3)\n{end}"), str(network[0])],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    with program:
        assert program.stdout is not None
        worker = int(program.stdout.readline())
        try:
            processes = descendants(worker)
        except psutil.NoSuchProcess:
            processes = []
        if number:
            # Ctrl-C reaches the whole foreground group; the rest is aimed at the program.
            (os.killpg if number == signal.SIGINT else os.kill)(program.pid, number)
        program.wait(10)
    assert len(processes) == 4
    assert left_of(processes) == []
    assert shared_memory_of(worker) == []


EARLY_DEATH = """
import os, sys, time
from spikebridge.snn.lava.worker import guard
parent = os.getpid()
def late():
    while os.getppid() == parent:
        time.sleep(0.01)
os.register_at_fork(after_in_child=late)  # runs first: the child asks for the signal when its parent is gone
guard._children_die_with_parents()
if os.fork() == 0:
    time.sleep(60)
os._exit(0)
"""


def test_a_child_whose_parent_died_at_once_ends_too() -> None:
    """The child holds the pipe: its end is the end of the file."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    began_s = time.monotonic()
    subprocess.run([sys.executable, "-c", EARLY_DEATH], stdout=subprocess.PIPE, env=environment, timeout=50, check=True)
    assert time.monotonic() - began_s < 50
