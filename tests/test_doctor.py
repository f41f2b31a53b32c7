from __future__ import annotations

import sys
from pathlib import Path

import pytest

from power.fakes import rapl_zone
from spikebridge import doctor
from spikebridge.sources.cameras import udev_rules


def _interpreter(folder: Path, output: str, status: int = 0) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\necho '{output}'\nexit {status}\n")
    path.chmod(0o755)
    return str(path)


def test_every_check_says_something_and_failures_name_a_way_out(tmp_path: Path) -> None:
    checks = doctor.diagnose(tmp_path, {})
    assert len({check.name for check in checks}) == len(checks)
    assert all(check.sentence.endswith(".") for check in checks)
    assert all(check.fix for check in checks if check.state == "missing")


@pytest.mark.parametrize(
    ("version", "state"),
    [((3, 9), "missing"), ((3, 10), "ok"), ((3, 13), "ok"), ((3, 14), "missing")],
)
def test_python_version(version: tuple[int, int], state: str) -> None:
    assert doctor.check_python(version).state == state


@pytest.mark.parametrize(
    ("installed", "state"),
    [
        ({"onnxruntime", "spikebridge"}, "ok"),
        ({"onnxruntime", "onnxruntime-gpu", "spikebridge"}, "missing"),
        ({"onnxruntime", "spikebridge", "spikebridge-gpu"}, "missing"),
        ({"spikebridge"}, "missing"),
    ],
)
def test_two_runtimes_or_two_distributions_are_a_conflict(installed: set[str], state: str) -> None:
    assert doctor.check_distributions(installed).state == state


def test_conflict_names_both_packages() -> None:
    check = doctor.check_distributions({"onnxruntime", "onnxruntime-gpu"})
    assert "onnxruntime and onnxruntime-gpu" in check.sentence
    assert check.fix.startswith("pip uninstall")


def test_no_display_is_a_warning() -> None:
    check = doctor.check_display({})
    if sys.platform == "linux":
        assert check.state == "warning"
        assert "--headless" in check.sentence


def test_power_without_a_meter_says_that_it_is_estimated(tmp_path: Path) -> None:
    check = doctor.check_power(tmp_path)
    assert check.state == "warning"
    assert "estimated" in check.sentence


def test_power_meter_is_named(tmp_path: Path) -> None:
    rapl_zone(tmp_path, "intel-rapl:0", "package-0", 0)
    check = doctor.check_power(tmp_path)
    assert check.state == "ok"
    assert "RAPL" in check.sentence


def test_refused_power_meter_names_the_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zone = rapl_zone(tmp_path, "intel-rapl:0", "package-0", 0)
    read_bytes = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path == zone / "energy_uj":
            raise PermissionError(13, "Permission denied", str(path))
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    check = doctor.check_power(tmp_path)
    assert check.state == "warning"
    assert check.fix.startswith("sudo chmod")


@pytest.mark.parametrize(("usable", "state"), [(True, "ok"), (False, "warning")])
def test_lava_is_optional(monkeypatch: pytest.MonkeyPatch, usable: bool, state: str) -> None:
    answer = (usable, "lava-nc 0.10.0 is there" if usable else "no Lava environment", "" if usable else "make it")
    monkeypatch.setattr("spikebridge.snn.lava.environment.status", lambda: answer)
    check = doctor.check_lava()
    assert (check.state, check.fix) == (state, answer[2])
    assert check.sentence[1:].startswith(answer[1][1:])
    assert check.sentence[0].isupper()


def test_every_family_of_cameras_has_its_sdk_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = doctor.check_cameras()
    assert (found.name, found.state) == ("iniVation cameras", "ok")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (missing,) = doctor.check_cameras()
    assert (missing.state, missing.fix) == ("missing", "pip install dv-processing")


@pytest.mark.skipif(sys.platform != "linux", reason="udev is Linux's")
def test_printed_udev_rules_satisfy_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.os, "geteuid", lambda: 1000)
    closed = doctor.check_udev(tmp_path)
    assert closed.state == "warning"
    assert "iniVation" in closed.sentence
    assert "doctor --udev-rules" in closed.fix
    rules = tmp_path / "etc/udev/rules.d"
    rules.mkdir(parents=True)
    (rules / "70-spikebridge-cameras.rules").write_text(udev_rules())
    assert doctor.check_udev(tmp_path).state == "ok"


@pytest.mark.skipif(sys.platform != "linux", reason="udev is Linux's")
def test_root_needs_no_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.os, "geteuid", lambda: 0)
    assert doctor.check_udev(tmp_path).state == "ok"
