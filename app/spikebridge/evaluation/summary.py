"""Figures of an evaluation as plain numbers: shares with intervals over persons, latencies, costs. Needs no torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikebridge.chain import Mode
from spikebridge.contracts import LABELS, STAGES
from spikebridge.evaluation.evaluator import CaseResult, Evaluator
from spikebridge.power.host import WATTS_PER_BUSY_CORE
from spikebridge.snn.energy import LOIHI1, cost_of
from spikebridge.snn.mapping import bridge_bytes, map_network

_OTHER = LABELS.index("other")
_BINS = 10
_QUANTILES = (50.0, 95.0, 99.0)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a decision costs, on Loihi by the cost model and on this host as measured; plain numbers for JSON, each
    estimate with its provenance.

    per_window : in the paper's protocol. per_decision : while streaming, one each hop.
    """

    per_window: dict[str, Any]
    per_decision: dict[str, Any]

    @classmethod
    def of(cls, run: Evaluator, results: Sequence[CaseResult]) -> Cost:
        """Counted while the results were made."""
        bundle = run.bundle
        spec, step_us, delay = bundle.accumulator, bundle.input.step_us, bundle.snn.delay_steps if bundle.snn else 0
        crossings = float(np.mean(np.concatenate([result.crossings for result in results])))
        neurons = int(np.prod(bundle.spikes_shape))
        encoding = bridge_bytes(neurons, spec.interval_steps)
        window = {
            "spikes_across_the_bridge": round(crossings, 1),
            "bridge_bytes": {
                "bitmap": encoding.bitmap * spec.window_steps,
                "address_event": round(crossings * encoding.address_event, 1),
                "counts": neurons * spec.intervals,
            },
            **_host(np.concatenate([result.window_latency_us for result in results])),
            **_loihi(run, "window", spec.window_steps + delay, spec.window_steps * step_us),
        }
        stream = {
            **_host(np.concatenate([result.stream_latency_us for result in results])),
            **_loihi(run, "stream", spec.hop_steps, spec.hop_steps * step_us),
        }
        return cls(window, stream)


def summarise(results: Sequence[CaseResult], cost: Cost | None = None, seed: int = 0) -> dict[str, Any]:
    """Plain numbers for JSON: accuracies with 95 % intervals over persons, confusion, calibration, latencies, cost."""
    persons = np.array([result.case.person for result in results])
    labels = [result.case.label for result in results]

    def share(right: list[float], total: list[float]) -> dict[str, float | list[float] | None]:
        return _share(np.array(right, float), np.array(total, float), persons, seed)

    windows = [float(len(result.windows)) for result in results]
    decisions = [float(len(result.stream)) for result in results]
    onsets = [result for result in results if result.case.onset_us is not None]
    summary: dict[str, Any] = {
        "cases": len(results),
        "persons": int(np.unique(persons).size),
        "windows": int(sum(windows)),
        "window_accuracy": share([float(r.windows_right) for r in results], windows),
        "clip_accuracy": share([float(r.clip_index == r.case.label) for r in results], [1.0] * len(results)),
        "stream_accuracy": share([float((r.stream.argmax(1) == r.case.label).sum()) for r in results], decisions),
        "stream_named_right": share(
            [float(r.settled_names.count(LABELS[r.case.label])) for r in results],
            [float(r.settled.sum()) for r in results],
        ),
        "confusion": _confusion(
            [label for label, r in zip(labels, results, strict=True) for _ in r.windows],
            [int(index) for r in results for index in r.windows.argmax(1)],
        ),
        "clip_confusion": _confusion(labels, [r.clip_index for r in results]),
        "calibration": _calibration(results),
        "observation": _observation(results),
        "onset_to_first_right_ms": _percentiles([r.first_right_ms for r in onsets]),
        "onset_to_stable_ms": _percentiles([r.stable_ms for r in onsets]),
        "latency_us": _latency(np.concatenate([r.stream_latency_us for r in results])),
    }
    return summary | ({"per_window": cost.per_window, "per_decision": cost.per_decision} if cost else {})


