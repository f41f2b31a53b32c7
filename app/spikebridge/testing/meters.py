"""Meters that read what they were told."""

from __future__ import annotations

from spikebridge.contracts import Energy, PowerReading, SnnActivity, SnnCost


class FixedMeter:
    """``readings`` each time, or ``error``; ``reads`` counts."""

    def __init__(self, *readings: PowerReading, error: Exception | None = None, name: str = "fixed") -> None:
        self.readings = readings
        self.error = error
        self.name = name
        self.reads = 0

    def read(self) -> tuple[PowerReading, ...]:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return self.readings


class FixedSnnMeter(FixedMeter):
    """Of a chip on which a step costs ``step``, whatever happens in it."""

    def __init__(self, step: Energy, *readings: PowerReading, name: str = "fixed chip") -> None:
        super().__init__(*readings, name=name)
        self._step = step

    def energy(self, activity: SnnActivity, step_us: float, n_decisions: int) -> Energy:
        steps = activity.steps / n_decisions
        return Energy(
            None if self._step.activity_mj is None else self._step.activity_mj * steps,
            self._step.provenance,
            self._step.constant_mj * steps,
            None if self._step.static_mj is None else self._step.static_mj * steps,
            self._step.static_source,
        )

    def cost(self, activity: SnnActivity, step_us: float) -> SnnCost | None:
        return None
