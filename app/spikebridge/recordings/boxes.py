"""Boxes of objects beside a recording, as Prophesee's data sets GEN1 and 1 Mpx have them. They are no gestures.

town_td.dat
town_bbox.npy       records with ``class_id`` among their fields (ts or t, x, y, w, h, class_id, confidence, track_id)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spikebridge.errors import InputError

#: Boxes that are read at once.
_BLOCK = 65_536
_CLASS = "class_id"


@dataclass(frozen=True, slots=True)
class Boxes:
    """How many boxes a file has: of each class, by its number. What a number means differs between the data sets."""

    path: Path
    by_class: dict[int, int]

    @property
    def n_boxes(self) -> int:
        return sum(self.by_class.values())

    def __str__(self) -> str:
        classes = ", ".join(f"{n} of class {number}" for number, n in self.by_class.items()) or "none"
        return f"{self.path.name} beside it holds {self.n_boxes} boxes of objects ({classes}), which are no gestures."


def boxes_beside(recording: Path) -> Path | None:
    """The boxes of a recording, or of the recording whose labels these would be; None where there are none."""
    stem = recording.stem.removesuffix("_labels").removesuffix("_td")
    path = recording.with_name(f"{stem}_bbox.npy")
    return path if path.is_file() else None


def read_boxes(path: Path) -> Boxes:
    """Counts the boxes in a file; InputError where it is none of boxes."""
    by_class: dict[int, int] = {}
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = header(file)
            if len(shape) != 1 or dtype.hasobject or dtype.names is None or _CLASS not in dtype.names:
                raise ValueError("an array without the class of each box")
            n_there = (path.stat().st_size - file.tell()) // max(1, dtype.itemsize)
            if n_there < shape[0]:
                raise ValueError(f"{n_there} of {shape[0]} boxes")
            for start in range(0, shape[0], _BLOCK):
                rows = np.fromfile(file, dtype, min(_BLOCK, shape[0] - start))
                for number, n in zip(*np.unique(rows[_CLASS], return_counts=True), strict=True):
                    by_class[int(number)] = by_class.get(int(number), 0) + int(n)
    except (OSError, ValueError, TypeError, EOFError, MemoryError) as error:
        reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())[:200]
        raise InputError(
            f"expected boxes of objects in {path}, found: {reason or type(error).__name__}; get the file again."
        ) from error
    return Boxes(path, dict(sorted(by_class.items())))