def summarise_quiet(results: Sequence[CaseResult]) -> dict[str, float | int]:
    """While nobody makes a gesture: how often one is named. A gesture named for a while counts once."""
    named = [[label not in (None, "other") and label for label in result.named] for result in results]
    changes = sum(bool(now) and now != before for run in named for before, now in zip([False, *run], run, strict=False))
    seconds = sum((result.case.t_stop_us - result.case.begin_us) / 1e6 for result in results)
    decisions = sum(len(run) for run in named)
    return {
        "minutes": round(seconds / 60, 3),
        "false_gestures": changes,
        "per_minute": round(changes / seconds * 60, 3),
        "share_of_decisions": round(sum(bool(label) for run in named for label in run) / decisions, 5),
    }


def describe(result: CaseResult) -> dict[str, Any]:
    """One case for JSON."""
    wrong = np.delete(result.stream, [result.case.label, _OTHER], axis=1)
    return {
        "name": result.case.name,
        "label": LABELS[result.case.label],
        "clip": LABELS[result.clip_index],
        "windows_right": result.windows_right,
        "windows": len(result.windows),
        "named": {str(n): count for n, count in Counter(result.settled_names).items()},
        "highest_wrong_gesture": round(float(wrong.max()), 4),
        "first_right_ms": result.first_right_ms,
        "stable_ms": result.stable_ms,
    }


def _host(latency_us: NDArray[np.float32]) -> dict[str, Any]:
    """Host time by stage and what the ordinary part may draw for it; (N, n_stages)."""
    # Medians: other programs take their share of the machine now and then.
    medians = zip(STAGES, np.median(latency_us, axis=0), strict=True)
    times = {stage: round(float(us), 1) for stage, us in medians if stage != "inbox"}
    scope = f"this host: measured time × {WATTS_PER_BUSY_CORE:g} W per busy core (assumed)"
    energy_mj = round(times["ann"] * WATTS_PER_BUSY_CORE * 1e-3, 5)
    return {"host_us": times, "ann_mj": {"value": energy_mj, "provenance": "estimated", "scope": scope}}


def _loihi(run: Evaluator, mode: Mode, decision_steps: int, decision_us: int) -> dict[str, Any]:
    """Spikes and the cost model's estimate for one decision of ``decision_steps`` steps in ``decision_us``.

    Silent steps that flush the layers' delays at the end of a window run back to back: they take energy, not time.
    """
    from spikebridge.snn import load_network

    bundle = run.bundle
    stages = [chain.snn for (m, _), chain in run.chains.items() if m == mode and chain.snn is not None]
    activities = [stage.activity() for stage in stages]
    steps = sum(activity.steps for activity in activities)
    if bundle.snn is None or not steps:
        return {}
    mapping = map_network(load_network(bundle.snn.path, bundle.input.shape))
    costs = [cost_of(activity, bundle.input.step_us, mapping.messages_per_spike) for activity in activities]
    decisions = steps / decision_steps
    chip_step_us = sum(cost.chip_step_us * a.steps for cost, a in zip(costs, activities, strict=True)) / steps
    spikes = {
        layer.name: round(sum(a.layers[k].spikes for a in activities) / decisions, 1)
        for k, layer in enumerate(activities[0].layers)
    }

    def estimate(value: float, digits: int) -> dict[str, Any]:
        return {"value": round(value, digits), "provenance": "estimated"}

    return {
        "spikes": {"total": round(sum(spikes.values()), 1), **spikes},
        "loihi_cores": mapping.cores,
        "loihi_problems": list(mapping.problems),
        "loihi_us": estimate(chip_step_us * decision_steps, 2),
        "loihi_dynamic_mj": estimate(sum(cost.dynamic_mj for cost in costs) / decisions, 7),
        "loihi_static_mj": estimate(LOIHI1.static_w * decision_us * 1e-3, 5),
        "loihi_source": costs[0].info,
    }


def _confusion(true: list[int], named: list[int]) -> list[list[int]]:
    """By true (row) and named (column) class."""
    table = np.zeros((len(LABELS), len(LABELS)), int)
    np.add.at(table, (true, named), 1)
    rows: list[list[int]] = table.tolist()
    return rows


