"""``spikebridge run``: a source through one network or several, in the window or the terminal."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from spikebridge.commands.camera import camera_options, read_camera
from spikebridge.commands.filters import filter_option, read_filters
from spikebridge.commands.lanes import lane_options, read_lanes
from spikebridge.commands.network import read_tls, tls_options
from spikebridge.commands.reading import read_reading, reading_options
from spikebridge.commands.speed import SPEED
from spikebridge.contracts import LABELS
from spikebridge.errors import MissingError, UsageError
from spikebridge.settings import DEFAULT_SOURCE, RecordSettings, RunSettings, SourceSettings


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Where a run shows itself, and when it ends."""

    headless: bool
    as_json: bool
    screenshot: Path | None
    seconds: float | None


@click.command()
@click.argument("source", default=DEFAULT_SOURCE)
@lane_options
@click.option("--speed", type=SPEED, default=SourceSettings().speed, help="1 is real time; max: as fast as it goes.")
@click.option("--loop", is_flag=True, help="Start a recording again at its end.")
@click.option("--max-gap", type=click.FloatRange(min=0), default=None, help="Longest silence to replay, s.")
@click.option("--seed", type=int, default=None, help="Makes the simulated camera repeatable.")
@reading_options
@click.option(
    "--record",
    "record_to",
    metavar="OUT.aedat4",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Record what comes from SOURCE while it runs; a crash costs a second at most.",
)
@click.option(
    "--session",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Keep events, settings and every decision, for 'spikebridge verify'.",
)
@click.option("--label", type=click.Choice(LABELS), default=None, help="Marks what is recorded, until another mark.")
@filter_option
@camera_options
@tls_options
@click.option("--no-reconnect", is_flag=True, help="End when a camera or server is lost instead of waiting for it.")
@click.option("--headless", is_flag=True, help="In the terminal, without a window.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per decision and a summary; implies --headless.")
@click.option("--screenshot", type=click.Path(path_type=Path), default=None, help="Save the window as PNG, then end.")
@click.option(
    "--for", "seconds", type=click.FloatRange(min=0, min_open=True), default=None, help="End after so many seconds."
)
@click.option("--no-host-estimate", is_flag=True, help="No estimated watts where no meter can be read.")
def run(source: str, **given: Any) -> None:
    """Events from SOURCE through the whole chain: sim:, sim:<gesture>, a recording, camera: or net:host:port.

    Several --model set as many networks side by side on the one stream. What holds for one of them alone stands
    behind its name: --model s2a4-stream --model s2a4-stream,snn=lava

    While it records without a window, a line on standard input with a label's name or number (1 … 11) marks from then
    on, and an empty line ends the mark. In the window, the keys S, G and T record and mark.
    """
    max_gap_s: float | None = given["max_gap"]
    settings = RunSettings(
        lanes=read_lanes(given),
        source=SourceSettings(
            speed=given["speed"],
            loop=given["loop"],
            max_gap_us=None if max_gap_s is None else round(max_gap_s * 1e6),
            seed=given["seed"],
            read=read_reading(given),
            camera=read_camera(given),
            reconnect=not given["no_reconnect"],
            filters=read_filters(given["filters"]),
            tls=read_tls(given),
        ),
        estimate_host=not given["no_host_estimate"],
        record=RecordSettings(given["record_to"], given["session"], given["label"]),
    )
    outcome = _Outcome(
        headless=given["headless"] or given["as_json"],
        as_json=given["as_json"],
        screenshot=given["screenshot"],
        seconds=given["seconds"],
    )
    _run(source, settings, outcome)


def _run(source: str, settings: RunSettings, outcome: _Outcome) -> None:
    _check_free(settings.record)
    # A waiting thread gets the interpreter after this time; the default of 5 ms would show in the latency's tail.
    sys.setswitchinterval(1e-5)
    if outcome.headless and outcome.screenshot:
        raise UsageError("expected either --headless or --screenshot, found both; the screenshot is of the window.")
    if not outcome.headless:
        if outcome.screenshot and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        from spikebridge.ui.display import display_problem

        problem = display_problem()
        if problem is None:
            from spikebridge.ui.app import run_window

            sys.exit(run_window(source, settings, screenshot=outcome.screenshot, duration_s=outcome.seconds))
        if outcome.screenshot:
            raise MissingError(problem.sentence)
        click.echo(f"No window: {problem.sentence} The same chain runs here in the terminal; Ctrl-C ends it.", err=True)
    from spikebridge.terminal.headless import run_headless

    run_headless(source, settings, seconds=outcome.seconds, as_json=outcome.as_json)


def _check_free(record: RecordSettings) -> None:
    """Refuses a taken name before anything is opened."""
    if record.path is not None:
        from spikebridge.sources.tape import check_target

        check_target(record.path)
    if record.session is not None:
        from spikebridge.run.session_writing import check_folder

        check_folder(record.session)
