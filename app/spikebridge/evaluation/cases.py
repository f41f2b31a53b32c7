"""Labelled clips to measure on: recordings named after their gesture, and sets of clips. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spikebridge.contracts import LABELS
from spikebridge.datasets.augmentation import TICK_US
from spikebridge.datasets.clips import ClipSet
from spikebridge.datasets.labelled_recordings import SUFFIXES, find_recordings
from spikebridge.datasets.loader import open_clips
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.sources.labels import Span, check_inside, labels_path, read_labels


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled clip. events : sorted, from ``t_start_us`` on. onset_us : camera clock, None where unknown.
    person : groups cases for intervals of confidence."""

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


def read_cases(data: Path) -> Iterator[Case]:
    """A recording, a folder of them (one below it for each person), a set of clips, or DVS128 Gesture's test subjects.

    A recording has its labels beside it, as ``spikebridge record`` writes them, or a name that starts with one.
    Raises InputError for anything else.
    """
    if not data.exists():
        raise InputError(f"expected recordings or clips at {data}, found nothing there; check the path.")
    if data.is_dir() and (any(data.glob("*.npy")) or (data / "trials_to_train.txt").is_file()):
        yield from _clip_cases(open_clips(data, "test"))
        return
    recordings = find_recordings(data) if data.is_dir() else [(0, data)]
    if not recordings:
        raise InputError(f"expected recordings ({', '.join(SUFFIXES)}) or a set of clips in {data}, found none.")
    for person, path in recordings:
        yield from _recording_cases(path, person)


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


def _recording_cases(path: Path, person: int) -> Iterator[Case]:
    from spikebridge.sources import open_recording

    labels = labels_path(path)
    spans = read_labels(labels)[0] if labels.is_file() else []
    named = None if labels.is_file() else _label_in(path)
    recording = open_recording(path)
    try:
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
    fitting = [i for i, label in enumerate(LABELS) if path.stem.startswith(label)]
    if not fitting:
        raise InputError(
            f"expected labels in {labels_path(path).name} or a name that starts with one of {', '.join(LABELS)}, "
            f"found neither for {path.name}."
        )
    return max(fitting, key=lambda i: len(LABELS[i]))
