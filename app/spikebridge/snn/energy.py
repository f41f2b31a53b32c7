"""What the spiking layers would cost on Loihi, from counted activity. Every figure of this module is an estimate.

Dynamic energy is events times a price each; static energy is power that flows all the time, and by far the larger part
at the rates of a gesture demo: they are kept apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from spikebridge.contracts import Energy, LayerActivity, SnnActivity
from spikebridge.snn.mapping import map_network
from spikebridge.snn.network import Network
from spikebridge.snn.tables import energy, figure, table


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
    """Activity of one layer over the counted steps and its dynamic energy in millijoules, by cause.

    messages : leave the layer, one for each core that a spike goes to.
    """

    name: str
    neurons: int
    synaptic_events: int
    neuron_updates: int
    spikes: int
    messages: float
    synapses_mj: float
    neurons_mj: float
    spikes_mj: float
    messages_mj: float

    @property
    def dynamic_mj(self) -> float:
        return self.synapses_mj + self.neurons_mj + self.spikes_mj + self.messages_mj


@dataclass(frozen=True, slots=True)
class RunCost:
    """Cost of a run of ``steps``.

    chip_step_us : mean time that a step would take on the chip, without input and output. input_events : non-zero input
    counts. info : whose prices these are.
    """

    chip: str
    steps: int
    input_events: int
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
        chip=costs.name,
        steps=activity.steps,
        input_events=activity.input_events,
        layers=layers,
        static_mj=costs.static_w * activity.steps * step_us * 1e-3,
        chip_step_us=_step_us(activity, messages_per_spike, costs),
        info=f"{costs.name}: {costs.source}; static power: {costs.static_source}",
    )


def energy_of(
    activity: SnnActivity, step_us: float, n_decisions: int, messages_per_spike: Sequence[float] | None = None
) -> Energy:
    """Energy of one decision on Loihi 1, dynamic and static apart."""
    if n_decisions < 1:
        return Energy(None, "unavailable")
    cost = cost_of(activity, step_us, messages_per_spike)
    return Energy(cost.dynamic_mj / n_decisions, "estimated", cost.static_mj / n_decisions)


class CostModel:
    """``cost_of`` and ``energy_of`` for one network, with the messages of its mapping onto Loihi 1."""

    def __init__(self, network: Network) -> None:
        self._network = network

    @cached_property
    def messages_per_spike(self) -> tuple[float, ...]:
        return map_network(self._network, "loihi1").messages_per_spike

    def cost_of(self, activity: SnnActivity, step_us: float) -> RunCost:
        return cost_of(activity, step_us, self.messages_per_spike)

    def energy_of(self, activity: SnnActivity, step_us: float, n_decisions: int) -> Energy:
        return energy_of(activity, step_us, n_decisions, self.messages_per_spike)


_COUNTS = ("synaptic_events", "neuron_updates", "spikes", "messages", "dynamic_mj")


def cost_object(cost: RunCost, n_decisions: int) -> dict[str, Any]:
    """For ``--json``: the run and the mean decision, in all and by layer; ``per_decision`` is None without any."""

    def both(run: dict[str, float]) -> dict[str, Any]:
        run = {key: round(value, 9) for key, value in run.items()}
        each = {key: round(value / n_decisions, 9) for key, value in run.items()} if n_decisions else None
        return {"run": run, "per_decision": each}

    by_layer = [{key: getattr(layer, key) for key in _COUNTS} for layer in cost.layers]
    total = {"input_events": cost.input_events, **{key: sum(layer[key] for layer in by_layer) for key in _COUNTS}}
    return {
        "chip": cost.chip,
        "provenance": "estimated",
        "source": cost.info,
        "steps": cost.steps,
        "decisions": n_decisions,
        "chip_step_us": round(cost.chip_step_us, 3),
        **both(total | {"static_mj": cost.static_mj}),
        "layers": [
            {"name": layer.name, "neurons": layer.neurons, **both(counts)}
            for layer, counts in zip(cost.layers, by_layer, strict=True)
        ],
    }


def cost_lines(fields: dict[str, Any]) -> list[str]:
    """``cost_object`` for people: a row for each layer of the mean decision, and one of the run."""
    each = "per_decision" if fields["decisions"] else "run"

    def row(name: str, counts: dict[str, float]) -> list[str]:
        *events, dynamic_mj = (counts[key] for key in _COUNTS)
        return [name, *map(figure, events), energy(dynamic_mj)]

    rows = [row(f"  {layer['name']}", layer[each]) for layer in fields["layers"]]
    if fields["decisions"]:
        rows.append(row("  all layers", fields["per_decision"]))
    rows.append(row(f"  run, {fields['decisions']:,} decisions", fields["run"]))
    static = energy(fields[each]["static_mj"]) + (" a decision" if fields["decisions"] else "")
    title = f"{fields['chip']} estimate: a step would take {fields['chip_step_us']:.3g} µs, static energy {static}"
    return [
        title,
        *table(
            [
                "  each decision" if fields["decisions"] else "  no decision",
                "synaptic events",
                "neuron updates",
                "spikes",
                "messages",
                "dynamic",
            ],
            *rows,
        ),
    ]


def price_lines(costs: Costs = LOIHI1) -> list[str]:
    """The constants of the model and where they come from."""
    prices = [
        ("synaptic event", costs.synaptic_event_pj, costs.synaptic_event_ns),
        ("neuron visited", costs.access_pj, costs.access_ns),
        ("neuron updated", costs.update_pj, costs.update_ns),
        ("spike", costs.spike_pj, costs.spike_ns),
        ("message out", costs.message_pj, costs.message_out_ns),
        ("message in", 0.0, costs.message_in_ns),
        (f"hop, {costs.hops:g} a message", costs.hop_pj, 0.0),
    ]
    barrier = ", ".join(f"{ns:g} ns from {n} tile{'s' if n > 1 else ''}" for n, ns in costs.barrier_ns)
    return [
        f"cost of a run (estimated, on {costs.name} whatever the chip above): {costs.source}",
        *table(["  each", "energy", "time"], *([f"  {what}", f"{pj:g} pJ", f"{ns:g} ns"] for what, pj, ns in prices)),
        f"  barrier of a step: {barrier}",
        f"  static power {costs.static_w:g} W: {costs.static_source}",
    ]


def price_object(costs: Costs = LOIHI1) -> dict[str, Any]:
    """The constants for ``--json``."""
    return {"provenance": "estimated", **asdict(costs)}


def _layer_cost(layer: LayerActivity, steps: int, messages_per_spike: float, costs: Costs) -> LayerCost:
    messages = layer.spikes * messages_per_spike
    return LayerCost(
        name=layer.name,
        neurons=layer.neurons,
        synaptic_events=layer.synaptic_events,
        neuron_updates=layer.neuron_updates,
        spikes=layer.spikes,
        messages=messages,
        synapses_mj=layer.synaptic_events * costs.synaptic_event_pj * 1e-9,
        neurons_mj=(layer.neurons * steps * costs.access_pj + layer.neuron_updates * costs.update_pj) * 1e-9,
        spikes_mj=layer.spikes * costs.spike_pj * 1e-9,
        messages_mj=messages * (costs.message_pj + costs.hops * costs.hop_pj) * 1e-9,
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
