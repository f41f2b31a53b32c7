"""Power with provenance: which meters this machine has, and the thread that reads them."""

from __future__ import annotations

from pathlib import Path

from spikebridge.contracts import PowerMeter
from spikebridge.power.host import HOST_RAIL, HostEstimate
from spikebridge.power.ina3221 import Ina3221Meter
from spikebridge.power.monitor import PowerMonitor
from spikebridge.power.powercap import PowercapMeter

__all__ = ["HOST_RAIL", "PowerMonitor", "discover_meters"]


def discover_meters(sysfs: Path = Path("/sys"), *, estimate_host: bool = True) -> tuple[PowerMeter, ...]:
    """Meters of this machine. A meter that is there but may not be read stays in the list and says the fix.

    estimate_host : add the estimate from CPU time where nothing can be measured; it never stands beside measured rails.
    """
    meters: list[PowerMeter] = []
    measured = False
    board = Ina3221Meter(sysfs)
    if board.found:
        meters.append(board)
        measured = True
    packages = PowercapMeter(sysfs)
    if packages.found:
        meters.append(packages)
        measured = measured or packages.readable
    if not measured and estimate_host:
        meters.append(HostEstimate())
    return tuple(meters)
