"""What leaves a run: decisions and snapshots. Window, terminal, reports and metrics read these and nothing behind them.

All of it is plain frozen data that can be sent to another process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import (
    Energy,
    Features,
    PowerReading,
    Provenance,
    RecordingStatus,
    ReplayStatus,
    SnnActivity,
    SnnCost,
    SourceCounters,
    SourceInfo,
)
from spikebridge.settings import Mode
from spikebridge.stages import CardKey

#: ``waiting``: for a camera that was unplugged.
State: TypeAlias = Literal["starting", "running", "waiting", "paused", "ended", "failed"]


# ---------------------------------------------------------------- decisions


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision.

    t_us : camera clock, end of the last step that went in. label : None where no gesture is confident enough, and as
    long as it is not ``settled``.
    index : of ``label`` in the bundle's labels, or None. probabilities : (n_labels,) float32, smoothed over time.
    latency_us : host time of the last step by ``stages.STAGE_KEYS``; without the waiting ones where the source keeps no
    pace. end_to_end_us : end of the last step's time → decision out; None where the source keeps no pace.
    gap : events before this decision are missing, the network was reset. settled : a whole window was seen since the
    start or the last reset.
    """

    t_us: int
    label: str | None
    index: int | None
    probabilities: NDArray[np.float32]
    latency_us: Mapping[str, float]
    end_to_end_us: float | None
    gap: bool = False
    settled: bool = True


# ---------------------------------------------------------------- figures


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Of one latency in µs; ``n`` samples. All zero when n is 0."""

    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    n: int = 0


@dataclass(frozen=True, slots=True)
class Latency:
    """Of one stage or several together, µs. recent : over a sliding window. run : since the start. newest : of the
    latest step."""

    recent: Percentiles = field(default_factory=Percentiles)
    run: Percentiles = field(default_factory=Percentiles)
    newest_us: float = 0.0


@dataclass(frozen=True, slots=True)
class Counters:
    """Packets and events through one lane; monotonic but for the queues.

    ``packets_in == packets_done + packets_dropped + packets_queued`` and the same for events, in every snapshot.
    ``events_outside`` of the done ones fell outside the network's crop. Packets in work count as queued.
    """

    packets_in: int = 0
    packets_done: int = 0
    packets_dropped: int = 0
    packets_queued: int = 0
    events_in: int = 0
    events_done: int = 0
    events_dropped: int = 0
    events_queued: int = 0
    events_outside: int = 0
    decisions: int = 0
    resets: int = 0


@dataclass(frozen=True, slots=True)
class EventAge:
    """How old the events behind a decision are when it is out, µs; the parts add up.

    end_to_end_us : median from the end of the newest step's time to the decision; None where the source keeps no pace.
    layer_delay_us : each spiking layer passes its spikes on one step later. window_us : the steps that the accumulator
    looks back over. step_us : length of one of them. smoothing_us : time constant of the mean over decisions, which
    looks back further without an end.
    """

    step_us: int
    layer_delay_us: int
    window_us: int
    smoothing_us: int
    end_to_end_us: float | None = None

    @property
    def newest_us(self) -> float | None:
        """Since the end of the newest step whose events had a say."""
        return None if self.end_to_end_us is None else self.end_to_end_us + self.layer_delay_us

    @property
    def oldest_us(self) -> float | None:
        """Since the beginning of the oldest step in the accumulator's window."""
        return None if self.newest_us is None else self.newest_us + self.window_us

    def sentence(self) -> str:
        """From seen to said, for people."""
        parts = [f"a window of {self.window_us / 1000:g} ms in steps of {self.step_us / 1000:g} ms"]
        if self.layer_delay_us:
            parts.append(f"{self.layer_delay_us / 1000:g} ms in the spiking layers")
        if self.smoothing_us:
            parts.append(f"and a mean over decisions of {self.smoothing_us / 1000:g} ms, which looks back further")
        behind = ", ".join(parts)
        newest_us = self.newest_us
        if newest_us is None:
            return f"Behind each decision: {behind}."
        return (
            f"When a decision is out, the newest events behind it are {newest_us / 1000:.1f} ms old and the oldest "
            f"{(newest_us + self.window_us) / 1000:.1f} ms: {behind}."
        )


