"""Failures and notes of a run, each of them once."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spikebridge.snapshot import LaneSnapshot, Snapshot

_FIGURES = re.compile(r"[0-9][0-9.,]*")


class Notices:
    """What was not said before, from one snapshot to the next."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def failures(self, snapshot: Snapshot) -> list[str]:
        """New ones of the whole run."""
        return self._new(_failures(snapshot))

    def notes(self, snapshot: Snapshot) -> list[str]:
        """New ones: of the source, of the run and of each lane, its failure too where it is not that of all. A note
        whose figures grow stays the same one."""
        return self._new(_notes(snapshot))

    def _new(self, told: Iterator[tuple[str, str]]) -> list[str]:
        new = {key: sentence for key, sentence in told if key not in self._said}
        self._said.update(new)
        return list(new.values())


def _failures(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    if snapshot.failure is None or snapshot.state != "failed":
        return
    each_its_own = not _failed_together(snapshot) and any(lane.failure == snapshot.failure for lane in snapshot.lanes)
    yield f"failure {snapshot.failure}", "every network has failed." if each_its_own else snapshot.failure


def _notes(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    for note in snapshot.source_counters.notes:
        # The figures of a note grow while a file is gone through, or while a camera runs.
        yield f"source {_FIGURES.sub('', note)}", note
    for key, note in snapshot.notes.items():
        yield f"run {key}", note
    several = len(snapshot.lanes) > 1
    for lane in snapshot.lanes:
        if several and lane.failure is not None and not _failed_together(snapshot):
            yield f"lane {lane.model.name} {lane.failure}", _of(lane, lane.failure)
        for key, note in lane.notes.items():
            yield f"lane {lane.model.name} {key}", _of(lane, note) if several else note


def _failed_together(snapshot: Snapshot) -> bool:
    """For the same reason, which is said once."""
    return snapshot.state == "failed" and all(lane.failure == snapshot.failure for lane in snapshot.lanes)


def _of(lane: LaneSnapshot, sentence: str) -> str:
    return f"network {lane.model.name}: {sentence}"
