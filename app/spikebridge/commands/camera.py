"""Options that set a camera."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeVar

import click

from spikebridge.errors import UsageError
from spikebridge.settings import CameraSettings

_Command = TypeVar("_Command", bound=Callable[..., object])
_OWN_BAND = "own"


def camera_options(command: _Command) -> _Command:
    """``--bias``, ``--erc-rate``, ``--roi``, ``--antiflicker`` and ``--camera-preset``; read by ``read_camera``."""
    options = (
        click.option(
            "--bias",
            "biases",
            metavar="NAME=VALUE",
            multiple=True,
            help="A bias of the camera, by the name it has there; may be given several times.",
        ),
        click.option("--erc-rate", type=click.IntRange(min=1), help="Events per second that the camera lets through."),
        click.option("--roi", metavar="X,Y,W,H", help="Only these px of the camera, from the top left."),
        click.option(
            "--antiflicker",
            metavar="[LOWEST-HIGHEST]",
            is_flag=False,
            flag_value=_OWN_BAND,
            help="Leave flickering lamps out: the camera's own band, or one in Hz.",
        ),
        click.option(
            "--camera-preset",
            "preset",
            metavar="FILE.toml",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Settings of the camera from a file; other options count more.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def read_camera(given: Mapping[str, object]) -> CameraSettings:
    """What ``camera_options`` were given."""
    biases = given["biases"]
    rate, preset = given["erc_rate"], given["preset"]
    settings = CameraSettings(
        biases=tuple(_read_bias(str(text)) for text in biases) if isinstance(biases, tuple) else (),
        erc_rate_hz=rate if isinstance(rate, int) else None,
        roi=_read_region(given["roi"]),
        antiflicker_hz=_read_band(given["antiflicker"]),
    )
    if not isinstance(preset, Path):
        return settings
    from spikebridge.sources.cameras.preset import over, read_preset

    return over(read_preset(preset), settings)


def _read_bias(text: str) -> tuple[str, int]:
    name, equals, value = (part.strip() for part in text.partition("="))
    if not equals or not name or not re.fullmatch(r"[+-]?[0-9]+", value):
        raise UsageError(f"expected --bias NAME=VALUE with a whole number, e.g. diff_on=20, found '{text}'.")
    return name, int(value)


def _read_region(text: object) -> tuple[int, int, int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,5}),([0-9]{1,5}),([0-9]{1,5}),([0-9]{1,5})", str(text).replace(" ", ""))
    if found is None:
        raise UsageError(f"expected --roi X,Y,WIDTH,HEIGHT in px, e.g. 320,0,640,720, found '{text}'.")
    return int(found[1]), int(found[2]), int(found[3]), int(found[4])


def _read_band(text: object) -> tuple[int, int] | Literal[True] | None:
    if text is None:
        return None
    if text == _OWN_BAND:
        return True
    found = re.fullmatch(r"([0-9]{1,6})[-–]([0-9]{1,6})", str(text))
    if found is None:
        raise UsageError(f"expected --antiflicker alone or with LOWEST-HIGHEST in Hz, e.g. 50-520, found '{text}'.")
    return int(found[1]), int(found[2])
