"""Power: what can be measured on this machine, and what can only be estimated. Each figure says which of the two."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from spikebridge.contracts import PowerMeter
from spikebridge.power.host import HOST_RAIL, WATTS_PER_BUSY_CORE, HostMeter
from spikebridge.power.ina3221 import Ina3221Meter
from spikebridge.power.monitor import PowerMonitor
from spikebridge.power.powercap import PowercapMeter

__all__ = [
    "HOST_RAIL",
    "WATTS_PER_BUSY_CORE",
    "HostMeter",
    "Ina3221Meter",
    "PowerMonitor",
    "PowercapMeter",
    "discover_meters",
]


class _FoundMeter(PowerMeter, Protocol):
    def readable(self) -> bool: ...


#: Each looks for one kind of meter below /sys. A new kind is a file of its own and a place here.
_KINDS: tuple[Callable[[Path], _FoundMeter | None], ...] = (Ina3221Meter.find, PowercapMeter.find)


def discover_meters(sysfs: Path = Path("/sys"), estimate_host: bool = True) -> tuple[PowerMeter, ...]:
    """Every meter of this machine; a host estimate only where no meter can be read.

    A meter that is there and cannot be read stays in the list: its readings are unavailable and say how to get access.
    """
    found = [meter for find in _KINDS if (meter := find(sysfs)) is not None]
    if estimate_host and not any(meter.readable() for meter in found):
        return (*found, HostMeter())
    return tuple(found)
