"""IBM's DVS128 Gesture as distributed: AEDAT 3.1 recordings with label tables, subjects kept apart.

    trials_to_train.txt, trials_to_test.txt    names of recordings, one a line
    user01_fluorescent.aedat                   one person under one light, all gestures one after the other
    user01_fluorescent_labels.csv              class (1…11), startTime_usec, endTime_usec

(Amir et al., CVPR 2017.) Classes are in the order of ``LABELS``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from spikebridge.contracts import LABELS
from spikebridge.errors import InputError
from spikebridge.training.clips import Labelled, write_shard

#: Pieces that a long gesture is cut into; a shard's times end at 6.5 s.
_LONGEST_US = 6_000_000
_HEADER = ["class", "startTime_usec", "endTime_usec"]


@dataclass(frozen=True, slots=True)
class Span:
    """One gesture of a recording. label : index into ``LABELS``. start_us, stop_us : camera clock, half open."""

    label: int
    start_us: int
    stop_us: int


def import_dvs_gesture(
    source: Path, out: Path, split: str, on_recording: Callable[[str, int], None] = lambda name, notes: None
) -> list[str]:
    """Writes the clips of one ``split`` (``train`` or ``test``) to ``out``; returns one sentence for each oddity.

    Recordings that are there already are left alone, so an interrupted import goes on.
    """
    notes: list[str] = []
    names = _trials(source / f"trials_to_{split}.txt")
    for number, name in enumerate(names):
        path = source / name
        if not path.is_file():
            raise InputError(f"expected the recording {path}, which trials_to_{split}.txt names, found none.")
        spans, odd = read_labels(path.with_name(f"{path.stem}_labels.csv"))
        notes += odd
        if not (out / f"{path.stem}.json").is_file():
            write_shard(out, path.stem, _clips(path, spans))
        on_recording(name, number + 1)
    return notes


def read_labels(path: Path) -> tuple[list[Span], list[str]]:
    """Spans in order of time, and what was odd: a span that reaches into the next one ends where that begins."""
    try:
        with path.open(newline="") as file:
            rows = list(csv.reader(file))
    except OSError as error:
        raise InputError(f"expected labels at {path}, found: {error.strerror}; get the file again.") from error
    if not rows or [cell.strip() for cell in rows[0]] != _HEADER:
        raise InputError(f"expected {path} to begin with '{','.join(_HEADER)}', found {rows[:1]}.")
    spans = [_span(path, number, row) for number, row in enumerate(rows[1:], 2) if row]
    notes, cut = [], []
    for number, span in enumerate(spans):
        following = spans[number + 1].start_us if number + 1 < len(spans) else span.stop_us
        if following < span.start_us:
            raise InputError(f"expected {path} in order of time, found line {number + 3} before line {number + 2}.")
        if span.stop_us > following:
            notes.append(
                f"{path.name}: line {number + 2} ends {span.stop_us - following} µs after the next begins; cut there."
            )
        cut.append(Span(span.label, span.start_us, min(span.stop_us, following)))
    return cut, notes


def _span(path: Path, number: int, row: list[str]) -> Span:
    try:
        label, start_us, stop_us = (int(cell) for cell in row)
    except ValueError:
        raise InputError(f"expected three integers in line {number} of {path}, found {','.join(row)!r}.") from None
    if not 1 <= label <= len(LABELS):
        raise InputError(f"expected a class of 1 to {len(LABELS)} in line {number} of {path}, found {label}.")
    if start_us >= stop_us:
        raise InputError(f"expected line {number} of {path} to end after it begins, found {start_us} to {stop_us}.")
    return Span(label - 1, start_us, stop_us)


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


def _clips(path: Path, spans: list[Span]) -> Iterator[Labelled]:
    from spikebridge.sources import open_recording

    if not (user := re.match(r"user(\d+)", path.name)):
        raise InputError(f"expected a recording named user<number>_<light>.aedat, found {path.name}.")
    recording = open_recording(path)
    try:
        for span in spans:
            for start_us in range(span.start_us, span.stop_us, _LONGEST_US):
                stop_us = min(start_us + _LONGEST_US, span.stop_us)
                events = recording.read(start_us, stop_us).copy()
                events["t"] -= start_us
                yield Labelled(events, span.label, int(user[1]), stop_us - start_us)
    finally:
        recording.close()
