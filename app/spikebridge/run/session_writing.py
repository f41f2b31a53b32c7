"""Writes a session while it runs, so that it stands a crash; see ``session_files`` for what is in it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from spikebridge import __version__
from spikebridge.bundle import Bundle, fingerprint
from spikebridge.contracts import RecordingStatus, SourceInfo
from spikebridge.errors import InputError, UsageError
from spikebridge.files import make_folder, sync_folder, write_whole
from spikebridge.run.session_files import EVENTS, FORMAT, HEAD, STEPS, JsonObject, Step, checksum, decided, step_line
from spikebridge.settings import LaneSettings, RunSettings
from spikebridge.sources.tape import Tape, Worked


def open_session(
    folder: Path,
    source: SourceInfo,
    settings: RunSettings,
    bundles: Sequence[Bundle],
    names: Sequence[str],
    *,
    lossless: bool,
) -> Tape:
    """A tape that keeps what every lane makes of it too.

    bundles, names : of the lanes. UsageError where ``folder`` holds something, InputError where it can't be written.
    """
    check_folder(folder)
    make_folder(folder)
    lanes = [lane_object(*lane) for lane in zip(names, settings.lanes, bundles, strict=True)]
    log = StepLog(folder, names, _head(source, settings, lanes))
    try:
        label = settings.record.label
        return Tape(folder / EVENTS, source.sensor, label=label, lossless=lossless, companion=log, name=str(folder))
    except BaseException:
        log.abandon()
        raise


def check_folder(folder: Path) -> None:
    """Raises UsageError where ``folder`` can't become a new session."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"expected a free name for the session's folder, found {folder}; choose another or remove it.")


class StepLog:
    """session.json and steps.jsonl, as the companion of a tape. names : of the lanes."""

    def __init__(self, folder: Path, names: Sequence[str], head: JsonObject) -> None:
        self._folder, self._names, self._head = folder, names, head
        self._lines = bytearray()
        self._steps = self._decisions = 0  # in the file
        self._waiting = (0, 0)  # the same, with those to be written
        self._write_head()
        try:
            self._fd = os.open(folder / STEPS, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o666)
            sync_folder(folder)
        except OSError as error:
            raise InputError(
                f"expected to write the session {folder}, found: {error.strerror}; choose another place."
            ) from error

    def add(self, worked: Worked) -> None:
        packet, decision = worked.packet, worked.decision
        step = Step(
            lane=self._names[worked.lane],
            sequence=packet.sequence,
            t_us=packet.t_start_us,
            at_us=packet.t_start_us + worked.shift_us,
            gap=packet.gap,
            events=packet.events.size,
            crc32=checksum(packet.events, packet.t_start_us),
            rule=worked.rule,
            decided=None if decision is None else decided(decision),
        )
        self._lines += step_line(step, decision)
        self._waiting = (self._waiting[0] + 1, self._waiting[1] + (decision is not None))

    def flush(self) -> None:
        while self._lines:
            del self._lines[: os.write(self._fd, self._lines)]
        self._steps, self._decisions = self._waiting

    def sync(self) -> None:
        os.fsync(self._fd)

    def close(self, status: RecordingStatus) -> None:
        """Says in session.json that it is whole, or why it ended early."""
        os.close(self._fd)
        self._head["ended"] = {
            "duration_us": status.duration_us,
            "events": status.events,
            "steps": self._steps,
            "decisions": self._decisions,
            "problem": status.problem or None,
        }
        self._write_head()

    def abandon(self) -> None:
        """For a session that never began: leaves nothing behind."""
        os.close(self._fd)
        with suppress(OSError):
            for name in (HEAD, STEPS):
                (self._folder / name).unlink()
            self._folder.rmdir()

    def _write_head(self) -> None:
        write_whole(self._folder / HEAD, json.dumps(self._head, indent=2) + "\n", what="the session")


def lane_object(name: str, lane: LaneSettings, bundle: Bundle) -> JsonObject:
    """What ran in a lane, for session.json. A bundle that is not shipped is named with its whole path."""
    return {
        "name": name,
        "model": str(Path(lane.model).resolve()) if Path(lane.model).is_dir() else lane.model,
        "bundle": bundle.name,
        "bundle_sha256": fingerprint(bundle),
        "snn": lane.snn.backend,
        "ann": lane.ann,
        "mode": lane.mode,
        "fit": lane.fit,
    }


def _head(source: SourceInfo, settings: RunSettings, lanes: list[JsonObject]) -> JsonObject:
    play = settings.source
    return {
        "format": FORMAT,
        "spikebridge": __version__,
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "machine": platform.machine(),
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "source": {
            "uri": source.uri,
            "title": source.title,
            "kind": source.kind,
            "sensor": {"width": source.sensor.width, "height": source.sensor.height, "name": source.sensor.name},
        },
        "settings": {
            "speed": "max" if play.speed == float("inf") else play.speed,
            "loop": play.loop,
            "max_gap_us": play.max_gap_us,
            "seed": play.seed,
        },
        "lanes": lanes,
        "ended": None,
    }
