"""The live text dashboard: what the window shows, for terminals."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from spikebridge.contracts import Decision, Snapshot
from spikebridge.pipeline import Pipeline

_REFRESH_S = 0.1
_BAR = 30
_TITLES = {
    "source": "camera",
    "snn": "Loihi SNN",
    "accumulator": "accumulator",
    "ann": "Jetson ANN",
    "decision": "decision",
}


@contextmanager
def dashboard(pipeline: Pipeline) -> Iterator[Callable[[Decision], None]]:
    """Shows the pipeline on the terminal while the context is open; the yielded function takes each decision."""
    labels = pipeline.chain.bundle.decision.labels
    drawn = 0.0
    with Live(console=Console(), auto_refresh=False, transient=True) as live:

        def show(decision: Decision) -> None:
            nonlocal drawn
            if time.monotonic() - drawn >= _REFRESH_S:
                drawn = time.monotonic()
                live.update(render(pipeline.snapshot(), decision, labels, pipeline.threshold), refresh=True)

        yield show


def render(snapshot: Snapshot, decision: Decision, labels: tuple[str, ...], threshold: float) -> Panel:
    """The dashboard of one moment."""
    name = (decision.label or "no gesture").replace("_", " ")
    head = Text(f"  {name}  ", style="bold black on bright_cyan" if decision.label else "bold white on grey23")
    head.append(f"  {float(decision.probabilities.max()):.0%}", style="bold default on default")
    source = f"{snapshot.source.title} · {snapshot.model} · {snapshot.t_us / 1e6:.1f} s"
    return Panel(
        Group(head, Text(), _bars(decision, labels, threshold), Text(), _bridge(snapshot), Text(), _foot(snapshot)),
        title="Spikebridge",
        subtitle=source,
    )


def _bars(decision: Decision, labels: tuple[str, ...], threshold: float) -> Table:
    table = Table.grid(padding=(0, 1))
    for label, probability in zip(labels, decision.probabilities, strict=True):
        filled = round(float(probability) * _BAR)
        mark = round(threshold * _BAR)
        bar = "".join("│" if i == mark else "█" if i < filled else "·" for i in range(_BAR + 1))
        style = "bright_cyan" if label == decision.label else "default"
        table.add_row(label.replace("_", " "), Text(bar, style=style), f"{float(probability):4.0%}")
    return table


def _bridge(snapshot: Snapshot) -> Table:
    table = Table(expand=False)
    for column in ("stage", "backend", "p50 ms", "p99 ms", "rate", "power"):
        table.add_column(column)
    for stage in snapshot.stages:
        watts = "—" if stage.power_w is None else f"{stage.power_w * 1000:.1f} mW"
        table.add_row(
            _TITLES[stage.key],
            stage.backend,
            f"{stage.latency.p50 / 1000:.2f}",
            f"{stage.latency.p99 / 1000:.2f}",
            f"{stage.rate_hz:,.0f} {stage.rate_unit}",
            f"{watts} ({stage.power_provenance})",
        )
    return table


def _foot(snapshot: Snapshot) -> Text:
    counters = snapshot.counters
    lost = counters.events_dropped + snapshot.source_counters.dropped
    text = Text(
        f"end to end p50 {snapshot.end_to_end.p50 / 1000:.2f} ms, p99 {snapshot.end_to_end.p99 / 1000:.2f} ms after "
        f"the step of {snapshot.step_us / 1000:g} ms   events in {counters.events_in:,} = "
        f"done {counters.events_done:,} + dropped {counters.events_dropped:,} + queued {counters.events_queued:,}   "
    )
    text.append(f"LOST {lost:,}" if lost else "nothing lost", style="bold red" if lost else "green")
    for note in snapshot.notes.values():
        text.append(f"\n⚠ {note}", style="yellow")
    return text
