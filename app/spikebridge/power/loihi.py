"""What the spiking layers would draw on Loihi: the cost model applied to the activity counted in this run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from spikebridge.contracts import Energy, LayerActivity, PowerReading, SnnActivity, SnnStage

#: The whole chip; names of its single rails begin with this.
LOIHI_RAIL = "loihi"
#: (activity, step_us, n_decisions) → energy per decision; see ``spikebridge.snn.energy.energy_of``.
EnergyModel: TypeAlias = Callable[[SnnActivity, float, int], Energy]


class LoihiMeter:
    """Watts of the chip between two reads: modelled energy of the counted activity over the time that has passed.

    Dynamic power follows the activity; static power flows all the time. ``watts`` holds both, ``static_w`` the second.
    """

    def __init__(
        self,
        stage: SnnStage,
        energy_of: EnergyModel | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._stage = stage
        self._energy_of = energy_of
        self._clock_ns = clock_ns
        self._before = stage.activity()
        self._before_ns = clock_ns()
        self._static_w: float | None = None

    @property
    def name(self) -> str:
        return "Loihi estimate"

    def read(self) -> tuple[PowerReading, ...]:
        activity, now_ns = self._stage.activity(), self._clock_ns()
        used = _difference(activity, self._before)
        elapsed_us = (now_ns - self._before_ns) // 1000
        if elapsed_us <= 0:
            return (PowerReading(LOIHI_RAIL, None, "unavailable", "Loihi: waiting for the second reading"),)
        self._before, self._before_ns = activity, now_ns
        # A network that rests (paused, or between two steps) still draws static power: one step of all that time.
        priced = used if used.steps else replace(used, steps=1)
        energy = self.energy(priced, elapsed_us / priced.steps, 1)
        if energy.dynamic_mj is None:
            return (PowerReading(LOIHI_RAIL, None, "unavailable", "Loihi: no cost model for this network"),)
        elapsed_s = elapsed_us / 1e6
        static_w = None if energy.static_mj is None else energy.static_mj / 1e3 / elapsed_s
        dynamic_mj = energy.dynamic_mj if used.steps else 0.0
        watts = dynamic_mj / 1e3 / elapsed_s + (static_w or 0.0)
        scope = "one Loihi chip, from counted spikes, synaptic events and neuron updates; static power included"
        return (PowerReading(LOIHI_RAIL, watts, "estimated", scope, static_w=static_w),)

    def energy(self, activity: SnnActivity, step_us: float, n_decisions: int) -> Energy:
        """The cost model on the counted activity."""
        if self._energy_of is None:
            self._energy_of = _shipped_model()
        return self._energy_of(activity, step_us, n_decisions)


def _difference(after: SnnActivity, before: SnnActivity) -> SnnActivity:
    layers = tuple(
        LayerActivity(
            name=new.name,
            neurons=new.neurons,
            synaptic_events=new.synaptic_events - old.synaptic_events,
            neuron_updates=new.neuron_updates - old.neuron_updates,
            spikes=new.spikes - old.spikes,
        )
        for new, old in zip(after.layers, before.layers, strict=True)
    )
    return SnnActivity(after.steps - before.steps, after.input_events - before.input_events, layers)


def _shipped_model() -> EnergyModel:
    from spikebridge.snn.energy import energy_of

    return energy_of
