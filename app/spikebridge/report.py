"""What a run prints: decisions and the summary as JSON objects, and the summary as text."""

from __future__ import annotations

import resource
import sys
import time
from collections import Counter
from typing import Any

import numpy as np

from spikebridge.contracts import Decision, Energy, Percentiles
from spikebridge.pipeline import Pipeline
from spikebridge.status import energy_per_decision


class RunReport:
    """Collects the decisions of one run in bounded memory."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._labels = pipeline.chain.bundle.decision.labels
        self._sum = np.zeros(len(self._labels))
        self._named: Counter[str | None] = Counter()
        self._started = time.monotonic()

    def add(self, decision: Decision) -> None:
        self._sum += decision.probabilities
        if decision.settled:
            self._named[decision.label] += 1

    def label(self) -> str | None:
        """The label of the highest mean probability; None when most settled decisions named no gesture."""
        n = self._named.total()
        if not n or self._named[None] * 2 > n:
            return None
        return self._labels[int(self._sum.argmax())]

    def summary(self) -> dict[str, Any]:
        """The ``summary`` object of ``--json``; keys as in the documentation of the command line."""
        pipeline = self._pipeline
        counters, source = pipeline.counters(), pipeline.source.counters()
        snapshot = pipeline.snapshot()
        chain = pipeline.chain
        n = max(1, pipeline.n_decisions)
        return {
            "source": pipeline.source.info.uri,
            "model": chain.bundle.name,
            "snn": chain.snn.name if chain.snn else "none",
            "ann": chain.ann.name,
            "steps": counters.packets_done,
            "decisions": counters.decisions,
            "label": self.label(),
            "scores": {label: round(float(score), 6) for label, score in zip(self._labels, self._sum / n, strict=True)},
            "events": {
                "read": source.read,
                "processed": counters.events_done,
                "filtered": counters.events_outside,
                "dropped": counters.events_dropped + source.dropped,
                "queued": counters.events_queued,
                "skipped_bytes": source.skipped_bytes,
                "truncated": source.truncated,
            },
            "notes": [*source.notes, *pipeline.notes().values()],
            "overflows": {layer.name: layer.overflows for layer in chain.snn.activity().layers} if chain.snn else {},
            "latency_us": {stage: _percentiles(figures.run()) for stage, figures in pipeline.latency.items()},
            "end_to_end_us": _percentiles(pipeline.end_to_end.run()),
            "event_age_us": {"step": chain.bundle.input.step_us, "layer_delay": chain.bundle.delay_us},
            "power": [
                {
                    "rail": reading.rail,
                    "watts": None if reading.watts is None else round(reading.watts, 6),
                    "provenance": reading.provenance,
                    "scope": reading.scope,
                }
                for reading in snapshot.power
            ],
            "snn_cost": _snn_cost(pipeline),
            "energy_mj_per_decision": {
                stage: _energy(energy)
                for stage, energy in energy_per_decision(
                    chain, pipeline.latency, pipeline.monitor, pipeline.n_decisions
                ).items()
            },
            "wall_s": round(time.monotonic() - self._started, 3),
            "peak_rss_mb": round(peak_rss_mb(), 1),
        }


def decision_object(decision: Decision) -> dict[str, Any]:
    """One line of ``--json``. Everything but the timings is the same for every run on the same input."""
    return {
        "t_us": decision.t_us,
        "label": decision.label,
        "index": decision.index,
        "probabilities": [round(float(p), 6) for p in decision.probabilities],
        "latency_us": {stage: round(value) for stage, value in decision.latency_us.items()},
        "end_to_end_us": round(decision.end_to_end_us),
        "gap": decision.gap,
    }


def summary_text(summary: dict[str, Any]) -> str:
    """The summary for people: a few lines."""
    events, latency = summary["events"], summary["end_to_end_us"]
    best = sorted(summary["scores"].items(), key=lambda item: -item[1])[:3]
    lines = [
        f"{summary['source']}  ·  {summary['model']}  ·  SNN: {summary['snn']}  ·  ANN: {summary['ann']}",
        f"gesture      {summary['label'] or 'none'}   ({', '.join(f'{name} {score:.2f}' for name, score in best)})",
        f"decisions    {summary['decisions']} in {summary['wall_s']} s, {summary['steps']} steps",
        f"events       {events['read']} read, {events['processed']} processed, {events['filtered']} outside the crop, "
        f"{events['dropped']} dropped, {events['skipped_bytes']} bytes skipped"
        + (", file truncated" if events["truncated"] else ""),
        f"end to end   p50 {latency['p50']:.0f} µs, p95 {latency['p95']:.0f} µs, p99 {latency['p99']:.0f} µs "
        f"after the step of {summary['event_age_us']['step'] / 1000:g} ms",
    ]
    for reading in summary["power"]:
        watts = "—" if reading["watts"] is None else f"{reading['watts']:.3f} W"
        lines.append(f"power        {reading['rail']}: {watts} ({reading['provenance']}; {reading['scope']})")
    if summary["snn_cost"]:
        from spikebridge.snn.energy import cost_lines

        lines += cost_lines(summary["snn_cost"])
    lines += [f"note         {note}" for note in summary["notes"]]
    return "\n".join(lines)


def peak_rss_mb() -> float:
    """Highest resident memory of this process, MB (10⁶ bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _snn_cost(pipeline: Pipeline) -> dict[str, Any] | None:
    """What the spiking layers would cost on Loihi 1; None without them and where hardware hides their activity."""
    chain = pipeline.chain
    if chain.snn is None or chain.bundle.snn is None:
        return None
    activity = chain.snn.activity()
    if any(layer.overflows is None for layer in activity.layers):
        return None
    from spikebridge.snn import load_network
    from spikebridge.snn.energy import CostModel, cost_object

    cost = CostModel(load_network(chain.bundle.snn.path)).cost_of(activity, chain.bundle.input.step_us)
    return cost_object(cost, pipeline.n_decisions)


def _percentiles(figures: Percentiles) -> dict[str, float]:
    return {"p50": round(figures.p50, 1), "p95": round(figures.p95, 1), "p99": round(figures.p99, 1)}


def _energy(energy: Energy) -> dict[str, Any]:
    def rounded(value: float | None) -> float | None:
        return None if value is None else round(value, 9)

    return {
        "value": rounded(energy.dynamic_mj),
        "static": rounded(energy.static_mj),
        "provenance": energy.provenance,
    }