@dataclass(frozen=True, slots=True)
class StageCard:
    """One card of the bridge strip.

    title : what runs, e.g. ``ANN · ONNX Runtime CPU``. role : what it does here, small beneath.
    latency : of the card's stages together. rate_hz with rate_unit: ``events/s`` …
    power_w : mean watts for it. energy : of one decision.
    bytes_per_s : across the link that leaves this card, None where nothing is sent.
    """

    key: CardKey
    title: str
    role: str
    latency: Latency
    rate_hz: float
    rate_unit: str
    power_w: float | None
    power_provenance: Provenance
    energy: Energy
    bytes_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class LaneModel:
    """What is fixed about a lane.

    name : of the lane, unique in its run; the bundle's unless it runs twice. snn, ann : backends as granted; ``snn`` is
    ``none`` without spiking layers. window_steps, interval_steps, hop_steps : T, I and hop.
    """

    name: str
    bundle: str
    title: str
    labels: tuple[str, ...]
    snn: str
    ann: str
    mode: Mode
    step_us: int
    window_steps: int
    interval_steps: int
    hop_steps: int


@dataclass(frozen=True, slots=True)
class LaneSnapshot:
    """One network on the stream.

    features : (C·T/I, h, w) of the newest decision where they were asked for; features_shape : (C, T/I, h, w).
    latency : by ``stages.STAGE_KEYS``. end_to_end : None where the source keeps no pace.
    chip : readings of the spiking layers' chip. activity, cost : of the spiking layers over the run; None without any,
    ``cost`` also where the hardware hides what its layers do. energy : of one decision, by stage.
    scores : mean probability of each label over the run. verdict : the label that the run as a whole is named.
    failure : why the lane ended before its source. starting : how far a stage is that takes seconds to start, such as
    ``importing Lava``; empty once it takes steps. notes : sentences on what it met, by a key that stays while their
    figures grow.
    """

    model: LaneModel
    state: State
    t_us: int
    threshold: float
    smoothing_us: int
    decision: Decision | None
    features: Features | None
    features_shape: tuple[int, int, int, int]
    cards: tuple[StageCard, ...]
    latency: Mapping[str, Latency]
    end_to_end: Latency | None
    age: EventAge
    energy: Mapping[str, Energy]
    chip: tuple[PowerReading, ...]
    activity: SnnActivity | None
    cost: SnnCost | None
    counters: Counters
    scores: tuple[float, ...]
    verdict: str | None
    failure: str | None = None
    starting: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)

    @property
    def age_over_run(self) -> EventAge:
        """``age`` with the median over the run instead of the recent one."""
        run = self.end_to_end.run if self.end_to_end is not None else None
        return replace(self.age, end_to_end_us=run.p50 if run is not None and run.n else None)

    def tuned(self, threshold: float, smoothing_us: int) -> LaneSnapshot:
        """The same with these settings, where its figures are older than they."""
        if (self.threshold, self.smoothing_us) == (threshold, smoothing_us):
            return self
        age = replace(self.age, smoothing_us=smoothing_us) if self.model.mode == "stream" else self.age
        return replace(self, threshold=threshold, smoothing_us=smoothing_us, age=age)


@dataclass(frozen=True, slots=True)
class PairFigures:
    """Two lanes on the same stream.

    compared : settled decisions of both at the same time of the camera. agreeing : those of them with the same label,
    or without one.
    gestures : namings of the same gesture by both. first_earlier, second_earlier : who named it before the other; the
    rest was at once. lead_ms : median of how much earlier the first lane was, negative where it was later; None without
    a gesture.
    """

    first: str
    second: str
    compared: int = 0
    agreeing: int = 0
    gestures: int = 0
    first_earlier: int = 0
    second_earlier: int = 0
    lead_ms: float | None = None

    @property
    def agreement(self) -> float | None:
        """Share of the compared decisions; None before the first."""
        return self.agreeing / self.compared if self.compared else None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is shown or reported of a run, built once and never changed.

    power : readings of this host. replay, overview : of a recording; overview is (256,) events per second, empty until
    it is known. paced : whether the source keeps a pace, so that there is a latency. failure : what ended the run.
    notes : sentences on what the run met as a whole; those of a lane are the lane's. recording : the latest of this
    run, None before the first.
    """

    sequence: int
    state: State
    source: SourceInfo
    source_counters: SourceCounters
    lanes: tuple[LaneSnapshot, ...]
    pairs: tuple[PairFigures, ...]
    power: tuple[PowerReading, ...]
    replay: ReplayStatus | None
    overview: NDArray[np.float32] | None
    paced: bool
    wall_s: float
    peak_rss_mb: float
    failure: str | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    recording: RecordingStatus | None = None


#: Something that follows a run from beside it, such as an endpoint for metrics: gets a function that gives the newest
#: snapshot, or None while nothing runs, and lives as long as the context it returns.
Watcher: TypeAlias = Callable[[Callable[[], Snapshot | None]], AbstractContextManager[object]]
