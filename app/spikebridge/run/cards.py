"""The five cards of the bridge strip: what runs in each, how fast, how much, and at what cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from spikebridge.chain import Chain
from spikebridge.contracts import Energy, PowerReading, Provenance, SourceInfo, StartingStage
from spikebridge.run.rates import Rates
from spikebridge.run.tally import Tally
from spikebridge.snapshot import Counters, Latency, StageCard
from spikebridge.stages import CARDS, WORKING, CardKey, stages_of

#: Of one event as it leaves a camera: 32-bit address and 8-bit time.
EVENT_BYTES = 5
_LOGIT_BYTES = 4


@dataclass(frozen=True, slots=True)
class _Words:
    title: str
    role: str


def describe_cards(chain: Chain, source: SourceInfo) -> dict[CardKey, _Words]:
    """What runs on each card, and small beneath what it does; as granted, not as asked for."""
    sensor, size, spec = source.sensor, chain.bundle.input, chain.bundle.accumulator
    mapped = f"{sensor.width}×{sensor.height}"
    if (sensor.width, sensor.height) != (size.width, size.height):
        mapped += f" → {size.width}×{size.height}"
    return {
        "source": _Words(_source_title(source), f"{mapped} px → counts"),
        "snn": _snn_words(chain),
        "accumulator": _Words(
            f"Accumulator · T {spec.window_steps}, I {spec.interval_steps}",
            f"{'spikes' if chain.snn else 'counts'} → features",
        ),
        "ann": _Words(f"ANN · {chain.ann.name}", "features → logits"),
        "decision": _Words(f"Decision · {_rule(chain)}", "logits → gesture"),
    }


class CardBuilder:
    """Makes the cards of one lane; holds what rates need to remember."""

    def __init__(self, chain: Chain, source: SourceInfo, tally: Tally) -> None:
        self._chain = chain
        self._source = source
        self._tally = tally
        self._rates = Rates()

    def build(
        self,
        counters: Counters,
        stages: dict[str, Latency],
        energies: Mapping[str, Energy],
        chip: tuple[PowerReading, ...],
        now_ns: int,
    ) -> tuple[StageCard, ...]:
        """counters : of the lane. stages, energies : by stage. chip : readings of the spiking layers' chip."""
        bundle, tally = self._chain.bundle, self._tally
        activity = self._chain.snn.activity() if self._chain.snn else None
        spikes = activity.layers[-1].spikes if activity else counters.events_done
        counts = {
            "events": counters.events_done,
            "spikes": spikes,
            "steps": counters.packets_done,
            "decisions": counters.decisions,
        }
        hz = {what: self._rates.of(what, count, now_ns) for what, count in counts.items()}
        decisions_hz = hz["decisions"]
        rates: dict[CardKey, tuple[float, str, float | None]] = {
            "source": (hz["events"], "events/s", EVENT_BYTES * hz["events"]),
            "snn": (hz["spikes"], "spikes/s", hz["steps"] * prod(bundle.spikes_shape) / 8),
            "accumulator": (hz["steps"], "steps/s", decisions_hz * prod(bundle.ann.input_shape)),
            "ann": (decisions_hz, "inferences/s", decisions_hz * _LOGIT_BYTES * len(bundle.decision.labels)),
            "decision": (decisions_hz, "decisions/s", None),
        }
        words = describe_cards(self._chain, self._source)
        cards = []
        for key in CARDS:
            (working,) = (stage for stage in stages_of(key) if stage in WORKING)
            energy = energies[working]
            watts, provenance = _chip_watts(chip) if key == "snn" else _host_watts(energy, decisions_hz)
            rate, unit, bytes_per_s = rates[key]
            cards.append(
                StageCard(
                    key=key,
                    title=words[key].title,
                    role=words[key].role,
                    latency=tally.card_latency(key, stages),
                    rate_hz=rate,
                    rate_unit=unit,
                    power_w=watts,
                    power_provenance=provenance,
                    energy=energy,
                    bytes_per_s=bytes_per_s,
                )
            )
        return tuple(cards)


def _host_watts(energy: Energy, decisions_hz: float) -> tuple[float | None, Provenance]:
    """Mean watts of a stage that takes so much for each decision; mJ · Hz = mW."""
    if energy.activity_mj is None:
        return None, "unavailable"
    return energy.activity_mj * 1e-3 * decisions_hz, energy.provenance


def _chip_watts(readings: tuple[PowerReading, ...]) -> tuple[float | None, Provenance]:
    """Of the whole chip."""
    whole = next((reading for reading in readings if reading.whole), None)
    return (None, "unavailable") if whole is None else (whole.watts, whole.provenance)


def _source_title(source: SourceInfo) -> str:
    if source.kind == "simulated":
        return "Simulated camera"
    kind = "Recording" if source.kind == "recording" else "Camera"
    return f"{kind} · {source.sensor.name or source.title}"


def _snn_words(chain: Chain) -> _Words:
    if chain.snn is None or chain.bundle.snn is None:
        return _Words("No spiking layers", "counts go on as they are")
    n = chain.bundle.snn.layers
    role = f"counts → spikes, {n} layer{'s' if n > 1 else ''}"
    return _Words(f"SNN · {chain.snn.name}", stage_start(chain) or role)


def stage_start(chain: Chain) -> str:
    """How far a stage is that takes seconds to start; empty once it takes steps."""
    state = chain.snn.state if isinstance(chain.snn, StartingStage) else "running"
    return "" if state == "running" else state


def _rule(chain: Chain) -> str:
    if chain.mode == "window":
        return "each window"
    smoothing_us = chain.rule.smoothing_us
    return f"mean of {smoothing_us / 1000:g} ms" if smoothing_us else "each for itself"
