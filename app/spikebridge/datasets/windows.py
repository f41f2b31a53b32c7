"""Windows cut from clips, as batches: varied at random for training, or as they are for measuring."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import LABELS
from spikebridge.datasets.augmentation import IDENTITY, MIRRORED_INDEX, Augmentation, Variation, draw
from spikebridge.datasets.clips import Clip, ClipSet
from spikebridge.datasets.event_batch import EventBatch
from spikebridge.datasets.window_binning import bin_window

_OTHER = LABELS.index("other")
#: Share of the windows of ``other`` in which somebody waits before a gesture.
_WAITING_SHARE = 0.15
#: A gesture is to be named once less than this share of the window lies before its onset: early, but not at once.
_UNDECIDED_SHARE = 0.6
#: Share of the windows that look like the first after a start: nothing was seen but their last steps, and the fewest
#: steps that are left.
_STARTING_SHARE = 0.08
_FEWEST_STEPS = 5

#: (addresses, offsets) as ``bin_window`` returns them.
_Window: TypeAlias = tuple[NDArray[np.uint16], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """window_steps : T. warm_up_steps : steps before it, as in streaming. step_ticks : length of a step, 0.1 ms."""

    window_steps: int
    warm_up_steps: int
    step_ticks: int

    @property
    def steps(self) -> int:
        return self.window_steps + self.warm_up_steps

    @property
    def ticks(self) -> int:
        """Length of the window without the steps before it, 0.1 ms."""
        return self.window_steps * self.step_ticks


@dataclass(frozen=True, slots=True)
class WindowBatch:
    """B windows and what they are.

    events : the windows. targets : (B, n_labels) float32 probabilities to learn. labels : (B,) class of each. clips :
    (B,) index of the clip that each was cut from.
    """

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
    """Varied windows of all classes; each class is equally likely, but ``other``, which is many things, twice as much.

    by_label : for each label the indices of its clips. streaming : share of windows with steps before them; the others
    start from reset, as in the window mode. randoms : one generator for each window, so that processes can share a
    batch.
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
        warm_up = spec.warm_up_steps if random.random() < streaming else 0
        if random.random() < _STARTING_SHARE:
            warm_up = -int(random.integers(max(1, spec.window_steps - _FEWEST_STEPS)))
        windows.append(_varied(*clips.clips[index], spec, variation, warm_up, waiting, random))
        named = int(MIRRORED_INDEX[label]) if variation.mirrored else label
        target = np.full(len(LABELS), (1 - variation.certainty) / len(LABELS), np.float32)
        target[named] += variation.certainty
        targets.append(target)
        labels.append(named)
        chosen.append(index)
    return WindowBatch(_join(windows), np.stack(targets), np.array(labels), np.array(chosen))


def fixed_windows(
    clips: ClipSet, indices: Iterable[int], spec: WindowSpec, hop_steps: int, batch: int
) -> Iterator[WindowBatch]:
    """Unvaried windows of the clips, one every ``hop_steps`` from the onset on, in batches of ``batch``.

    Without ``warm_up_steps`` these are the windows of the window mode.
    """
    windows: list[_Window] = []
    labels: list[int] = []
    owners: list[int] = []
    for index in indices:
        stored, clip = clips.clips[index]
        rows = stored[clip.begin : clip.end]
        onset = -(-clip.onset // spec.step_ticks)
        for first in range(onset, clip.ticks // spec.step_ticks - spec.window_steps + 1, hop_steps):
            start = (first - spec.warm_up_steps) * spec.step_ticks
            windows.append(bin_window(rows[:, 0], rows[:, 1], start, spec.steps, spec.step_ticks, IDENTITY, 0))
            labels.append(clip.label)
            owners.append(index)
            if len(windows) == batch:
                yield _unvaried(windows, labels, owners)
                windows, labels, owners = [], [], []
    if windows:
        yield _unvaried(windows, labels, owners)


def _varied(
    stored: NDArray[np.uint16],
    clip: Clip,
    spec: WindowSpec,
    variation: Variation,
    warm_up: int,
    waiting: bool,
    random: np.random.Generator,
) -> _Window:
    """A window somewhere in a clip, with ``warm_up`` steps before it or, if negative, without so many of its first
    steps; silent steps stand for what is missing. waiting : before the onset, where the person does nothing else."""
    length = spec.step_ticks * variation.speed
    earliest = 0.0 if waiting else max(0.0, clip.onset - _UNDECIDED_SHARE * spec.window_steps * length)
    latest = (clip.onset if waiting else clip.ticks) - spec.window_steps * length
    start = earliest + random.random() * max(0.0, latest - earliest)
    rows = stored[clip.begin : clip.end]
    active, offsets = bin_window(
        rows[:, 0],
        rows[:, 1],
        start - warm_up * length,
        spec.window_steps + warm_up,
        spec.step_ticks,
        variation,
        int(random.integers(1 << 31)),
    )
    return active, np.concatenate([np.zeros(spec.warm_up_steps - warm_up, np.int64), offsets])


def _unvaried(windows: Sequence[_Window], labels: Sequence[int], owners: Sequence[int]) -> WindowBatch:
    named = np.array(labels)
    return WindowBatch(_join(windows), np.eye(len(LABELS), dtype=np.float32)[named], named, np.array(owners))


def _join(windows: Sequence[_Window]) -> EventBatch:
    starts = np.cumsum([0, *(len(active) for active, _ in windows)])
    offsets = np.stack([offset + start for (_, offset), start in zip(windows, starts, strict=False)])
    return EventBatch(np.concatenate([active for active, _ in windows]), offsets)
