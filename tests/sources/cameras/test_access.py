"""The USB as sysfs shows it, and udev rules."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from spikebridge.sources.cameras.access import UsbId, installed_rules, udev_rule, usb_devices

IDS = (UsbId("04b4", "00f[4-5]"), UsbId("152a", "84[0-1]?", slow=("8400",)))


def plug(root: Path, product: str = "00f5", mbps: str = "5000", serial: str = "S1", vendor: str = "04b4") -> Path:
    """A device in a tree like /sys and /dev; returns its node."""
    number = len(list((root / "sys/bus/usb/devices").glob("*"))) + 1 if (root / "sys/bus/usb/devices").is_dir() else 1
    entry = root / f"sys/bus/usb/devices/1-{number}"
    entry.mkdir(parents=True)
    for name, value in (
        ("busnum", "1"), ("devnum", str(number)), ("idVendor", vendor), ("idProduct", product), ("speed", mbps),
        ("serial", serial),
    ):  # fmt: skip
        if value:
            (entry / name).write_text(f"{value}\n")
    node = root / f"dev/bus/usb/001/{number:03}"
    node.parent.mkdir(parents=True, exist_ok=True)
    node.touch()
    return node


def test_without_usb_there_is_none(tmp_path: Path) -> None:
    assert usb_devices(tmp_path) is None
    (tmp_path / "sys/bus/usb/devices").mkdir(parents=True)
    assert usb_devices(tmp_path) == []


def test_devices_are_read_and_interfaces_left_out(tmp_path: Path) -> None:
    node = plug(tmp_path, serial="")
    (tmp_path / "sys/bus/usb/devices/1-1:1.0").mkdir()
    (device,) = usb_devices(tmp_path) or ()
    assert (device.vendor, device.product, device.serial, device.mbps) == ("04b4", "00f5", "", 5000.0)
    assert (device.node, device.usable) == (node, True)


def test_a_device_that_has_no_node_is_not_usable(tmp_path: Path) -> None:
    plug(tmp_path).unlink()
    (device,) = usb_devices(tmp_path) or ()
    assert not device.usable


def test_a_driver_has_to_read_and_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(tmp_path)
    asked: list[int] = []
    monkeypatch.setattr(os, "access", lambda path, mode: asked.append(mode) or False)
    (device,) = usb_devices(tmp_path) or ()
    assert not device.usable
    assert asked == [os.R_OK | os.W_OK]


@pytest.mark.parametrize(
    ("vendor", "product", "mbps", "known", "too_slow"),
    [
        ("04b4", "00f4", "5000", True, False),
        ("04b4", "00f5", "480", True, True),
        ("04b4", "00f3", "480", False, False),
        ("152a", "8400", "480", True, False),
        ("152a", "841a", "480", True, True),
        ("152a", "841a", "10000", True, False),
        ("1234", "00f4", "480", False, False),
    ],
)
def test_cameras_are_told_by_their_ids(
    tmp_path: Path, vendor: str, product: str, mbps: str, known: bool, too_slow: bool
) -> None:
    plug(tmp_path, product, mbps, vendor=vendor)
    (device,) = usb_devices(tmp_path) or ()
    assert (device.is_one_of(IDS), device.is_too_slow(IDS)) == (known, too_slow)


def test_rules_of_all_folders_are_read(tmp_path: Path) -> None:
    for folder in ("etc/udev/rules.d", "lib/udev/rules.d"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "70-camera.rules").write_text(f"# In {folder}\n")
    (tmp_path / "etc/udev/rules.d/readme.txt").write_text("no rule")
    assert installed_rules(tmp_path) == "# in etc/udev/rules.d\n\n# in lib/udev/rules.d\n"


def test_a_rule_is_for_the_user_at_the_machine_and_a_group() -> None:
    assert udev_rule(IDS[0]) == (
        'SUBSYSTEM=="usb", ATTR{idVendor}=="04b4", ATTR{idProduct}=="00f[4-5]", MODE="0660", GROUP="plugdev", '
        'TAG+="uaccess"'
    )
