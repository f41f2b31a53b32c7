"""IBM's DVS128 Gesture as it is distributed: AEDAT 3.1 recordings with tables of labels, and a list for each split.

    trials_to_train.txt, trials_to_test.txt    names of recordings, one a line
    user01_fluorescent.aedat                   one person in one light, all gestures one after the other
    user01_fluorescent_labels.csv              class (1…11), startTime_usec, endTime_usec

(Amir et al., CVPR 2017.) Classes are in the order of ``LABELS``. No person is in both splits.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, TypeAlias

from spikebridge.datasets.labelled_recordings import import_recording
from spikebridge.errors import InputError

#: Which persons: users 1 to 23, or 24 to 29.
Split: TypeAlias = Literal["train", "test"]
#: A longer gesture is cut into pieces: the times of a shard end at 6.5 s.
_LONGEST_US = 6_000_000


def is_dvs_gesture(folder: Path) -> bool:
    """Whether ``folder`` looks like the data set as distributed."""
    return _list_of(folder, "train").is_file()


def has_test_split(folder: Path) -> bool:
    """Whether ``folder`` holds the data set with its list of test recordings."""
    return _list_of(folder, "test").is_file()


def import_dvs_gesture(source: Path, out: Path, split: Split) -> list[str]:
    """Writes the clips of one split to ``out``; returns a sentence for each oddity.

    What is there and up to date is left alone, so an interrupted import goes on.
    """
    notes: list[str] = []
    for name in _recordings_of(_list_of(source, split)):
        if not (user := re.match(r"user(\d+)", name)):
            raise InputError(f"expected recordings named user<number>_<light>.aedat in {source}, found {name}.")
        path = source / name
        notes += import_recording(path, out, path.stem, int(user[1]), _LONGEST_US)
    return notes


def _list_of(folder: Path, split: Split) -> Path:
    return folder / f"trials_to_{split}.txt"


def _recordings_of(path: Path) -> list[str]:
    try:
        # A spreadsheet or an editor may have put a byte order mark before the first name.
        names = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except OSError as error:
        raise InputError(
            f"expected the folder of DVS128 Gesture with {path.name}, found none in {path.parent}; unpack it there."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"expected names of recordings in {path}, found no text; get the file again.") from error
    if not names:
        raise InputError(f"expected names of recordings in {path}, found none.")
    return names
