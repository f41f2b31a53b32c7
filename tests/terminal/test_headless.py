"""A run in the terminal from inside: what watches it, and how it ends."""

from __future__ import annotations

import json
import math
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from bundles import spiking_network, write_ordinary_bundle, write_spiking_bundle
from small_recordings import moving_column, write_aedat31
from spikebridge.contracts import SourceCounters
from spikebridge.power import HostMeter
from spikebridge.settings import LaneSettings, RunSettings, SourceSettings
from spikebridge.snapshot import Snapshot
from spikebridge.terminal import headless
from spikebridge.terminal.headless import run_headless


@pytest.fixture
def lane(tmp_path: Path) -> LaneSettings:
    return LaneSettings(str(write_ordinary_bundle(tmp_path / "tiny")))


@pytest.fixture
def recording(tmp_path: Path) -> str:
    return str(write_aedat31(tmp_path / "clip.aedat", moving_column()))


def test_who_watches_sees_the_newest_snapshot(
    lane: LaneSettings, recording: str, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[Snapshot | None] = []
    left = []

    @contextmanager
    def watch(newest: Callable[[], Snapshot | None]) -> Iterator[None]:
        seen.append(newest())
        yield
        seen.append(newest())
        left.append(True)

    run_headless(recording, RunSettings((lane,), SourceSettings(10)), seconds=None, as_json=True, watchers=[watch])
    assert left == [True]
    first, last = seen
    assert first is not None
    assert last is not None
    assert first.source.uri == recording
    assert last.lanes[0].counters.packets_done == 30
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])["summary"]
    assert summary["decisions"] == last.lanes[0].counters.decisions


def test_a_run_shorter_than_the_first_sample_has_all_its_energies(
    recording: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In every stage, and the powers of host and chip."""
    monkeypatch.setattr("spikebridge.power.monitor.INTERVAL_S", 3600)
    monkeypatch.setattr("spikebridge.run.opening.discover_meters", lambda estimate_host: (HostMeter(),))
    bundle = write_spiking_bundle(tmp_path / "spiking", spiking_network())
    settings = RunSettings((LaneSettings(str(bundle)),), SourceSettings(math.inf))
    run_headless(recording, settings, seconds=None, as_json=True)
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])["summary"]
    energies = summary["energy_mj_per_decision"]
    assert set(energies) == {"bin", "snn", "accumulator", "ann", "decision"}
    assert all(energy["provenance"] == "estimated" and energy["value"] > 0 for energy in energies.values())
    # 255 mW over 30 steps of 10 ms, shared by 30 decisions; each of 128 neurons visited in each step for 51.2 pJ.
    assert summary["decisions"] == summary["steps"] == 30
    assert energies["snn"]["static"] == 2.55
    assert energies["snn"]["constant"] == pytest.approx(128 * 51.2e-9, abs=1e-9)
    assert [(reading["rail"], reading["provenance"]) for reading in summary["power"]] == [
        ("host", "estimated"),
        ("loihi", "estimated"),
    ]


def test_a_signal_ends_a_run_in_which_nothing_comes(lane: LaneSettings, recording: str) -> None:
    """At a thousandth of its speed the first step takes ten seconds."""
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
    before = signal.getsignal(signal.SIGTERM)
    done = threading.Event()
    run_headless(recording, RunSettings((lane,), SourceSettings(0.001)), seconds=None, as_json=True)
    done.set()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_camera_that_is_gone_is_said_once_and_that_it_is_back(capsys: pytest.CaptureFixture[str]) -> None:
    counters = [SourceCounters(), SourceCounters(waiting_for="gone …"), SourceCounters(waiting_for="gone …")]
    moments = iter([*counters, SourceCounters(), SourceCounters()])
    tell = headless._waiting_teller(SimpleNamespace(source=SimpleNamespace(counters=lambda: next(moments))))  # type: ignore[arg-type]
    for _ in range(5):
        tell()
    assert capsys.readouterr().err == "spikebridge: gone …\nspikebridge: the camera is back\n"
