"""What the spiking layers would draw on Loihi: the cost model applied to the activity that a stage counts."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from spikebridge.contracts import Energy, PowerReading, SnnActivity, SnnCost
from spikebridge.snn.energy import CostModel
from spikebridge.snn.network import Network

#: The whole chip.
RAIL = "loihi"


class CountingStage(Protocol):
    """The part of an ``SnnStage`` that a meter needs."""

    def activity(self) -> SnnActivity: ...


class ModelMeter:
    """An ``SnnMeter``. Watts of the chip between two reads: modelled energy of the counted activity over the time that
    has passed.

    Dynamic power follows the activity; static power flows all the time. ``watts`` holds both, ``static_w`` the second.
    """

    name = "Loihi estimate"

    def __init__(self, stage: CountingStage, network: Network, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._stage = stage
        self._model = CostModel(network)
        self._clock_ns = clock_ns
        self._before = stage.activity()
        self._before_ns = clock_ns()

    def read(self) -> tuple[PowerReading, ...]:
        activity, now_ns = self._stage.activity(), self._clock_ns()
        elapsed_s = (now_ns - self._before_ns) * 1e-9
        if elapsed_s <= 0:
            return (PowerReading(RAIL, None, "unavailable", "Loihi: waiting for the second reading", whole=True),)
        # A network that rests (paused, or between two steps) still draws static power.
        dynamic_mj = self._model.cost(_since(self._before, activity), 0.0).dynamic_mj
        self._before, self._before_ns = activity, now_ns
        prices = self._model.prices
        scope = (
            f"one {prices.chip}, from counted spikes, synaptic events and neuron updates; static power included: "
            f"{prices.static_source}"
        )
        watts = prices.static_w + dynamic_mj * 1e-3 / elapsed_s
        return (PowerReading(RAIL, watts, "estimated", scope, whole=True, static_w=prices.static_w),)

    def energy(self, activity: SnnActivity, step_us: float, n_decisions: int) -> Energy:
        return self._model.energy(activity, step_us, n_decisions)

    def cost(self, activity: SnnActivity, step_us: float) -> SnnCost:
        return self._model.cost(activity, step_us)


def _since(before: SnnActivity, after: SnnActivity) -> SnnActivity:
    layers = tuple(
        replace(
            new,
            synaptic_events=new.synaptic_events - old.synaptic_events,
            neuron_updates=new.neuron_updates - old.neuron_updates,
            spikes=new.spikes - old.spikes,
        )
        for old, new in zip(before.layers, after.layers, strict=True)
    )
    return SnnActivity(after.steps - before.steps, after.input_events - before.input_events, layers)
