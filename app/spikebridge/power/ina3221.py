"""Jetson's INA3221 power monitor through sysfs, in both layouts that JetPack has had."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from spikebridge.contracts import PowerReading

#: Rails that measure the whole module or board; the others are parts of them (NVIDIA, Jetson Linux developer guide).
WHOLE_BOARD = ("VDD_IN", "POM_5V_IN", "VIN_SYS_5V0", "CV_IN")
_SUM_CHANNEL = 7


@dataclass(frozen=True, slots=True)
class _Rail:
    label: str
    watts: Callable[[], float]


class Ina3221Meter:
    """All labelled rails of the board. Power = voltage in mV times current in mA; 8 mV and 40 µV/shunt resolution."""

    name = "INA3221"

    def __init__(self, sysfs: Path = Path("/sys")) -> None:
        devices = sysfs / "bus" / "i2c" / "devices"
        self._rails = [*_hwmon_rails(devices), *_iio_rails(devices)]

    @property
    def found(self) -> bool:
        return bool(self._rails)

    def read(self) -> tuple[PowerReading, ...]:
        return tuple(_reading(rail) for rail in self._rails)


def _reading(rail: _Rail) -> PowerReading:
    whole = rail.label in WHOLE_BOARD
    scope = "whole board" if whole else "one rail of the board"
    try:
        return PowerReading(rail.label, rail.watts(), "measured", scope, whole)
    except (OSError, ValueError) as error:
        return PowerReading(rail.label, None, "unavailable", f"{scope}; reading failed: {error}", whole)


def _hwmon_rails(devices: Path) -> list[_Rail]:
    """JetPack 5 and 6: ``hwmon/hwmon*/in{N}_label`` with mV and mA beside it."""
    rails = []
    for path in sorted(devices.glob("*/hwmon/hwmon*/in*_label")):
        match = re.fullmatch(r"in(\d+)_label", path.name)
        label = path.read_text().strip()
        if match is None or int(match[1]) == _SUM_CHANNEL or not _connected(label):
            continue
        rails.append(
            _Rail(label, _product(path.with_name(f"in{match[1]}_input"), path.with_name(f"curr{match[1]}_input")))
        )
    return rails


def _iio_rails(devices: Path) -> list[_Rail]:
    """JetPack 4: ``iio:device*/rail_name_{N}`` with the power in mW."""
    rails = []
    for path in sorted(devices.glob("*/iio:device*/rail_name_*")):
        label = path.read_text().strip()
        if _connected(label):
            number = path.name.rsplit("_", 1)[1]
            rails.append(_Rail(label, _milliwatts(path.with_name(f"in_power{number}_input"))))
    return rails


def _connected(label: str) -> bool:
    return bool(label) and "NC" not in label.split("_")


def _product(millivolts: Path, milliamperes: Path) -> Callable[[], float]:
    return lambda: int(millivolts.read_text()) * int(milliamperes.read_text()) / 1e6


def _milliwatts(path: Path) -> Callable[[], float]:
    return lambda: int(path.read_text()) / 1e3
