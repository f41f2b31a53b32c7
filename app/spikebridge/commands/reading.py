"""Options that say what a recording may not say of itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar, cast

import click

from spikebridge.errors import UsageError
from spikebridge.settings import TIME_UNITS, ReadSettings, TimeUnit

_Command = TypeVar("_Command", bound=Callable[..., object])


def reading_options(command: _Command) -> _Command:
    """``--sensor``, ``--columns`` and ``--time-unit``; read by ``read_reading``."""
    options = (
        click.option("--sensor", metavar="WxH", help="Size in px of the sensor, where a recording does not say it."),
        click.option("--columns", metavar="ORDER", help="Of a table without names, e.g. txyp or xytp."),
        click.option("--time-unit", type=click.Choice(TIME_UNITS), help="Of a table's times, where it can't be told."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def read_reading(given: Mapping[str, object]) -> ReadSettings:
    """What ``reading_options`` were given."""
    columns = given["columns"]
    if columns is not None and not re.fullmatch(r"[txyp_]+", str(columns)):
        raise UsageError(f"expected --columns like txyp, with _ for a column to leave out, found '{columns}'.")
    return ReadSettings(
        read_size("--sensor", given["sensor"]),
        None if columns is None else str(columns),
        cast("TimeUnit | None", given["time_unit"]),
    )


def read_size(option: str, text: object) -> tuple[int, int] | None:
    """``WxH`` in px; None where nothing was said."""
    if text is None:
        return None
    found = re.fullmatch(r"([1-9][0-9]{0,4})[x×]([1-9][0-9]{0,4})", str(text))
    if found is None:
        raise UsageError(f"expected {option} WIDTHxHEIGHT in px, e.g. 1280x720, found '{text}'.")
    return int(found[1]), int(found[2])
