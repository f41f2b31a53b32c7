"""Opens whatever holds labelled clips: a set of clips as it is, recordings after turning them into one."""

from __future__ import annotations

import logging
from pathlib import Path

from spikebridge.datasets.clips import ClipSet, is_shard
from spikebridge.datasets.dvs_gesture import Split, import_dvs_gesture, is_dvs_gesture
from spikebridge.datasets.labelled_recordings import find_recordings, import_recordings
from spikebridge.errors import InputError
from spikebridge.settings import ReadSettings

_log = logging.getLogger(__name__)


def open_clips(folder: Path, split: Split = "train", read: ReadSettings | None = None) -> ClipSet:
    """The clips in ``folder``: a set of clips, own recordings with labels, or DVS128 Gesture.

    Clips of recordings are written to ``folder/packed``, unless they are there already. split : which persons of
    DVS128 Gesture; those of the test have ``folder/packed-test``. read : what own recordings do not say of
    themselves. Raises InputError where there is nothing of these.
    """
    if not folder.is_dir():
        raise InputError(f"expected a folder with clips or recordings at {folder}, found none; check the path.")
    if has_clips(folder):
        return ClipSet(folder)
    packed = folder / ("packed" if split == "train" else f"packed-{split}")
    if is_dvs_gesture(folder):
        title, notes = "DVS128 Gesture", import_dvs_gesture(folder, packed, split)
    elif find_recordings(folder):
        title, notes = "own recordings", import_recordings(folder, packed, read)
    else:
        return ClipSet(folder)
    for note in notes:
        _log.warning(note)
    return ClipSet(packed, title)


def has_clips(folder: Path) -> bool:
    """Whether ``folder`` is a set of clips already."""
    return any(is_shard(path) for path in folder.glob("*.npy"))
