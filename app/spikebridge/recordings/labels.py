"""Labels in time beside a recording, in the layout of DVS128 Gesture.

wave.aedat4
wave_labels.csv     class, startTime_usec, endTime_usec: a label's name or number (1…11), camera clock, half open

Read as a spreadsheet may have saved it: with a byte order mark, in UTF-16, with other line ends, semicolons or tabs,
empty cells and rows at the end.
"""

from __future__ import annotations

import codecs
import csv
import errno
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spikebridge.contracts import LABELS
from spikebridge.errors import InputError
from spikebridge.files import write_whole
from spikebridge.recordings.boxes import boxes_beside

_HEADER = ["class", "startTime_usec", "endTime_usec"]
_DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class Span:
    """One gesture of a recording. label : index into ``LABELS``. start_us, stop_us : camera clock, half open."""

    label: int
    start_us: int
    stop_us: int


def labels_path(recording: Path) -> Path:
    """Where the labels of a recording lie."""
    return recording.with_name(f"{recording.stem}_labels.csv")


def is_labels(path: Path) -> bool:
    """Whether a file is named like the labels of a recording."""
    return path.name.endswith("_labels.csv")


def write_labels(path: Path, spans: Sequence[Span]) -> None:
    """Writes all labels or nothing; InputError where that fails."""
    write_whole(path, _rows([_HEADER, *map(_row, spans)]), what="the labels")


class LiveLabels:
    """The labels of a recording while it is made: the table is whole after every ``flush``, whatever happens then.

    A label that holds on has its row from the beginning on, which is written anew while it grows. The file appears with
    the first label. Its methods raise OSError where the file can't be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spans: list[Span] = []
        self._fd: int | None = None
        self._end = 0
        self._n_whole = 0  # spans whose rows are final

    def extend(self, label: int, start_us: int, stop_us: int) -> None:
        """``label``, an index into ``LABELS``, holds here: goes on, or begins anew where it did not just before."""
        if self.spans and self.spans[-1].label == label and self.spans[-1].stop_us == start_us:
            start_us = self.spans.pop().start_us
        self.spans.append(Span(label, start_us, stop_us))

    def flush(self) -> None:
        """Writes what is new."""
        if not self.spans:
            return
        if self._fd is None:
            self._fd = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
            self._end += self._put(_rows([_HEADER]))
        *whole, last = self.spans[self._n_whole :]
        if whole:
            self._end += self._put(_rows(map(_row, whole)))
            self._n_whole += len(whole)
        # Times only grow, so that a new row is never shorter than the one that it covers.
        self._put(_rows([_row(last)]))

    def sync(self) -> None:
        """Brings what was written to the disk."""
        if self._fd is not None:
            os.fsync(self._fd)

    def close(self) -> None:
        """May be called twice; does not flush."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _put(self, rows: bytes) -> int:
        """Behind the rows that are final; a row that the disk has no room for does not leave a part of itself."""
        if self._fd is None:
            raise ValueError("expected an open table")
        before = os.fstat(self._fd).st_size
        n = os.pwrite(self._fd, rows, self._end)
        if n < len(rows):
            os.ftruncate(self._fd, before)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return n


def _row(span: Span) -> list[str | int]:
    return [LABELS[span.label], span.start_us, span.stop_us]


def _rows(rows: Iterable[Sequence[str | int]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def read_labels(path: Path) -> tuple[list[Span], list[str]]:
    """Spans in order of time, and what was odd: a span that reaches into the next one ends where that begins."""
    try:
        rows = _cells(path.read_bytes())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        boxes = boxes_beside(path)
        if boxes is not None and not path.exists():
            raise no_gestures(path, boxes) from error
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"expected labels at {path}, found: {reason}; get the file again.") from error
    if not rows or rows[0] != _HEADER:
        raise InputError(f"expected {path} to begin with '{','.join(_HEADER)}', found {rows[:1]}; get the file again.")
    numbered = [(number, _span(path, number, row)) for number, row in enumerate(rows[1:], 2) if row]
    if not numbered:
        raise InputError(f"expected at least one label in {path}, found none; add some or leave the recording out.")
    notes, cut = [], []
    for place, (number, span) in enumerate(numbered):
        after, following = numbered[place + 1] if place + 1 < len(numbered) else (number, None)
        stop_us = span.stop_us if following is None else following.start_us
        if stop_us < span.start_us:
            raise InputError(f"expected {path} in order of time, found line {after} before line {number}; sort it.")
        if span.stop_us > stop_us:
            notes.append(
                f"{path.name}: line {number} ends {span.stop_us - stop_us} µs after the next begins; cut there."
            )
        if stop_us > span.start_us:
            cut.append(Span(span.label, span.start_us, min(span.stop_us, stop_us)))
    return cut, notes


def no_gestures(path: Path, boxes: Path) -> InputError:
    """For a recording whose labels would be at ``path``, but are only boxes of objects."""
    return InputError(
        f"expected labels of gestures at {path}, found only {boxes.name}, whose boxes are objects and no gestures; "
        "write labels or leave the recording out."
    )


def check_inside(path: Path, spans: Sequence[Span], first_us: int, last_us: int) -> None:
    """Raises InputError for a label that lies wholly outside of its recording, whose first and last event these are."""
    for span in spans:
        if span.stop_us <= first_us or span.start_us > last_us:
            raise InputError(
                f"expected the labels of {path} within {first_us} to {last_us} µs, found {span.start_us} to "
                f"{span.stop_us}; is it the table of another recording?"
            )


def _cells(content: bytes) -> list[list[str]]:
    """The cells of each line, without the empty ones at its end."""
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = content.decode("utf-16" if wide else "utf-8-sig")
    first = text[: text.find("\n")]
    delimiter = max(_DELIMITERS, key=first.count)
    rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)]
    for row in rows:
        while row and not row[-1]:
            row.pop()
    return rows


def _span(path: Path, number: int, row: list[str]) -> Span:
    try:
        name, start_us, stop_us = row[0], int(row[1]), int(row[2])
        label = LABELS.index(name) if name in LABELS else int(name) - 1
        if len(row) != 3:
            raise ValueError
    except (ValueError, IndexError):
        raise InputError(
            f"expected a class and two times in line {number} of {path}, found {','.join(row)!r}; correct it."
        ) from None
    if not 0 <= label < len(LABELS):
        raise InputError(
            f"expected a class of 1 to {len(LABELS)} in line {number} of {path}, found {label + 1}; correct it."
        )
    if start_us >= stop_us:
        raise InputError(
            f"expected line {number} of {path} to end after it begins, found {start_us} to {stop_us}; correct it."
        )
    return Span(label, start_us, stop_us)
