"""``spikebridge convert``: a recording into another format, or a part of it."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spikebridge.commands.progress_bar import progress_bar, say
from spikebridge.commands.reading import read_reading, reading_options
from spikebridge.commands.record import interruption
from spikebridge.errors import UsageError

if TYPE_CHECKING:
    from spikebridge.recordings.conversion import Crop


@click.command()
@click.argument("path", metavar="IN", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--from", "start_s", type=click.FloatRange(min=0), default=0.0, help="Seconds from the first event on.")
@click.option("--to", "stop_s", type=click.FloatRange(min=0, min_open=True), help="Seconds from the first event on.")
@click.option("--crop", metavar="X,Y,WxH", help="Only these pixels; the first one becomes 0,0.")
@reading_options
@click.option("--overwrite", is_flag=True, help="In place of a file that is there already.")
def convert(
    path: Path, out: Path, start_s: float, stop_s: float | None, crop: str | None, overwrite: bool, **given: Any
) -> None:
    """The recording IN as OUT, in the format that OUT's name asks for; labels beside it come along.

    Reads every format that 'run' reads. What OUT can't hold is said first. Ctrl-C leaves nothing half written.
    """
    from spikebridge.recordings import open_recording
    from spikebridge.recordings.conversion import Conversion, Part

    part = Part(round(start_s * 1e6), None if stop_s is None else round(stop_s * 1e6), read_crop(crop))
    with closing(open_recording(path, read_reading(given))) as recording:
        conversion = Conversion(recording, path, out, part, overwrite=overwrite)
        for sentence in (*recording.counters().notes, *conversion.lost):
            say(sentence)
        # Not as an exception, which could come between the file and who removes it.
        with interruption() as interrupted, progress_bar(conversion.length_us, "converting") as done:

            def go_on(done_us: int) -> None:
                if interrupted.is_set():
                    raise click.Abort
                done(done_us)

            written = conversion.run(go_on)
    labels = f" and {written.spans} labels" if written.spans else ""
    say(f"wrote {out}: {written.events} events{labels}")


def read_crop(text: str | None) -> Crop | None:
    """``X,Y,WxH``."""
    from spikebridge.recordings.conversion import Crop

    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,5}),([0-9]{1,5}),([0-9]{1,5})[x×]([0-9]{1,5})", text)
    if found is None:
        raise UsageError(f"expected --crop X,Y,WIDTHxHEIGHT in px, e.g. 100,0,128x128, found '{text}'.")
    return Crop(*map(int, found.groups()))
