"""Options that set a camera."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from spikebridge.commands.camera import camera_options, read_camera
from spikebridge.commands.main import cli
from spikebridge.errors import UsageError
from spikebridge.settings import CameraSettings


def read(*arguments: str) -> CameraSettings:
    found: list[CameraSettings] = []

    @click.command()
    @camera_options
    def command(**given: Any) -> None:
        found.append(read_camera(given))

    result = CliRunner().invoke(command, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return found[0]


def test_nothing_is_said() -> None:
    assert read() == CameraSettings()


def test_all_of_them() -> None:
    assert read(
        "--bias", "diff_on=20", "--bias", "fo = -3", "--erc-rate", "5000000", "--roi", "1, 2,3,4", "--antiflicker",
        "50-520",
    ) == CameraSettings((("diff_on", 20), ("fo", -3)), 5_000_000, (1, 2, 3, 4), (50, 520))  # fmt: skip


def test_the_cameras_own_band() -> None:
    assert read("--antiflicker").antiflicker_hz is True
    assert read("--antiflicker", "--erc-rate", "5") == CameraSettings(erc_rate_hz=5, antiflicker_hz=True)


def test_options_over_a_preset(tmp_path: Path) -> None:
    preset = tmp_path / "a.toml"
    preset.write_text("erc_rate = 7\n[biases]\na = 1\nb = 2\n")
    assert read("--camera-preset", str(preset), "--bias", "b=3") == CameraSettings((("a", 1), ("b", 3)), 7)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--bias", "diff_on"), "--bias NAME=VALUE with a whole number"),
        (("--bias", "=5"), "--bias NAME=VALUE"),
        (("--bias", "a=1.5"), "--bias NAME=VALUE"),
        (("--bias", "a=1", "--bias", "a=2"), "each bias once, found a twice"),
        (("--roi", "1,2,3"), "--roi X,Y,WIDTH,HEIGHT"),
        (("--roi", "1,2,0,4"), "some px in it, found 1,2,0,4"),
        (("--antiflicker", "50"), "--antiflicker alone or with LOWEST-HIGHEST"),
        (("--antiflicker", "60-50"), "a band LOWEST-HIGHEST in Hz, found 60-50"),
    ],
)
def test_what_can_not_be_read_is_named(arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        read(*arguments)


def test_run_hands_them_on(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []
    monkeypatch.setattr("spikebridge.commands.run._run", lambda source, settings, outcome: ran.append(settings.source))
    CliRunner().invoke(cli, ["run", "camera:", "--bias", "on=5", "--no-reconnect"], catch_exceptions=False)
    CliRunner().invoke(cli, ["run", "camera:"], catch_exceptions=False)
    assert [(one.camera, one.reconnect) for one in ran] == [
        (CameraSettings(biases=(("on", 5),)), False),
        (CameraSettings(), True),
    ]
