"""Spikebridge: event camera → spiking network → accumulator → ordinary network → gesture.

Public: ``open(source)`` yields EventPackets, ``load_model(name_or_path)`` a bundle, ``snn.load_network(path)`` and
``snn.Emulator(network)`` the spiking part.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from spikebridge.bundle import load_model
from spikebridge.events import EventPacket

__version__ = "0.1.0"
__all__ = ["EventPacket", "load_model", "open"]


@contextmanager
def open(source: str | Path, *, step_us: int = 10_000) -> Iterator[Iterator[EventPacket]]:
    """The packets of a source, one for each ``step_us``, as fast as they are taken.

    ``with spikebridge.open("recording.aedat4") as packets: for packet in packets: packet.events["x"] …``
    """
    from spikebridge.settings import SourceSettings
    from spikebridge.sources import open_source

    with closing(open_source(source, SourceSettings(speed=math.inf))) as opened:
        yield opened.packets(step_us)
