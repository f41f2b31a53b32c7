"""LabelledClip clips on disk.

A set is a folder of shards. A shard is ``<name>.npy``, (N, 2) uint16 with the time in 0.1 ms and the address
``(polarity * 128 + y) * 128 + x`` of each event, memory-mapped when read, and ``<name>.json``, the list of the clips
inside. The list is written last, so a set may grow while it is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import LABELS
from spikebridge.errors import InputError
from spikebridge.events import EventArray
from spikebridge.files import make_folder, open_whole, write_whole

#: Clips are stored with times in units of 0.1 ms: exact enough for steps of 10 ms, and 16 bits hold 6.5 s.
TICK_US = 100
#: Lies beside the shards of simulated persons and says what they were made with.
PLAN_NAME = "plan.json"
_MOST_TICKS = 65535
#: Of a single person, one of so many clips of each class is validated on.
_HELD_OUT_OF_ONE = 4


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip of a shard.

    label : index into ``LABELS``. person : number of the person, as simulated or recorded. begin, end : rows of its
    events, half open. ticks : its length, 0.1 ms. onset : when the gesture begins, 0.1 ms after the clip's start; the
    person stands still before that.
    """

    label: int
    person: int
    begin: int
    end: int
    ticks: int
    onset: int = 0


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """A clip in memory.

    events : sorted, times from 0, of a sensor of 128x128 pixels. label, person : as in ``Clip``. duration_us : its
    length. onset_us : when the gesture begins, µs after the clip's start.
    """

    events: EventArray
    label: int
    person: int
    duration_us: int
    onset_us: int = 0


def is_shard(path: Path) -> bool:
    """Whether a file holds the events of a shard."""
    return path.suffix == ".npy" and path.with_suffix(".json").is_file()


def write_shard(folder: Path, name: str, clips: Iterable[LabelledClip]) -> None:
    """Writes the clips as shard ``name``; raises InputError, and leaves nothing behind, when it can't be written."""
    make_folder(folder)
    entries: list[Clip] = []
    parts: list[NDArray[np.uint16]] = []
    begin = 0
    for clip in clips:
        packed = _pack(clip.events)
        ticks = min(clip.duration_us // TICK_US, _MOST_TICKS)
        entries.append(Clip(clip.label, clip.person, begin, begin + len(packed), ticks, clip.onset_us // TICK_US))
        parts.append(packed)
        begin += len(packed)
    if not parts:
        raise ValueError(f"expected at least one clip for the shard {name}, got none")
    events, index = folder / f"{name}.npy", folder / f"{name}.json"
    # Without its index a shard is not read: events and index of different times never stand beside each other.
    index.unlink(missing_ok=True)
    try:
        with open_whole(events, what="the clips") as file:
            np.save(file, np.concatenate(parts))
        write_whole(index, json.dumps([asdict(entry) for entry in entries]), what="the clips")
    except InputError:
        events.unlink(missing_ok=True)
        raise


class ClipSet:
    """All clips of a folder's shards, as (events of the shard, clip). title : where they come from, for model cards."""

    def __init__(self, folder: Path, title: str | None = None) -> None:
        self.folder = folder
        self.title = title or ("simulated camera" if (folder / PLAN_NAME).is_file() else "clips")
        self.clips: list[tuple[NDArray[np.uint16], Clip]] = []
        self._shards: set[str] = set()
        self.refresh()
        if not self.clips:
            raise InputError(f"expected clips in {folder}, found none; make some with 'spikebridge simulate'.")

    def refresh(self) -> None:
        """Adds the shards that have appeared since the last call."""
        for path in sorted(self.folder.glob("*.npy")):
            index = path.with_suffix(".json")
            if path.name in self._shards or not index.is_file():
                continue
            try:
                events = np.load(path, mmap_mode="r")
                clips = [Clip(**entry) for entry in json.loads(index.read_text())]
            except (OSError, ValueError, TypeError) as error:
                raise InputError(f"expected a shard of clips at {index}, found: {error}; make it again.") from error
            if clips and (clips[-1].end > len(events) or not all(0 <= c.label < len(LABELS) for c in clips)):
                raise InputError(f"expected {index} to fit its events and labels, found others; make it again.")
            self._shards.add(path.name)
            self.clips += [(events, clip) for clip in clips]

    def persons(self) -> list[int]:
        """Numbers of the persons, ascending."""
        return sorted({clip.person for _, clip in self.clips})

    def split(self, held_out: int) -> tuple[list[int], list[int]]:
        """(training, validation) indices into ``clips``; every ``held_out``-th person is for validation.

        With a single person, every fourth clip of each class is; how well a network does on others stays unknown then.
        """
        if len(self.persons()) > 1:
            held = [clip.person % held_out == 0 for _, clip in self.clips]
        else:
            held, seen = [], [0] * len(LABELS)
            for _, clip in self.clips:
                seen[clip.label] += 1
                held.append(seen[clip.label] % _HELD_OUT_OF_ONE == 0)
        training = [i for i, validates in enumerate(held) if not validates]
        return training, [i for i, validates in enumerate(held) if validates]


def _pack(events: EventArray) -> NDArray[np.uint16]:
    """(n, 2) time in 0.1 ms and address of events on a 128x128 sensor; the first 6.5 s."""
    events = events[events["t"] < TICK_US * _MOST_TICKS]
    packed = np.empty((len(events), 2), np.uint16)
    packed[:, 0] = events["t"] // TICK_US
    packed[:, 1] = (events["polarity"].astype(np.uint16) << 14) | (events["y"].astype(np.uint16) << 7) | events["x"]
    return packed
