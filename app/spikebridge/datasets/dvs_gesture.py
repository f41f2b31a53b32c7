"""IBM's DVS128 Gesture as distributed: AEDAT 3.1 recordings with label tables, subjects kept apart.

    trials_to_train.txt, trials_to_test.txt    names of recordings, one a line
    user01_fluorescent.aedat                   one person under one light, all gestures one after the other
    user01_fluorescent_labels.csv              class (1…11), startTime_usec, endTime_usec

(Amir et al., CVPR 2017.) Classes are in the order of ``LABELS``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from spikebridge.datasets.labelled_recordings import import_recording
from spikebridge.errors import InputError

#: Pieces that a long gesture is cut into; a shard's times end at 6.5 s.
_LONGEST_US = 6_000_000


def import_dvs_gesture(
    source: Path, out: Path, split: str, on_recording: Callable[[str, int], None] = lambda name, notes: None
) -> list[str]:
    """Writes the clips of one ``split`` (``train`` or ``test``) to ``out``; returns one sentence for each oddity.

    Recordings that are there already are left alone, so an interrupted import goes on.
    """
    notes: list[str] = []
    names = _trials(source / f"trials_to_{split}.txt")
    for number, name in enumerate(names):
        if not (user := re.match(r"user(\d+)", name)):
            raise InputError(f"expected recordings named user<number>_<light>.aedat in {source}, found {name}.")
        path = source / name
        notes += import_recording(path, out, path.stem, int(user[1]), _LONGEST_US)
        on_recording(name, number + 1)
    return notes


def _trials(path: Path) -> list[str]:
    try:
        names = [line.strip() for line in path.read_text().splitlines() if line.strip()]
    except OSError as error:
        raise InputError(
            f"expected the folder of DVS128 Gesture with {path.name}, found none in {path.parent}; unpack it there."
        ) from error
    if not names:
        raise InputError(f"expected names of recordings in {path}, found none.")
    return names
