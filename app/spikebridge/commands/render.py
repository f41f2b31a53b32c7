"""``spikebridge render``: a recording as a film."""

from __future__ import annotations

import math
import os
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from spikebridge.commands.progress_bar import progress_bar, say
from spikebridge.commands.reading import read_reading, read_size, reading_options
from spikebridge.commands.speed import SPEED
from spikebridge.errors import UsageError
from spikebridge.settings import DEFAULT_MODEL


@click.command()
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--style",
    type=click.Choice(["demo", "events"]),
    default="demo",
    show_default=True,
    help="With decision, bars and strip; or the bare picture.",
)
@click.option("--model", default=DEFAULT_MODEL, show_default=True, help="A shipped bundle or a bundle's folder.")
@click.option("--from", "start_s", type=click.FloatRange(min=0), default=0.0, help="Seconds from the first event on.")
@click.option("--to", "stop_s", type=click.FloatRange(min=0, min_open=True), help="Seconds from the first event on.")
@click.option("--speed", type=SPEED, default=1.0, show_default=True, help="0.1 shows a tenth of a second in one.")
@click.option("--fps", type=click.IntRange(1, 240), default=30, show_default=True, help="Frames per second.")
@click.option("--size", metavar="WxH", help="Of the film, px; default: 1920x1080, or whole pixels of the bare events.")
@click.option("--fade", type=click.IntRange(min=1), default=60, show_default=True, help="An event is seen so many ms.")
@reading_options
@click.option("--overwrite", is_flag=True, help="In place of a file that is there already.")
def render(path: Path, out: Path, **given: Any) -> None:
    """FILE as a film OUT.mp4 or OUT.gif; OUT.png is its last picture.

    What depends on this machine, latencies and the host's power, is not in it: the same file gives the same film.
    """
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from spikebridge.recordings import open_recording
    from spikebridge.ui.film import FilmSettings, count_frames, render_film
    from spikebridge.ui.film_writing import check_name

    check_name(out)
    if out.exists() and not given["overwrite"]:
        raise UsageError(f"expected a name that is free, found {out}; choose another or pass --overwrite.")
    if math.isinf(given["speed"]):
        raise UsageError("expected a speed such as 1 or 0.1, found max; a film has to last for some time.")
    stop_s: float | None = given["stop_s"]
    settings = FilmSettings(
        style=given["style"],
        model=given["model"],
        start_us=round(given["start_s"] * 1e6),
        stop_us=None if stop_s is None else round(stop_s * 1e6),
        speed=Fraction(given["speed"]).limit_denominator(1_000_000),
        fps=given["fps"],
        size=read_size("--size", given["size"]),
        fade_us=1000 * given["fade"],
    )
    with closing(open_recording(path, read_reading(given))) as recording:
        recording.complete()
        for sentence in recording.counters().notes:
            say(sentence)
        with progress_bar(count_frames(recording, settings), "rendering") as done:
            n = render_film(recording, out, settings, done)
    say(f"wrote {out}: {n} frames" if out.suffix != ".png" else f"wrote {out}")
