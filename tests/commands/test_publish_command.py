"""The command ``publish`` as a user calls it, and what a run reads of it on the other side."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from network_peers import certificates, drained, needs_openssl, read_for, until
from recording_files import same
from spikebridge.commands.main import cli
from spikebridge.errors import InputError, UsageError
from spikebridge.recordings import open_recording
from spikebridge.sources.net.address import Address
from spikebridge.sources.net.camera import NetCamera


@contextmanager
def published(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """``publish`` in a process of its own, and its port."""
    child = subprocess.Popen(
        [sys.executable, "-m", "spikebridge", "publish", *map(str, arguments)], stderr=subprocess.PIPE, text=True
    )
    try:
        assert child.stderr is not None
        found = re.search(r" is published at .*:(\d+); Ctrl-C ends it", child.stderr.readline())
        assert found is not None
        yield child, int(found[1])
    finally:
        child.kill()
        child.communicate()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "arm_roll.aedat4"
    options = ("--label", "arm_roll", "--for", "0.6", "--fast", "--seed", "1")
    result = CliRunner().invoke(cli, ["record", "sim:arm_roll", str(path), *options])
    assert result.exception is None, result.output
    return path


def test_a_recording_waits_for_its_first_reader_who_gets_all_of_it(clip: Path) -> None:
    recording = open_recording(clip)
    events = recording.read(0, 10**9)
    with published(clip, "127.0.0.1:0", "--speed", "max") as (child, port):
        time.sleep(0.5)
        camera = NetCamera(Address("127.0.0.1", port), None, reconnect=False)
        assert same(drained(camera, events.size), events)
        camera.close()
        assert child.wait(10) == 0
        assert child.stderr is not None
        said = child.stderr.read()
    assert "The recording begins with the first reader." in said
    assert f"sent {events.size:,} events to 1 reader in " in said
    assert "; 0 were not sent to slow readers, 0 lost by the source, 0 filtered." in said


def test_a_run_on_another_machine_sees_what_is_published(clip: Path) -> None:
    """And ends with a sentence when the server does, as it is told not to wait for it."""
    with published(clip, "127.0.0.1:0", "--filter", "refractory:2ms") as (child, port):
        run = subprocess.run(
            [sys.executable, "-m", "spikebridge", "run", f"net:127.0.0.1:{port}", "--json", "--no-reconnect"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert child.wait(10) == 0
    assert run.returncode == 4
    assert "found the server gone (it closed the connection)" in run.stderr
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    decisions = [line for line in lines if "t_us" in line]
    # A busy machine may drop some steps, as of any live source, but not the last ones.
    assert len(decisions) >= 10
    last_us = open_recording(clip).info.t_last_us
    assert last_us is not None
    assert decisions[-1]["t_us"] >= last_us - 10_000


def test_a_loop_goes_on_until_ctrl_c(clip: Path) -> None:
    with published(clip, "127.0.0.1:0", "--loop", "--speed", "5") as (child, port):
        camera = NetCamera(Address("127.0.0.1", port), None)
        until(lambda: bool(read_for(camera, 0.05)) and camera.report().interruptions >= 2)
        child.send_signal(signal.SIGINT)
        assert child.wait(5) == 0
        camera.close()


@pytest.mark.parametrize("source", ["sim:", "recording"])
def test_ctrl_c_ends_it_wherever_it_waits(source: str, clip: Path) -> None:
    """Nobody reads; the recording waits for somebody."""
    with published(clip if source == "recording" else source, "127.0.0.1:0") as (child, _):
        time.sleep(0.5)
        child.send_signal(signal.SIGTERM if source == "sim:" else signal.SIGINT)
        assert child.wait(5) == 0


def test_it_ends_after_so_many_seconds() -> None:
    with published("sim:", "127.0.0.1:0", "--for", "0.3", "--seed", "1") as (child, _):
        assert child.wait(10) == 0


@needs_openssl
def test_encrypted(clip: Path, tmp_path: Path) -> None:
    made = certificates(tmp_path)

    def options(side: str) -> tuple[object, ...]:
        return "--tls-ca", made[side].ca, "--tls-cert", made[side].certificate, "--tls-key", made[side].key

    out = tmp_path / "received.aedat4"
    with published(clip, "127.0.0.1:0", "--compression", "lz4", *options("server")) as (_, port):
        arguments = ["record", f"net:127.0.0.1:{port}", out, "--for", "0.3", *options("client")]
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
        assert result.exception is None, result.output
    received, events = open_recording(out), open_recording(clip).read(0, 10**9)
    found = received.read(0, 10**9)
    assert found.size > 1000
    for name in ("x", "y", "polarity"):
        assert np.array_equal(found[name], events[name][: found.size])


@pytest.mark.parametrize("address", ["7777", "host:", "host:70000", ":7777", "net:host:1"])
def test_an_address_that_is_none(address: str) -> None:
    result = CliRunner().invoke(cli, ["publish", "sim:", address])
    assert isinstance(result.exception, UsageError)
    assert "expected HOST:PORT to publish at, such as 0.0.0.0:7777" in str(result.exception)


def test_a_source_that_is_not_there_opens_no_port(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["publish", str(tmp_path / "nothing.aedat4"), "127.0.0.1:0"])
    assert isinstance(result.exception, InputError)


def test_handlers_of_signals_are_as_before(clip: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    result = CliRunner().invoke(cli, ["publish", "sim:", "127.0.0.1:0", "--seed", "1"])
    assert result.exception is None, result.output
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
