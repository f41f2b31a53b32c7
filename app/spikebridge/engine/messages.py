"""What the window's process and the chain's process say to each other. A ticket stands for one opened source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from spikebridge.settings import RunSettings
from spikebridge.snapshot import Snapshot

# ---------------------------------------------------------------- to the chain


@dataclass(frozen=True, slots=True)
class Open:
    """Opens and starts a source; answered by ``Opened`` or ``Refused``, with any number of ``Said`` before."""

    ticket: int
    uri: str
    settings: RunSettings


@dataclass(frozen=True, slots=True)
class Close:
    """Ends a source, or gives up opening it; answered by ``Closed``."""

    ticket: int


@dataclass(frozen=True, slots=True)
class Tune:
    """Threshold and smoothing of one lane; None for as it is."""

    ticket: int
    lane: int
    threshold: float | None
    smoothing_us: int | None


@dataclass(frozen=True, slots=True)
class WantFeatures:
    ticket: int
    lane: int
    wanted: bool


@dataclass(frozen=True, slots=True)
class Pause:
    ticket: int
    paused: bool


@dataclass(frozen=True, slots=True)
class Seek:
    ticket: int
    t_us: int


@dataclass(frozen=True, slots=True)
class Step:
    ticket: int


@dataclass(frozen=True, slots=True)
class SetSpeed:
    ticket: int
    speed: float


@dataclass(frozen=True, slots=True)
class SetLoop:
    ticket: int
    loop: bool


@dataclass(frozen=True, slots=True)
class Record:
    """Begins a recording, or ends the one that runs where ``path`` is None."""

    ticket: int
    path: Path | None


@dataclass(frozen=True, slots=True)
class Mark:
    """``label`` holds from now on in what is being recorded; None ends it."""

    ticket: int
    label: str | None


#: What changes a source that runs; each is counted, see ``News.heard``.
Control: TypeAlias = Tune | WantFeatures | Record | Mark | Pause | Seek | Step | SetSpeed | SetLoop
Request: TypeAlias = Open | Close | Control

# ---------------------------------------------------------------- from the chain


@dataclass(frozen=True, slots=True)
class Said:
    """Words on what is slow."""

    ticket: int
    words: str


@dataclass(frozen=True, slots=True)
class Opened:
    """The source runs. Behind it, the descriptor of the memory with its picture is sent."""

    ticket: int
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Refused:
    """The source could not be opened."""

    ticket: int
    error: Exception


@dataclass(frozen=True, slots=True)
class News:
    """The newest snapshot. heard : controls of this source that it already shows."""

    ticket: int
    snapshot: Snapshot
    heard: int


@dataclass(frozen=True, slots=True)
class Closed:
    ticket: int


Answer: TypeAlias = Said | Opened | Refused | News | Closed
