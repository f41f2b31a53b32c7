"""Opens what can be trained on: sets of clips as they are, DVS128 Gesture packed into one first."""

from __future__ import annotations

import logging
from pathlib import Path

from spikebridge.errors import InputError
from spikebridge.training.clips import ClipSet
from spikebridge.training.dvs_gesture import import_dvs_gesture

_log = logging.getLogger(__name__)


def open_clips(folder: Path) -> ClipSet:
    """The clips in ``folder``; of DVS128 Gesture those of the training subjects, packed into ``folder/packed``."""
    if not folder.is_dir():
        raise InputError(f"expected a folder with clips at {folder}, found none; check the path.")
    if (folder / "trials_to_train.txt").is_file():
        for note in import_dvs_gesture(folder, folder / "packed", "train"):
            _log.warning(note)
        return ClipSet(folder / "packed")
    return ClipSet(folder)
