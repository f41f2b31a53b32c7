"""How a table of text is laid out: what its first lines say, and what has to be told from the numbers.

Forms that are known, each as its tool writes it: ``t x y p`` in seconds (rpg's ``events.txt``, whose first line may be
``width height``; v2e and jAER with lines of ``#`` before), ``x,y,p,t`` (Metavision, with ``%geometry:`` before),
``t,x,y,on`` (faery), any order with names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.events import Sensor
from spikebridge.recordings.tables import columns
from spikebridge.recordings.tables.cells import OTHER, T
from spikebridge.recordings.tables.columns import POWERS_OF_UNITS, Roles
from spikebridge.settings import ReadSettings, TimeUnit

#: Read to find all this.
HEAD_BYTES = 1 << 18
_ROWS = 2000
_BOM = b"\xef\xbb\xbf"
_COMMENT = re.compile(r"\s*(?:#|%|//)")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_TRUTHS = {"true": 1.0, "on": 1.0, "t": 1.0, "false": 0.0, "off": 0.0, "f": 0.0}
_SIZES = (
    re.compile(r"(?:geometry|sensor|resolution|size)\W{1,3}(\d{1,5}) ?[x×, ] ?(\d{1,5})\b(?: (\w.*))?", re.IGNORECASE),
    re.compile(r"width\W{1,3}(\d{1,5})\W{1,4}height\W{1,3}(\d{1,5})", re.IGNORECASE),
)


@dataclass(frozen=True, slots=True)
class Layout:
    """start : byte of the first event. roles : up to the last column that is needed. line_bytes : mean length.
    style : as ``decoding.decode_text`` takes it. sensor : where the table says it. note : how it is read."""

    start: int
    roles: Roles
    style: tuple[int, int, int]
    line_bytes: float
    sensor: Sensor | None
    note: str


@dataclass(slots=True)
class _Head:
    """What comes before the first event."""

    comments: list[str]
    names: list[str]
    size: Sensor | None = None


def find_layout(head: bytes, settings: ReadSettings, path: Path) -> Layout:
    """From the first HEAD_BYTES; raises InputError where they do not tell it."""
    start = len(_BOM) if head.startswith(_BOM) else 0
    lines = re.findall(rb"[^\r\n]*(?:\r\n|\r|\n|$)", head[start:])[: _ROWS + 1000]
    if len(lines) > 2 and len(head) == HEAD_BYTES:
        lines = lines[:-2]  # the last ones are cut, and empty
    texts = [line.decode("utf-8", "replace").strip() for line in lines]
    separator, n_before, before = _read_before(texts, path)
    data = [text for text in texts[n_before:] if text and not _COMMENT.match(text)][:_ROWS]
    cells = [_cells(text, separator) for text in data]
    point = "," if separator == ";" and any("," in cell for row in cells for cell in row) else "."
    rows, kept = _numbers(cells, point)
    roles, unit, how = _roles_and_unit(before, rows, settings, path)
    if unit is None:
        time = roles.index(T)
        fractions = 2 * sum(re.fullmatch(r"[+-]?\d+", row[time]) is None for row in kept) > len(kept)
        unit = columns.unit_from_data(rows[:, time], fractions, path)
        how += "; the unit is told from the numbers (--time-unit)"
    needed = max(i for i, role in enumerate(roles) if role != OTHER) + 1
    roles = roles[:needed]
    n_bytes = sum(map(len, lines[n_before:]))
    return Layout(
        start + sum(map(len, lines[:n_before])),
        roles,
        (ord(separator), ord(point), POWERS_OF_UNITS[unit]),
        n_bytes / max(len(lines) - n_before, 1),
        before.size,
        columns.describe(roles, unit, how),
    )


def _read_before(texts: list[str], path: Path) -> tuple[str, int, _Head]:
    """The separator, how many lines come before the first event, and what they say."""
    before = _Head([], [])
    for number, text in enumerate(texts):
        if _COMMENT.match(text):
            before.comments.append(text)
            before.size = before.size or _size_in(text)
            continue
        separator = next((each for each in ";,\t" if each in text), " ").replace("\t", " ")
        cells = _cells(text, separator)
        if text and all(_is_value(cell.replace(",", ".") if separator == ";" else cell) for cell in cells):
            if len(cells) >= 4:
                return separator, number, before
            if len(cells) == 2 and before.size is None and all(cell.isdecimal() for cell in cells):
                before.size = _sensor(cells[0], cells[1])  # rpg's first line
        elif text and not before.names:
            before.names = cells
    raise InputError(
        f"expected lines of four numbers (t, x, y, p) in {path}, found none in its first {len(texts)} lines; check "
        "that it is a table of events."
    )


def _roles_and_unit(
    before: _Head, rows: NDArray[np.float64], settings: ReadSettings, path: Path
) -> tuple[Roles, TimeUnit | None, str]:
    """What the table says of itself counts first, then what the user says, then the numbers."""
    n_columns = rows.shape[1]
    told = next(filter(None, (_roles_in(comment, n_columns) for comment in before.comments)), None)
    unit = (told[1] if told else None) or settings.time_unit
    if before.names and (named := columns.roles_of_names(before.names)):
        return named[0], named[1] or unit, "as its header names them"
    if told:
        return told[0], unit, "as a comment in it says"
    if settings.columns is not None:
        roles = columns.roles_of_letters(settings.columns, n_columns, path)
        return roles, settings.time_unit, "as the option --columns says"
    if any(re.search(r"[^\W\d_]", name) for name in before.names):
        raise InputError(
            f"expected the header of {path} to name t, x, y and p, found '{', '.join(before.names)[:120]}'; pass which "
            f"is which, such as --columns {'txyp'.ljust(n_columns, '_')}."
        )
    size = None if before.size is None else (before.size.width, before.size.height)
    known = ReadSettings(size or settings.size, None, settings.time_unit)
    roles = columns.roles_from_data(rows, known, path)
    return roles, settings.time_unit, "an order told from the numbers, where x before y is assumed (--columns)"


def _roles_in(comment: str, n_columns: int) -> tuple[Roles, TimeUnit | None] | None:
    """Of a line such as ``# timestamp(int32 us) x y polarity(off/on=0/1)``, where it has all four names once. The other
    words of a sentence do not count, so nothing but the order of the names does; brackets after one may hold a unit."""
    found = re.findall(r"([^\W\d]\w*)(?:\s*[(\[]([^)\]]*)[)\]])?", comment)
    named = [(word, inside) for word, inside in found if columns.role_of(word) != OTHER]
    told = columns.roles_of_names([word for word, _ in named])
    if told is None or n_columns < 4:
        return None
    roles, unit = told
    return roles, unit or columns.unit_in(named[roles.index(T)][1])


def _size_in(comment: str) -> Sensor | None:
    for pattern in _SIZES:
        if found := pattern.search(comment):
            return _sensor(*found.groups())
    return None


def _sensor(width: str, height: str, name: str | None = None) -> Sensor | None:
    fits = 0 < int(width) <= 0xFFFF and 0 < int(height) <= 0xFFFF
    printable = "".join(filter(str.isprintable, name or ""))
    return Sensor(int(width), int(height), printable) if fits else None


def _cells(text: str, separator: str) -> list[str]:
    return text.split() if separator == " " else [cell.strip() for cell in text.split(separator)]


def _is_value(cell: str) -> bool:
    return _NUMBER.fullmatch(cell) is not None or cell.lower() in _TRUTHS


def _numbers(cells: list[list[str]], point: str) -> tuple[NDArray[np.float64], list[list[str]]]:
    """(N, C) of the rows that have as many columns as the first one, and their cells. Damaged rows are left out."""
    n = len(cells[0])
    kept = [[cell.replace(point, ".") for cell in row] for row in cells if len(row) == n]
    kept = [row for row in kept if all(map(_is_value, row))]
    rows = [[_TRUTHS[cell.lower()] if cell.lower() in _TRUTHS else float(cell) for cell in row] for row in kept]
    return np.array(rows, np.float64).reshape(-1, n), kept
