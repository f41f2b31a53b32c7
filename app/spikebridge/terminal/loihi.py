"""The spiking layers on Loihi, as tables and for ``--json``: where they lie, what they cost, at whose prices.

All costs are estimates, and say so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from spikebridge.contracts import LayerCost, SnnCost
from spikebridge.snn.energy import LOIHI1, Price, Prices
from spikebridge.snn.mapping import LayerMapping, MappingReport
from spikebridge.terminal.values import JsonObject, energy_text, figure_text

#: Of a layer, in the order of the table.
_COUNTS = ("synaptic_events", "neuron_updates", "spikes", "messages", "activity_mj", "constant_mj")
#: What each price is for.
_EVENTS = {
    "conv_synapse": "synaptic event in a convolution",
    "dense_synapse": "synaptic event in a dense layer",
    "visit": "neuron visited, each in each step",
    "update": "neuron updated",
    "spike": "spike",
    "message_out": "message out",
    "message_in": "message in",
    "row_hop": "hop along a row of the mesh",
    "column_hop": "hop along a column",
}


# ---------------------------------------------------------------- where the layers lie


def mapping_table(report: MappingReport) -> RenderableType:
    """Each layer's fullest core beside the chip's limits, and what crosses to the host."""
    verdict = "fits" if report.fits else "DOES NOT FIT"
    table = _table(
        "", "neurons", "synapses", "memory", "cores", "neurons", "axons in", "axons out", "synapse bytes", "messages"
    )
    table.add_row("input", *8 * [""], figure_text(report.input.messages))
    for layer in report.layers:
        table.add_row(*_mapping_cells(layer, report))
    bridge = report.bridge
    crossing = _table("across the bridge", "bytes a step")
    crossing.add_row("bitmap", f"{bridge.bitmap:,}")
    crossing.add_row(f"address-event, {bridge.address_event} a spike", f"at most {bridge.address_event_max:,}")
    crossing.add_row(f"counts, a byte a neuron each {bridge.interval_steps} steps", f"{bridge.counts:,.0f} on average")
    return Group(
        Text(f"on {report.chip}: {verdict}, {report.cores} of {report.chip_cores} cores", style="bold"),
        table,
        Text(
            "right of cores: in the layer's fullest core, of the chip's limit (–: no figure that could be checked); "
            "memory: one byte a synapse; messages: cores that an event or a spike goes to, on average"
        ),
        *(Text(f"does not fit: {problem}", style="bold") for problem in report.problems),
        crossing,
        Text(f"address-event takes more than the bitmap above {bridge.break_even_spikes:,} spikes a step"),
    )


def mapping_object(report: MappingReport) -> JsonObject:
    """The report's fields as they are."""
    return asdict(report)


def _mapping_cells(layer: LayerMapping, report: MappingReport) -> list[str]:
    limits = report.limits
    of_limits = (
        (layer.neurons_per_core, limits.neurons_per_core),
        (layer.axons_in_per_core, limits.axons_in),
        (layer.axons_out_per_core, limits.axons_out),
        (layer.memory_bytes_per_core, limits.synapse_bytes),
    )
    return [
        layer.name,
        f"{layer.neurons:,}",
        f"{layer.synapses:,}",
        f"{layer.memory_bytes / 1024:,.1f} KiB",
        f"{layer.cores}",
        *(f"{found:,} of {'–' if limit is None else format(limit, ',')}" for found, limit in of_limits),
        figure_text(layer.fan.messages),
    ]


# ---------------------------------------------------------------- what they cost


def cost_table(cost: SnnCost, n_decisions: int) -> RenderableType:
    """A row for the input and for each layer of the mean decision, or of the run where nothing was decided."""
    per = n_decisions or 1
    of_what = "of one decision" if n_decisions else f"of {cost.steps:,} steps without a decision"
    table = _table(
        f"on {cost.chip}, estimated", "synaptic events", "neuron updates", "spikes", "messages", "activity", "constant"
    )

    def cells(counts: Mapping[str, float | None], keys: Sequence[str], words: Callable[[float], str]) -> list[str]:
        values = (counts[key] for key in keys)
        return ["" if value is None else words(value / per) for value in values]

    names = ("input events", *(layer.name for layer in cost.layers), "all")
    rows = (_input_counts(cost), *map(_layer_counts, cost.layers), _total_counts(cost))
    for name, counts in zip(names, rows, strict=True):
        events, energies = cells(counts, _COUNTS[:4], figure_text), cells(counts, _COUNTS[4:], energy_text)
        table.add_row(name, *events, *energies, style="bold" if name == "all" else None)
    return Group(
        table,
        Text(
            f"{of_what}; constant: each neuron is visited in each step, whatever comes; static energy "
            f"{energy_text(cost.static_mj / per)}: {cost.static_source}; a step takes at least {cost.chip_step_us:.3g} "
            f"µs on the chip, more where few cores have most of the work; prices: {cost.source}"
        ),
    )


