"""The summary of a run for people: a few lines for each network."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from spikebridge.contracts import PowerReading
from spikebridge.snapshot import LaneSnapshot, PairFigures, Snapshot
from spikebridge.stages import STAGES
from spikebridge.terminal.loihi import cost_table
from spikebridge.terminal.values import energy_text, figure_text

#: Where the output goes to a file, whose width nobody knows.
_FILE_WIDTH = 140


def print_summary(snapshot: Snapshot) -> None:
    """On standard output."""
    console = Console()
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    console.print(summary(snapshot), soft_wrap=True)


def summary(snapshot: Snapshot) -> Group:
    """All that is known at the end of a run."""
    parts: list[RenderableType] = []
    several = len(snapshot.lanes) > 1
    for lane in snapshot.lanes:
        parts += [*_lane(lane, snapshot), Text()]
    if several:
        parts += [*map(_pair, snapshot.pairs), Text()]
    parts += [_line("power at end", _watts(reading)) for reading in snapshot.power]
    for lane in snapshot.lanes:
        of = f"{lane.model.name}: " if several else ""
        parts += [_line("power at end", of + _watts(reading)) for reading in lane.chip]
    parts += [_line("note", note) for note in (*snapshot.source_counters.notes, *snapshot.notes.values())]
    for lane in snapshot.lanes:
        of = f"{lane.model.name}: " if several else ""
        parts += [_line("note", of + note) for note in lane.notes.values()]
        parts += [_line("failed", of + lane.failure)] if lane.failure else []
    return Group(*parts)


def _lane(lane: LaneSnapshot, snapshot: Snapshot) -> Iterator[RenderableType]:
    counters, source = lane.counters, snapshot.source_counters
    best = sorted(zip(lane.model.labels, lane.scores, strict=True), key=lambda item: -item[1])[:3]
    yield Text(
        f"{snapshot.source.uri}  ·  {lane.model.name}  ·  SNN: {lane.model.snn}  ·  ANN: {lane.model.ann}", style="bold"
    )
    yield _line("gesture", f"{lane.verdict or 'none'}   ({', '.join(f'{name} {score:.2f}' for name, score in best)})")
    yield _line(
        "decisions", f"{counters.decisions:,} in {figure_text(snapshot.wall_s)} s, {counters.packets_done:,} steps"
    )
    yield _line(
        "events",
        f"{source.read:,} read, {counters.events_done:,} processed, {counters.events_outside:,} outside the crop, "
        f"{counters.events_dropped + source.dropped:,} dropped, {source.skipped_bytes:,} bytes skipped"
        + (f", {source.filtered:,} filtered" if source.filtered else "")
        + (f", {source.out_of_order:,} moved in time" if source.out_of_order else "")
        + (", file truncated" if source.truncated else ""),
    )
    yield _line("latency", _latency(lane))
    yield _line("seen to said", lane.age_over_run.sentence())
    yield _line("energy", "of one decision")
    yield _energies(lane)
    if lane.cost is not None:
        yield cost_table(lane.cost, counters.decisions)


def _latency(lane: LaneSnapshot) -> str:
    if lane.end_to_end is None:
        return "none: a run without a pace measures throughput; what waits then waits in the program's own inbox"
    run = lane.end_to_end.run
    if not run.n:
        return "none: nothing was decided"
    return (
        f"end to end p50 {run.p50:.0f} µs, p95 {run.p95:.0f} µs, p99 {run.p99:.0f} µs, from the end of a step of "
        f"{lane.age.step_us / 1000:g} ms to its decision"
    )


def _energies(lane: LaneSnapshot) -> Table:
    table = Table("", "activity", "constant", "static", box=None, pad_edge=False)
    for stage in STAGES:
        if stage.waits or (stage.key == "snn" and lane.model.snn == "none"):
            continue
        energy = lane.energy[stage.key]
        activity, static = ("–" if mj is None else energy_text(mj) for mj in (energy.activity_mj, energy.static_mj))
        constant = energy_text(energy.constant_mj) if energy.constant_mj else "–"
        source = f"; static power: {energy.static_source}" if energy.static_source else ""
        table.add_row(f"  {stage.title}", activity, constant, static, energy.provenance + source)
    return table


def _pair(pair: PairFigures) -> Text:
    if pair.agreement is None:
        return _line("agreement", f"{pair.first} and {pair.second} never decided at the same time")
    words = f"{pair.first} and {pair.second} agree in {pair.agreement:.1%} of {pair.compared:,} decisions"
    if pair.lead_ms is not None:
        gestures = f"{pair.gestures} gesture{'s' if pair.gestures != 1 else ''} that both named"
        words += (
            f"; of {gestures}, {pair.first} was earlier in {pair.first_earlier} and {pair.second} in "
            f"{pair.second_earlier}: {_lead(pair, pair.lead_ms)}"
        )
    return _line("agreement", words)


def _lead(pair: PairFigures, lead_ms: float) -> str:
    if lead_ms > 0:
        return f"{pair.first} is ahead by {lead_ms:g} ms (median)"
    if lead_ms < 0:
        return f"{pair.second} is ahead by {-lead_ms:g} ms (median)"
    return "neither is ahead (median)"


def _watts(reading: PowerReading) -> str:
    watts = "–" if reading.watts is None else f"{reading.watts:.3f} W"
    return f"{reading.rail}: {watts} ({reading.provenance}; {reading.scope})"


def _line(name: str, words: str) -> Text:
    return Text(f"{name:<13}{words}")
