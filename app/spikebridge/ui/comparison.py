"""What several networks cost and say, in words, side by side; without Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from spikebridge.contracts import Energy
from spikebridge.snapshot import LaneSnapshot, PairFigures, Snapshot, StageCard
from spikebridge.stages import ON_HOST, CardKey
from spikebridge.ui import figures

#: Stages on the host other than the ordinary layers.
_HOST_REST = tuple(key for key in ON_HOST if key != "ann")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table. group : stands over this and its neighbours of the same group. weight : of its width.
    right : aligned there, for figures. spare : left out of a small table."""

    key: str
    group: str
    caption: str
    weight: float
    right: bool = True
    spare: bool = False


#: Title of a group.
SPIKING = "spiking layers: energy per decision"
COLUMNS: tuple[Column, ...] = (
    Column("lane", "", "network", 210, right=False),
    Column("p50", "end of the step → decision", "p50", 95),
    Column("p99", "end of the step → decision", "p99", 95),
    Column("activity", SPIKING, "activity", 88),
    Column("constant", SPIKING, "constant", 88),
    Column("static", SPIKING, "static", 88),
    Column("spiking provenance", SPIKING, "", 98, right=False),
    Column("ordinary", "ordinary layers", "per decision", 88),
    Column("ordinary provenance", "ordinary layers", "", 98, right=False),
    Column("host", "other host stages", "per decision", 88),
    Column("host provenance", "other host stages", "", 98, right=False),
    Column("bridge", "bridge", "traffic", 88, spare=True),
    Column("decisions", "decisions", "per second", 88, spare=True),
    Column("lost", "events lost", "in its queue", 100, spare=True),
    Column("agreement", "against the chosen network", "agrees in", 92),
    Column("lead", "against the chosen network", "names a gesture", 250, right=False),
)
#: Columns whose size is also seen as a bar, and is told apart at a glance.
MEASURES: tuple[str, ...] = ("p50", "activity", "ordinary", "host")


@dataclass(frozen=True, slots=True)
class Row:
    """One network. cells : words by the key of a column. sizes : of ``MEASURES``, as parts of the largest of all rows;
    for the spiking layers activity and constant together."""

    cells: Mapping[str, str]
    sizes: Mapping[str, float]


def rows(snapshot: Snapshot, chosen: int) -> tuple[Row, ...]:
    """One for each lane; the others are compared with the chosen one."""
    measured = [_measures(lane) for lane in snapshot.lanes]
    largest = {key: max(sizes[key] for sizes in measured) for key in MEASURES}
    return tuple(
        Row(
            cells=_cells(lane, number) | _against(snapshot, number, chosen),
            sizes={key: value / largest[key] if largest[key] else 0.0 for key, value in sizes.items()},
        )
        for number, (lane, sizes) in enumerate(zip(snapshot.lanes, measured, strict=True))
    )


def describe_backends(lane: LaneSnapshot) -> str:
    """``SNN · Loihi emulator, ANN · ONNX Runtime CPU``."""
    snn = "no SNN" if lane.model.snn == "none" else f"SNN · {lane.model.snn}"
    return f"{snn}, ANN · {lane.model.ann}"


def backends_in_short(lane: LaneSnapshot) -> str:
    """``Loihi emulator → ONNX Runtime CPU``."""
    return lane.model.ann if lane.model.snn == "none" else f"{lane.model.snn} → {lane.model.ann}"


def describe_lead(pair: PairFigures, name: str) -> str:
    """Who named gestures first, seen from the lane ``name``: ``20 ms earlier, first in 4 of 7``."""
    if pair.lead_ms is None:
        return "no gesture that both named"
    lead_ms, first = (pair.lead_ms, pair.first_earlier) if name == pair.first else (-pair.lead_ms, pair.second_earlier)
    how = "at the same time"
    if lead_ms:
        ahead = f"{abs(lead_ms):g} ms" if abs(lead_ms) < 1000 else figures.milliseconds(abs(lead_ms) * 1000)
        how = f"{ahead} {'earlier' if lead_ms > 0 else 'later'}"
    return f"{how}, first in {first} of {pair.gestures}"


