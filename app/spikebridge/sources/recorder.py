"""Records any source to AEDAT4, with labels beside it where they are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spikebridge.contracts import LABELS, Source
from spikebridge.errors import InputError, UsageError
from spikebridge.recordings.aedat.aedat4_writing import Aedat4Writer
from spikebridge.recordings.labels import Span, labels_path, write_labels
from spikebridge.sources.filtered import unfiltered

STEP_US = 10_000


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was recorded. duration_us : on the camera's clock. dropped : events lost before they could be written."""

    events: int
    duration_us: int
    spans: tuple[Span, ...]
    dropped: int


def record(
    source: Source,
    path: Path,
    label: str | None = None,
    duration_us: int | None = None,
    on_step: Callable[[int], bool] = lambda _: True,
) -> Recorded:
    """Writes ``path`` and, where a label holds, its ``_labels.csv``; both or neither.

    label : of the whole recording; None takes what the simulated camera performs, and leaves other sources without.
    duration_us : ends it after so long on the camera's clock; else the end of the source does. on_step : gets the
    time recorded so far, µs, and says whether to go on. Raises InputError when there were no events or the files
    can't be written.
    """
    check_target(path)
    spans: list[Span] = []
    begin_us: int | None = None
    stop_us = 0
    with Aedat4Writer(path, source.info.sensor) as writer:
        for packet in source.packets(STEP_US):
            begin_us = packet.t_start_us if begin_us is None else begin_us
            stop_us = packet.t_stop_us
            writer.write(packet.events)
            _extend(spans, label or _performed(source), packet.t_start_us, stop_us)
            done_us = stop_us - begin_us
            if not on_step(done_us) or (duration_us is not None and done_us >= duration_us):
                break
        if not writer.n_events:
            raise InputError(f"expected events from {source.info.uri}, found none; is something moving before it?")
        # Before the recording has its name: labels without a recording are nothing, the other way round is a trap.
        if spans:
            write_labels(labels_path(path), spans)
    return Recorded(writer.n_events, stop_us - (begin_us or 0), tuple(spans), source.counters().dropped)


def check_target(path: Path) -> None:
    """Raises UsageError where ``path`` can't become a new recording."""
    if path.suffix != ".aedat4":
        raise UsageError(f"expected a recording named *.aedat4, found '{path}'; only AEDAT4 is written.")
    for taken in (path, labels_path(path)):
        if taken.exists():
            raise UsageError(f"expected a name that is free, found {taken}; choose another or remove it.")


def _performed(source: Source) -> str | None:
    from spikebridge.simulator.camera import SimulatedCamera

    camera = unfiltered(source)
    return camera.current_label if isinstance(camera, SimulatedCamera) else None


def _extend(spans: list[Span], label: str | None, start_us: int, stop_us: int) -> None:
    if label is None:
        return
    index = LABELS.index(label)
    if spans and spans[-1].label == index and spans[-1].stop_us == start_us:
        start_us = spans.pop().start_us
    spans.append(Span(index, start_us, stop_us))
