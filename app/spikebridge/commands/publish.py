"""``spikebridge publish``: a source for other machines."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from spikebridge.commands.camera import camera_options, read_camera
from spikebridge.commands.filters import filter_option, read_filters
from spikebridge.commands.network import read_tls, tls_options
from spikebridge.commands.reading import read_reading, reading_options
from spikebridge.commands.speed import SPEED
from spikebridge.contracts import Source
from spikebridge.errors import UsageError
from spikebridge.settings import SourceSettings

if TYPE_CHECKING:
    from spikebridge.sources.net.publisher import Publisher

#: Events wait so long for others before they leave: a tenth of a step of the networks.
_STEP_US = 1000
#: A recording waits for a slow reader so long before it goes on without it.
_PATIENCE_S = 1.0
_FINISH_S = 5.0


@click.command()
@click.argument("source")
@click.argument("address", metavar="HOST:PORT")
@click.option("--speed", type=SPEED, default=SourceSettings().speed, help="1 is real time; max: as fast as it goes.")
@click.option("--loop", is_flag=True, help="Start a recording again at its end.")
@click.option("--max-gap", type=click.FloatRange(min=0), default=None, help="Longest silence to replay, s.")
@click.option("--seed", type=int, default=None, help="Makes the simulated camera repeatable.")
@reading_options
@filter_option
@camera_options
@click.option("--no-reconnect", is_flag=True, help="End when a camera or server is lost instead of waiting for it.")
@tls_options
@click.option(
    "--compression", type=click.Choice(["none", "lz4", "zstd"]), default="none", show_default=True,
    help="For slow networks; dv-processing reads all three.",
)  # fmt: skip
@click.option(
    "--for", "seconds", type=click.FloatRange(min=0, min_open=True), default=None, help="End after so many seconds."
)
def publish(source: str, address: str, **given: Any) -> None:
    """Send the events of SOURCE to whoever connects to HOST:PORT; 0.0.0.0 is every address of this machine.

    'spikebridge run net:host:port' reads them on another machine, and so does a NetworkReader of dv-processing. A
    recording begins with the first reader. Who is too slow loses events, which is counted and said.
    """
    from spikebridge.sources import open_source
    from spikebridge.sources.net.address import read_address
    from spikebridge.sources.net.publisher import Publisher
    from spikebridge.sources.net.tls import publishing_context

    place = read_address(address)
    if place is None:
        raise UsageError(f"expected HOST:PORT to publish at, such as 0.0.0.0:7777, found '{address}'.")
    tls = read_tls(given)
    context = publishing_context(tls)
    opened = open_source(source, _settings(given))
    try:
        recorded = opened.info.kind == "recording"
        patience_s = _PATIENCE_S if recorded else 0.0
        publisher = Publisher(place, opened.info.sensor, context, given["compression"].upper(), patience_s, _say)
        _say(f"{opened.info.title} is published at {publisher.address}; Ctrl-C ends it.")
        with _interrupt(opened, publisher) as interrupted:
            if recorded:
                _wait_for_a_reader(publisher, interrupted)
            _send(opened, publisher, interrupted, given["seconds"])
    finally:
        opened.close()


def _settings(given: dict[str, Any]) -> SourceSettings:
    max_gap_s: float | None = given["max_gap"]
    return SourceSettings(
        speed=given["speed"],
        loop=given["loop"],
        max_gap_us=None if max_gap_s is None else round(max_gap_s * 1e6),
        seed=given["seed"],
        read=read_reading(given),
        filters=read_filters(given["filters"]),
        reconnect=not given["no_reconnect"],
        camera=read_camera(given),
        tls=read_tls(given),
    )


def _wait_for_a_reader(publisher: Publisher, interrupted: threading.Event) -> None:
    _say("The recording begins with the first reader.")
    while not publisher.status().connected and not interrupted.wait(0.01):
        pass


def _send(source: Source, publisher: Publisher, interrupted: threading.Event, seconds: float | None) -> None:
    began_s = time.monotonic()
    try:
        for packet in source.packets(_STEP_US):
            publisher.publish(packet.events, source.counters().dropped)
            if interrupted.is_set() or (seconds is not None and time.monotonic() - began_s >= seconds):
                break
        publisher.finish(0.0 if interrupted.is_set() else _FINISH_S)
    finally:
        publisher.close()
    status, counters = publisher.status(), source.counters()
    readers = "1 reader" if status.connected == 1 else f"{status.connected} readers"
    _say(
        f"sent {status.events:,} events to {readers} in {time.monotonic() - began_s:.1f} s; {status.dropped:,} were "
        f"not sent to slow readers, {counters.dropped:,} lost by the source, {counters.filtered:,} filtered."
    )
    for note in counters.notes:
        _say(note)


@contextmanager
def _interrupt(source: Source, publisher: Publisher) -> Iterator[threading.Event]:
    """Set by Ctrl-C, which ends the source too, wherever it waits."""
    interrupted, over = threading.Event(), threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        interrupted.set()
        over.set()

    def close() -> None:
        over.wait()
        source.close()

    # Not in the handler: it may have come in the middle of what the source holds a lock for.
    closing = threading.Thread(target=close, name="spikebridge-interrupt", daemon=True)
    closing.start()
    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interrupted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        publisher.close()
        over.set()
        closing.join()


def _say(words: str) -> None:
    click.echo(words, err=True)
