"""The real Lava, where its environment is: the same spikes, states and counts as the emulator, and a clean end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from lava_workers import descendants, left_of, real_python, shared_memory_of, small_network

from spikebridge.errors import StageError
from spikebridge.snn import Emulator, Network
from spikebridge.snn.lava import LavaOptions, LavaStage

STEPS = 50


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LavaStage, Network]]:
    options = LavaOptions(python=real_python())
    path, network = small_network(tmp_path_factory.mktemp("lava"))
    with LavaStage(path, network, options) as stage:
        stage.wait_ready()
        yield stage, network


@pytest.fixture
def stage(opened: tuple[LavaStage, Network]) -> LavaStage:
    opened[0].reset()
    return opened[0]


@pytest.fixture
def network(opened: tuple[LavaStage, Network]) -> Network:
    return opened[1]


PROGRAM = """
import signal, sys, time
from pathlib import Path
from spikebridge.snn import load_network
from spikebridge.snn.lava import LavaOptions, LavaStage
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with it ignored
stage = LavaStage(Path(sys.argv[1]), load_network(sys.argv[1]), LavaOptions(python=Path(sys.argv[2])))
stage.wait_ready()
print(stage._start.worker.pid, flush=True)
time.sleep(60)
"""


def _counts(network: Network, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    shape = (STEPS, *network.input_shape)
    return list(((rng.random(shape) < 0.1) * rng.integers(1, 6, shape)).astype(np.uint8))


def test_equals_the_emulator_over_steps_and_resets(stage: LavaStage, network: Network) -> None:
    emulator = Emulator(network)
    before = stage.activity()
    total = 0
    for i, counts in enumerate(_counts(network, 1)):
        if i in (17, 18, 33):
            stage.reset()
            emulator.reset()
        expected = emulator.step(counts)
        np.testing.assert_array_equal(stage.step(counts), expected, err_msg=f"spikes of step {i}")
        total += int(expected.sum())
        if i % 7 == 0:
            for k, (u, v) in enumerate(stage.read_state()):
                current, voltage = emulator.state(k)
                np.testing.assert_array_equal(u, current, err_msg=f"currents of layer {k}, step {i}")
                np.testing.assert_array_equal(v, voltage, err_msg=f"voltages of layer {k}, step {i}")
    assert 0 < total < STEPS * 7
    assert stage.activity().steps - before.steps == STEPS


def test_counts_what_the_emulator_counts(stage: LavaStage, network: Network) -> None:
    emulator = Emulator(network)
    before = stage.activity()
    for counts in _counts(network, 2):
        stage.step(counts)
        emulator.step(counts)
    found, expected = stage.activity(), emulator.activity()
    assert found.input_events - before.input_events == expected.input_events
    for after, earlier, wanted in zip(found.layers, before.layers, expected.layers, strict=True):
        for field in ("synaptic_events", "neuron_updates", "spikes", "overflows"):
            assert getattr(after, field) - getattr(earlier, field) == getattr(wanted, field), (wanted.name, field)


def test_counts_of_a_whole_byte_multiply_the_weights(stage: LavaStage, network: Network) -> None:
    """Up to 255 events in a step, beyond the chip's accumulator; taken as single spikes they would give others."""
    rng = np.random.default_rng(9)
    emulator, ungraded = Emulator(network), Emulator(network, graded=False)
    before = stage.activity()
    differing = 0
    for density in np.linspace(0, 0.3, STEPS):
        some = rng.random(network.input_shape) < density
        counts = (some * rng.integers(0, 256, network.input_shape)).astype(np.uint8)
        np.testing.assert_array_equal(stage.step(counts), emulator.step(counts))
        ungraded.step(counts)
        current, voltage = stage.read_state()[0]
        np.testing.assert_array_equal(current, emulator.state(0)[0])
        np.testing.assert_array_equal(voltage, emulator.state(0)[1])
        differing += not np.array_equal(current, ungraded.state(0)[0])
    assert differing > STEPS // 2
    found = [new.overflows - old.overflows for new, old in zip(stage.activity().layers, before.layers, strict=True)]
    assert found == [layer.overflows for layer in emulator.activity().layers]
    assert found[0] > 100


def test_reset_clears_what_is_read(stage: LavaStage, network: Network) -> None:
    for counts in _counts(network, 3)[:5]:
        stage.step(counts)
    assert any(u.any() for u, _ in stage.read_state())
    stage.reset()
    assert not any(u.any() or v.any() for u, v in stage.read_state())


def test_versions_are_known(stage: LavaStage) -> None:
    assert stage.versions["python"].startswith("3.10")
    assert stage.versions["lava-nc"] != "unknown"


def test_dead_process_of_lava_is_named_and_the_stage_restarts(stage: LavaStage, network: Network) -> None:
    """Last in this module: it ends the shared worker twice."""
    worker = stage._start.worker.pid
    processes = descendants(worker)
    assert len(processes) > 2 + 2 * len(network.layers)
    assert shared_memory_of(worker)
    processes[-1].kill()
    began_s = time.monotonic()
    with pytest.raises(StageError, match="ended"):
        stage.step(_counts(network, 4)[0])
    assert time.monotonic() - began_s < 2
    assert left_of(processes) == []
    assert shared_memory_of(worker) == []
    stage.reset()
    emulator = Emulator(network)
    for counts in _counts(network, 5)[:10]:
        np.testing.assert_array_equal(stage.step(counts), emulator.step(counts))
    processes = descendants(stage._start.worker.pid)
    processes[-1].suspend()
    began_s = time.monotonic()
    with pytest.raises(StageError, match="hung"):
        stage.step(_counts(network, 4)[0])
    assert time.monotonic() - began_s < 2
    assert left_of(processes) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_no_process_of_the_real_lava_survives_its_program(tmp_path: Path, number: int) -> None:
    python = real_python()
    path, network = small_network(tmp_path)
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(path), str(python)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
        start_new_session=True,
    )
    with program:
        assert program.stdout is not None
        worker = int(program.stdout.readline())
        processes = descendants(worker)
        assert len(processes) > 2 + 2 * len(network.layers)
        assert shared_memory_of(worker)
        (os.killpg if number == signal.SIGINT else os.kill)(program.pid, number)
        program.wait(10)
    assert left_of(processes) == []
    assert shared_memory_of(worker) == []
