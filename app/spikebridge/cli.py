"""The command line. Each command imports what it needs when it runs, so that ``--help`` is quick."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import click

from spikebridge import __version__
from spikebridge.errors import SpikebridgeError, UsageError
from spikebridge.options import board, lava_options, lava_python


class _Group(click.Group):
    """Finds the commands of ``lazy``, name → module:function, only when they are called."""

    lazy: ClassVar[dict[str, str]] = {
        "card": "spikebridge.commands.card:card",
        "evaluate": "spikebridge.commands.evaluate:evaluate",
        "export": "spikebridge.commands.export:export",
        "nir": "spikebridge.commands.nir:nir",
        "paper": "spikebridge.commands.paper:paper",
        "realism": "spikebridge.commands.realism:realism",
        "record": "spikebridge.commands.record:record",
        "simulate": "spikebridge.commands.simulate:simulate",
        "train": "spikebridge.commands.train:train",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *self.lazy])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.lazy:
            return super().get_command(ctx, name)
        import importlib

        module, _, function = self.lazy[name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), function)
        return command


@click.group(cls=_Group, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="spikebridge")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Live demo for event cameras: spikes on Loihi, bridged to an ordinary network, name the gesture.

    Without a command: the window on the simulated camera with the default model.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(run, source="sim:")


class _Speed(click.ParamType[float]):
    name = "X|max"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            speed = float("inf") if value == "max" else float(value)
        except ValueError:
            speed = 0.0
        if not speed > 0:
            self.fail(f"expected a number above 0 or 'max', found '{value}'.", param, ctx)
        return speed


@cli.command()
@click.argument("source", default="sim:")
@click.option("--model", default=None, help="Name of a shipped bundle or path of a bundle folder.")
@click.option("--snn", default="emulator", show_default=True, help="emulator, lava or loihi2.")
@click.option("--ann", default="cpu", show_default=True, help="cpu, cuda, tensorrt or grpc://host:port/model.")
@click.option("--speed", type=_Speed(), default=1.0, help="1 is real time; max: as fast as the chain takes it.")
@click.option(
    "--mode",
    type=click.Choice(["stream", "window"]),
    default="stream",
    help="Decisions every hop, or the paper's windows.",
)
@click.option("--fit", type=click.Choice(["center", "full"]), default=None, help="How other sensor sizes are mapped.")
@click.option("--loop", is_flag=True, help="Start a recording again at its end.")
@click.option("--max-gap", type=click.FloatRange(min=0), default=None, help="Longest silence to replay, s.")
@click.option("--seed", type=int, default=None, help="Makes the simulated camera repeatable.")
@click.option("--headless", is_flag=True, help="In the terminal, without a window.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per decision and a summary; implies --headless.")
@click.option("--screenshot", type=click.Path(path_type=Path), default=None, help="Save the window as PNG, then end.")
@click.option(
    "--for", "seconds", type=click.FloatRange(min=0, min_open=True), default=None, help="End after so many seconds."
)
@click.option("--no-host-estimate", is_flag=True, help="No estimated watts where no meter can be read.")
@lava_options
def run(source: str, **options: Any) -> None:
    """Events from SOURCE through the whole chain: sim:, sim:<gesture>, or a recording."""
    from spikebridge.runtime import DEFAULT_MODEL, RunSettings

    snn: str = options.get("snn") or "emulator"
    settings = RunSettings(
        model=options.get("model") or DEFAULT_MODEL,
        snn=snn,
        ann=options.get("ann") or "cpu",
        speed=options.get("speed") or 1.0,
        mode=options.get("mode") or "stream",
        loop=bool(options.get("loop")),
        max_gap_us=None if options.get("max_gap") is None else round(options["max_gap"] * 1e6),
        fit=options.get("fit"),
        seed=options.get("seed"),
        estimate_host=not options.get("no_host_estimate"),
        lava_python=lava_python(options, snn),
        loihi=board(options, snn),
    )
    headless = bool(options.get("headless") or options.get("as_json"))
    screenshot: Path | None = options.get("screenshot")
    seconds: float | None = options.get("seconds")
    # A waiting thread gets the interpreter after this time; the default of 5 ms would show in the latency's tail.
    sys.setswitchinterval(1e-5)
    if headless and screenshot:
        raise UsageError("expected either --headless or --screenshot, found both; the screenshot is of the window.")
    if not headless:
        if screenshot and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        from spikebridge.ui.display import display_problem

        problem = display_problem()
        if problem is None:
            _run_window(source, settings, screenshot, seconds)
        if screenshot:
            from spikebridge.errors import MissingError

            raise MissingError(problem)
        click.echo(f"No window: {problem} The same chain runs here in the terminal; Ctrl-C ends it.", err=True)
    from spikebridge.headless import run_headless

    run_headless(source, settings, seconds=seconds, as_json=bool(options.get("as_json")))


def _run_window(source: str, settings: Any, screenshot: Path | None, seconds: float | None) -> NoReturn:
    from spikebridge.runtime import open_pipeline, start_lava

    # Lava starts before Qt, and while Qt does; sources that are opened later start their own.
    early = start_lava(settings)
    from spikebridge.ui.app import run_window

    def started(uri: str, say: Any) -> Any:
        pipeline = open_pipeline(uri, settings, say=say, snn=early.pop() if early else None)
        pipeline.start()
        return pipeline

    try:
        sys.exit(run_window(started, source, screenshot=screenshot, duration_s=seconds))
    finally:
        for stage in early:
            stage.close()


@cli.command()
@click.argument("path", required=False)
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.option("--model", default=None, help="Instead of a recording: how this bundle's spiking layers fit on a chip.")
@click.option("--chip", default="loihi1", show_default=True, help="loihi1 or loihi2.")
def info(path: str | None, as_json: bool, model: str | None, chip: str) -> None:
    """What is in a recording: format, sensor, events, rates, oddities. With --model: the mapping onto a chip."""
    if (path is None) == (model is None):
        raise UsageError("expected either the path of a recording or --model, found both or neither.")
    if path is not None:
        from spikebridge.sources.info import describe

        _print_table(describe(path), as_json)
        return
    from spikebridge.bundle import load_model
    from spikebridge.snn import load_network
    from spikebridge.snn.energy import price_lines, price_object
    from spikebridge.snn.mapping import map_network, mapping_lines

    bundle = load_model(str(model))
    if bundle.snn is None:
        raise UsageError(f"expected a bundle with spiking layers, found {bundle.name} without.")
    report = map_network(load_network(bundle.snn.path), chip, bundle.accumulator.interval_steps)
    if as_json:
        click.echo(json.dumps({"model": bundle.name, **_fields(report), "cost_model": price_object()}))
    else:
        click.echo("\n".join([f"{bundle.name}: {bundle.title}", *mapping_lines(report), *price_lines()]))


@cli.command("lava-setup")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--python", "interpreter", default=None, help="A Python 3.10; default: the first found.")
def lava_setup(folder: Path | None, interpreter: str | None) -> None:
    """Makes the Python 3.10 environment for --snn lava from pinned versions."""
    from spikebridge.snn.lava.environment import create

    click.echo(create(folder, interpreter, lambda line: click.echo(line, err=True)))


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def devices(as_json: bool) -> None:
    """Lists the cameras that are plugged in."""
    from spikebridge.sources.inivation import discover

    found = [{"uri": f"camera:inivation/{serial}", "model": model} for model, serial in discover()]
    if as_json:
        click.echo(json.dumps({"cameras": found}))
    else:
        click.echo("\n".join(f"{c['uri']}  {c['model']}" for c in found) or "No camera found; 'sim:' needs none.")


@cli.command()
@click.option("--json", "as_json", is_flag=True)
def doctor(as_json: bool) -> None:
    """Checks this machine and prints the exact command for what is missing."""
    from spikebridge.doctor import diagnose

    checks = diagnose()
    if as_json:
        click.echo(json.dumps([vars(check) if hasattr(check, "__dict__") else _fields(check) for check in checks]))
        return
    for check in checks:
        click.echo(f"{check.state:8} {check.name}: {check.sentence}")
        if check.fix and check.state != "ok":
            click.echo(f"{'':8}   → {check.fix}")


@cli.command()
@click.option("--json", "as_json", is_flag=True)
@click.option("--quick", is_flag=True, help="Shorter runs, rougher figures.")
@click.option("--only", multiple=True, help="Names of single benchmarks.")
@click.option("--recordings", type=click.Path(exists=True, path_type=Path), help="Folder of recordings to replay.")
@click.option("--model", default=None, help="Name or folder of the bundle to measure.")
def bench(as_json: bool, quick: bool, only: tuple[str, ...], recordings: Path | None, model: str | None) -> None:
    """Measures this machine: latency, throughput, reading, drawing, start, memory, overload."""
    from spikebridge.bench import BenchSettings, run_benchmarks
    from spikebridge.runtime import DEFAULT_MODEL

    run_benchmarks(BenchSettings(quick, recordings, model or DEFAULT_MODEL), only, as_json=as_json)


def _fields(record: Any) -> dict[str, Any]:
    import dataclasses

    return dataclasses.asdict(record)


def _print_table(fields: dict[str, Any], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(fields))
        return
    width = max(len(key) for key in fields)
    for key, value in fields.items():
        click.echo(f"{key:{width}}  {value if not isinstance(value, (dict, list, tuple)) else json.dumps(value)}")


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
