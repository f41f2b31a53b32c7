"""Spikebridge: event camera → spiking network → accumulator → ordinary network → gesture.

From Python, for notebooks and other programs:

- ``open(source)`` gives the packets of a recording, a camera or the simulated camera,
- ``decide(source, model)`` the decisions of a network on them,
- ``load_model(name_or_path)`` a bundle, ``snn.load_network`` and ``snn.Emulator`` its spiking part,
- ``testing`` stand-ins for one's own cameras, stages and meters,
- and the records: events and packets, decisions, and the figures of a run (``Snapshot`` and what is in it).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from spikebridge.bundle import Bundle, load_model
from spikebridge.contracts import LABELS, Energy, PowerReading, SnnActivity, SnnCost, Source, SourceInfo
from spikebridge.errors import SpikebridgeError
from spikebridge.events import EVENT_DTYPE, EventPacket, Sensor, make_events
from spikebridge.snapshot import (
    Counters,
    Decision,
    EventAge,
    LaneSnapshot,
    Latency,
    PairFigures,
    Percentiles,
    Snapshot,
    StageCard,
)

__version__ = "0.2.0"
__all__ = [
    "EVENT_DTYPE",
    "LABELS",
    "Bundle",
    "Counters",
    "Decision",
    "Energy",
    "EventAge",
    "EventPacket",
    "LaneSnapshot",
    "Latency",
    "PairFigures",
    "Percentiles",
    "PowerReading",
    "Sensor",
    "Snapshot",
    "SnnActivity",
    "SnnCost",
    "Source",
    "SourceInfo",
    "SpikebridgeError",
    "StageCard",
    "decide",
    "load_model",
    "make_events",
    "open",
]


@contextmanager
def open(source: str | Path, *, step_us: int = 10_000) -> Iterator[Iterator[EventPacket]]:
    """The packets of a source, one for each ``step_us``, as fast as they are taken.

    source : as on the command line: ``sim:``, ``sim:<gesture>``, a path, ``camera:``.

    Raises a SpikebridgeError with one sentence when the source cannot be opened.
    """
    from spikebridge.settings import SourceSettings
    from spikebridge.sources import open_source

    with closing(open_source(source, SourceSettings(speed=math.inf))) as opened:
        yield opened.packets(step_us)


def decide(source: str | Path, model: str | Path | None = None, *, speed: float = math.inf) -> Iterator[Decision]:
    """The decisions of a network on a source, until it ends or nobody takes more.

    model : name of a shipped bundle or a bundle's folder; None for the default. speed : 1.0 is real time, ``math.inf``
    as fast as the chain takes it. Raises a SpikebridgeError when something cannot be opened or a stage fails.
    """
    from spikebridge.run.opening import open_pipeline
    from spikebridge.settings import DEFAULT_MODEL, LaneSettings, RunSettings, SourceSettings

    settings = RunSettings((LaneSettings(str(model or DEFAULT_MODEL)),), SourceSettings(speed))
    with closing(open_pipeline(str(source), settings).decisions()) as decisions:
        for item in decisions:
            if item is not None:
                yield item[1]
