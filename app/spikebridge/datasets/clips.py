"""Labelled clips on disk, memory-mapped, and batches of windows drawn from them.

A set is a folder of shards: ``<name>.npy`` (N, 2) uint16 with time in 0.1 ms and address ``(p * 128 + y) * 128 + x``,
and ``<name>.json`` that lists the clips inside and is written last, so a set may grow while it is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import LABELS
from spikebridge.datasets.augmentation import (
    IDENTITY,
    MIRRORED_INDEX,
    TICK_US,
    Augmentation,
    Variation,
    bin_window,
    draw,
)
from spikebridge.datasets.event_batch import EventBatch
from spikebridge.errors import InputError
from spikebridge.events import EventArray
from spikebridge.files import open_whole, write_whole

#: Lies beside the shards of simulated persons and says what they were made with.
PLAN_NAME = "plan.json"
_OTHER = LABELS.index("other")
#: Share of the windows of ``other`` in which somebody waits before a gesture.
_WAITING_SHARE = 0.15
#: A gesture is to be named once less than this share of the window lies before its onset: early, but not at once.
_UNDECIDED_SHARE = 0.6
#: Share of the windows that are as after a start: before their last steps, at least so many, nothing was seen.
_STARTING_SHARE = 0.08
_FEWEST_STEPS = 5


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip of a shard. begin, end : its events. ticks : its length in 0.1 ms. person : as simulated or recorded.
    onset : when the gesture begins, 0.1 ms from the clip's start; still before that."""

    label: int
    person: int
    begin: int
    end: int
    ticks: int
    onset: int = 0


@dataclass(frozen=True, slots=True)
class Labelled:
    """A clip in memory. events : times from 0, sensor 128x128. duration_us : its length. onset_us : see Clip."""

    events: EventArray
    label: int
    person: int
    duration_us: int
    onset_us: int = 0


