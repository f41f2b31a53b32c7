"""The live text dashboard: what the window shows, for terminals."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from spikebridge.snapshot import LaneSnapshot, Snapshot

_REFRESH_S = 0.1
#: Characters of the bars of a row.
_BAR = 30


@contextmanager
def dashboard(snapshot: Callable[[], Snapshot]) -> Iterator[Callable[[], None]]:
    """Shows the newest snapshot on the terminal while the context is open; the yielded function draws it anew, ten
    times a second at most."""
    drawn = 0.0
    with Live(console=Console(), auto_refresh=False, transient=True) as live:

        def show() -> None:
            nonlocal drawn
            if time.monotonic() - drawn >= _REFRESH_S:
                drawn = time.monotonic()
                live.update(render(snapshot()), refresh=True)

        yield show


def render(snapshot: Snapshot) -> Panel:
    """The dashboard of one moment: what each network decides, what was lost and met, and what each stage costs.

    In this order because a terminal of 24 lines cuts the end off.
    """
    lanes = snapshot.lanes
    several = len(lanes) > 1
    parts: list[RenderableType] = [_decisions(lanes), Text(), *(_counts(lane, snapshot) for lane in lanes)]
    parts += [Text(f"⚠ {note}", style="yellow") for note in _notes(snapshot)]
    for lane in lanes:
        parts += [Text(), _bridge(lane, lane.model.name if several else None), Text(lane.age.sentence())]
    return Panel(
        Group(*parts), title="Spikebridge", subtitle=Text(f"{snapshot.source.title} · {lanes[0].t_us / 1e6:.1f} s")
    )


def _decisions(lanes: Sequence[LaneSnapshot]) -> Table:
    """A row for each label, which networks with the same labels share, and a column for each network."""
    table = Table.grid(padding=(0, 2))
    labels = dict.fromkeys(label for lane in lanes for label in lane.model.labels)
    table.add_row("", *(Text(lane.model.name, style="bold") for lane in lanes))
    table.add_row("", *map(_named, lanes))
    for label in labels:
        table.add_row(Text(label.replace("_", " ")), *(_bar(lane, label, _BAR // len(lanes)) for lane in lanes))
    return table


def _named(lane: LaneSnapshot) -> Text:
    decision = lane.decision
    if decision is None or decision.label is None:
        return Text(" waiting " if decision is None else " no gesture ", style="bold white on grey23")
    text = Text(f" {decision.label.replace('_', ' ')} ", style="bold black on bright_cyan")
    return text.append(f" {float(decision.probabilities.max()):.0%}", style="bold default on default")


def _bar(lane: LaneSnapshot, label: str, width: int) -> Text:
    """The probability of a label, and the threshold as a mark."""
    decision = lane.decision
    if label not in lane.model.labels:
        return Text()
    probability = 0.0 if decision is None else float(decision.probabilities[lane.model.labels.index(label)])
    filled, mark = round(probability * width), round(lane.threshold * width)
    bar = "".join("│" if i == mark else "█" if i < filled else "·" for i in range(width + 1))
    style = "bright_cyan" if decision is not None and label == decision.label else "default"
    return Text(f"{bar} {probability:4.0%}", style=style)


def _counts(lane: LaneSnapshot, snapshot: Snapshot) -> Text:
    """What was lost, in how long; with the lane's name where there are several."""
    counters, text = lane.counters, Text()
    if len(snapshot.lanes) > 1:
        text.append(f"{lane.model.name}   ", style="bold")
    source = snapshot.source_counters
    lost = counters.events_dropped + source.dropped
    damaged = source.skipped_bytes or source.truncated or source.out_of_order
    verdict = f"LOST {lost:,}   " if lost else "damaged, see below   " if damaged else "nothing lost   "
    text.append(verdict, style="bold red" if lost or damaged else "green")
    text.append(
        f"events in {counters.events_in:,} = done {counters.events_done:,} + dropped {counters.events_dropped:,} + "
        f"queued {counters.events_queued:,}"
    )
    if lane.end_to_end is not None:
        recent = lane.end_to_end.recent
        text.append(f"   end to end p50 {recent.p50 / 1000:.2f} ms, p99 {recent.p99 / 1000:.2f} ms")
    return text


def _notes(snapshot: Snapshot) -> Iterator[str]:
    yield from snapshot.source_counters.notes
    yield from snapshot.notes.values()
    for lane in snapshot.lanes:
        of = f"{lane.model.name}: " if len(snapshot.lanes) > 1 else ""
        yield from (of + note for note in lane.notes.values())
        if lane.failure is not None:
            yield f"{of}failed: {lane.failure}"


def _bridge(lane: LaneSnapshot, title: str | None) -> Table:
    table = Table(title=None if title is None else Text(title), title_justify="left")
    for column in ("stage", "", "p50 ms", "p99 ms", "rate", "power"):
        table.add_column(column)
    for card in lane.cards:
        watts = "–" if card.power_w is None else f"{card.power_w * 1000:.1f} mW"
        table.add_row(
            Text(card.title),
            Text(card.role),
            f"{card.latency.recent.p50 / 1000:.2f}",
            f"{card.latency.recent.p99 / 1000:.2f}",
            f"{card.rate_hz:,.0f} {card.rate_unit}",
            f"{watts} ({card.power_provenance})",
        )
    return table
