"""Settings of a camera in a file.

erc_rate = 20_000_000
roi = [320, 0, 640, 720]
antiflicker = [50, 520]    # or true: the camera's own band

[biases]                   # by the names that the camera has for them
bias_diff_on = 20
"""

from __future__ import annotations

import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Literal, TypeAlias

from spikebridge.errors import InputError, UsageError
from spikebridge.settings import CameraSettings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_KEYS = ("biases", "erc_rate", "roi", "antiflicker")
#: More is no file of settings.
_MOST_BYTES = 1 << 20
_Table: TypeAlias = dict[str, object]


def read_preset(path: Path) -> CameraSettings:
    """Raises InputError for what is no such file, naming the key."""
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise InputError(f"expected a camera preset of less than 1 MiB, found a larger file, {path}; name another.")
        table: _Table = tomllib.loads(text.decode())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(
            f"expected a camera preset in TOML at {path}, found: {error}; correct or name another."
        ) from error
    unknown = next((key for key in table if key not in _KEYS), None)
    if unknown is not None:
        raise InputError(f"expected keys among {', '.join(_KEYS)} in {path}, found '{unknown}'; correct it.")
    try:
        return CameraSettings(
            _biases(table.get("biases", {}), path),
            _rate(table.get("erc_rate"), path),
            _region(table.get("roi"), path),
            _band(table.get("antiflicker"), path),
        )
    except UsageError as error:
        raise InputError(f"{str(error).removesuffix('.')} in {path}; correct it.") from error


def over(preset: CameraSettings, given: CameraSettings) -> CameraSettings:
    """``given`` where it says something, else ``preset``; biases one by one."""
    said = {field.name: value for field in fields(given) if (value := getattr(given, field.name)) is not None}
    return replace(preset, **{**said, "biases": tuple({**dict(preset.biases), **dict(given.biases)}.items())})


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _biases(value: object, path: Path) -> tuple[tuple[str, int], ...]:
    if not isinstance(value, dict) or not all(_whole(each) for each in value.values()):
        raise _wrong(path, "biases", "a table of names and whole numbers", value)
    return tuple(value.items())


def _rate(value: object, path: Path) -> int | None:
    if value is None or (isinstance(value, int) and _whole(value)):
        return value
    raise _wrong(path, "erc_rate", "a whole number of events per second", value)


def _region(value: object, path: Path) -> tuple[int, int, int, int] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 4 or not all(map(_whole, value)):
        raise _wrong(path, "roi", "[x, y, width, height] in px", value)
    x, y, width, height = value
    return x, y, width, height


def _band(value: object, path: Path) -> tuple[int, int] | Literal[True] | None:
    if value is None or value is False:
        return None
    if value is True:
        return True
    if not isinstance(value, list) or len(value) != 2 or not all(map(_whole, value)):
        raise _wrong(path, "antiflicker", "true, or [lowest, highest] in Hz", value)
    return value[0], value[1]


def _wrong(path: Path, key: str, expected: str, found: object) -> InputError:
    return InputError(f"expected {key} to be {expected} in {path}, found {found!r}; correct it.")
