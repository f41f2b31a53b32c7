"""The table of camera families: what is found, opened, refused, and made accessible."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from test_plugged import Cable

from spikebridge.commands.main import cli
from spikebridge.errors import MissingError, UsageError
from spikebridge.settings import CameraSettings, SourceSettings
from spikebridge.sources import open_source
from spikebridge.sources.cameras import families, opening, plugged
from spikebridge.sources.cameras.access import UsbId
from spikebridge.sources.cameras.families import Family, Way
from spikebridge.sources.cameras.found import DriverError, FoundCamera, NoCameraError, NoSuchCamera, NoUsb
from spikebridge.sources.live import Camera


class AcmeDriver:
    """Cameras "A1" and "B2", or what is set instead."""

    def __init__(self, *serials: str) -> None:
        self.found = [FoundCamera(f"Acme {serial}", serial, "USB 3") for serial in serials]
        self.opened: list[tuple[str | None, CameraSettings]] = []
        self.error: DriverError | None = None

    def discover(self) -> list[FoundCamera]:
        if isinstance(self.error, NoUsb):
            raise self.error
        return self.found

    def open_camera(self, serial: str | None, settings: CameraSettings) -> Camera:
        self.opened.append((serial, settings))
        if self.error is not None:
            raise self.error
        if serial not in (None, *(camera.serial for camera in self.found)):
            raise NoSuchCamera("no camera")
        camera = Cable()
        camera.uri = f"camera:acme/{serial or self.found[0].serial}"
        return camera


@pytest.fixture
def drivers(monkeypatch: pytest.MonkeyPatch) -> tuple[AcmeDriver, AcmeDriver]:
    """Of a family with two ways, alone in the table."""
    first, second = AcmeDriver("A1", "B2"), AcmeDriver("b2", "C3")
    ways = (
        Way("Acme SDK", "json", "acme.example", "all", lambda: first),
        Way("acme-drivers", "re", "pip install acme", "some", lambda: second),
    )
    family = Family("acme", "Acme", ways, (UsbId("beef", "00[1-2]?"),), "a firmware updater")
    monkeypatch.setattr(families, "FAMILIES", (family,))
    return first, second


def test_any_camera_is_the_first_that_is_found(drivers: tuple[AcmeDriver, AcmeDriver]) -> None:
    open_source("camera:").close()
    assert [serial for serial, _ in drivers[0].opened] == ["A1"]


def test_any_camera_is_one_that_can_be_opened(drivers: tuple[AcmeDriver, AcmeDriver]) -> None:
    drivers[0].found[0] = FoundCamera("Acme A1", "A1", problem="Resource busy")
    open_source("camera:").close()
    assert [serial for serial, _ in drivers[0].opened] == ["B2"]


def test_a_certain_camera(drivers: tuple[AcmeDriver, AcmeDriver]) -> None:
    open_source("camera:acme").close()
    open_source("camera:acme/B2").close()
    assert [serial for serial, _ in drivers[0].opened] == [None, "B2"]
    assert not drivers[1].opened


def test_what_the_first_way_does_not_know_is_opened_by_the_next(drivers: tuple[AcmeDriver, AcmeDriver]) -> None:
    open_source("camera:acme/C3").close()
    assert [serial for serial, _ in drivers[1].opened] == ["C3"]


def test_what_the_first_way_can_not_open_is_not_tried_by_the_next(drivers: tuple[AcmeDriver, AcmeDriver]) -> None:
    drivers[0].error = DriverError("Resource busy")
    with pytest.raises(MissingError, match="in use by another program"):
        open_source("camera:acme/B2")
    assert not drivers[1].opened


def test_without_any_it_is_said_what_to_do(drivers: tuple[AcmeDriver, AcmeDriver]) -> None:
    with pytest.raises(NoCameraError, match="a camera of Acme with serial number D4, found none; plug it in"):
        open_source("camera:acme/D4")
    drivers[0].found, drivers[1].found = [], []
    drivers[1].error = NoUsb("Other error")
    with pytest.raises(MissingError, match=r"a USB to look for cameras on, found none \(Other error\)"):
        open_source("camera:acme/D4")
    assert opening.find_cameras() == []


def test_settings_reach_the_driver(drivers: tuple[AcmeDriver, AcmeDriver]) -> None:
    settings = CameraSettings(biases=(("on", 5),), roi=(0, 0, 4, 4))
    open_source("camera:acme", SourceSettings(camera=settings)).close()
    assert drivers[0].opened == [(None, settings)]


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(plugged, "TRY_EVERY_S", 0.002)
    return iter(())


def test_an_unplugged_camera_is_opened_again_by_its_own_number(
    drivers: tuple[AcmeDriver, AcmeDriver], quickly: None
) -> None:
    source = open_source("camera:acme", SourceSettings())
    packets = source.packets(10)
    first = next(packets)
    source._camera._camera.pulled = True  # type: ignore[attr-defined]
    started = time.monotonic()
    while not (packet := next(packets)).gap:
        assert time.monotonic() - started < 5
    assert packet.sequence > first.sequence
    assert [serial for serial, _ in drivers[0].opened] == [None, "A1"]
    assert "the camera was gone once" in source.counters().notes[0]
    source.close()
    packets.close()


def test_no_reconnect_ends_with_the_camera(drivers: tuple[AcmeDriver, AcmeDriver]) -> None:
    source = open_source("camera:acme", SourceSettings(reconnect=False))
    packets = source.packets(10)
    next(packets)
    source._camera._camera.pulled = True  # type: ignore[attr-defined]
    with pytest.raises(MissingError, match=r"found the camera gone \(no device\); plug it in and open it again"):
        list(packets)


def test_devices_lists_each_camera_once(drivers: tuple[AcmeDriver, AcmeDriver]) -> None:
    found = json.loads(CliRunner().invoke(cli, ["devices", "--json"]).stdout)["cameras"]
    assert found == [
        {"uri": f"camera:acme/{serial}", "model": f"Acme {serial}", "driver": driver, "connection": "USB 3",
         "problem": ""}
        for serial, driver in (("A1", "Acme SDK"), ("B2", "Acme SDK"), ("C3", "acme-drivers"))
    ]  # fmt: skip
    lines = CliRunner().invoke(cli, ["devices"]).stdout.splitlines()
    assert lines[-1] == "camera:acme/C3  Acme C3  USB 3  acme-drivers"


def test_devices_says_what_is_wrong_and_what_is_set(drivers: tuple[AcmeDriver, AcmeDriver]) -> None:
    drivers[0].found = [FoundCamera("Acme One", "", problem="Resource busy")]
    drivers[1].found = []
    (found,) = json.loads(CliRunner().invoke(cli, ["devices", "--json", "--details"]).stdout)["cameras"]
    assert found["uri"] == "camera:acme"
    assert "found it in use by another program" in found["problem"]
    assert found["details"] == ["driver none"]
    lines = CliRunner().invoke(cli, ["devices", "--details"]).stdout.splitlines()
    assert lines[1].startswith("    ⚠ expected the camera of Acme to open")
    assert lines[2] == "    driver none"


def test_a_family_without_its_sdk_is_left_out(
    drivers: tuple[AcmeDriver, AcmeDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert opening.find_cameras() == []
    assert CliRunner().invoke(cli, ["devices"]).stdout.startswith("No camera found; 'sim:' needs none")
    with pytest.raises(MissingError, match=r"install one: acme.example; or pip install acme"):
        open_source("camera:acme")


def test_an_unknown_family_is_refused_by_name(drivers: tuple[AcmeDriver, AcmeDriver]) -> None:
    with pytest.raises(UsageError, match=r"expected camera: or camera:acme/<serial>, found 'camera:nikon'"):
        open_source("camera:nikon")


def test_without_a_camera_the_real_drivers_say_what_to_do() -> None:
    if opening.find_cameras():
        pytest.skip("a camera is plugged in here")
    for uri in ("camera:", "camera:prophesee", "camera:inivation", "camera:inivation/12345"):
        with pytest.raises(MissingError, match=r"found none.*(plug it in|--device=/dev/bus/usb)"):
            open_source(uri)


def test_the_families_of_the_table() -> None:
    assert [(family.key, [way.sdk for way in family.ways]) for family in families.FAMILIES] == [
        ("prophesee", ["metavision_hal", "neuromorphic_drivers"]),
        ("inivation", ["dv_processing", "neuromorphic_drivers"]),
    ]
    # What comes with the program itself is enough for each.
    assert all(family.installed for family in families.FAMILIES)


def test_rules_let_users_open_each_family() -> None:
    text = CliRunner().invoke(cli, ["doctor", "--udev-rules"]).stdout
    rules = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = [re.findall(r'idVendor\}=="(.+?)", ATTR\{idProduct\}=="(.+?)"', rule)[0] for rule in rules]
    assert found == [
        ("04b4", "00f[4-5]"), ("03fd", "5832"), ("1fc9", "5838"), ("31f7", "000[2-4]"), ("152a", "84[0-1]?"),
    ]  # fmt: skip
    assert all('TAG+="uaccess"' in rule and 'MODE="0660"' in rule for rule in rules)


def test_a_usb_2_port_is_noted(
    drivers: tuple[AcmeDriver, AcmeDriver], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("spikebridge.sources.cameras.refusals.slow_port", lambda family, serial: f"slow {serial}")
    source = open_source("camera:acme")
    assert source.counters().notes == ("slow A1",)
    source.close()
    assert opening.find_cameras()[0].problem == "slow A1"
