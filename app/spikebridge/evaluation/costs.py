"""What a decision costs: host time as measured, spikes and bytes as counted, Loihi by the cost model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikebridge.evaluation.evaluator import CaseResult, Evaluator
from spikebridge.evaluation.records import Costs, DecisionCost, Estimate, HostCost, LoihiCost, WindowCost
from spikebridge.power.host import WATTS_PER_BUSY_CORE
from spikebridge.settings import Mode
from spikebridge.snn import load_network
from spikebridge.snn.energy import CostModel
from spikebridge.snn.mapping import bridge_bytes, map_network
from spikebridge.stages import WORKING


def costs_of(run: Evaluator, results: Sequence[CaseResult]) -> Costs:
    """Of all that ``run`` has done, which are the ``results``: for a window, and for a streaming decision."""
    bundle = run.bundle
    spec, step_us, delay = bundle.accumulator, bundle.input.step_us, bundle.snn.delay_steps if bundle.snn else 0
    crossings = float(np.mean(np.concatenate([result.windows.crossings for result in results])))
    neurons = int(np.prod(bundle.spikes_shape))
    encoding = bridge_bytes(neurons, spec.interval_steps)
    window: WindowCost = {
        "spikes_across_the_bridge": round(crossings, 1),
        "bridge_bytes": {
            "bitmap": encoding.bitmap * spec.window_steps,
            "address_event": round(crossings * encoding.address_event, 1),
            "counts": neurons * spec.intervals,
        },
        **_host(np.concatenate([result.windows.latency_us for result in results])),
        # The silent steps that flush the layers' delays run back to back: they take energy, not time.
        **_loihi(run, "window", spec.window_steps + delay, spec.window_steps * step_us),
    }
    decision: DecisionCost = {
        **_host(np.concatenate([result.stream.latency_us for result in results])),
        **_loihi(run, "stream", spec.hop_steps, spec.hop_steps * step_us),
    }
    return {"per_window": window, "per_decision": decision}


def _host(latency_us: NDArray[np.float32]) -> HostCost:
    """Host time by stage and what the ordinary part may draw for it; (N, n_stages)."""
    # Medians: other programs take their share of the machine now and then.
    medians = zip(WORKING, np.median(latency_us, axis=0), strict=True)
    times = {stage: round(float(us), 1) for stage, us in medians}
    scope = f"this host: measured time × {WATTS_PER_BUSY_CORE:g} W per busy core (assumed)"
    energy_mj = round(times["ann"] * WATTS_PER_BUSY_CORE * 1e-3, 5)
    return {"host_us": times, "ann_mj": {"value": energy_mj, "provenance": "estimated", "scope": scope}}


def _loihi(run: Evaluator, mode: Mode, decision_steps: int, decision_us: int) -> LoihiCost:
    """Spikes and the cost model's estimate for one decision of ``decision_steps`` steps in ``decision_us``."""
    bundle = run.bundle
    stages = [chain.snn for (m, _), chain in run.chains.items() if m == mode and chain.snn is not None]
    activities = [stage.activity() for stage in stages]
    steps = sum(activity.steps for activity in activities)
    if bundle.snn is None or not steps:
        return {}
    network = load_network(bundle.snn.path, bundle.input.shape)
    mapping, model = map_network(network, "loihi1"), CostModel(network)
    costs = [model.cost(activity, bundle.input.step_us) for activity in activities]
    decisions = steps / decision_steps
    chip_step_us = sum(cost.chip_step_us * a.steps for cost, a in zip(costs, activities, strict=True)) / steps
    spikes = {
        layer.name: round(sum(a.layers[k].spikes for a in activities) / decisions, 1)
        for k, layer in enumerate(activities[0].layers)
    }
    return {
        "spikes": {"total": round(sum(spikes.values()), 1), **spikes},
        "loihi_cores": mapping.cores,
        "loihi_problems": list(mapping.problems),
        "loihi_us": _estimate(chip_step_us * decision_steps, 2),
        "loihi_dynamic_mj": _estimate(sum(cost.dynamic_mj for cost in costs) / decisions, 7),
        "loihi_constant_mj": _estimate(sum(cost.constant_mj for cost in costs) / decisions, 7),
        "loihi_static_mj": _estimate(model.prices.static_w * decision_us * 1e-3, 5),
        "loihi_source": f"{costs[0].chip}: {costs[0].source}; static power: {costs[0].static_source}",
    }


def _estimate(value: float, digits: int) -> Estimate:
    return {"value": round(value, digits), "provenance": "estimated"}