def static_origins(snapshot: Snapshot) -> str:
    """Whose figures the static energies are: ``static: measured on one board``, by network where they differ; empty
    where there are none."""
    origins: dict[str, list[str]] = {}
    for number, lane in enumerate(snapshot.lanes, start=1):
        energy = lane.energy.get("snn")
        if energy is not None and energy.static_mj is not None:
            origins.setdefault(energy.static_source or "origin not known", []).append(f"{number}")
    if len(origins) < 2:
        return "".join(f"static: {origin}" for origin in origins)
    return "; ".join(f"static of {', '.join(numbers)}: {origin}" for origin, numbers in origins.items())


def energy_of_rest(energy: Mapping[str, Energy]) -> Energy:
    """Of all stages on the host but the ordinary layers together; unavailable where one of them is."""
    known = [energy[key] for key in _HOST_REST if key in energy]
    values = [part.activity_mj for part in known if part.activity_mj is not None]
    if len(values) < len(_HOST_REST):
        return Energy(None, "unavailable")
    return Energy(sum(values), known[0].provenance)


def card(lane: LaneSnapshot, key: CardKey) -> StageCard | None:
    return next((card for card in lane.cards if card.key == key), None)


def _cells(lane: LaneSnapshot, number: int) -> dict[str, str]:
    decision = card(lane, "decision")
    return {
        "lane": f"{number + 1}  {lane.model.name}" + ("" if lane.state == "running" else f"  ({lane.state})"),
        **_latency(lane),
        **_spiking(lane),
        **_plain("ordinary", lane.energy.get("ann")),
        **_plain("host", energy_of_rest(lane.energy)),
        "decisions": figures.rate(decision.rate_hz, "").strip() if decision else figures.NOTHING,
        "lost": figures.count(lane.counters.events_dropped),
    }


def _latency(lane: LaneSnapshot) -> dict[str, str]:
    if lane.end_to_end is None or not lane.end_to_end.recent.n:
        return {"p50": figures.NOTHING, "p99": figures.NOTHING}
    recent = lane.end_to_end.recent
    return {"p50": figures.milliseconds(recent.p50), "p99": figures.milliseconds(recent.p99)}


def _spiking(lane: LaneSnapshot) -> dict[str, str]:
    if lane.model.snn == "none":
        return {"activity": "none", "constant": "none", "static": "none", "spiking provenance": "", "bridge": "none"}
    snn = card(lane, "snn")
    energy = lane.energy.get("snn", Energy(None, "unavailable"))
    known = energy.activity_mj is not None
    return {
        "activity": figures.millijoules(energy.activity_mj),
        "constant": figures.millijoules(energy.constant_mj if known else None),
        "static": figures.millijoules(energy.static_mj if known else None),
        "spiking provenance": energy.provenance,
        "bridge": figures.byte_rate(snn.bytes_per_s if snn else None) or figures.NOTHING,
    }


def _plain(key: str, energy: Energy | None) -> dict[str, str]:
    energy = energy or Energy(None, "unavailable")
    return {key: figures.millijoules(energy.dynamic_mj), f"{key} provenance": energy.provenance}


def _against(snapshot: Snapshot, number: int, chosen: int) -> dict[str, str]:
    if number == chosen:
        return {"agreement": "", "lead": "the chosen one"}
    names = (snapshot.lanes[number].model.name, snapshot.lanes[chosen].model.name)
    pair = next((pair for pair in snapshot.pairs if {pair.first, pair.second} == set(names)), None)
    if pair is None:
        return {"agreement": figures.NOTHING, "lead": figures.NOTHING}
    return {"agreement": figures.share(pair.agreement), "lead": describe_lead(pair, names[0])}


def _measures(lane: LaneSnapshot) -> dict[str, float]:
    recent = lane.end_to_end.recent.p50 if lane.end_to_end is not None else 0.0
    snn = lane.energy.get("snn") if lane.model.snn != "none" else None
    ann = lane.energy.get("ann")
    return {
        "p50": recent,
        "activity": (snn.dynamic_mj if snn else None) or 0.0,
        "ordinary": (ann.dynamic_mj if ann else None) or 0.0,
        "host": energy_of_rest(lane.energy).activity_mj or 0.0,
    }


def groups(columns: Sequence[Column]) -> tuple[tuple[str, float, float], ...]:
    """(title, left, right) of each group of columns, as parts of the width."""
    total = sum(column.weight for column in columns)
    spans, left = [], 0.0
    for title, members in groupby(columns, key=lambda column: column.group):
        right = left + sum(column.weight for column in members)
        spans.append((title, left / total, right / total))
        left = right
    return tuple(spans)
