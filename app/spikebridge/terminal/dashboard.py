"""The live text dashboard: what the window shows, for terminals."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from spikebridge.snapshot import LaneSnapshot, Snapshot

_REFRESH_S = 0.1
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
    """The dashboard of one moment: a column for each network, and what the first one costs."""
    columns = Table.grid(padding=(0, 4))
    columns.add_row(*[_decision(lane) for lane in snapshot.lanes])
    parts: list[RenderableType] = [columns, Text()]
    for lane in snapshot.lanes:
        parts += [_bridge(lane), Text()]
    lead = snapshot.lanes[0]
    return Panel(
        Group(*parts, _foot(snapshot)),
        title="Spikebridge",
        subtitle=f"{snapshot.source.title} · {lead.t_us / 1e6:.1f} s",
    )


def _decision(lane: LaneSnapshot) -> Group:
    decision = lane.decision
    name = "waiting" if decision is None else (decision.label or "no gesture").replace("_", " ")
    known = decision is not None and decision.label is not None
    head = Text(f"  {name}  ", style="bold black on bright_cyan" if known else "bold white on grey23")
    if decision is not None:
        head.append(f"  {float(decision.probabilities.max()):.0%}", style="bold default on default")
    return Group(Text(lane.model.name, style="bold"), head, Text(), _bars(lane))


def _bars(lane: LaneSnapshot) -> Table:
    table = Table.grid(padding=(0, 1))
    decision = lane.decision
    for place, label in enumerate(lane.model.labels):
        probability = 0.0 if decision is None else float(decision.probabilities[place])
        filled, mark = round(probability * _BAR), round(lane.threshold * _BAR)
        bar = "".join("│" if i == mark else "█" if i < filled else "·" for i in range(_BAR + 1))
        style = "bright_cyan" if decision is not None and label == decision.label else "default"
        table.add_row(label.replace("_", " "), Text(bar, style=style), f"{probability:4.0%}")
    return table


def _bridge(lane: LaneSnapshot) -> Table:
    table = Table(expand=False)
    for column in ("stage", "", "p50 ms", "p99 ms", "rate", "power"):
        table.add_column(column)
    for card in lane.cards:
        watts = "–" if card.power_w is None else f"{card.power_w * 1000:.1f} mW"
        table.add_row(
            card.title,
            card.role,
            f"{card.latency.recent.p50 / 1000:.2f}",
            f"{card.latency.recent.p99 / 1000:.2f}",
            f"{card.rate_hz:,.0f} {card.rate_unit}",
            f"{watts} ({card.power_provenance})",
        )
    return table


def _foot(snapshot: Snapshot) -> Text:
    text = Text()
    for lane in snapshot.lanes:
        counters = lane.counters
        lost = counters.events_dropped + snapshot.source_counters.dropped
        if lane.end_to_end is not None:
            recent = lane.end_to_end.recent
            text.append(f"end to end p50 {recent.p50 / 1000:.2f} ms, p99 {recent.p99 / 1000:.2f} ms   ")
        text.append(
            f"events in {counters.events_in:,} = done {counters.events_done:,} + dropped {counters.events_dropped:,} + "
            f"queued {counters.events_queued:,}   "
        )
        text.append(f"LOST {lost:,}\n" if lost else "nothing lost\n", style="bold red" if lost else "green")
        text.append(f"{lane.age.sentence()}\n")
    notes = [*snapshot.source_counters.notes, *snapshot.notes.values()]
    notes += [note for lane in snapshot.lanes for note in lane.notes.values()]
    for note in notes:
        text.append(f"⚠ {note}\n", style="yellow")
    return text
