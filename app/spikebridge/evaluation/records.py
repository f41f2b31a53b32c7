"""What ``spikebridge evaluate --json`` prints of a bundle, as it stands in JSON; the study stores the same.

Estimates carry their provenance. What a bundle does not have, such as spikes, is left out and not zero.
"""

from __future__ import annotations

from typing import TypedDict


class Share(TypedDict):
    """A share, None of nothing. interval : 95 %, from persons drawn with replacement; None for fewer than three."""

    value: float | None
    interval: list[float] | None


class Times(TypedDict):
    """Times in ms of ``n`` cases. missing : how many of them never came; they count as infinitely late, and a
    percentile among them is None."""

    n: int
    missing: int
    median: float | None
    p90: float | None


class ConfidenceBin(TypedDict):
    """Windows that were named with about the same confidence: its mean, the share that is right, their share of all."""

    confidence: float
    right: float
    share: float


class Calibration(TypedDict):
    """error : expected calibration error over the bins."""

    error: float
    bins: list[ConfidenceBin]


class Observation(TypedDict):
    """Streaming accuracy at each time ``ms`` since the gesture was first seen, and how many cases last so long."""

    ms: list[float]
    right: list[float]
    named_right: list[float]
    cases: list[float]


class Estimate(TypedDict):
    """A value that no meter measured."""

    value: float
    provenance: str


class ScopedEstimate(Estimate):
    """scope : what was measured of it and what was assumed."""

    scope: str


class HostCost(TypedDict):
    """host_us : measured host time by stage, median. ann_mj : energy of the ordinary part."""

    host_us: dict[str, float]
    ann_mj: ScopedEstimate


class LoihiCost(TypedDict, total=False):
    """Counted spikes and the cost model's estimates. spikes : ``total`` and by layer. loihi_constant_mj : the part of
    loihi_dynamic_mj that silent steps cost too. loihi_source : of the model."""

    spikes: dict[str, float]
    loihi_cores: int
    loihi_problems: list[str]
    loihi_us: Estimate
    loihi_dynamic_mj: Estimate
    loihi_constant_mj: Estimate
    loihi_static_mj: Estimate
    loihi_source: str


class DecisionCost(HostCost, LoihiCost):
    """Of one decision."""


class BridgeBytes(TypedDict):
    """Bytes of a window that cross from Loihi to the ordinary part, by encoding."""

    bitmap: int
    address_event: float
    counts: int


class WindowCost(DecisionCost):
    """Of one window in the paper's protocol."""

    spikes_across_the_bridge: float
    bridge_bytes: BridgeBytes


class QuietSummary(TypedDict):
    """Of minutes in which nobody makes a gesture. A gesture that is named for a while counts once."""

    minutes: float
    false_gestures: int
    per_minute: float
    share_of_decisions: float


class Costs(TypedDict, total=False):
    """What decisions cost, and how often a gesture is named while there is none, by kind of quiet minutes."""

    per_window: WindowCost
    per_decision: DecisionCost
    quiet: dict[str, QuietSummary]


class Accuracy(TypedDict):
    """window_accuracy : of ``windows`` from reset. clip_accuracy : of the class with the highest mean probability over
    a clip's windows."""

    windows: int
    window_accuracy: Share
    clip_accuracy: Share


class Summary(Accuracy, Costs):
    """Over all cases.

    stream_accuracy : of the likeliest class of each streaming decision. stream_named_right : of the label that each
    settled decision names. confusion, clip_confusion : by true (row) and named (column) class. latency_us : host time
    of one streaming step by stage and percentile.
    """

    cases: int
    persons: int
    stream_accuracy: Share
    stream_named_right: Share
    confusion: list[list[int]]
    clip_confusion: list[list[int]]
    calibration: Calibration
    observation: Observation
    onset_to_first_right_ms: Times
    onset_to_stable_ms: Times
    latency_us: dict[str, dict[str, float]]


class CaseReport(TypedDict):
    """One case. clip : the label that it got as a whole. named : how many settled decisions named which label, "None"
    for none. highest_wrong_gesture : highest probability that another gesture ever had while streaming."""

    name: str
    label: str
    clip: str
    windows_right: int
    windows: int
    named: dict[str, int]
    highest_wrong_gesture: float
    first_right_ms: float | None
    stable_ms: float | None


class Report(TypedDict):
    """One bundle on one set of cases."""

    control: str
    summary: Summary
    cases: list[CaseReport]
