"""``spikebridge run`` with Lava in its worker: options, figures, deaths and ends. Hardware is the stand-in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from lava_workers import STANDIN, descendants, left_of, real_python

from bundles import spiking_network, write_spiking_bundle
from small_recordings import moving_column, write_aedat31

SPIKEBRIDGE = [sys.executable, "-m", "spikebridge"]
HARDWARE = ("--snn", "loihi2", "--lava-python", sys.executable)


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return str(write_spiking_bundle(tmp_path / "tiny", spiking_network()))


@pytest.fixture
def recording(tmp_path: Path) -> str:
    return str(write_aedat31(tmp_path / "clip.aedat", moving_column(size=128)))


def environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    return {**kept, "SPIKEBRIDGE_LAVA_PATH": str(STANDIN), "QT_QPA_PLATFORM": "offscreen", **changes}


def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SPIKEBRIDGE, "run", *arguments],
        capture_output=True, text=True, timeout=60, env=environment(**changes), check=False,
    )  # fmt: skip


def summary_of(output: str) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(output.splitlines()[-1])["summary"]
    return summary


def test_the_boards_figures_are_measured_and_its_overflows_unseen(bundle: str, recording: str) -> None:
    result = run(recording, "--model", bundle, *HARDWARE, "--loihi-board", "ncl-og-04", "--json")
    assert result.returncode == 0, result.stderr
    summary = summary_of(result.stdout)
    assert summary["snn"] == "Loihi 2"
    assert summary["overflows"] == {"layer 1 (conv)": None}
    rails = {reading["rail"]: reading for reading in summary["power"]}
    assert (rails["loihi"]["watts"], rails["loihi"]["provenance"]) == (0.2, "measured")
    assert {"loihi VDD", "loihi VDDM", "loihi VDDIO"} <= set(rails)
    # (0.2 - 0.15) W for 153 µs, and 0.15 W for 10 ms, in the one step behind each decision.
    energy = summary["energy_mj_per_decision"]["snn"]
    assert energy == {
        "value": pytest.approx(0.00765),
        "constant": 0,
        "static": pytest.approx(1.5),
        "static_source": "measured by the board's profiler",
        "provenance": "measured",
    }
    assert summary["snn_cost"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--loihi-board", "x"), "--loihi-board only with --snn loihi2, found --snn emulator"),
        (("--snn", "lava", "--loihi-partition", "x"), "--loihi-partition only with --snn loihi2, found --snn lava"),
        (("--snn", "lava", "--no-loihi-profile"), "--loihi-profile only"),
        (("--lava-python", "python3.10"), "--lava-python only with --snn lava or loihi2"),
        (("--snn", "loihi2", "--loihi-host", "ethernet"), "expected the address"),
        (("--snn", "loihi2", "--loihi-board", "x", "--loihi-partition", "y"), "found both"),
        (("--snn", "loihi2", "--loihi-generation", "N9"), "N3B3"),
        (("--snn", "loihi2", "--loihi-host", "pigeon"), "pigeon"),
    ],
)
def test_wrong_use_is_refused(bundle: str, recording: str, arguments: tuple[str, ...], words: str) -> None:
    from click.testing import CliRunner

    from spikebridge.commands.main import cli
    from spikebridge.errors import UsageError

    result = CliRunner().invoke(cli, ["run", recording, "--model", bundle, "--headless", *arguments])
    if isinstance(result.exception, UsageError):
        assert words in str(result.exception)
    else:
        assert result.exit_code == 2
        assert words in result.output


@pytest.mark.parametrize(
    ("arguments", "fault", "words"),
    [
        ((), "no-package", "Intel Neuromorphic Research Community"),
        ((), "no-board", "SLURM controller is not available"),
        (("--loihi-address", "10.0.0.8"), "", "ping 10.0.0.8"),
    ],
)
def test_without_hardware_it_is_refused(
    bundle: str, recording: str, arguments: tuple[str, ...], fault: str, words: str
) -> None:
    result = run(recording, "--model", bundle, *HARDWARE, *arguments, "--json", STANDIN_LAVA=fault)
    assert result.returncode == 4
    assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert not result.stdout


def test_an_interpreter_that_is_not_there_is_refused(bundle: str, recording: str) -> None:
    result = run(recording, "--model", bundle, "--snn", "lava", "--lava-python", "/no/such/python", "--headless")
    assert result.returncode == 4
    assert "/no/such/python" in result.stderr


def test_a_worker_that_always_dies_ends_the_run_with_its_error(bundle: str, recording: str) -> None:
    result = run(recording, "--model", bundle, *HARDWARE, "--json", STANDIN_LAVA="die")
    assert result.returncode == 5
    assert result.stderr.count("found its process ended") == 2
    assert "Traceback" not in result.stderr


@pytest.fixture
def running(bundle: str, recording: str) -> Iterator[subprocess.Popen[str]]:
    """A run without end that has decided a few times."""
    command = [*SPIKEBRIDGE, "run", recording, "--model", bundle, *HARDWARE, "--loop", "--speed", "max", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), start_new_session=True
    ) as program:
        assert program.stdout is not None
        for _ in range(5):
            program.stdout.readline()
        yield program
        program.kill()


@pytest.mark.parametrize("victim", ["guard", "lava"])
def test_the_run_goes_on_after_a_death(running: subprocess.Popen[str], victim: str) -> None:
    guard, lava = descendants(running.pid)[1:3]
    (guard if victim == "guard" else lava).kill()
    assert running.stdout is not None
    # More than the pipe holds: these were decided after the restart.
    for _ in range(1500):
        assert json.loads(running.stdout.readline())["label"] in (None, "hand_clap")
    children = descendants(running.pid)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 0, err
    summary = summary_of(out)
    assert [note for note in summary["notes"] if "the step was lost, the SNN restarts" in note]
    assert summary["events"]["dropped"] > 0
    assert "found its process ended" in err
    assert left_of(children[1:]) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_of_a_run(running: subprocess.Popen[str], number: int) -> None:
    children = descendants(running.pid)[1:]
    assert len(children) == 4
    (os.killpg if number == signal.SIGINT else os.kill)(running.pid, number)
    running.communicate(timeout=20)
    assert left_of(children) == []


def test_no_process_is_left_of_a_window(bundle: str, recording: str) -> None:
    """Closed while it runs, and by a signal in the middle of a slow start."""
    command = [*SPIKEBRIDGE, "run", recording, "--model", bundle, *HARDWARE, "--loop"]
    result = subprocess.run(
        [*command, "--for", "0.5"], capture_output=True, text=True, timeout=60, env=environment(), check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    with subprocess.Popen(command, env=environment(STANDIN_LAVA="slow")) as program:
        until = time.monotonic() + 20
        while len(children := descendants(program.pid)[1:]) < 2:
            assert time.monotonic() < until
            time.sleep(0.05)
        time.sleep(1.5)  # the window is there, Lava is not
        program.terminate()
        program.wait(10)
    assert left_of(children) == []


def test_no_process_is_left_at_the_end_of_the_file(bundle: str, recording: str) -> None:
    result = run(recording, "--model", bundle, *HARDWARE, "--headless", "--speed", "max")
    assert result.returncode == 0, result.stderr
    assert "gesture" in result.stdout
    mine = [p for p in psutil.process_iter(["cmdline"]) if str(recording) in (p.info["cmdline"] or [])]
    assert mine == []


def test_counts_above_one_decide_the_same_on_the_real_lava(tmp_path: Path, recording: str) -> None:
    """A bundle whose input counts: one event leaves a neuron silent, two or more make it fire."""
    python = real_python()
    folder = write_spiking_bundle(tmp_path / "graded", spiking_network(weight=40, current_decay=4096), max_count=255)
    dense = moving_column(size=128)
    dense["y"] //= 40
    clip = str(write_aedat31(tmp_path / "dense.aedat", dense))
    decisions = []
    for backend in (("emulator",), ("lava", "--lava-python", str(python))):
        result = run(
            clip, "--model", str(folder), "--speed", "max", "--snn", *backend, "--json", SPIKEBRIDGE_LAVA_PATH=""
        )
        assert result.returncode == 0, result.stderr
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        decisions.append([(d["t_us"], d["label"], d["probabilities"], d["gap"]) for d in lines[:-1]])
    assert decisions[0] == decisions[1]
    assert len({tuple(np.round(d[2], 3)) for d in decisions[0]}) > 3
