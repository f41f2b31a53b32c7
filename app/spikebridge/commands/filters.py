"""Noise filters on the command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import click

from spikebridge.errors import UsageError
from spikebridge.settings import FILTER_KINDS, FilterKind, FilterSettings

_Command = TypeVar("_Command", bound=Callable[..., object])

_HELP = (
    "Take noise out of the events, in the order given: background:2ms (no neighbour had an event so shortly before), "
    "refractory:1ms (of one pixel so soon after another), hot or hot:2s (pixels that send without cause, found in the "
    "first second or so long), hot:mask.csv (pixels named in a file, x,y in each line), rate:5M (events per second)."
)
_DEFAULTS: dict[FilterKind, str] = {"background": "2ms", "refractory": "1ms", "hot": "1s"}
_US = {"us": 1, "µs": 1, "μs": 1, "ms": 1_000, "s": 1_000_000}
_FACTORS = {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
_NUMBER = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)"


def filter_option(command: _Command) -> _Command:
    """``--filter``, several times if wanted; read by ``read_filters``."""
    return click.option("--filter", "filters", multiple=True, metavar="KIND[:VALUE]", help=_HELP)(command)


def read_filters(given: Iterable[str]) -> tuple[FilterSettings, ...]:
    """What ``filter_option`` was given."""
    return tuple(read_filter(text) for text in given)


def read_filter(text: str) -> FilterSettings:
    """``background:2ms``, ``refractory:500us``, ``hot``, ``hot:2s``, ``hot:mask.csv`` or ``rate:5M``."""
    name, _, value = text.partition(":")
    kind = next((kind for kind in FILTER_KINDS if kind == name), None)
    if kind is None:
        raise UsageError(f"expected --filter to begin with {', '.join(FILTER_KINDS)}, found '{text}'; see --help.")
    value = value or _DEFAULTS.get(kind, "")
    if kind == "rate":
        return FilterSettings(kind, rate_hz=_read_rate(value, text))
    time_us = _read_time(value)
    if time_us is None and kind == "hot":
        path = Path(value)
        if not path.is_file():
            raise UsageError(
                f"expected --filter hot with a time such as 1s or a file of pixels, found '{text}' and no such file."
            )
        return FilterSettings(kind, mask=path)
    if time_us is None:
        raise UsageError(f"expected --filter {kind} with a time such as 2ms or 500us, found '{text}'.")
    return FilterSettings(kind, time_us)


def _read_time(value: str) -> int | None:
    """µs; None for what is no time."""
    found = re.fullmatch(_NUMBER + "(us|µs|μs|ms|s)", value)
    return None if found is None else round(Decimal(found[1]) * _US[found[2]])


def _read_rate(value: str, text: str) -> int:
    found = re.fullmatch(_NUMBER + "([kMG]?)", value)
    if found is None:
        raise UsageError(f"expected --filter rate with events per second such as 5M or 200k, found '{text}'.")
    return round(Decimal(found[1]) * _FACTORS[found[2]])
