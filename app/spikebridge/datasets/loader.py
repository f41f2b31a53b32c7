"""Opens what can be trained on: sets of clips as they are, recordings with labels packed into one first."""

from __future__ import annotations

import logging
from pathlib import Path

from spikebridge.datasets.clips import ClipSet
from spikebridge.datasets.dvs_gesture import import_dvs_gesture
from spikebridge.datasets.labelled_recordings import find_recordings, import_recordings
from spikebridge.errors import InputError

_log = logging.getLogger(__name__)


def open_clips(folder: Path, split: str = "train") -> ClipSet:
    """The clips in ``folder``: a set of clips, own recordings with labels, or DVS128 Gesture.

    Recordings are packed into ``folder/packed``, as far as they are not yet. split : which subjects of DVS128 Gesture,
    ``train`` or ``test``; those for the test are packed apart.
    """
    if not folder.is_dir():
        raise InputError(f"expected a folder with clips or recordings at {folder}, found none; check the path.")
    if any(folder.glob("*.npy")):
        return ClipSet(folder)
    packed = folder / ("packed" if split == "train" else f"packed-{split}")
    if (folder / "trials_to_train.txt").is_file():
        title, notes = "DVS128 Gesture", import_dvs_gesture(folder, packed, split)
    elif find_recordings(folder):
        title, notes = "own recordings", import_recordings(folder, packed)
    else:
        return ClipSet(folder)
    for note in notes:
        _log.warning(note)
    return ClipSet(packed, title)
