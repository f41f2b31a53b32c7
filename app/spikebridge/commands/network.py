"""Options of network streams."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import click

from spikebridge.settings import TlsSettings

_Command = TypeVar("_Command", bound=Callable[..., object])


def tls_options(command: _Command) -> _Command:
    """``--tls-ca``, ``--tls-cert`` and ``--tls-key``; read by ``read_tls``."""
    path = click.Path(path_type=Path)
    options = (
        click.option("--tls-ca", type=path, help="PEM file of who vouches for the other side; encrypts net: streams."),
        click.option("--tls-cert", type=path, help="PEM file with the certificate to show, and those above it."),
        click.option("--tls-key", type=path, help="PEM file with its key, not encrypted."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def read_tls(given: Mapping[str, Path | None]) -> TlsSettings:
    """What ``tls_options`` were given."""
    return TlsSettings(given["tls_ca"], given["tls_cert"], given["tls_key"])
