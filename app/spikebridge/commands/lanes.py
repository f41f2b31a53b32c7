"""Options that say which networks run, and where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TypeVar

import click

from spikebridge.errors import UsageError
from spikebridge.settings import (
    DEFAULT_MODEL,
    FITS,
    GENERATIONS,
    MODES,
    SNN_BACKENDS,
    Fit,
    LaneSettings,
    LoihiBoard,
    Mode,
    SnnBackend,
    SnnSettings,
)

_Command = TypeVar("_Command", bound=Callable[..., object])

_BOARD = tuple(field.name for field in fields(LoihiBoard))
#: What may stand behind a model's name.
_OWN = ("snn", "ann", "mode", "fit", "name")


def backend_options(command: _Command) -> _Command:
    """``--snn`` and ``--ann``, and what Lava and a board of Loihi 2 need; read by ``read_snn``."""
    return _decorate(
        command,
        click.option("--snn", type=click.Choice(SNN_BACKENDS), default=SnnSettings().backend, show_default=True),
        click.option(
            "--ann",
            default=LaneSettings().ann,
            show_default=True,
            help="cpu, cuda, tensorrt or grpc://host:port/model.",
        ),
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
        click.option("--loihi-generation", metavar="NAME", help=f"Of the chip: {', '.join(GENERATIONS)}."),
        click.option(
            "--loihi-profile/--no-loihi-profile",
            default=None,
            help="Measure power and time on the board (default) or leave its steps undisturbed.",
        ),
    )


def lane_options(command: _Command) -> _Command:
    """``--model``, several times if wanted, and what holds for all of them; read by ``read_lanes``."""
    command = _decorate(
        command,
        click.option(
            "--model",
            "models",
            multiple=True,
            metavar="NAME[,KEY=VALUE…]",
            help="Shipped bundle or bundle folder, and what holds for it alone: snn, ann, mode, fit, name. "
            f"Several run side by side. Default: {DEFAULT_MODEL}.",
        ),
        click.option(
            "--mode",
            type=click.Choice(MODES),
            default=LaneSettings().mode,
            help="Decisions every hop, or the paper's windows.",
        ),
        click.option("--fit", type=click.Choice(FITS), default=None, help="How other sensor sizes are mapped."),
    )
    return backend_options(command)


def read_lanes(given: Mapping[str, object]) -> tuple[LaneSettings, ...]:
    """A lane for each ``--model``; UsageError where an option would have no effect."""
    models = given["models"] or (DEFAULT_MODEL,)
    if not isinstance(models, tuple):
        raise TypeError(f"expected a tuple of models, got {models!r}")
    common = {key: str(given[key]) for key in ("snn", "ann", "mode", "fit") if given[key] is not None}
    own = [_read_model(str(model)) for model in models]
    backends = {chosen.get("snn", common["snn"]) for _, chosen in own}
    lava, board = _read_lava(given, backends), _read_board(given, backends)
    return tuple(_lane(model, {**common, **chosen}, lava, board) for model, chosen in own)


def read_snn(given: Mapping[str, object]) -> SnnSettings:
    """Of ``backend_options`` for one network."""
    backend = _choice("snn", str(given["snn"]), SNN_BACKENDS)
    return SnnSettings(backend, _read_lava(given, {backend}), _read_board(given, {backend}))


def _lane(model: str, chosen: Mapping[str, str], lava: Path | None, board: LoihiBoard | None) -> LaneSettings:
    backend: SnnBackend = _choice("snn", chosen["snn"], SNN_BACKENDS)
    mode: Mode = _choice("mode", chosen["mode"], MODES)
    fit: Fit | None = _choice("fit", chosen["fit"], FITS) if "fit" in chosen else None
    return LaneSettings(
        model=model,
        name=chosen.get("name", ""),
        snn=SnnSettings(backend, lava if backend != "emulator" else None, board if backend == "loihi2" else None),
        ann=chosen["ann"],
        mode=mode,
        fit=fit,
    )


def _read_model(text: str) -> tuple[str, dict[str, str]]:
    """``name,key=value,…``; a folder whose name holds a comma is taken as it is."""
    if Path(text).is_dir():
        return text, {}
    name, *pairs = text.split(",")
    chosen = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if key not in _OWN or not equals or not value:
            raise UsageError(
                f"expected --model NAME and behind it {_or(_OWN)} with =VALUE, found '{pair}' in '{text}'."
            )
        chosen[key] = value
    return name, chosen


_Choice = TypeVar("_Choice", bound=str)


def _choice(option: str, found: str, choices: tuple[_Choice, ...]) -> _Choice:
    for choice in choices:
        if choice == found:
            return choice
    raise UsageError(f"expected {option} to be {_or(choices)}, found '{found}'.")


def _or(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _read_lava(given: Mapping[str, object], backends: set[str]) -> Path | None:
    """The interpreter that was named; UsageError where nothing would run on it."""
    python = given["lava_python"]
    if python is None:
        return None
    if backends == {"emulator"}:
        raise UsageError("expected --lava-python only with --snn lava or loihi2, found --snn emulator; leave it out.")
    return Path(str(python))


def _read_board(given: Mapping[str, object], backends: set[str]) -> LoihiBoard | None:
    """Where the board is, or None where the user said nothing of it; UsageError where no board would be used."""
    chosen = {name: given[f"loihi_{name}"] for name in _BOARD if given.get(f"loihi_{name}") is not None}
    if not chosen:
        return None
    first = next(iter(chosen))
    if "loihi2" not in backends:
        raise UsageError(
            f"expected --loihi-{first} only with --snn loihi2, found --snn {', '.join(sorted(backends))}; leave one of "
            "them out."
        )
    if "address" in chosen:
        chosen.setdefault("host", "ethernet")
    return LoihiBoard(**chosen)  # type: ignore[arg-type]


def _decorate(command: _Command, *options: Callable[[_Command], _Command]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command
