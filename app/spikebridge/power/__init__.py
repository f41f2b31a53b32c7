"""Power: what can be measured on this machine, and what can only be estimated. Each figure says which of the two."""

from __future__ import annotations

from pathlib import Path

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


def discover_meters(sysfs: Path = Path("/sys"), estimate_host: bool = True) -> tuple[PowerMeter, ...]:
    """Every meter of this machine; a host estimate only where no meter can be read.

    A meter that is there and cannot be read stays in the list: its readings are unavailable and say how to get access.
    """
    meters: list[PowerMeter] = []
    readable = False
    if rails := Ina3221Meter.find(sysfs):
        meters.append(rails)
        readable = rails.readable()
    if zones := PowercapMeter.find(sysfs):
        meters.append(zones)
        readable = readable or zones.readable()
    if estimate_host and not readable:
        meters.append(HostMeter())
    return tuple(meters)
