"""The last snapshot of a run, made by hand: every figure is another one, so that no two can be swapped unseen.

Lane k is 1, 2 or 3. Counts are multiples of k, times in µs begin with k.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from spikebridge.contracts import (
    Energy,
    LayerActivity,
    LayerCost,
    PowerReading,
    SnnActivity,
    SnnCost,
    SourceCounters,
    SourceInfo,
)
from spikebridge.events import Sensor
from spikebridge.snapshot import (
    Counters,
    Decision,
    EventAge,
    LaneModel,
    LaneSnapshot,
    Latency,
    PairFigures,
    Percentiles,
    Snapshot,
    StageCard,
)
from spikebridge.stages import CARDS, STAGE_KEYS

LABELS = ("hand_clap", "arm_roll", "air_drums", "other")
#: What none of the reports of a whole run may show: the newest and the recent ones.
_PASSING = Percentiles(8_000_000.0, 8_000_001.0, 8_000_002.0, 512)

COST = SnnCost(
    "Loihi 1", "somebody's prices", 80, 50, 60.0, 0.016,
    (LayerCost("layer 1", 100, 900, 300, 40, 80.0, 0.032, 0.064, 0.128, 0.256, 0.512),),
    static_mj=25.5, static_source="somebody's board", chip_step_us=12.34,
)  # fmt: skip

PAIRS = (
    PairFigures("net 1", "net 2", 1200, 800, 7, 4, 2, 20.5),
    PairFigures("net 1", "net 3", 1000, 500, 1, 0, 1, -30.0),
    PairFigures("net 2", "net 3", 999, 999, 3, 0, 0, 0.0),
)


def decision(label: str | None = "arm_roll") -> Decision:
    """0.125, 0.6875, 0.125 and 0.0625 for the labels in their order."""
    probabilities = np.array([0.125, 0.6875, 0.125, 0.0625], np.float32)
    return Decision(70_000, label, None if label is None else 1, probabilities, {"bin": 3.0}, 4.0)


def percentiles(p50: float, n: int = 9) -> Percentiles:
    return Percentiles(p50, p50 + 10, p50 + 20, n)


def make_lane(k: int = 1) -> LaneSnapshot:
    """Not paced: without end-to-end latency and without a sample of the waiting stages."""
    latency = {
        key: Latency(_PASSING, percentiles(1000 * k + 100 * i + 0.26, n=i if i < 2 else 9), 8e6)
        for i, key in enumerate(STAGE_KEYS)
    }
    latency["source"] = latency["inbox"] = Latency()
    return LaneSnapshot(
        model=LaneModel(f"net {k}", f"bundle {k}", f"Title {k}", LABELS, f"chip {k}", f"host {k}", "stream",
                        10_000, 16, 4, 1),
        state="ended",
        t_us=1_234_000 * k,
        threshold=0.5,
        smoothing_us=30_000,
        decision=decision(),
        features=None,
        features_shape=(2, 4, 4, 4),
        cards=tuple(
            StageCard(
                card, f"title {k}{i}", f"role {k}{i}", Latency(percentiles(1000 * k + 100 * i), _PASSING, 8e6),
                10_000 * k + i, "events/s", None if card == "ann" else 0.1 * k + 0.001 * i,
                "unavailable" if card == "ann" else "estimated", Energy(8e6, "measured"),
            )
            for i, card in enumerate(CARDS)
        ),
        latency=latency,
        end_to_end=None,
        age=EventAge(10_000, 20_000, 160_000, 30_000),
        energy={
            "bin": Energy(0.5 * k, "estimated"),
            "snn": Energy(0.012345678912 * k, "simulated", 0.25 * k, 3.5 * k, "a board"),
            "accumulator": Energy(0.125 * k, "measured"),
            "ann": Energy(None, "unavailable"),
            "decision": Energy(0.0625 * k, "estimated"),
        },
        chip=(PowerReading("loihi", 0.3 * k, "simulated", f"chip {k}", whole=True, static_w=0.1234567 * k),),
        activity=SnnActivity(
            80, 50, (LayerActivity("layer 1", 16, 2, 3, 4, 5 * k), LayerActivity("layer 2", 17, 5, 6, 7, None))
        ),
        cost=None,
        counters=Counters(
            packets_in=1240 * k, packets_done=1231 * k, packets_dropped=4 * k, packets_queued=5 * k,
            events_in=2600 * k, events_done=2000 * k, events_dropped=470 * k, events_queued=130 * k,
            events_outside=1077 * k, decisions=1008 * k, resets=3 * k,
        ),
        scores=(0.07654321, 0.5, 0.3, 0.12345678),
        verdict="arm_roll",
    )  # fmt: skip


def paced(lane: LaneSnapshot, k: int = 1, n: int = 9) -> LaneSnapshot:
    """end to end : over the run a median of k · 2000.46 µs, lately one of 7000 µs."""
    end_to_end = Latency(percentiles(7000.0), percentiles(2000.46 * k, n), 8e6)
    age = dataclasses.replace(lane.age, end_to_end_us=7000.0)
    waiting = {key: Latency(_PASSING, percentiles(1000 * k + i), 8e6) for i, key in enumerate(STAGE_KEYS[:2])}
    return dataclasses.replace(lane, end_to_end=end_to_end, age=age, latency={**lane.latency, **waiting})


def make_snapshot(*lanes: LaneSnapshot) -> Snapshot:
    """Of a recording with losses, after 12 346 s."""
    return Snapshot(
        sequence=8,
        state="ended",
        source=SourceInfo("clips/wave.aedat4", "wave.aedat4", "recording", Sensor(128, 128)),
        source_counters=SourceCounters(9001, 29, 1234, True, ("Of the file.",), out_of_order=17, filtered=7001),
        lanes=lanes,
        pairs=PAIRS if len(lanes) > 1 else (),
        power=(
            PowerReading("VDD_IN", 6.12345678, "measured", "whole board", whole=True),
            PowerReading("package-0", None, "unavailable", "root only"),
        ),
        replay=None,
        overview=None,
        paced=all(lane.end_to_end is not None for lane in lanes),
        wall_s=12_345.6789,
        peak_rss_mb=512.26,
        notes={"run": "Of the run."},
    )