def cost_object(cost: SnnCost, n_decisions: int) -> JsonObject:
    """The run and the mean decision, in all and by layer; ``per_decision`` is None without any."""
    total = _total_counts(cost) | {"static_mj": cost.static_mj}
    return {
        "chip": cost.chip,
        "provenance": "estimated",
        "source": cost.source,
        "static_source": cost.static_source,
        "steps": cost.steps,
        "decisions": n_decisions,
        "chip_step_at_least_us": round(cost.chip_step_us, 3),
        **_both(total, n_decisions),
        "input": _both(
            {"events": cost.input_events, "messages": cost.input_messages, "activity_mj": cost.input_mj}, n_decisions
        ),
        "layers": [
            {"name": layer.name, "neurons": layer.neurons, **_both(_layer_counts(layer), n_decisions)}
            for layer in cost.layers
        ],
    }


def _input_counts(cost: SnnCost) -> dict[str, float | None]:
    return {
        **dict.fromkeys(_COUNTS),
        "spikes": cost.input_events,
        "messages": cost.input_messages,
        "activity_mj": cost.input_mj,
    }


def _layer_counts(layer: LayerCost) -> dict[str, float | None]:
    return {
        "synaptic_events": layer.synaptic_events,
        "neuron_updates": layer.neuron_updates,
        "spikes": layer.spikes,
        "messages": layer.messages,
        "activity_mj": layer.activity_mj,
        "constant_mj": layer.visits_mj,
    }


def _total_counts(cost: SnnCost) -> dict[str, float | None]:
    """Of the layers; the messages and the energy of the input too."""
    layers = cost.layers
    return {
        "synaptic_events": sum(layer.synaptic_events for layer in layers),
        "neuron_updates": sum(layer.neuron_updates for layer in layers),
        "spikes": sum(layer.spikes for layer in layers),
        "messages": cost.input_messages + sum(layer.messages for layer in layers),
        "activity_mj": cost.activity_mj,
        "constant_mj": cost.constant_mj,
    }


def _both(run: Mapping[str, float | None], n_decisions: int) -> JsonObject:
    known = {key: value for key, value in run.items() if value is not None}
    each = {key: round(value / n_decisions, 9) for key, value in known.items()} if n_decisions else None
    return {"run": {key: round(value, 9) for key, value in known.items()}, "per_decision": each}


# ---------------------------------------------------------------- at whose prices


def price_table(prices: Prices = LOIHI1) -> RenderableType:
    """The constants of the cost model and where they come from."""
    table = _table("each", "SANA-FE's name", "energy", "time")
    for what, price in _prices(prices).items():
        table.add_row(_EVENTS[what], price.name, f"{price.pj:g} pJ", f"{price.ns:g} ns")
    barrier = ", ".join(f"{ns:g} ns from {n} tile{'s' if n > 1 else ''}" for n, ns in prices.barrier_ns)
    return Group(
        Text(f"prices of a run, estimated, on {prices.chip} whatever the chip above: {prices.source}", style="bold"),
        table,
        Text(f"barrier of a step: {barrier}; static power {prices.static_w:g} W: {prices.static_source}"),
    )


def price_object(prices: Prices = LOIHI1) -> JsonObject:
    """The constants for ``--json``."""
    return {
        "provenance": "estimated",
        "chip": prices.chip,
        "source": prices.source,
        "prices": {what: asdict(price) for what, price in _prices(prices).items()},
        "barrier_ns": [{"tiles": tiles, "ns": ns} for tiles, ns in prices.barrier_ns],
        "static_w": prices.static_w,
        "static_source": prices.static_source,
    }


def _prices(prices: Prices) -> dict[str, Price]:
    values = {field.name: getattr(prices, field.name) for field in fields(prices)}
    return {name: value for name, value in values.items() if isinstance(value, Price)}


def _table(first: str, *others: str) -> Table:
    """The first column to the left, the others to the right."""
    table = Table(box=None, pad_edge=False)
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table
