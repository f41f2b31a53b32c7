"""Which column of a table holds what: told from its name, from an option, or from the numbers in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.recordings.sensors import fits_a_known_sensor
from spikebridge.recordings.tables.cells import OTHER, P, T, X, Y
from spikebridge.settings import ReadSettings, TimeUnit

#: What each column holds, from the first one on.
Roles = tuple[int, ...]

_LETTERS = "txyp_"
#: Words of a name, as tools for events spell them.
_WORDS = {
    **dict.fromkeys(("t", "ts", "time", "times", "timestamp", "timestamps"), T),
    **dict.fromkeys(("x", "xs", "xpos", "xaddr", "col", "cols", "column"), X),
    **dict.fromkeys(("y", "ys", "ypos", "yaddr", "row", "rows"), Y),
    **dict.fromkeys(("p", "ps", "pol", "polarity", "polarities", "on", "sign"), P),
}
_UNITS: dict[str, TimeUnit] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("us", "µs", "μs", "usec", "usecs", "microsecond", "microseconds"), "us"),
    **dict.fromkeys(("ns", "nsec", "nanosecond", "nanoseconds"), "ns"),
}
#: Power of ten that makes µs of a unit.
POWERS_OF_UNITS: dict[TimeUnit, int] = {"s": 6, "ms": 3, "us": 0, "ns": -3}
#: Whole numbers from here on are ns since 1970 (from 1973 on); as µs they would lie beyond the year 5000.
_EPOCH_NS = 1e17
#: So many of the rows may be odd: damaged, or out of order.
_ODD = 0.01
#: Slower than any recording: events a second, of at least so many.
_SLOWEST_HZ, _ENOUGH = 10, 100


def roles_of_names(names: Sequence[str]) -> tuple[Roles, TimeUnit | None] | None:
    """What columns of these names hold, and the unit that the name of the time gives; None unless all four are named
    once."""
    roles = [role_of(name) for name in names]
    if sorted(role for role in roles if role != OTHER) != [T, X, Y, P]:
        return None
    return tuple(roles), unit_in(names[roles.index(T)])


def unit_in(words: str) -> TimeUnit | None:
    """That is written behind a name or in brackets: ``timestamp_us``."""
    return next((_UNITS[word] for word in _words_of(words) if word in _UNITS), None)


def role_of(name: str) -> int:
    """What a column of that name holds."""
    found = {_WORDS[word] for word in _words_of(name) if word in _WORDS}
    return found.pop() if len(found) == 1 else OTHER


def _words_of(name: str) -> list[str]:
    """``Timestamp (int32 us)`` → timestamp, int32, us; ``xPos`` → x, pos."""
    return re.findall(r"[a-zµμ]+[0-9]*", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower())


def roles_of_letters(letters: str, n_columns: int, path: Path) -> Roles:
    """Of ``--columns``, such as ``txyp``."""
    roles = tuple(OTHER if letter == "_" else "txyp".index(letter) for letter in letters)
    if sorted(role for role in roles if role != OTHER) != [T, X, Y, P] or len(roles) > n_columns:
        raise InputError(
            f"expected --columns to name t, x, y and p once among the {n_columns} columns of {path}, found "
            f"'{letters}'; name them in their order, with _ for one to leave out."
        )
    return roles


def letters_of(roles: Roles) -> str:
    """``txyp``, with _ for columns that hold something else."""
    return "".join(_LETTERS[role] for role in roles)


def describe(roles: Roles, unit: TimeUnit, how: str) -> str:
    """The sentence that says how the table was read."""
    return f"Its columns were read as {letters_of(roles)} with time in {unit.replace('us', 'µs')}, {how}."


def roles_from_data(rows: NDArray[np.float64], settings: ReadSettings, path: Path) -> Roles:
    """What the columns of the first rows can only hold: time does not run back, polarity is 0 or 1 (or -1 or 1).

    Of the two others x is the first one, unless no sensor is so high and narrow: an assumption, to be said.
    Raises InputError where several orders fit, or none.
    """
    n_columns = rows.shape[1]
    if n_columns != 4:
        raise InputError(
            f"expected four columns or their names in {path}, found {n_columns} without names; pass which is "
            f"which, such as --columns {'txyp'.ljust(n_columns, '_')}."
        )
    rows = rows[np.all(np.isfinite(rows), axis=1)]
    fitting = sorted({_placed(t, p, rows, settings.size) for t, p in _choices(rows)})
    if len(fitting) != 1:
        found = " or ".join(letters_of(roles) for roles in fitting) or "none that fits"
        raise InputError(
            f"expected the numbers in {path} to tell the order of its columns, found {found}; pass the right one, such "
            f"as --columns {letters_of(fitting[0]) if fitting else 'txyp'}."
        )
    return fitting[0]


def _choices(rows: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Columns that can be time and polarity."""
    if not len(rows):
        return []
    pixels = _nearly_all((rows == np.floor(rows)) & (rows >= 0) & (rows <= 0xFFFF))
    polarity = _nearly_all(np.isin(rows, (-1, 0, 1)))
    rising = (rows[-1] > rows[0]) & _nearly_all(np.diff(rows, axis=0) >= 0)
    return [
        (t, p)
        for t, p in permutations(range(4), 2)
        if polarity[p] and (rising[t] or not pixels[t]) and all(pixels[c] for c in range(4) if c not in (t, p))
    ]


def _nearly_all(true: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of each column."""
    share: NDArray[np.bool_] = np.sum(~true, axis=0) <= _ODD * len(true)
    return share


def _placed(t: int, p: int, rows: NDArray[np.float64], size: tuple[int, int] | None) -> Roles:
    first, second = (c for c in range(4) if c not in (t, p))
    columns, others = (int(np.quantile(rows[:, c], 1 - _ODD)) + 1 for c in (first, second))
    if size is None:
        swapped = not fits_a_known_sensor(columns, others) and fits_a_known_sensor(others, columns)
    else:
        fits = columns <= size[0] and others <= size[1]
        swapped = not fits and others <= size[0] and columns <= size[1]
    roles = [OTHER] * 4
    roles[t], roles[p] = T, P
    roles[first], roles[second] = (Y, X) if swapped else (X, Y)
    return tuple(roles)


def unit_from_data(times: NDArray[np.float64], fractions: bool, path: Path) -> TimeUnit:
    """Whole numbers are µs, or ns where they are too large; others seconds. InputError where that can't be.

    fractions : whether they are written, or stored, as numbers that could have one.
    """
    finite = np.sort(times[np.isfinite(times)])
    if not finite.size:
        return "us"
    whole = np.sum(finite != np.floor(finite)) <= _ODD * finite.size
    if whole and (not fractions or np.unique(finite).size >= 3):
        return "ns" if np.median(finite) >= _EPOCH_NS else "us"
    low, high = np.quantile(finite, (_ODD, 1 - _ODD))
    if (whole and high > low) or (finite.size >= _ENOUGH and finite.size < _SLOWEST_HZ * (high - low)):
        raise InputError(
            f"expected the times in {path} to tell their unit, found {finite[0]:g} to {finite[-1]:g} for "
            f"{finite.size} events; pass it, such as --time-unit us or --time-unit ms."
        )
    return "s"
