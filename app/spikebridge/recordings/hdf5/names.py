"""Which column is which: by its name, or by what is in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spikebridge.errors import InputError
from spikebridge.recordings.hdf5.rows import Values

#: The columns of events, in the order of ``Columns``.
FIELDS = ("t", "x", "y", "p")
_NAMES = {
    "t": ("t", "ts", "time", "times", "timestamp", "timestamps"),
    "x": ("x", "xs"),
    "y": ("y", "ys"),
    "p": ("p", "ps", "pol", "polarity", "polarities"),
}
_FIELD_BY_NAME = {name: field for field, names in _NAMES.items() for name in names}


def field_of(name: str) -> str | None:
    """The one of ``FIELDS`` that a column of that name is; None for another."""
    return _FIELD_BY_NAME.get(name.lower())


def order_of(path: Path, place: str, head: Values, asked: str | None) -> str:
    """Order of the columns of a matrix, as ``txyp``; InputError where it cannot be told.

    head : (N, 4), its first rows. asked : what ``--columns`` says.
    """
    fitting = [order for order in ("xytp", "txyp") if _fits(head, order)]
    if asked is not None:
        fitting = [asked] if sorted(asked) == sorted(FIELDS) else []
    if len(fitting) == 1:
        return fitting[0]
    raise InputError(
        f"expected to see which of the four columns of {place} in {path} are t, x, y and p, found rows like "
        f"{head[:1].tolist()}; pass --columns, such as --columns txyp."
    )


@np.errstate(all="ignore")  # what is no number is told from the result
def _fits(head: Values, order: str) -> bool:
    """Whether time never runs back and the last column is a polarity."""
    numbers = head.astype(np.float64)
    t, p = numbers[:, order.index("t")], numbers[:, order.index("p")]
    return bool((t[1:] >= t[:-1]).all() and np.isin(p, (-1, 0, 1)).all())
