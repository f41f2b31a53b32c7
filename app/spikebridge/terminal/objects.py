"""Decisions and the summary as JSON objects."""

from __future__ import annotations

from spikebridge.contracts import Energy, PowerReading
from spikebridge.snapshot import Counters, Decision, EventAge, LaneSnapshot, Latency, PairFigures, Snapshot
from spikebridge.stages import STAGE_KEYS
from spikebridge.terminal.loihi import cost_object
from spikebridge.terminal.values import JsonObject


def decision_object(decision: Decision, lane: str | None = None) -> JsonObject:
    """One line of ``--json``. Everything but the timings is the same for every run on the same input.

    lane : named where there are several. Times are null where the source keeps no pace.
    """
    named: JsonObject = {} if lane is None else {"model": lane}
    end_to_end_us = decision.end_to_end_us
    return named | {
        "t_us": decision.t_us,
        "label": decision.label,
        "index": decision.index,
        "probabilities": [round(float(p), 6) for p in decision.probabilities],
        "latency_us": {
            key: round(decision.latency_us[key]) if key in decision.latency_us else None for key in STAGE_KEYS
        },
        "end_to_end_us": None if end_to_end_us is None else round(end_to_end_us),
        "gap": decision.gap,
    }


def summary_object(snapshot: Snapshot) -> JsonObject:
    """The ``summary`` of ``--json``: of the one lane, or with an entry for each lane and for each pair of them."""
    lanes = snapshot.lanes
    run: JsonObject = {
        "source": snapshot.source.uri,
        "power": [reading_object(reading) for reading in snapshot.power],
        "wall_s": round(snapshot.wall_s, 3),
        "peak_rss_mb": round(snapshot.peak_rss_mb, 1),
    }
    if len(lanes) == 1:
        (lane,) = lanes
        notes = [*snapshot.source_counters.notes, *snapshot.notes.values(), *lane.notes.values()]
        power = [reading_object(reading) for reading in (*snapshot.power, *lane.chip)]
        return run | lane_object(lane, snapshot) | {"notes": notes, "power": power}
    return run | {
        "lanes": [lane_object(lane, snapshot) | {"notes": [*lane.notes.values()]} for lane in lanes],
        "pairs": [pair_object(pair) for pair in snapshot.pairs],
        "notes": [*snapshot.source_counters.notes, *snapshot.notes.values()],
    }


def lane_object(lane: LaneSnapshot, snapshot: Snapshot) -> JsonObject:
    """One network on the stream."""
    return {
        "model": lane.model.name,
        "snn": lane.model.snn,
        "ann": lane.model.ann,
        "steps": lane.counters.packets_done,
        "decisions": lane.counters.decisions,
        "label": lane.verdict,
        "scores": {label: round(score, 6) for label, score in zip(lane.model.labels, lane.scores, strict=True)},
        "events": _events(lane.counters, snapshot),
        "resets": lane.counters.resets,
        "overflows": {layer.name: layer.overflows for layer in lane.activity.layers} if lane.activity else {},
        "latency_us": {key: _percentiles(latency) for key, latency in lane.latency.items()},
        "end_to_end_us": None if lane.end_to_end is None else _percentiles(lane.end_to_end),
        "event_age_us": _age(lane.age_over_run),
        "chip": [reading_object(reading) for reading in lane.chip],
        "snn_cost": None if lane.cost is None else cost_object(lane.cost, lane.counters.decisions),
        "energy_mj_per_decision": {key: energy_object(energy) for key, energy in lane.energy.items()},
        **({} if lane.failure is None else {"failure": lane.failure}),
    }


def pair_object(pair: PairFigures) -> JsonObject:
    """Two networks on the same stream."""
    return {
        "first": pair.first,
        "second": pair.second,
        "compared": pair.compared,
        "agreement": None if pair.agreement is None else round(pair.agreement, 6),
        "gestures": pair.gestures,
        "first_earlier": pair.first_earlier,
        "second_earlier": pair.second_earlier,
        "lead_ms": pair.lead_ms,
    }


def reading_object(reading: PowerReading) -> JsonObject:
    """One rail."""
    return {
        "rail": reading.rail,
        "watts": _rounded(reading.watts, 6),
        "static_watts": _rounded(reading.static_w, 6),
        "provenance": reading.provenance,
        "scope": reading.scope,
    }


def energy_object(energy: Energy) -> JsonObject:
    """Of one decision in one stage: ``value`` is all that is not static, ``constant`` a part of it."""
    known = energy.activity_mj is not None
    return {
        "value": _rounded(energy.dynamic_mj),
        "constant": _rounded(energy.constant_mj if known else None),
        "static": _rounded(energy.static_mj),
        "static_source": energy.static_source or None,
        "provenance": energy.provenance,
    }


def _events(counters: Counters, snapshot: Snapshot) -> JsonObject:
    source = snapshot.source_counters
    return {
        "read": source.read,
        "processed": counters.events_done,
        "filtered": source.filtered,
        "outside_crop": counters.events_outside,
        "dropped": counters.events_dropped + source.dropped,
        "out_of_order": source.out_of_order,
        "queued": counters.events_queued,
        "skipped_bytes": source.skipped_bytes,
        "truncated": source.truncated,
    }


def _age(age: EventAge) -> JsonObject:
    return {
        "step": age.step_us,
        "layer_delay": age.layer_delay_us,
        "window": age.window_us,
        "smoothing": age.smoothing_us,
        "newest": _rounded(age.newest_us, 1),
        "oldest": _rounded(age.oldest_us, 1),
    }


def _percentiles(latency: Latency) -> JsonObject | None:
    """Over the run; null without a sample."""
    run = latency.run
    return {"p50": round(run.p50, 1), "p95": round(run.p95, 1), "p99": round(run.p99, 1)} if run.n else None


def _rounded(value: float | None, digits: int = 9) -> float | None:
    return None if value is None else round(value, digits)
