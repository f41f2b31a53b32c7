"""The table of camera families: what is found, opened, refused, and made accessible."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from spikebridge.commands.main import cli
from spikebridge.contracts import Source
from spikebridge.errors import MissingError, UsageError
from spikebridge.sources import cameras, open_source
from spikebridge.sources.live import LiveSource
from spikebridge.testing import ScriptedCamera


class AcmeDriver:
    """A second family: cameras "A1" and "B2"."""

    def __init__(self) -> None:
        self.opened: list[str | None] = []

    def discover(self) -> list[tuple[str, str]]:
        return [("Acme One", "A1"), ("Acme Two", "B2")]

    def open_camera(self, serial: str | None) -> Source:
        self.opened.append(serial)
        return LiveSource(ScriptedCamera([]))


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> AcmeDriver:
    driver = AcmeDriver()
    family = cameras.Family("acme", "Acme", lambda: driver, "json", "pip install acme", (("beef", "00[1-2]?"),))
    monkeypatch.setattr(cameras, "FAMILIES", (*cameras.FAMILIES, family))
    return driver


def test_any_camera_is_the_first_that_is_found(acme: AcmeDriver) -> None:
    if cameras.FAMILIES[0].load().discover():
        pytest.skip("an iniVation camera is plugged in here")
    open_source("camera:").close()
    assert acme.opened == ["A1"]


def test_a_certain_camera(acme: AcmeDriver) -> None:
    open_source("camera:acme").close()
    open_source("camera:acme/B2").close()
    assert acme.opened == [None, "B2"]


def test_devices_lists_all_families(acme: AcmeDriver) -> None:
    found = json.loads(CliRunner().invoke(cli, ["devices", "--json"]).stdout)["cameras"]
    assert found[-2:] == [
        {"uri": "camera:acme/A1", "model": "Acme One"},
        {"uri": "camera:acme/B2", "model": "Acme Two"},
    ]
    assert CliRunner().invoke(cli, ["devices"]).stdout.splitlines()[-1] == "camera:acme/B2  Acme Two"


def test_a_family_without_its_sdk_is_left_out(acme: AcmeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cameras.find_cameras() == []


def test_an_unknown_family_is_refused_by_name(acme: AcmeDriver) -> None:
    with pytest.raises(UsageError, match=r"camera:inivation/<serial> or camera:acme/<serial>, found 'camera:nikon'"):
        open_source("camera:nikon")


def test_without_a_camera_the_real_sdk_says_what_to_do() -> None:
    if cameras.find_cameras():
        pytest.skip("a camera is plugged in here")
    with pytest.raises(MissingError, match=r"a camera of iniVation, found none; plug it in.*doctor"):
        open_source("camera:")
    with pytest.raises(MissingError, match=r"an iniVation camera, found none.*doctor"):
        open_source("camera:inivation")
    with pytest.raises(MissingError, match="serial number 12345"):
        open_source("camera:inivation/12345")


def test_rules_let_users_open_each_family(acme: AcmeDriver) -> None:
    text = CliRunner().invoke(cli, ["doctor", "--udev-rules"]).stdout
    rules = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = [re.findall(r'idVendor\}=="(.+?)", ATTR\{idProduct\}=="(.+?)"', rule)[0] for rule in rules]
    assert found == [("152a", "84[0-1]?"), ("beef", "00[1-2]?")]
    assert all('TAG+="uaccess"' in rule and 'MODE="0660"' in rule for rule in rules)