def write_shard(folder: Path, name: str, clips: Iterable[Labelled]) -> None:
    """Writes the clips; nothing is left behind when it fails."""
    folder.mkdir(parents=True, exist_ok=True)
    entries, parts, begin = [], [], 0
    for clip in clips:
        packed = pack(clip.events)
        ticks = min(clip.duration_us // TICK_US, 65535)
        entries.append(Clip(clip.label, clip.person, begin, begin + len(packed), ticks, clip.onset_us // TICK_US))
        parts.append(packed)
        begin += len(packed)
    events, index = folder / f"{name}.npy", folder / f"{name}.json"
    if not parts:
        raise ValueError(f"expected at least one clip for the shard {name}, got none")
    # Without its index a shard is not read: events and index of different times never stand beside each other.
    index.unlink(missing_ok=True)
    try:
        with open_whole(events, what="the clips") as file:
            np.save(file, np.concatenate(parts))
        write_whole(index, json.dumps([asdict(entry) for entry in entries]), what="the clips")
    except InputError:
        events.unlink(missing_ok=True)
        raise


def pack(events: EventArray) -> NDArray[np.uint16]:
    """(n, 2) uint16 time in 0.1 ms and address of events on a 128x128 sensor; the first 6.5 s."""
    events = events[events["t"] < TICK_US * 65535]
    packed = np.empty((len(events), 2), np.uint16)
    packed[:, 0] = events["t"] // TICK_US
    packed[:, 1] = (events["polarity"].astype(np.uint16) << 14) | (events["y"].astype(np.uint16) << 7) | events["x"]
    return packed


class ClipSet:
    """All clips of a folder's shards; ``refresh`` takes in new ones. title : what they come from, for cards."""

    def __init__(self, folder: Path, title: str | None = None) -> None:
        self.folder = folder
        self.title = title or ("simulated camera" if (folder / PLAN_NAME).is_file() else "clips")
        self.clips: list[tuple[NDArray[np.uint16], Clip]] = []
        self._shards: set[str] = set()
        self.refresh()
        if not self.clips:
            raise InputError(f"expected clips in {folder}, found none; make some with 'spikebridge simulate'.")

    def refresh(self) -> None:
        """Adds the shards that appeared since."""
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
        return sorted({clip.person for _, clip in self.clips})

    def split(self, held_out: int) -> tuple[list[int], list[int]]:
        """(training, validation) indices into ``clips``; every ``held_out``-th person validates.

        Of a single person the last of every four clips of a class do: how it works on others stays unknown then.
        """
        if len(self.persons()) > 1:
            held = [clip.person % held_out == 0 for _, clip in self.clips]
        else:
            held, seen = [], [0] * len(LABELS)
            for _, clip in self.clips:
                seen[clip.label] += 1
                held.append(seen[clip.label] % 4 == 0)
        training = [i for i, validates in enumerate(held) if not validates]
        return training, [i for i, validates in enumerate(held) if validates]


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """window_steps : T. warm_up_steps : steps before it in streaming. step_ticks : length of a step in 0.1 ms."""

    window_steps: int
    warm_up_steps: int
    step_ticks: int

    @property
    def steps(self) -> int:
        return self.window_steps + self.warm_up_steps

    @property
    def ticks(self) -> int:
        """Length of the window without the warm-up."""
        return self.window_steps * self.step_ticks


@dataclass(frozen=True, slots=True)
class WindowBatch:
    """events : B windows. targets : (B, n_labels) float32 probabilities. labels : (B,) as named. clips : (B,)."""

    events: EventBatch
    targets: NDArray[np.float32]
    labels: NDArray[np.int64]
    clips: NDArray[np.int64]


def draw_batch(
    clips: ClipSet,
    by_label: list[list[int]],
    spec: WindowSpec,
    ranges: Augmentation,
    streaming: float,
    randoms: Iterable[np.random.Generator],
) -> WindowBatch:
    """A varied batch with all classes equally likely, but ``other``, which is many things, twice as much.

    by_label : indices into ``clips`` for each label. streaming : share of windows that start warm, the others from
    reset as in the window mode. randoms : one for each window, so that several processes can share a batch.
    """
    present = [label for label, members in enumerate(by_label) if members]
    present += [_OTHER] if by_label[_OTHER] else []
    still = [i for members in by_label for i in members if clips.clips[i][1].onset >= 1.2 * spec.ticks]
    chosen: list[int] = []
    windows, targets, labels = [], [], []
    for random in randoms:
        label = present[random.integers(len(present))]
        index = by_label[label][random.integers(len(by_label[label]))]
        waiting = label == _OTHER and bool(still) and random.random() < _WAITING_SHARE
        if waiting:
            index = still[random.integers(len(still))]
        variation = draw(ranges, random)
        warm = spec.warm_up_steps if random.random() < streaming else 0
        if random.random() < _STARTING_SHARE:
            warm = -int(random.integers(max(1, spec.window_steps - _FEWEST_STEPS)))
        windows.append(_varied(*clips.clips[index], spec, variation, warm, waiting, random))
        named = int(MIRRORED_INDEX[label]) if variation.mirrored else label
        target = np.full(len(LABELS), (1 - variation.certainty) / len(LABELS), np.float32)
        target[named] += variation.certainty
        targets.append(target)
        labels.append(named)
        chosen.append(index)
    return WindowBatch(_join(windows), np.stack(targets), np.array(labels), np.array(chosen))


def _varied(
    stored: NDArray[np.uint16],
    clip: Clip,
    spec: WindowSpec,
    variation: Variation,
    warm: int,
    waiting: bool,
    random: np.random.Generator,
) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """A window somewhere in a clip, with ``warm`` steps before it, or without so many of its first if negative;
    silence makes up for what is missing."""
    length = spec.step_ticks * variation.speed
    # Somebody who waits does nothing but that in the whole window.
    earliest = 0.0 if waiting else max(0.0, clip.onset - _UNDECIDED_SHARE * spec.window_steps * length)
    latest = (clip.onset if waiting else clip.ticks) - spec.window_steps * length
    start = earliest + random.random() * max(0.0, latest - earliest)
    rows = stored[clip.begin : clip.end]
    active, offsets = bin_window(
        rows[:, 0],
        rows[:, 1],
        start - warm * length,
        spec.window_steps + warm,
        spec.step_ticks,
        variation,
        int(random.integers(1 << 31)),
    )
    return active, np.concatenate([np.zeros(spec.warm_up_steps - warm, np.int64), offsets])


def fixed_windows(
    clips: ClipSet, indices: list[int], spec: WindowSpec, hop_steps: int, batch: int
) -> Iterator[WindowBatch]:
    """Unvaried windows of each clip every ``hop_steps``, for measuring; ``warm_up_steps`` 0 is the window mode."""
    pending: list[tuple[NDArray[np.uint16], NDArray[np.int64]]] = []
    labels: list[int] = []
    owners: list[int] = []
    for index in indices:
        stored, clip = clips.clips[index]
        rows = stored[clip.begin : clip.end]
        onset = -(-clip.onset // spec.step_ticks)
        for first in range(onset, clip.ticks // spec.step_ticks - spec.window_steps + 1, hop_steps):
            start = (first - spec.warm_up_steps) * spec.step_ticks
            pending.append(bin_window(rows[:, 0], rows[:, 1], start, spec.steps, spec.step_ticks, IDENTITY, 0))
            labels.append(clip.label)
            owners.append(index)
            if len(pending) == batch:
                yield _measured(pending, labels, owners)
                pending, labels, owners = [], [], []
    if pending:
        yield _measured(pending, labels, owners)


def _measured(
    windows: list[tuple[NDArray[np.uint16], NDArray[np.int64]]], labels: list[int], owners: list[int]
) -> WindowBatch:
    named = np.array(labels)
    return WindowBatch(_join(windows), np.eye(len(LABELS), dtype=np.float32)[named], named, np.array(owners))


def _join(windows: list[tuple[NDArray[np.uint16], NDArray[np.int64]]]) -> EventBatch:
    starts = np.cumsum([0, *(len(active) for active, _ in windows)])
    offsets = np.stack([offset + start for (_, offset), start in zip(windows, starts, strict=False)])
    return EventBatch(np.concatenate([active for active, _ in windows]), offsets)
