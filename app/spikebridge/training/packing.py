"""Opens what can be trained on: sets of shards as they are, other data sets packed into shards once."""

from __future__ import annotations

import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spikebridge.errors import InputError
from spikebridge.events import make_events
from spikebridge.simulator.dataset import read_plan
from spikebridge.training.clips import ClipSet, Labelled, write_shard
from spikebridge.training.dvs_gesture import import_dvs_gesture

_log = logging.getLogger(__name__)


def open_clips(folder: Path) -> ClipSet:
    """The clips in ``folder``, packed into ``folder/packed`` first, as far as they are not yet.

    Of DVS128 Gesture these are the clips of the training subjects.
    """
    if (folder / "trials_to_train.txt").is_file():
        for note in import_dvs_gesture(folder, folder / "packed", "train"):
            _log.warning(note)
        return ClipSet(folder / "packed")
    if not (folder / "dataset.json").is_file():
        return ClipSet(folder)
    plan = read_plan(folder)
    for path in sorted(folder.glob("person_*.npz")):
        if not (folder / "packed" / f"{path.stem}.json").is_file():
            write_shard(folder / "packed", path.stem, _clips_of(path, int(plan["duration_us"])))
    return ClipSet(folder / "packed")


def _clips_of(path: Path, duration_us: int) -> Iterator[Labelled]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        bounds = list(zip(arrays["offsets"], arrays["offsets"][1:], strict=False))
        for (begin, end), label, start_us in zip(bounds, arrays["label"], arrays["start_us"], strict=True):
            columns = (arrays[name][begin:end] for name in "txyp")
            onset_us = int(start_us) if start_us < duration_us else 0
            yield Labelled(make_events(*columns), int(label), int(arrays["person"]), duration_us, onset_us)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"expected one person's clips in {path}, found: {error}; simulate the set again.") from error
