"""``spikebridge record``."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import click

from spikebridge.commands.filters import filter_option, read_filters
from spikebridge.commands.network import read_tls, tls_options
from spikebridge.contracts import LABELS, RecordingStatus, Replay, Source


@click.command()
@click.argument("source")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--label", type=click.Choice(LABELS), default=None, help="What is performed, until another mark.")
@click.option(
    "--for", "seconds", type=click.FloatRange(min=0, min_open=True), default=None, help="End after so many seconds."
)
@click.option("--fast", is_flag=True, help="The simulated camera as fast as it can; recordings always are.")
@click.option("--seed", type=int, default=None, help="Makes the simulated camera repeatable.")
@filter_option
@click.option("--no-reconnect", is_flag=True, help="End when a camera or server is lost instead of waiting for it.")
@tls_options
def record(
    source: str,
    out: Path,
    label: str | None,
    seconds: float | None,
    fast: bool,
    seed: int | None,
    filters: tuple[str, ...],
    no_reconnect: bool,
    **tls: Path | None,
) -> None:
    """Record SOURCE to OUT.aedat4; Ctrl-C ends it.

    The file is there from the beginning and can be read whatever happens: a crash costs a second at most. Labels go
    into OUT_labels.csv, from which 'train --fine-tune' learns: the given one, and marks in between: a line on standard
    input with a label's name or number (1 … 11) begins one, an empty line ends it. Without any, the simulated camera
    writes what it performs and when.
    """
    from spikebridge.settings import SourceSettings
    from spikebridge.sources import open_source
    from spikebridge.sources.recorder import record as write
    from spikebridge.sources.tape import Tape, check_target
    from spikebridge.terminal.marks import MarkLines

    check_target(out)
    simulated = source.startswith("sim:")
    speed = 1.0 if simulated and not fast else math.inf
    settings = SourceSettings(
        speed, seed=seed, filters=read_filters(filters), reconnect=not no_reconnect, tls=read_tls(tls)
    )
    opened = open_source(source, settings)
    length_us = None if seconds is None else round(seconds * 1e6)
    with ExitStack() as entered:
        entered.callback(opened.close)
        waits = opened.info.kind == "recording" or (simulated and fast)
        tape = Tape(out, opened.info.sensor, label=label, lossless=waits)
        entered.callback(lambda: _tell_result(tape.status(), opened.counters().dropped))
        entered.callback(tape.close)
        whole_s = _length_s(opened, seconds)
        marks = MarkLines(tape.mark, lambda words: click.echo(f"\r{words}", err=True))
        interrupted = entered.enter_context(interruption())

        def go_on(status: RecordingStatus) -> bool:
            marks.look()
            if status.duration_us % 1_000_000 == 0:
                click.echo(f"\r{_present(status)}{whole_s}", err=True, nl=False)
            return not interrupted.is_set()

        write(opened, tape, length_us, go_on)


def _present(status: RecordingStatus) -> str:
    """``12 s, 340,000 events``, and what was lost."""
    lost = f", {status.lost:,} lost" if status.lost else ""
    return f"{status.events:,} events{lost} in {status.duration_us // 1_000_000} s"


def _tell_result(status: RecordingStatus, dropped: int) -> None:
    """dropped : events that were lost before they came here."""
    if not status.events:
        return
    labels = f"{status.labels} labels" if status.labels else "no labels"
    lost = f", {status.lost + dropped} events lost" if status.lost + dropped else ""
    wrote = f"wrote {status.path}: {status.events} events in {status.duration_us / 1e6:.2f} s, {labels}{lost}"
    click.echo(f"\r{wrote}", err=True)


def _length_s(source: Source, seconds: float | None) -> str:
    """`` of 20 s``, or nothing where the end is open."""
    info = source.info
    if isinstance(source, Replay) and source.status().indexed < 1:
        return ""
    if info.t_first_us is not None and info.t_last_us is not None:
        seconds = min(seconds or math.inf, (info.t_last_us - info.t_first_us) / 1e6)
    return "" if seconds is None else f" of {seconds:.1f} s"


@contextmanager
def interruption() -> Iterator[threading.Event]:
    """Set by Ctrl-C, so that the recording ends whole."""
    interrupted = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        interrupted.set()

    before = signal.signal(signal.SIGINT, end)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)