def _calibration(results: Sequence[CaseResult]) -> dict[str, Any]:
    """Expected calibration error over ten bins of confidence, windows."""
    chances = np.concatenate([result.windows for result in results])
    labels = np.concatenate([np.full(len(result.windows), result.case.label) for result in results])
    confidence, right = chances.max(1), chances.argmax(1) == labels
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    rows = [
        {
            "confidence": round(float(confidence[bins == b].mean()), 4),
            "right": round(float(right[bins == b].mean()), 4),
            "share": round(float((bins == b).mean()), 4),
        }
        for b in np.unique(bins)
    ]
    return {"error": round(sum(abs(r["confidence"] - r["right"]) * r["share"] for r in rows), 4), "bins": rows}


def _observation(results: Sequence[CaseResult]) -> dict[str, list[float]]:
    """Streaming accuracy over the time that a gesture has been seen, for as long as half of the cases last."""
    gaps = np.concatenate([np.diff(result.stream_us) for result in results])
    hop_us = int(gaps.min()) if gaps.size else int(results[0].stream_us[0])
    ends = np.sort([int(result.stream_us[-1]) for result in results])
    # Onsets fall anywhere in a step; what counts at a time is the newest decision that is not after it.
    grid = np.arange(hop_us, ends[len(ends) // 2] + 1, hop_us)[:1000]
    rows: dict[str, list[float]] = {"ms": [], "right": [], "named_right": [], "cases": []}
    for t_us in grid:
        seen = [(r, int(np.searchsorted(r.stream_us, t_us, "right")) - 1) for r in results if r.stream_us[-1] >= t_us]
        seen = [(r, i) for r, i in seen if i >= 0]
        if not seen:
            continue
        rows["ms"].append(float(t_us) / 1000)
        rows["right"].append(round(float(np.mean([r.stream[i].argmax() == r.case.label for r, i in seen])), 4))
        rows["named_right"].append(round(float(np.mean([r.named[i] == LABELS[r.case.label] for r, i in seen])), 4))
        rows["cases"].append(float(len(seen)))
    return rows


def _latency(latency_us: NDArray[np.float32]) -> dict[str, dict[str, float]]:
    """Host time of one streaming step by stage; (M, n_stages)."""
    quantiles = np.percentile(latency_us, _QUANTILES, axis=0)
    names = [f"p{q:g}" for q in _QUANTILES]
    return {
        stage: {name: round(float(quantiles[i, k]), 1) for i, name in enumerate(names)}
        for k, stage in enumerate(STAGES)
        if stage != "inbox"
    }


def _share(
    right: NDArray[np.float64], total: NDArray[np.float64], persons: NDArray[np.int64], seed: int
) -> dict[str, float | list[float] | None]:
    """Share with a 95 % interval from persons drawn with replacement; no interval for fewer than three persons."""
    if not total.sum():
        return {"value": None, "interval": None}
    groups = [persons == person for person in np.unique(persons) if total[persons == person].sum()]
    value = round(float(right.sum() / total.sum()), 4)
    if len(groups) < 3:
        return {"value": value, "interval": None}
    sums = np.array([[right[group].sum(), total[group].sum()] for group in groups])
    draws = np.random.default_rng(seed).integers(0, len(groups), (2000, len(groups)))
    drawn = sums[draws].sum(1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    return {"value": value, "interval": [round(float(low), 4), round(float(high), 4)]}


def _percentiles(values: list[float | None]) -> dict[str, float | int | None]:
    """Median and 90 % of those that came; ``missing`` counts the others, which are taken as infinitely late."""
    if not values:
        return {"n": 0, "missing": 0, "median": None, "p90": None}
    times = np.array([np.inf if value is None else value for value in values])
    quantiles = np.quantile(times, [0.5, 0.9], method="higher")
    median, p90 = (float(q) if np.isfinite(q) else None for q in quantiles)
    return {"n": len(times), "missing": int(np.isinf(times).sum()), "median": median, "p90": p90}
