"""Builds what leaves a lane: the one place where its figures are put together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from spikebridge.chain import Chain
from spikebridge.contracts import Features, SnnMeter, SourceInfo
from spikebridge.power import PowerMonitor
from spikebridge.run.cards import CardBuilder, stage_start
from spikebridge.run.energies import chip_energy, host_energies
from spikebridge.run.tally import Tally
from spikebridge.snapshot import Counters, Decision, EventAge, LaneModel, LaneSnapshot, State


@dataclass(frozen=True, slots=True)
class LaneMoment:
    """What a lane knows at one moment beside its statistics. paced : whether the source keeps a pace."""

    state: State
    t_us: int
    counters: Counters
    decision: Decision | None = None
    features: Features | None = None
    paced: bool = True
    failure: str | None = None
    notes: Mapping[str, str] = field(default_factory=dict)


class LaneSnapshotBuilder:
    """For one lane. meter : of the chip that its spiking layers run on, None without them. clock_ns : that rates are
    measured by."""

    def __init__(
        self,
        name: str,
        chain: Chain,
        meter: SnnMeter | None,
        source: SourceInfo,
        tally: Tally,
        monitor: PowerMonitor,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._name = name
        self._chain = chain
        self._meter = meter
        self._tally = tally
        self._monitor = monitor
        self._clock_ns = clock_ns
        self._cards = CardBuilder(chain, source, tally)

    def build(self, moment: LaneMoment) -> LaneSnapshot:
        """All figures anew."""
        chain, tally, step_us = self._chain, self._tally, self._chain.bundle.input.step_us
        stages, chip = tally.stage_latency(), self._monitor.chip(self._name)
        activity = chain.snn.activity() if chain.snn else None
        energy = {
            "snn": chip_energy(self._meter, activity, step_us, tally.decisions),
            **host_energies(tally.work_us, self._monitor.busy_host_w(), tally.decisions),
        }
        end_to_end = tally.end_to_end.figures() if moment.paced else None
        return LaneSnapshot(
            model=self._model(),
            state=moment.state,
            t_us=moment.t_us,
            threshold=chain.rule.threshold,
            smoothing_us=chain.rule.smoothing_us,
            decision=moment.decision,
            features=moment.features,
            features_shape=_features_shape(chain),
            cards=self._cards.build(moment.counters, stages, energy, chip, self._clock_ns()),
            latency=stages,
            end_to_end=end_to_end,
            age=event_age(chain, end_to_end.recent.p50 if end_to_end and end_to_end.recent.n else None),
            energy=energy,
            chip=chip,
            activity=activity,
            cost=self._meter.cost(activity, step_us) if self._meter and activity else None,
            counters=moment.counters,
            scores=tally.scores(),
            verdict=tally.verdict(),
            failure=moment.failure,
            starting=stage_start(chain),
            notes=dict(moment.notes) | overflow_note(chain),
        )

    def _model(self) -> LaneModel:
        chain, spec = self._chain, self._chain.bundle.accumulator
        return LaneModel(
            name=self._name,
            bundle=chain.bundle.name,
            title=chain.bundle.title,
            labels=chain.bundle.decision.labels,
            snn=chain.snn.name if chain.snn else "none",
            ann=chain.ann.name,
            mode=chain.mode,
            step_us=chain.bundle.input.step_us,
            window_steps=spec.window_steps,
            interval_steps=spec.interval_steps,
            hop_steps=spec.hop_steps if chain.mode == "stream" else spec.window_steps,
        )


def event_age(chain: Chain, end_to_end_us: float | None) -> EventAge:
    """Of the events behind a decision. A window's flush brings the layers' spikes out at once: no delay there, and no
    mean over decisions."""
    spec, step_us, streams = chain.bundle.accumulator, chain.bundle.input.step_us, chain.mode == "stream"
    return EventAge(
        step_us=step_us,
        layer_delay_us=chain.bundle.delay_us if streams else 0,
        window_us=spec.window_steps * step_us,
        smoothing_us=chain.rule.smoothing_us if streams else 0,
        end_to_end_us=end_to_end_us,
    )


def overflow_note(chain: Chain) -> dict[str, str]:
    """Where and how often the chip's accumulator was exceeded, and what that means; empty where it never was."""
    activity = chain.snn.activity() if chain.snn else None
    exceeded = [layer for layer in activity.layers if layer.overflows] if activity else []
    if activity is None or not exceeded:
        return {}
    places = ", ".join(f"{layer.name}: {layer.overflows:,}×" for layer in exceeded)
    return {
        "overflow": "expected the input of each neuron to fit the chip's accumulator of 21 bits and sign, found more "
        f"({places} in {activity.steps:,} steps); a Loihi would wrap around there and may decide otherwise than this "
        "run, where nothing wraps; smaller weights or fewer events in a step keep within it."
    }


def _features_shape(chain: Chain) -> tuple[int, int, int, int]:
    c, h, w = chain.bundle.spikes_shape
    return (c, chain.bundle.accumulator.intervals, h, w)
