"""The commands ``nir export`` and ``nir import``: spiking layers to and from the exchange format NIR."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from spikebridge.errors import UsageError
from spikebridge.files import replacement

if TYPE_CHECKING:
    from spikebridge.snn import Network


@click.group()
def nir() -> None:
    """Spiking layers to and from NIR, the exchange format of neuromorphic frameworks."""


@nir.command("export")
@click.argument("model")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--step-us", type=click.IntRange(1), default=None, help="Length of a step; default: the bundle's.")
def export_nir(model: str, out: Path, step_us: int | None) -> None:
    """Write the spiking layers of MODEL (a bundle's name or folder, or a .net file) to OUT.

    NIR knows time constants in seconds where Loihi has decays per step: the length of a step joins the two.
    """
    from spikebridge.snn.nir import STEP_S, save_nir

    network, own_us = _network(model)
    step_us = step_us or own_us or round(STEP_S * 1e6)
    _write(out, lambda path: save_nir(network, path, step_us * 1e-6))
    click.echo(f"wrote {out}: {_words(network)}, steps of {step_us / 1000:g} ms", err=True)


@nir.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--step-us", type=click.IntRange(1), default=None, help="Length of a step; default: read off the graph.")
def import_nir(file: Path, out: Path, step_us: int | None) -> None:
    """Write the spiking layers of the NIR graph in FILE to OUT, a .net file for the emulator, Lava and Loihi.

    Only what Loihi computes exactly is taken; any other node, branch or value is refused by name.
    """
    from spikebridge.snn import save_network
    from spikebridge.snn.nir import load_nir

    network = load_nir(file, None if step_us is None else step_us * 1e-6)
    _write(out, lambda path: save_network(network, path))
    click.echo(f"wrote {out}: {_words(network)}", err=True)


def _network(model: str) -> tuple[Network, int | None]:
    """The spiking layers and, of a bundle, the length of its steps in µs."""
    from spikebridge.bundle import load_model
    from spikebridge.snn import load_network

    if Path(model).is_file() or model.endswith(".net"):
        return load_network(model), None
    bundle = load_model(model)
    if bundle.snn is None:
        raise UsageError(f"expected a model with spiking layers, found {bundle.name} without; name another one.")
    return load_network(bundle.snn.path), bundle.input.step_us


def _write(out: Path, write: Callable[[Path], None]) -> None:
    """Whole or not at all: what stood there before is replaced only by a finished file."""
    folder = out.absolute().parent
    if not folder.is_dir():
        raise UsageError(f"expected the folder {folder} for {out.name}, found none; create it first.")
    with replacement(out, fix="choose another place", error=UsageError) as unfinished:
        write(unfinished)


def _words(network: Network) -> str:
    shapes = " → ".join("×".join(map(str, shape)) for shape in network.shapes)
    return f"{len(network.layers)} spiking layers, {shapes}"
