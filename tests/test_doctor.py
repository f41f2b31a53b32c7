from __future__ import annotations

import sys
from pathlib import Path

import pytest

from power.fakes import rapl_zone
from spikebridge import doctor
from spikebridge.sources.cameras.families import udev_rules


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


def plugged(root: Path, product: str = "00f5", mbps: str = "5000") -> Path:
    """An EVK4 in a tree like /sys and /dev; returns its node."""
    entry = root / "sys/bus/usb/devices/1-1"
    entry.mkdir(parents=True)
    for name, value in (
        ("busnum", "1"), ("devnum", "2"), ("idVendor", "04b4"), ("idProduct", product), ("speed", mbps),
        ("serial", "S"),
    ):  # fmt: skip
        (entry / name).write_text(value)
    node = root / "dev/bus/usb/001/002"
    node.parent.mkdir(parents=True)
    node.touch()
    return node


def cameras(root: Path) -> dict[str, doctor.Check]:
    return {check.name: check for check in doctor.check_cameras(root)}


def test_drivers_of_each_family_of_cameras_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "metavision_hal" else name)
    (tmp_path / "sys/bus/usb/devices").mkdir(parents=True)
    found = cameras(tmp_path)
    assert {name: check.state for name, check in found.items()} == {
        "Prophesee cameras": "ok",
        "iniVation cameras": "ok",
    }
    assert found["Prophesee cameras"].sentence == (
        "neuromorphic-drivers opens EVK4, EVK3 HD and CenturyArks VGA; Metavision SDK is not found by this Python."
    )
    assert "neuromorphic-drivers is the next way" in found["iniVation cameras"].sentence
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    missing = cameras(tmp_path)["Prophesee cameras"]
    assert (missing.state, missing.fix) == ("missing", "pip install neuromorphic-drivers")


def test_an_sdk_that_this_python_does_not_see_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "metavision_hal" else name)
    folder = tmp_path / "usr/lib/python3/dist-packages"
    folder.mkdir(parents=True)
    (folder / "metavision_hal.cpython-310-x86_64-linux-gnu.so").touch()
    found = cameras(tmp_path)
    assert (found["Prophesee cameras"].state, found["Prophesee cameras"].fix) == (
        "warning", f"export PYTHONPATH={folder}",
    )  # fmt: skip
    assert found["iniVation cameras"].state == "ok"


@pytest.mark.skipif(sys.platform != "linux", reason="sysfs is Linux's")
def test_a_camera_that_is_plugged_in_is_checked(tmp_path: Path) -> None:
    node = plugged(tmp_path)
    found = cameras(tmp_path)["Prophesee camera"]
    assert (found.state, found.fix) == ("ok", "")
    assert found.sentence == ("USB 04b4:00f5, serial number S, is plugged in at 5000 Mb/s, and this user may open it.")
    node.unlink()
    closed = cameras(tmp_path)["Prophesee camera"]
    assert closed.state == "missing"
    assert f"may not open {node}" in closed.sentence
    assert "doctor --udev-rules" in closed.fix


@pytest.mark.skipif(sys.platform != "linux", reason="sysfs is Linux's")
def test_a_camera_in_a_usb_2_port_is_warned_of(tmp_path: Path) -> None:
    plugged(tmp_path, mbps="480")
    found = cameras(tmp_path)["Prophesee camera"]
    assert (found.state, found.fix) == ("warning", "lsusb -t shows the ports")
    assert "connected by USB 2 (480 Mb/s)" in found.sentence


@pytest.mark.skipif(sys.platform != "linux", reason="sysfs is Linux's")
def test_a_system_without_usb_is_warned_of(tmp_path: Path) -> None:
    assert cameras(tmp_path)["USB"].fix == "in a container: start it with --device=/dev/bus/usb"


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
