"""``spikebridge record``."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from spikebridge.commands.filters import filter_option, read_filters
from spikebridge.commands.network import read_tls, reconnect_option, tls_options
from spikebridge.contracts import LABELS, Source


@click.command()
@click.argument("source")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--label", type=click.Choice(LABELS), default=None, help="What is performed from beginning to end.")
@click.option(
    "--for", "seconds", type=click.FloatRange(min=0, min_open=True), default=None, help="End after so many seconds."
)
@click.option("--fast", is_flag=True, help="The simulated camera as fast as it can; recordings always are.")
@click.option("--seed", type=int, default=None, help="Makes the simulated camera repeatable.")
@filter_option
@reconnect_option
@tls_options
def record(
    source: str,
    out: Path,
    label: str | None,
    seconds: float | None,
    fast: bool,
    seed: int | None,
    filters: tuple[str, ...],
    reconnect: bool,
    **tls: Path | None,
) -> None:
    """Record SOURCE to OUT.aedat4; Ctrl-C ends it.

    The label goes into OUT_labels.csv, from which 'train --fine-tune' learns. Without one, the simulated camera
    writes what it performs and when; other sources are recorded without labels.
    """
    from spikebridge.settings import SourceSettings
    from spikebridge.sources import open_source
    from spikebridge.sources.recorder import check_target
    from spikebridge.sources.recorder import record as write

    check_target(out)
    simulated = source.startswith("sim:")
    speed = 1.0 if simulated and not fast else math.inf
    settings = SourceSettings(speed, seed=seed, filters=read_filters(filters), reconnect=reconnect, tls=read_tls(tls))
    opened = open_source(source, settings)
    length_us = None if seconds is None else round(seconds * 1e6)
    try:
        whole_s = _length_s(opened, seconds)
        with _interrupt() as interrupted:

            def go_on(done_us: int) -> bool:
                if done_us % 1_000_000 == 0:
                    click.echo(f"\r{done_us // 1_000_000} s{whole_s}", err=True, nl=False)
                return not interrupted.is_set()

            result = write(opened, out, label, length_us, go_on)
    finally:
        opened.close()
    spans = f", {len(result.spans)} labels" if result.spans else ", no labels"
    lost = f", {result.dropped} events lost" if result.dropped else ""
    click.echo(f"\rwrote {out}: {result.events} events in {result.duration_us / 1e6:.2f} s{spans}{lost}", err=True)


def _length_s(source: Source, seconds: float | None) -> str:
    """`` of 20 s``, or nothing where the end is open."""
    info = source.info
    if info.t_first_us is not None and info.t_last_us is not None:
        seconds = min(seconds or math.inf, (info.t_last_us - info.t_first_us) / 1e6)
    return "" if seconds is None else f" of {seconds:.1f} s"


@contextmanager
def _interrupt() -> Iterator[threading.Event]:
    """Set by Ctrl-C, so that the recording ends whole."""
    interrupted = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        interrupted.set()

    before = signal.signal(signal.SIGINT, end)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)
