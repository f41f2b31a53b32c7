"""The INA3221 monitors of a Jetson, through both layouts that its kernels have had in sysfs.

hwmon (JetPack 5 and later): ``in{N}_label``, ``in{N}_input`` mV, ``curr{N}_input`` mA; N runs from 1 to 3, and 7 is the
sum of the shunt voltages, which is no power rail. iio (JetPack 4): ``rail_name_{N}``, ``in_power{N}_input`` mW; N runs
from 0 to 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spikebridge.contracts import PowerReading
from spikebridge.power.sysfs import read_number, read_text

#: Rails that feed the whole module; the chip's other rails are parts of them.
WHOLE_BOARD = ("POM_5V_IN", "VDD_IN")
_CHANNELS = (1, 2, 3)
_ACCESS = "sudo chmod a+r {path}"


@dataclass(frozen=True, slots=True)
class _Rail:
    """``power`` is a file in mW, or None where volts (mV) and amperes (mA) are read."""

    name: str
    volts: Path
    amperes: Path
    power: Path | None = None

    def watts(self) -> float:
        if self.power is not None:
            return read_number(self.power) / 1e3
        return read_number(self.volts) * read_number(self.amperes) / 1e6


class Ina3221Meter:
    """All connected rails of all INA3221 of the board."""

    def __init__(self, rails: tuple[_Rail, ...]) -> None:
        self._rails = rails

    @classmethod
    def find(cls, sysfs: Path) -> Ina3221Meter | None:
        """The meter of this board, or None where there is no INA3221 with a connected rail."""
        devices = sysfs / "bus/i2c/devices"
        rails = (*_hwmon_rails(devices), *_iio_rails(devices))
        return cls(rails) if rails else None

    @property
    def name(self) -> str:
        return "Jetson INA3221"

    def readable(self) -> bool:
        """True when at least one rail gives a figure."""
        return any(reading.watts is not None for reading in self.read())

    def read(self) -> tuple[PowerReading, ...]:
        return tuple(_read(rail) for rail in self._rails)


def _read(rail: _Rail) -> PowerReading:
    whole = rail.name in WHOLE_BOARD
    try:
        watts = rail.watts()
    except PermissionError as error:
        fix = _ACCESS.format(path=error.filename)
        scope = f"{rail.name} may not be read; run '{fix}' or start the program as a user who may read it"
        return PowerReading(rail.name, None, "unavailable", scope, whole, fix=fix)
    except (OSError, ValueError) as error:
        return PowerReading(rail.name, None, "unavailable", f"{rail.name} could not be read: {error}", whole)
    scope = "whole board, other rails included" if whole else f"rail {rail.name} of the Jetson"
    return PowerReading(rail.name, watts, "measured", scope, whole)


def _hwmon_rails(devices: Path) -> Iterator[_Rail]:
    for folder in sorted(devices.glob("*/hwmon/hwmon*")):
        # Other sensors on the bus have in1_label and curr1_input too.
        if read_text(folder / "name") != "ina3221":
            continue
        for channel in _CHANNELS:
            name = read_text(folder / f"in{channel}_label")
            if _connected(name):
                yield _Rail(name, folder / f"in{channel}_input", folder / f"curr{channel}_input")


def _iio_rails(devices: Path) -> Iterator[_Rail]:
    for label in sorted(devices.glob("*/iio:device*/rail_name_*")):
        channel, folder, name = label.name.rpartition("_")[2], label.parent, read_text(label)
        if not _connected(name):
            continue
        power = folder / f"in_power{channel}_input"
        yield _Rail(
            name,
            folder / f"in_voltage{channel}_input",
            folder / f"in_current{channel}_input",
            power if power.exists() else None,
        )


def _connected(name: str) -> bool:
    return bool(name) and "NC" not in name.replace("-", "_").split("_")
