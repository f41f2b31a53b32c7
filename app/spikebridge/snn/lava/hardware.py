"""Loihi 2 as the user names it, and its power as a meter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from spikebridge.contracts import Energy, PowerReading, Provenance, SnnActivity
from spikebridge.errors import UsageError
from spikebridge.snn.lava.stage import LavaStage

#: Names of Lava's ``ChipGeneration``; N3B3 is most of the boards.
GENERATIONS = ("N3B2", "N3B3", "N3C1", "N3D1")

_RAILS = (
    ("total_w", "loihi", "Loihi 2 board, all rails, mean of the last step"),
    ("vdd_w", "loihi VDD", "neuro cores, mean of the last step"),
    ("vddm_w", "loihi VDDM", "memory, mean of the last step"),
    ("vddio_w", "loihi VDDIO", "input and output, mean of the last step"),
)


@dataclass(frozen=True, slots=True)
class HardwareOptions:
    """Where the board is.

    host : ``slurm`` schedules one (Intel's cloud, a cluster), ``ethernet`` names one on the network.
    address : IP address of the ethernet host. partition, board : SLURM's, at most one of them.
    generation : of the chip. profile : attach the power and time profilers; they cost time around each step.
    """

    host: Literal["slurm", "ethernet"] = "slurm"
    address: str | None = None
    partition: str | None = None
    board: str | None = None
    generation: str = "N3B3"
    profile: bool = True

    def __post_init__(self) -> None:
        if self.host == "ethernet" and not self.address:
            raise UsageError("expected the address of the Loihi 2 host for ethernet, found none; name it.")
        if self.host == "slurm" and self.partition and self.board:
            raise UsageError(
                f"expected a SLURM partition or a board, found both ({self.partition}, {self.board}); name one."
            )
        if self.generation not in GENERATIONS:
            raise UsageError(
                f"expected a Loihi generation among {', '.join(GENERATIONS)}, found '{self.generation}'; name one."
            )

    def request(self) -> dict[str, Any]:
        """For ``LavaOptions.hardware``."""
        return {name: getattr(self, name) for name in self.__slots__}


class Loihi2Meter:
    """A ``contracts.SnnMeter`` over what the board's own profilers measured; unavailable until they did."""

    name = "Loihi 2 profiler"

    def __init__(self, stage: LavaStage) -> None:
        self._stage = stage

    def read(self) -> tuple[PowerReading, ...]:
        figures = self._stage.figures
        readings = []
        for key, rail, scope in _RAILS:
            watts = figures.get(key)
            if watts is None and key != "total_w":
                continue
            provenance: Provenance = "unavailable" if watts is None else "measured"
            whole = key == "total_w"
            static_w = figures.get("static_w") if whole else None
            readings.append(PowerReading(rail, watts, provenance, scope, whole=whole, static_w=static_w))
        return tuple(readings)

    def energy(self, activity: SnnActivity, step_us: float, n_decisions: int) -> Energy:
        """Of the steps behind one decision, at the watts of the last one: dynamic power flows while the chip works,
        static power all the time."""
        total_w, static_w, busy_us = (self._stage.figures.get(key) for key in ("total_w", "static_w", "step_us"))
        if total_w is None or static_w is None or busy_us is None or n_decisions < 1:
            return Energy(None, "unavailable")
        steps = activity.steps / n_decisions
        return Energy(
            (total_w - static_w) * busy_us * steps * 1e-3, "measured", static_mj=static_w * step_us * steps * 1e-3
        )

    @property
    def chip_step_us(self) -> float | None:
        """Time of a step on the chip, without the host's input and output; None while not measured."""
        return self._stage.figures.get("step_us")
