"""A clock that is set by hand, and sysfs as RAPL shows it."""

from __future__ import annotations

from pathlib import Path

from spikebridge.contracts import Energy, PowerReading, SnnActivity


class Clock:
    """Nanoseconds; stands still unless it is moved."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000_000

    def __call__(self) -> int:
        return self.now_ns

    def pass_s(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


class ConstantMeter:
    """The same readings every time, or an error."""

    def __init__(self, *readings: PowerReading, error: Exception | None = None, name: str = "constant") -> None:
        self.readings, self.error, self.name, self.reads = readings, error, name, 0

    def read(self) -> tuple[PowerReading, ...]:
        self.reads += 1
        if self.error:
            raise self.error
        return self.readings


class SnnConstantMeter(ConstantMeter):
    """Of a chip whose decisions cost 1 mJ."""

    ENERGY = Energy(1.0, "measured", 2.0)

    def energy(self, activity: SnnActivity, step_us: float, n_decisions: int) -> Energy:
        return self.ENERGY


def rapl_zone(sysfs: Path, zone: str, name: str, energy_uj: int, range_uj: int = 1_000_000) -> Path:
    """Folder of one zone below class/powercap."""
    folder = sysfs / "class/powercap" / zone
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "max_energy_range_uj").write_text(f"{range_uj}\n")
    (folder / "energy_uj").write_text(f"{energy_uj}\n")
    return folder
