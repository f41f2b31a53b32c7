"""Labelled clips to measure on: recordings named after their gesture, and sets of clips. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spikebridge.contracts import LABELS
from spikebridge.errors import InputError
from spikebridge.events import EventArray, Sensor, make_events
from spikebridge.training.augment import TICK_US
from spikebridge.training.clips import ClipSet
from spikebridge.training.packing import open_clips

_RECORDINGS = (".aedat", ".aedat4")


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
    """A recording whose name starts with a label, a folder of such, a set of clips, or DVS128 Gesture's test subjects.

    Raises InputError for anything else.
    """
    if not data.exists():
        raise InputError(f"expected recordings or clips at {data}, found nothing there; check the path.")
    if data.is_dir() and (any(data.glob("*.npy")) or (data / "trials_to_train.txt").is_file()):
        yield from _clip_cases(open_clips(data, "test"))
        return
    paths = sorted(p for p in data.iterdir() if p.suffix in _RECORDINGS) if data.is_dir() else [data]
    if not paths:
        raise InputError(f"expected recordings ({', '.join(_RECORDINGS)}) or a set of clips in {data}, found none.")
    for path in paths:
        yield _recording_case(path)


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


def _recording_case(path: Path) -> Case:
    from spikebridge.sources import open_recording

    fitting = [i for i, label in enumerate(LABELS) if path.stem.startswith(label)]
    if not fitting:
        raise InputError(f"expected a recording whose name starts with one of {', '.join(LABELS)}, found {path.name}.")
    recording = open_recording(path)
    try:
        info = recording.info
        if info.t_first_us is None or info.t_last_us is None:
            raise InputError(f"expected events in {path}, found none; leave it out.")
        events = recording.read(info.t_first_us, info.t_last_us + 1)
        label = max(fitting, key=lambda i: len(LABELS[i]))
        return Case(path.name, label, events, info.t_first_us, info.t_last_us + 1, info.sensor, 0)
    finally:
        recording.close()
