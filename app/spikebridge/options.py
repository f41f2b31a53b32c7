"""Options of the command line that say where the spiking layers run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from spikebridge.errors import UsageError

if TYPE_CHECKING:
    from spikebridge.snn.lava import HardwareOptions

_Command = TypeVar("_Command", bound=Callable[..., Any])

#: Option → field of ``HardwareOptions``.
_BOARD = {
    "loihi_host": "host",
    "loihi_address": "address",
    "loihi_partition": "partition",
    "loihi_board": "board",
    "loihi_generation": "generation",
    "loihi_profile": "profile",
}


def lava_options(command: _Command) -> _Command:
    """Adds the options that ``lava_python`` and ``board`` read."""
    for option in reversed(
        (
            click.option(
                "--lava-python",
                type=click.Path(path_type=Path),
                help="Interpreter that has Lava; default: SPIKEBRIDGE_LAVA_PYTHON, else the one of lava-setup.",
            ),
            click.option(
                "--loihi-host",
                type=click.Choice(["slurm", "ethernet"]),
                help="How the Loihi 2 board is reached; default: ethernet with an address, else slurm.",
            ),
            click.option("--loihi-address", metavar="IP", help="Of the board's host, for ethernet."),
            click.option("--loihi-partition", metavar="NAME", help="SLURM partition to take a board from."),
            click.option("--loihi-board", metavar="NAME", help="The SLURM board itself."),
            click.option("--loihi-generation", metavar="NAME", help="Of the chip: N3B2, N3B3 (default), N3C1, N3D1."),
            click.option(
                "--loihi-profile/--no-loihi-profile",
                default=None,
                help="Measure power and time on the board (default) or leave its steps undisturbed.",
            ),
        )
    ):
        command = option(command)
    return command


def lava_python(options: Mapping[str, Any], snn: str) -> Path | None:
    """The interpreter that was named; UsageError where nothing would run on it."""
    python: Path | None = options.get("lava_python")
    if python is not None and snn == "emulator":
        raise UsageError("expected --lava-python only with --snn lava or loihi2, found --snn emulator; leave it out.")
    return python


def board(options: Mapping[str, Any], snn: str) -> HardwareOptions | None:
    """Where the board is, or None where the user said nothing of it; UsageError where no board would be used."""
    given = {name: options[name] for name in _BOARD if options.get(name) is not None}
    if not given:
        return None
    first = "--" + next(iter(given)).replace("_", "-")
    if snn != "loihi2":
        raise UsageError(f"expected {first} only with --snn loihi2, found --snn {snn}; leave one of them out.")
    from spikebridge.snn.lava import HardwareOptions

    if "loihi_address" in given:
        given.setdefault("loihi_host", "ethernet")
    return HardwareOptions(**{_BOARD[name]: value for name, value in given.items()})
