"""Each reason why a camera can't be opened: one sentence with the command that helps."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from test_access import plug

from spikebridge.errors import MissingError
from spikebridge.sources.cameras import refusals
from spikebridge.sources.cameras.families import FAMILIES
from spikebridge.sources.cameras.found import NoCameraError

PROPHESEE, INIVATION = FAMILIES
UDEV = "run 'spikebridge doctor --udev-rules | sudo tee /etc/udev/rules.d/70-spikebridge-cameras.rules && sudo udevadm"
#: What dv-processing says both where it may not and where another program has the camera.
EITHER = (
    "Failed to open USB device. This usually happens due to permissions or driver issues, or because the device is "
    "already in use by another running program."
)


def close(node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a user who has no access; tests may run as root, who always has."""
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != node and real(path, mode))


def test_nothing_is_plugged_in(tmp_path: Path) -> None:
    plug(tmp_path, "1234")
    error = refusals.absent(PROPHESEE, None, tmp_path)
    assert isinstance(error, NoCameraError)
    assert str(error) == (
        "expected a camera of Prophesee, found none; plug it in, and see 'spikebridge doctor' for its driver and the "
        "access to it."
    )
    assert "with serial number S7, found none" in str(refusals.absent(PROPHESEE, "S7", tmp_path))


def test_one_that_this_user_may_not_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = plug(tmp_path)
    close(node, monkeypatch)
    for error in (
        refusals.absent(PROPHESEE, None, tmp_path),
        refusals.refused(PROPHESEE, None, "LIBUSB_ERROR_IO", tmp_path),
        refusals.refused(PROPHESEE, None, EITHER, tmp_path),
    ):
        assert type(error) is MissingError
        assert f"this user may not open {node}; {UDEV}" in str(error)


def test_no_access_is_said_without_sysfs_too(tmp_path: Path) -> None:
    error = refusals.refused(PROPHESEE, "A", "Access denied (insufficient permissions)", tmp_path)
    assert "the camera of Prophesee with serial number A to open, found that this user may not open it; run" in str(
        error
    )


def test_one_that_no_driver_knows(tmp_path: Path) -> None:
    plug(tmp_path)
    assert "found one that it does not know (USB 04b4:00f5)" in str(refusals.absent(PROPHESEE, None, tmp_path))


@pytest.mark.parametrize(
    "words",
    ["the device is already used by another program", "Resource busy", "Camera is busy", EITHER],
)
def test_two_programs_on_one_camera(tmp_path: Path, words: str) -> None:
    node = plug(tmp_path)
    error = refusals.refused(PROPHESEE, None, words, tmp_path)
    assert str(error) == (
        "expected the camera of Prophesee to open, found it in use by another program; end that one, which "
        f"'fuser -v {node}' names."
    )


@pytest.mark.parametrize(
    ("family", "words", "told"),
    [
        (
            INIVATION,
            "Device firmware version incorrect. You have version 2; but version 6 is required. Please update by "
            "following the Flashy documentation at 'https://docs.inivation.com'.",
            "(Device firmware version incorrect. You have version 2; but version 6 is required); update it with Flashy",
        ),
        (
            INIVATION,
            "Firmware version not supported (neuromorphic-drivers expects version 0.9 or later, the camera runs on "
            "version 0.8)",
            "(Firmware version not supported (neuromorphic-drivers expects version 0.9 or later",
        ),
        (PROPHESEE, "Firmware of camera 00051234 is no longer supported", "with the firmware updater of support.proph"),
    ],
)
def test_wrong_firmware(tmp_path: Path, family: object, words: str, told: str) -> None:
    assert told in str(refusals.refused(family, None, words, tmp_path))  # type: ignore[arg-type]


def test_anything_else_is_told_in_its_words(tmp_path: Path) -> None:
    error = refusals.refused(PROPHESEE, None, "short write\nat 0x12", tmp_path)
    assert "found: short write; unplug it, plug it in again" in str(error)
    assert "no reason given" in str(refusals.refused(PROPHESEE, None, "", tmp_path))


def test_no_usb_at_all() -> None:
    assert str(refusals.no_usb("Other error")) == (
        "expected a USB to look for cameras on, found none (Other error); in a container, start it with "
        "'--device=/dev/bus/usb', in a virtual machine pass the camera through to it."
    )


def test_no_driver_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    sentence = str(refusals.absent(PROPHESEE, None, tmp_path))
    assert "install one: the Metavision SDK" in sentence
    assert sentence.endswith("or pip install neuromorphic-drivers.")


def test_a_usb_2_port(tmp_path: Path) -> None:
    plug(tmp_path, mbps="480", serial="A")
    note = "the camera is connected by USB 2 (480 Mb/s) and loses events in busy scenes; plug it into a USB 3 port"
    assert refusals.slow_port(PROPHESEE, "a", tmp_path).startswith(note)
    assert refusals.slow_port(PROPHESEE, "other", tmp_path).startswith(note)  # the only one there is
    plug(tmp_path, mbps="5000", serial="B")
    assert refusals.slow_port(PROPHESEE, "B", tmp_path) == ""
    assert refusals.slow_port(PROPHESEE, "other", tmp_path) == ""
    assert refusals.slow_port(INIVATION, "A", tmp_path) == ""
