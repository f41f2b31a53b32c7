"""What the spiking layers would cost on Loihi, from counted activity. Every figure of this module is an estimate.

Dynamic energy is events times a price each. Most of it is constant at the rates of a gesture demo: each neuron is
visited in each step, whatever comes. Static energy is power that flows all the time, and larger still.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from spikebridge.contracts import Energy, LayerActivity, LayerCost, SnnActivity, SnnCost
from spikebridge.snn.mapping import Fan, LayerMapping, map_network
from spikebridge.snn.network import Conv, Network


@dataclass(frozen=True, slots=True)
class Price:
    """Of one event, in picojoules and nanoseconds. name : of the source's own table."""

    name: str
    pj: float
    ns: float


@dataclass(frozen=True, slots=True)
class Prices:
    """Of one chip.

    conv_synapse, dense_synapse : a synaptic event in a convolution and in a fully connected layer. visit : of a neuron,
    each one in each step. update : of a neuron with state or input. spike : the neuron's own part of it. message_out,
    message_in : at the sending and at the receiving core. row_hop, column_hop : to the next router along the mesh's
    rows and columns. barrier_ns : (tiles, ns) the synchronisation of a step, from so many tiles on.
    source, static_source : whose prices, and whose static power.
    """

    chip: str
    source: str
    conv_synapse: Price
    dense_synapse: Price
    visit: Price
    update: Price
    spike: Price
    message_out: Price
    message_in: Price
    row_hop: Price
    column_hop: Price
    barrier_ns: tuple[tuple[int, float], ...]
    static_w: float
    static_source: str


#: Within 12 % of measured energy and 25 % of measured time on three applications. The table has a price for sparse
#: synapses too, which no layer here has.
LOIHI1 = Prices(
    chip="Loihi 1",
    source="SANA-FE's Loihi calibration, after Davies et al. 2018",
    conv_synapse=Price("loihi_conv_synapse", 24.0, 3.1),
    dense_synapse=Price("loihi_dense_synapse", 35.5, 3.8),
    visit=Price("access_neuron", 51.2, 6.0),
    update=Price("update_neuron", 21.6, 3.7),
    spike=Price("spike_out", 69.3, 30.0),
    message_out=Price("message_out", 111.0, 5.1),
    message_in=Price("message_in", 0.0, 16.0),
    row_hop=Price("east_hop", 3.0, 4.1),
    column_hop=Price("north_hop", 4.2, 6.5),
    barrier_ns=((1, 600.0), (2, 1000.0), (4, 1400.0), (29, 1800.0)),
    static_w=0.255,
    static_source="middle of 0.23–0.28 W, measured on one Loihi 2 board",
)


class CostModel:
    """What one network costs on Loihi 1, where ``map_network`` places it."""

    def __init__(self, network: Network, prices: Prices = LOIHI1) -> None:
        self.prices = prices
        self.mapping = map_network(network, "loihi1")
        self._synapses = [
            prices.conv_synapse if isinstance(layer, Conv) else prices.dense_synapse for layer in network.layers
        ]

    def cost(self, activity: SnnActivity, step_us: float) -> SnnCost:
        """Of the counted steps, each ``step_us`` long.

        ``chip_step_us`` is a lower bound: the busiest core sets the time, and each layer's work is taken as spread
        evenly over its cores; a hand in one place keeps some of them busy and others idle.
        """
        prices = self.prices
        input_messages = activity.input_events * self.mapping.input.messages
        return SnnCost(
            chip=prices.chip,
            source=prices.source,
            steps=activity.steps,
            input_events=activity.input_events,
            input_messages=input_messages,
            input_mj=input_messages * self._message_pj(self.mapping.input) * 1e-9,
            layers=tuple(
                self._layer_cost(layer, activity.steps, synapse, mapped.fan)
                for layer, synapse, mapped in self._placed(activity)
            ),
            static_mj=prices.static_w * activity.steps * step_us * 1e-3,
            static_source=prices.static_source,
            chip_step_us=self._step_us(activity, input_messages),
        )

    def energy(self, activity: SnnActivity, step_us: float, n_decisions: int) -> Energy:
        """Of one decision."""
        if n_decisions < 1:
            return Energy(None, "unavailable")
        cost = self.cost(activity, step_us)
        return Energy(
            cost.activity_mj / n_decisions,
            "estimated",
            constant_mj=cost.constant_mj / n_decisions,
            static_mj=cost.static_mj / n_decisions,
            static_source=cost.static_source,
        )

    def _placed(self, activity: SnnActivity) -> Iterator[tuple[LayerActivity, Price, LayerMapping]]:
        """Each layer with the price of its synapses and its place."""
        return zip(activity.layers, self._synapses, self.mapping.layers, strict=True)

    def _message_pj(self, fan: Fan) -> float:
        along_rows, along_columns = fan.hops or (0.0, 0.0)
        prices = self.prices
        at_the_cores = prices.message_out.pj + prices.message_in.pj
        return at_the_cores + along_rows * prices.row_hop.pj + along_columns * prices.column_hop.pj

    def _layer_cost(self, layer: LayerActivity, steps: int, synapse: Price, fan: Fan) -> LayerCost:
        prices, messages = self.prices, layer.spikes * fan.messages
        return LayerCost(
            name=layer.name,
            neurons=layer.neurons,
            synaptic_events=layer.synaptic_events,
            neuron_updates=layer.neuron_updates,
            spikes=layer.spikes,
            messages=messages,
            synapses_mj=layer.synaptic_events * synapse.pj * 1e-9,
            visits_mj=layer.neurons * steps * prices.visit.pj * 1e-9,
            updates_mj=layer.neuron_updates * prices.update.pj * 1e-9,
            spikes_mj=layer.spikes * prices.spike.pj * 1e-9,
            messages_mj=messages * self._message_pj(fan) * 1e-9,
        )

    def _step_us(self, activity: SnnActivity, input_messages: float) -> float:
        """Cores work side by side, and in a core the neurons beside the messages that come in; then all wait for the
        barrier."""
        if not activity.steps:
            return 0.0
        busiest_ns = max(work for pair in self._core_ns(activity, input_messages) for work in pair) / activity.steps
        tiles = -(-self.mapping.cores // (self.mapping.limits.tile_cores or 1))
        barrier_ns = max(ns for from_tiles, ns in self.prices.barrier_ns if from_tiles <= tiles)
        return (busiest_ns + barrier_ns) * 1e-3

    def _core_ns(self, activity: SnnActivity, messages_in: float) -> Iterator[tuple[float, float]]:
        """Of each layer what one of its cores spends on neurons and on incoming messages."""
        prices = self.prices
        for layer, synapse, mapped in self._placed(activity):
            neurons_ns = (
                layer.neurons * activity.steps * prices.visit.ns
                + layer.neuron_updates * prices.update.ns
                + layer.spikes * (prices.spike.ns + mapped.fan.messages * prices.message_out.ns)
            )
            messages_ns = messages_in * prices.message_in.ns + layer.synaptic_events * synapse.ns
            yield neurons_ns / mapped.cores, messages_ns / mapped.cores
            messages_in = layer.spikes * mapped.fan.messages
