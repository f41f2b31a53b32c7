"""A session: a folder with all that is needed to run the same again and to compare.

session.json    what ran: source, settings, each network with the hash of its bundle; ``ended`` once it is whole
events.aedat4   the events that the chain saw, behind filters; events_labels.csv beside it where something was marked
steps.jsonl     one line for each step that a network worked through, with its decision where it came to one

A step that was dropped on the way to a network has no line, and leaves a hole in ``sequence``: that is how the network
saw it too. ``at_us`` is where the step begins in the file of events. It is the camera's clock, ``t_us``, unless that
went back, as after a seek.
"""

from __future__ import annotations

import itertools
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spikebridge.errors import InputError
from spikebridge.events import EventArray
from spikebridge.files import read_text
from spikebridge.snapshot import Decision

FORMAT = 1
HEAD, EVENTS, STEPS = "session.json", "events.aedat4", "steps.jsonl"

#: A step has some hundred bytes, a decision about five hundred.
_MOST_LINE_BYTES = 1 << 20
#: Times and steps that can be added without leaving 64 bit.
_MOST_NUMBER = 1 << 62

#: What JSON can hold.
JsonObject = dict[str, object]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of steps.jsonl.

    t_us : begin of the step on the camera's clock, at_us in the file. events, crc32 : how many, and of which content
    (see ``checksum``). rule : threshold and smoothing (µs) that held for the decision. decided : see there.
    """

    lane: str
    sequence: int
    t_us: int
    at_us: int
    gap: bool
    events: int
    crc32: int
    rule: tuple[float, int] | None
    decided: JsonObject | None


def decided(decision: Decision) -> JsonObject:
    """What is the same in every run on the same events: all of a decision but its times on the host."""
    return {
        "t_us": decision.t_us,
        "label": decision.label,
        "index": decision.index,
        # The shortest decimal that is this float32 and no other.
        "probabilities": [float(str(p)) for p in decision.probabilities],
        "gap": decision.gap,
        "settled": decision.settled,
    }


def step_line(step: Step, decision: Decision | None) -> bytes:
    """``step`` with all of its decision, figures too, as a line of steps.jsonl."""
    line: JsonObject = {
        "lane": step.lane,
        "sequence": step.sequence,
        "t_us": step.t_us,
        "at_us": step.at_us,
        "gap": step.gap,
        "events": step.events,
        "crc32": step.crc32,
        "decision": None,
    }
    if decision is not None and step.rule is not None:
        line["decision"] = (step.decided or {}) | {
            "threshold": step.rule[0],
            "smoothing_us": step.rule[1],
            "latency_us": {key: round(value) for key, value in decision.latency_us.items()},
            "end_to_end_us": None if decision.end_to_end_us is None else round(decision.end_to_end_us),
        }
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def checksum(events: EventArray, start_us: int) -> int:
    """CRC-32 of the times since ``start_us``, then of x, y and polarity: one column after the other."""
    crc = zlib.crc32(np.ascontiguousarray(events["t"] - start_us).data)
    for column in ("x", "y", "polarity"):
        crc = zlib.crc32(np.ascontiguousarray(events[column]).data, crc)
    return crc


def read_head(folder: Path) -> JsonObject:
    """session.json of a session; InputError where there is none that is understood."""
    if not folder.is_dir():
        raise InputError(f"expected a session's folder at {folder}, found none; check the path.")
    try:
        head = json.loads(read_text(folder / HEAD))
    except (ValueError, RecursionError) as error:
        raise _damaged(folder / HEAD, f"no JSON ({error})") from error
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        found = head.get("format") if isinstance(head, dict) else type(head).__name__
        raise InputError(
            f"expected {folder / HEAD} to be of format {FORMAT}, found {found}; verify it with the version that "
            "wrote it."
        )
    return head


def read_steps(folder: Path) -> Iterator[Step]:
    """All steps in the order in which they were worked through. A last line that was cut, as by a crash, is left out.

    InputError for a line that is none.
    """
    path = folder / STEPS
    try:
        with path.open("rb") as lines:
            for number in itertools.count(1):
                line = lines.readline(_MOST_LINE_BYTES)
                if not line.endswith(b"\n") and len(line) < _MOST_LINE_BYTES:
                    return
                try:
                    yield _step(json.loads(line))
                except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
                    raise _damaged(path, f"line {number} not a step ({error!r})") from error
    except OSError as error:
        raise InputError(
            f"expected the steps of a session at {path}, found: {error.strerror}; check the path."
        ) from error


def _step(line: Mapping[str, object]) -> Step:
    decision = line["decision"]
    rule: tuple[float, int] | None = None
    what: JsonObject | None = None
    if decision is not None:
        if not isinstance(decision, dict):
            raise TypeError("expected an object as decision")
        what = {key: decision[key] for key in ("t_us", "label", "index", "probabilities", "gap", "settled")}
        rule = float(decision["threshold"]), int(decision["smoothing_us"])
    return Step(
        lane=str(line["lane"]),
        sequence=_integer(line, "sequence"),
        t_us=_integer(line, "t_us"),
        at_us=_integer(line, "at_us"),
        gap=bool(line["gap"]),
        events=_integer(line, "events"),
        crc32=_integer(line, "crc32"),
        rule=rule,
        decided=what,
    )


def _integer(line: Mapping[str, object], key: str) -> int:
    value = line[key]
    if not isinstance(value, int) or not abs(value) < _MOST_NUMBER:
        raise TypeError(f"expected an integer of 62 bit as {key}")
    return value


def _damaged(path: Path, found: str) -> InputError:
    return InputError(f"expected {path} to be of a session, found {found}; the file is damaged, copy it again.")
