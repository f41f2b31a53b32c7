"""Labelled clips to measure on: recordings with labels or named after their gesture, and sets of clips."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from spikebridge.contracts import LABELS
from spikebridge.datasets.clips import TICK_US, ClipSet
from spikebridge.datasets.dvs_gesture import is_dvs_gesture
from spikebridge.datasets.labelled_recordings import find_recordings
from spikebridge.datasets.loader import has_clips, open_clips
from spikebridge.datasets.quiet_minutes import KINDS, write_quiet
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.boxes import boxes_beside
from spikebridge.recordings.formats import suffixes
from spikebridge.recordings.labels import Span, check_inside, labels_path, no_gestures, read_labels
from spikebridge.settings import FilterSettings, ReadSettings
from spikebridge.sources.filters import FilterChain


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled clip.

    name : for people. label : index into ``LABELS``. events : sorted, from ``t_start_us`` on. t_start_us, t_stop_us :
    camera clock, half open. person : groups the cases for intervals of confidence. onset_us : when the gesture begins,
    camera clock; None where it is under way from the start, or unknown.
    """

    name: str
    label: int
    events: EventArray
    t_start_us: int
    t_stop_us: int
    sensor: Sensor
    person: int
    onset_us: int | None = None

    @property
    def begin_us(self) -> int:
        """From here on the label holds."""
        return self.t_start_us if self.onset_us is None else self.onset_us


def read_cases(data: Path, read: ReadSettings | None = None) -> Iterator[Case]:
    """The clips of a recording, a folder of recordings, a set of clips, or the test persons of DVS128 Gesture.

    In a folder of recordings each folder below is a person. A recording has its labels beside it, as ``spikebridge
    record`` writes them, or a name that begins with one. read : what recordings do not say of themselves. Raises
    InputError for anything else.
    """
    if not data.exists():
        raise InputError(f"expected recordings or clips at {data}, found nothing there; check the path.")
    if data.is_dir() and (has_clips(data) or is_dvs_gesture(data)):
        yield from _clip_cases(open_clips(data, "test"))
        return
    recordings = find_recordings(data) if data.is_dir() else [(0, data)]
    if not recordings:
        raise InputError(f"expected recordings ({', '.join(suffixes())}) or a set of clips in {data}, found none.")
    for person, path in recordings:
        yield from _recording_cases(path, person, read)


def quiet_cases(folder: Path, minutes: float) -> dict[str, Iterator[Case]]:
    """By kind, ``minutes`` in which nobody makes a gesture; they are simulated into ``folder`` when they are read."""

    def read(kind: str) -> Iterator[Case]:
        write_quiet(folder, minutes)
        yield from read_cases(folder / kind)

    return {kind: read(kind) for kind in KINDS}


def filter_cases(cases: Iterable[Case], filters: tuple[FilterSettings, ...]) -> Iterator[Case]:
    """The same with what passes the filters, which begin anew with each case."""
    for case in cases:
        yield replace(case, events=FilterChain(filters, case.sensor)(case.events)) if filters else case


def _clip_cases(clips: ClipSet) -> Iterator[Case]:
    for number, (stored, clip) in enumerate(clips.clips):
        rows = stored[clip.begin : clip.end]
        address = rows[:, 1].astype(np.int64)
        events = make_events(rows[:, 0].astype(np.int64) * TICK_US, address & 127, (address >> 7) & 127, address >> 14)
        yield Case(
            name=f"{clip.person}/{number}",
            label=clip.label,
            events=events,
            t_start_us=0,
            t_stop_us=clip.ticks * TICK_US,
            sensor=Sensor(128, 128),
            person=clip.person,
            onset_us=clip.onset * TICK_US if clip.onset else None,
        )


def _recording_cases(path: Path, person: int, read: ReadSettings | None) -> Iterator[Case]:
    labels = labels_path(path)
    spans = read_labels(labels)[0] if labels.is_file() else []
    named = None if labels.is_file() else _label_in(path)
    recording = open_recording(path, read)
    try:
        recording.complete()
        info = recording.info
        if info.t_first_us is None or info.t_last_us is None:
            raise InputError(f"expected events in {path}, found none; leave it out.")
        if named is not None:
            spans = [Span(named, info.t_first_us, info.t_last_us + 1)]
        check_inside(path, spans, info.t_first_us, info.t_last_us)
        for number, span in enumerate(spans):
            name = path.name if number == 0 else f"{path.name}, label {number + 1}"
            events = recording.read(span.start_us, span.stop_us)
            yield Case(name, span.label, events, span.start_us, span.stop_us, info.sensor, person)
    finally:
        recording.close()


def _label_in(path: Path) -> int:
    """The longest label that the file's name begins with."""
    fitting = [i for i, label in enumerate(LABELS) if path.stem.startswith(label)]
    boxes = boxes_beside(path)
    if not fitting and boxes is not None:
        raise no_gestures(labels_path(path), boxes)
    if not fitting:
        raise InputError(
            f"expected labels in {labels_path(path).name} or a name that starts with one of {', '.join(LABELS)}, "
            f"found neither for {path.name}."
        )
    return max(fitting, key=lambda i: len(LABELS[i]))
