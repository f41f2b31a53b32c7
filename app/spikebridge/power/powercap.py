"""Package power of Intel and AMD processors through the kernel's powercap (RAPL) counters."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from spikebridge.contracts import PowerReading

_FIX = "permission denied; run 'sudo chmod a+r /sys/class/powercap/*/energy_uj'"


class PowercapMeter:
    """Mean power of each processor package between two reads; the first read only starts the measurement.

    clock : seconds, monotonic; a parameter for tests.
    """

    name = "RAPL"

    def __init__(self, sysfs: Path = Path("/sys"), clock: Callable[[], float] = time.monotonic) -> None:
        zones = sorted((sysfs / "class" / "powercap").glob("*-rapl:?"))
        self._zones = [zone for zone in zones if (zone / "energy_uj").exists()]
        self._clock = clock
        self._before: dict[Path, tuple[int, float]] = {}

    @property
    def found(self) -> bool:
        return bool(self._zones)

    @property
    def readable(self) -> bool:
        """Whether at least one package may be read by this user."""
        return any(
            reading.provenance == "measured" or (reading.watts is None and _FIX not in reading.scope)
            for reading in self.read()
        )

    def read(self) -> tuple[PowerReading, ...]:
        return tuple(self._reading(zone) for zone in self._zones)

    def _reading(self, zone: Path) -> PowerReading:
        try:
            rail = (zone / "name").read_text().strip()
            energy_uj = int((zone / "energy_uj").read_text())
            wraps_at_uj = int((zone / "max_energy_range_uj").read_text())
        except PermissionError:
            return PowerReading(_name(zone), None, "unavailable", _FIX)
        except (OSError, ValueError) as error:
            return PowerReading(_name(zone), None, "unavailable", f"reading failed: {error}")
        now_s = self._clock()
        before = self._before.get(zone)
        self._before[zone] = (energy_uj, now_s)
        if before is None or now_s <= before[1]:
            return PowerReading(rail, None, "unavailable", "whole processor package; first sample")
        used_uj = energy_uj - before[0]
        if used_uj < 0:
            used_uj += wraps_at_uj
        watts = used_uj / 1e6 / (now_s - before[1])
        return PowerReading(rail, watts, "measured", "whole processor package, all programs", whole=True)


def _name(zone: Path) -> str:
    try:
        return (zone / "name").read_text().strip()
    except OSError:
        return zone.name
