"""The group of all commands, and the entry point."""

from __future__ import annotations

import importlib
import os
import sys

import click

from spikebridge import __version__
from spikebridge.errors import SpikebridgeError

#: Command → (module below ``commands``, what it is for, for ``--help``).
_COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "Events from SOURCE through the whole chain: sim:, sim:<gesture>, a recording, camera: or net:."),
    "record": ("record", "Record SOURCE to OUT.aedat4; Ctrl-C ends it."),
    "verify": ("verify", "Run a session of 'run --session' again and compare every decision, byte for byte."),
    "publish": ("publish", "Send the events of SOURCE to other machines: publish SOURCE HOST:PORT."),
    "info": ("info", "What is in a recording; with --model: how its layers fit on a chip."),
    "convert": ("convert", "A recording, or a part of it, into another format."),
    "render": ("render", "A recording as a film, with or without the decision."),
    "devices": ("devices", "List the cameras that are plugged in."),
    "doctor": ("doctor", "Check this machine and print the exact command for what is missing."),
    "bench": (
        "bench",
        "Measure this machine: latency, throughput, reading, filters, drawing, start, memory, overload.",
    ),
    "lava-setup": ("lava_setup", "Make the Python 3.10 environment for --snn lava from pinned versions."),
    "nir": ("nir", "Spiking layers to and from NIR, the exchange format of neuromorphic frameworks."),
    "simulate": ("simulate", "Make a set of labelled clips with the simulated camera."),
    "realism": ("realism", "Compare simulated events with recorded ones."),
    "train": ("train", "Train a network, or fine-tune one on your own recordings."),
    "export": ("export", "Write a bundle from a checkpoint."),
    "card": ("card", "Write what was measured of a bundle into its model card."),
    "evaluate": ("evaluate", "Measure bundles on recordings: accuracy, latencies, energy."),
    "paper": ("paper", "Remake the paper's study: train and measure every network alike."),
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[name]
        command = getattr(importlib.import_module(f"spikebridge.commands.{module}"), module)
        if not isinstance(command, click.Command):
            raise TypeError(f"expected a command in commands/{module}.py, got {type(command)}")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in _COMMANDS.items()])


@click.group(cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="spikebridge")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Live demo for event cameras: spikes on Loihi, bridged to an ordinary network, name the gesture.

    Without a command: the window on the simulated camera with the default model.
    """
    if ctx.invoked_subcommand is None:
        from spikebridge.commands.run import run

        ctx.invoke(run)


def main() -> None:
    """Entry point: errors meant for the user become one sentence and an exit code."""
    try:
        cli(standalone_mode=True)
    except SpikebridgeError as error:
        click.echo(f"spikebridge: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


if __name__ == "__main__":
    main()
