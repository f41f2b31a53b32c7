"""Package and memory power of Intel and AMD processors from the kernel's RAPL energy counters."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spikebridge.contracts import PowerReading
from spikebridge.power.sysfs import read_number, read_text

#: Core and uncore are parts of their package and left out; DRAM is not part of it.
_SEPARATE_RAILS = ("package", "dram", "psys")
#: Counters are renewed about every millisecond; shorter differences are noise.
_SHORTEST_NS = 10_000_000
ACCESS_FIX = "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj"


@dataclass(slots=True)
class _Zone:
    """One counter in µJ and its last value; ``energy_uj`` None when it could not be read."""

    rail: str
    folder: Path
    range_uj: int
    energy_uj: int | None = None
    at_ns: int = 0
    watts: float | None = None


class PowercapMeter:
    """Mean watts between two reads, from the difference of energy counters."""

    def __init__(self, zones: list[_Zone], clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._zones = zones
        self._clock_ns = clock_ns
        self.read()

    @classmethod
    def find(cls, sysfs: Path, clock_ns: Callable[[], int] = time.monotonic_ns) -> PowercapMeter | None:
        """The meter of this processor, or None where the kernel offers no RAPL zone.

        ``intel-rapl-mmio`` shows the same package by another way and is left out.
        """
        zones = []
        for folder in sorted((sysfs / "class/powercap").glob("intel-rapl:*")):
            name = read_text(folder / "name")
            if not name.startswith(_SEPARATE_RAILS):
                continue
            socket = folder.name.split(":")[1]
            rail = f"{name}-{socket}" if name == "dram" else name
            zones.append(_Zone(rail, folder, int(read_text(folder / "max_energy_range_uj") or 0)))
        return cls(zones, clock_ns) if zones else None

    @property
    def name(self) -> str:
        return "Processor energy counters (RAPL)"

    def readable(self) -> bool:
        """True when at least one counter may be read."""
        return any(zone.energy_uj is not None for zone in self._zones)

    def read(self) -> tuple[PowerReading, ...]:
        return tuple(self._read(zone) for zone in self._zones)

    def _read(self, zone: _Zone) -> PowerReading:
        whole = zone.rail.startswith("psys")
        try:
            energy_uj = read_number(zone.folder / "energy_uj")
        except PermissionError:
            scope = f"{zone.rail} may be read by root only; run '{ACCESS_FIX}'"
            return _unavailable(zone, scope, whole, ACCESS_FIX)
        except (OSError, ValueError) as error:
            return _unavailable(zone, f"{zone.rail} could not be read: {error}", whole)
        now_ns = self._clock_ns()
        if zone.energy_uj is None:
            zone.energy_uj, zone.at_ns = energy_uj, now_ns
        elif now_ns - zone.at_ns >= _SHORTEST_NS:
            used_uj = energy_uj - zone.energy_uj
            if used_uj < 0:  # the counter went past its range and began again
                used_uj += zone.range_uj
            zone.watts = used_uj * 1e3 / (now_ns - zone.at_ns) if used_uj >= 0 else None
            zone.energy_uj, zone.at_ns = energy_uj, now_ns
        if zone.watts is None:
            return PowerReading(zone.rail, None, "unavailable", f"{zone.rail}: waiting for the second reading", whole)
        return PowerReading(zone.rail, zone.watts, "measured", _scope(zone.rail), whole)


def _unavailable(zone: _Zone, scope: str, whole: bool, fix: str = "") -> PowerReading:
    zone.energy_uj = zone.watts = None
    return PowerReading(zone.rail, None, "unavailable", scope, whole, fix=fix)


def _scope(rail: str) -> str:
    if rail.startswith("psys"):
        return "whole platform, all programs"
    if rail.startswith("dram"):
        return "memory, all programs"
    return "processor package, all programs"
