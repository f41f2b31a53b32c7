"""What the spiking layers would cost on Loihi, from counted activity. Every figure of this module is an estimate.

Dynamic energy is events times a price each; static energy is power that flows all the time, and by far the larger part
at the rates of a gesture demo: they are kept apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spikebridge.contracts import Energy, LayerActivity, SnnActivity


@dataclass(frozen=True, slots=True)
class Costs:
    """Prices of one chip. ``_pj`` picojoules, ``_ns`` nanoseconds, each for one event; ``source`` says whose they are.

    access : a neuron visited, each one in each step. update : a neuron with state or input.
    hops : mean number of router hops of a message. barrier_ns : (tiles, ns) the synchronisation of a step.
    """

    name: str
    source: str
    synaptic_event_pj: float
    access_pj: float
    update_pj: float
    spike_pj: float
    message_pj: float
    hop_pj: float
    hops: float
    static_w: float
    static_source: str
    synaptic_event_ns: float
    access_ns: float
    update_ns: float
    spike_ns: float
    message_in_ns: float
    message_out_ns: float
    barrier_ns: tuple[tuple[int, float], ...]
    neurons_per_core: int
    cores_per_tile: int


#: SANA-FE's Loihi 1: within 12 % of measured energy and 25 % of measured time on three applications. A hop is the mean
#: of its two directions; one hop a message, since layers follow one another on the mesh.
LOIHI1 = Costs(
    name="Loihi 1",
    source="SANA-FE's Loihi calibration, after Davies et al. 2018",
    synaptic_event_pj=24.0,
    access_pj=51.2,
    update_pj=21.6,
    spike_pj=69.3,
    message_pj=111.0,
    hop_pj=3.6,
    hops=1.0,
    static_w=0.255,
    static_source="middle of 0.23–0.28 W, measured on one Loihi 2 board",
    synaptic_event_ns=3.1,
    access_ns=6.0,
    update_ns=3.7,
    spike_ns=30.0,
    message_in_ns=16.0,
    message_out_ns=5.1,
    barrier_ns=((1, 600.0), (2, 1000.0), (4, 1400.0), (29, 1800.0)),
    neurons_per_core=1024,
    cores_per_tile=4,
)


@dataclass(frozen=True, slots=True)
class LayerCost:
    """Dynamic energy of one layer over the counted steps, in millijoules, by cause. ``messages`` leave the layer."""

    name: str
    synapses_mj: float
    neurons_mj: float
    spikes_mj: float
    messages_mj: float
    messages: float

    @property
    def dynamic_mj(self) -> float:
        return self.synapses_mj + self.neurons_mj + self.spikes_mj + self.messages_mj


@dataclass(frozen=True, slots=True)
class RunCost:
    """Cost of a run. ``chip_step_us``: mean time that a step would take on the chip, without input and output."""

    layers: tuple[LayerCost, ...]
    static_mj: float
    chip_step_us: float
    info: str

    @property
    def dynamic_mj(self) -> float:
        return sum(layer.dynamic_mj for layer in self.layers)


def cost_of(
    activity: SnnActivity, step_us: float, messages_per_spike: Sequence[float] | None = None, costs: Costs = LOIHI1
) -> RunCost:
    """Cost of the counted steps, each ``step_us`` long. ``messages_per_spike``: cores that a spike of each layer is
    sent to (``mapping.MappingReport`` knows); one each where nothing is given, a lower bound."""
    if messages_per_spike is None:
        messages_per_spike = [1.0] * len(activity.layers)
    elif len(messages_per_spike) != len(activity.layers):
        raise ValueError(f"expected {len(activity.layers)} values of messages_per_spike, got {len(messages_per_spike)}")
    layers = tuple(
        _layer_cost(layer, activity.steps, fan_out, costs)
        for layer, fan_out in zip(activity.layers, messages_per_spike, strict=True)
    )
    return RunCost(
        layers=layers,
        static_mj=costs.static_w * activity.steps * step_us * 1e-3,
        chip_step_us=_step_us(activity, messages_per_spike, costs),
        info=f"{costs.name}: {costs.source}; static power: {costs.static_source}",
    )


def energy_of(activity: SnnActivity, step_us: float, n_decisions: int) -> Energy:
    """Energy of one decision on Loihi 1, dynamic and static apart."""
    if n_decisions < 1:
        return Energy(None, "unavailable")
    cost = cost_of(activity, step_us)
    return Energy(cost.dynamic_mj / n_decisions, "estimated", cost.static_mj / n_decisions)


def _layer_cost(layer: LayerActivity, steps: int, messages_per_spike: float, costs: Costs) -> LayerCost:
    messages = layer.spikes * messages_per_spike
    return LayerCost(
        name=layer.name,
        synapses_mj=layer.synaptic_events * costs.synaptic_event_pj * 1e-9,
        neurons_mj=(layer.neurons * steps * costs.access_pj + layer.neuron_updates * costs.update_pj) * 1e-9,
        spikes_mj=layer.spikes * costs.spike_pj * 1e-9,
        messages_mj=messages * (costs.message_pj + costs.hops * costs.hop_pj) * 1e-9,
        messages=messages,
    )


def _step_us(activity: SnnActivity, messages_per_spike: Sequence[float], costs: Costs) -> float:
    """Cores work side by side, so the busiest one and the barrier set the time; load is taken as even in a layer."""
    if not activity.steps:
        return 0.0
    busiest, all_cores = 0.0, 0
    incoming = float(activity.input_events)
    for layer, fan_out in zip(activity.layers, messages_per_spike, strict=True):
        cores = -(-layer.neurons // costs.neurons_per_core)
        all_cores += cores
        work_ns = (
            layer.synaptic_events * costs.synaptic_event_ns
            + layer.neurons * activity.steps * costs.access_ns
            + layer.neuron_updates * costs.update_ns
            + layer.spikes * (costs.spike_ns + fan_out * costs.message_out_ns)
            + incoming * costs.message_in_ns
        )
        busiest = max(busiest, work_ns / cores)
        incoming = layer.spikes * fan_out
    tiles = -(-all_cores // costs.cores_per_tile)
    barrier_ns = max(ns for from_tiles, ns in costs.barrier_ns if from_tiles <= tiles)
    return (busiest / activity.steps + barrier_ns) * 1e-3
