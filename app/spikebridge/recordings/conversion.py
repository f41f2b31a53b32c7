"""From one format to another: all events of a recording, or a part of them in time and place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from spikebridge.contracts import SourceInfo
from spikebridge.errors import InputError, UsageError
from spikebridge.events import EventArray, Sensor
from spikebridge.recordings.formats import Writer, written_as
from spikebridge.recordings.indexed import IndexedRecording
from spikebridge.recordings.labels import Span, labels_path, read_labels, write_labels

#: Events that are read at once, about: the length of the next read in time follows from that of the last one.
_AT_ONCE = 1 << 20
_FIRST_US, _LONGEST_US = 10_000, 60_000_000


class Crop(NamedTuple):
    """A part of the sensor, px; becomes the whole sensor of what is written."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Part:
    """What is taken of a recording. start_us, stop_us : from its first event on, half open; None for its end."""

    start_us: int = 0
    stop_us: int | None = None
    crop: Crop | None = None


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written. spans : labels that lay beside the recording and lie beside the copy now."""

    events: int
    spans: int


class Conversion:
    """A recording and where a part of it goes; nothing is written before ``run``.

    Raises UsageError where the part is empty, where ``out`` is the recording itself or exists already, and where the
    format can't hold what is there.
    """

    def __init__(self, recording: IndexedRecording, path: Path, out: Path, part: Part, *, overwrite: bool) -> None:
        _check_target(path, out, overwrite)
        self._recording, self._path, self._out, self._part = recording, path, out, part
        self._format = written_as(out)
        self._writer: Writer = self._format.writing()
        recording.complete()
        self.info = _info_of(recording.info, part)
        #: What the copy won't hold, one sentence each.
        self.lost = (*_other_streams(recording), *self._writer.what_is_lost(self.info))

    @property
    def length_us(self) -> int:
        """Time that the part takes."""
        start_us, stop_us = _range_of(self.info)
        return stop_us - start_us

    def run(self, on_progress: Callable[[int], None] = lambda done_us: None) -> Converted:
        """Writes the copy, and the labels beside it where there are any; all or nothing.

        on_progress : gets how much of the recording's time is done, µs; what it raises ends the conversion.
        """
        start_us, stop_us = _range_of(self.info)
        spans = self._spans(start_us, stop_us)
        writer = self._writer.open_writer(self._out, self.info.sensor)
        n_events = 0
        try:
            for events, until_us in self._pieces(start_us, stop_us):
                writer.write(events)
                n_events += events.size
                on_progress(until_us - start_us)
            if not n_events:
                raise InputError(f"expected events in that part of {self._path}, found none; choose another part.")
            if spans:
                write_labels(labels_path(self._out), spans)
        except BaseException:
            writer.abort()
            raise
        writer.close()
        return Converted(n_events, len(spans))

    def _pieces(self, start_us: int, stop_us: int) -> Iterator[tuple[EventArray, int]]:
        """Events of one read after the other, and up to when that was."""
        t_us, length_us = start_us, _FIRST_US
        while t_us < stop_us:
            until_us = min(t_us + length_us, stop_us)
            events = self._recording.read(t_us, until_us)
            yield (events if self._part.crop is None else _cropped(events, self._part.crop)), until_us
            rate = max(events.size, 1) / (until_us - t_us)
            t_us, length_us = until_us, max(1, min(round(_AT_ONCE / rate), 4 * length_us, _LONGEST_US))

    def _spans(self, start_us: int, stop_us: int) -> list[Span]:
        beside = labels_path(self._path)
        if not beside.is_file():
            return []
        inside = [
            replace(span, start_us=max(span.start_us, start_us), stop_us=min(span.stop_us, stop_us))
            for span in read_labels(beside)[0]
        ]
        return [span for span in inside if span.start_us < span.stop_us]


def _check_target(path: Path, out: Path, overwrite: bool) -> None:
    taken = [each for each in (out, labels_path(out)) if each.exists()]
    if out.exists() and out.samefile(path):
        raise UsageError(f"expected another name than that of the recording, found '{out}'; choose one that is free.")
    if labels_path(out).exists() and labels_path(path).exists() and labels_path(out).samefile(labels_path(path)):
        raise UsageError(
            f"expected a name whose labels would not take the place of {labels_path(path)}, found '{out}'; choose "
            "another."
        )
    if taken and not overwrite:
        raise UsageError(f"expected a name that is free, found {taken[0]}; choose another or pass --overwrite.")


def _info_of(info: SourceInfo, part: Part) -> SourceInfo:
    """Of what is written."""
    first_us, end_us = _range_of(info)
    stop_us = end_us if part.stop_us is None else min(first_us + part.stop_us, end_us)
    start_us = first_us + part.start_us
    if part.start_us < 0 or start_us >= stop_us:
        raise UsageError(
            f"expected a part that begins before it ends, within the {(end_us - first_us) / 1e6:.3f} s of the "
            f"recording, found {part.start_us / 1e6:g} s to {(stop_us - first_us) / 1e6:g} s."
        )
    sensor = info.sensor if part.crop is None else _sensor_of(info.sensor, part.crop)
    return replace(info, sensor=sensor, t_first_us=start_us, t_last_us=stop_us - 1)


def _sensor_of(sensor: Sensor, crop: Crop) -> Sensor:
    fits = crop.x + crop.width <= sensor.width and crop.y + crop.height <= sensor.height
    if not fits or min(crop.x, crop.y) < 0 or min(crop.width, crop.height) < 1:
        raise UsageError(
            f"expected a part of the {sensor.width}x{sensor.height} px of the sensor, found {crop.width}x{crop.height} "
            f"px from {crop.x},{crop.y}."
        )
    return Sensor(crop.width, crop.height, sensor.name)


def _cropped(events: EventArray, crop: Crop) -> EventArray:
    x, y = events["x"] - crop.x, events["y"] - crop.y  # below zero wraps around and is far outside
    inside = (x < crop.width) & (y < crop.height)
    cropped = events[inside].copy()
    cropped["x"], cropped["y"] = x[inside], y[inside]
    return cropped


def _other_streams(recording: IndexedRecording) -> tuple[str, ...]:
    if not recording.samples:
        return ()
    named = ", ".join(f"{n:,} of {name}" for name, n in recording.samples.items())
    return (f"Only events are written; what else is in the recording is not: {named}.",)


def _range_of(info: SourceInfo) -> tuple[int, int]:
    if info.t_first_us is None or info.t_last_us is None:
        raise ValueError(f"expected a recording with its first and last time, got {info}")
    return info.t_first_us, info.t_last_us + 1
