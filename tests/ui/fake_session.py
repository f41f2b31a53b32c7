"""A chain of a few lines: a snapshot that the test sets, and a picture that it paints.

Every figure is another one in each lane and each stage, so that a swap is seen. Of lane k (1, 2, 3) and the ith card
(1 … 5): p50 = k ms + i · 110 µs, rate = k · 10 k + i · 1000, power = k · 100 mW + i · 11 mW.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import (
    LABELS,
    Energy,
    PowerReading,
    Provenance,
    RecordingStatus,
    ReplayStatus,
    SourceCounters,
    SourceInfo,
)
from spikebridge.events import Sensor
from spikebridge.picture import Picture
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
from spikebridge.stages import CARDS, STAGE_KEYS, CardKey

SIMULATED = SourceInfo("sim:", "Simulated camera", "simulated", Sensor(128, 128))
RECORDING = SourceInfo("wave.aedat", "wave.aedat", "recording", Sensor(128, 128), 1_000_000, 3_000_000)

_PROVENANCES: dict[CardKey, Provenance] = {
    "source": "estimated",
    "snn": "simulated",
    "accumulator": "measured",
    "ann": "estimated",
    "decision": "measured",
}
_UNITS = ("events/s", "spikes/s", "steps/s", "inferences/s", "decisions/s")
_TITLES = ("Simulated camera", "SNN · Loihi emulator", "Accumulator · T 16, I 4", "ANN · ONNX Runtime CPU", "Decision")
_ROLES = ("128×128 px → counts", "counts → spikes", "spikes → features", "features → logits", "logits → gesture")
_MODELS = (
    ("s2a4-stream", "Hybrid S2A4, streaming", "Loihi emulator"),
    ("ann-160ms", "ANN, 160 ms windows", "none"),
    ("snn-160ms", "Pure SNN, 160 ms", "Loihi emulator"),
)


def decision(label: str | None, confidence: float = 0.9, labels: tuple[str, ...] = LABELS, k: int = 1) -> Decision:
    """The likeliest is ``label``, or the first where that is None. latency_us : k · 100 µs, 200 µs … by stage."""
    probabilities = np.full(len(labels), (1 - confidence) / (len(labels) - 1), np.float32)
    index = None if label is None else labels.index(label)
    probabilities[index or 0] = confidence
    latency_us = {key: 100.0 * k * (i + 1) for i, key in enumerate(STAGE_KEYS)}
    return Decision(10_000, label, index, probabilities, latency_us, 600.0)


def _latency(p50_us: float) -> Latency:
    figures = Percentiles(p50_us, p50_us + 1000, p50_us + 3000, 9)
    # The run's and the newest are other figures than those that are shown.
    return Latency(figures, Percentiles(7, 8, 9, 9), p50_us + 5)


#: As long as the longest that there is.
ORIGIN = "middle of 0.23–0.28 W, measured on one Loihi 2 board"


def snn_energy(k: int) -> Energy:
    return Energy(0.00123 * k, "simulated", 0.00456 * k, 0.789 * k, ORIGIN)


def _energies(k: int) -> dict[str, Energy]:
    return {
        "bin": Energy(0.1 * k, "measured"),
        "snn": snn_energy(k),
        "accumulator": Energy(0.2 * k, "measured"),
        "ann": Energy(1.5 * k, "estimated"),
        "decision": Energy(0.3 * k, "measured"),
    }


def cards(k: int) -> tuple[StageCard, ...]:
    energies = _energies(k)
    return tuple(
        StageCard(
            key=key,
            title=_TITLES[i - 1],
            role=_ROLES[i - 1],
            latency=_latency(1000 * k + 110 * i),
            rate_hz=10_000 * k + 1000 * i,
            rate_unit=_UNITS[i - 1],
            power_w=(100 * k + 11 * i) / 1000,
            power_provenance=_PROVENANCES[key],
            energy=energies["bin" if key == "source" else key],
            bytes_per_s=None if key == "decision" else 1e5 * k + 1e4 * i,
        )
        for i, key in enumerate(CARDS, start=1)
    )


def lane(k: int) -> LaneSnapshot:
    name, title, snn = _MODELS[(k - 1) % 3]
    name = name if k <= 3 else f"{name} #{k}"
    end_to_end = _latency(1000 * k + 230)
    return LaneSnapshot(
        model=LaneModel(name, name, title, LABELS, snn, "ONNX Runtime CPU", "stream", 10_000, 16, 4, 1),
        state="running",
        t_us=10_000,
        threshold=0.5,
        smoothing_us=200_000,
        decision=decision(("air_drums", "air_guitar", "arm_roll")[(k - 1) % 3], 0.9 - k / 100, k=k),
        features=None,
        features_shape=(2, 4, 4, 4),
        cards=cards(k),
        latency={key: _latency(1000 * k + 10 * i) for i, key in enumerate(STAGE_KEYS)},
        end_to_end=end_to_end,
        age=EventAge(10_000, 20_000, 160_000, 20_000, end_to_end.recent.p50),
        energy=_energies(k),
        chip=(PowerReading(f"chip {k}", 0.002 * k, "simulated", "chip", whole=True),),
        activity=None,
        cost=None,
        counters=Counters(
            packets_in=3 * k, packets_done=2 * k, packets_queued=k, events_in=30 * k, events_done=20 * k,
            events_queued=10 * k, events_outside=4 * k, decisions=5 * k, resets=6 * k,
        ),
        scores=(0.0,) * len(LABELS),
        verdict=None,
    )  # fmt: skip


PAIRS = (
    PairFigures("s2a4-stream", "ann-160ms", 1000, 873, 7, 4, 2, 20.0),
    PairFigures("s2a4-stream", "snn-160ms", 1000, 500, 6, 1, 5, -30.0),
    PairFigures("ann-160ms", "snn-160ms", 1000, 250, 3, 0, 0, 0.0),
)


def snapshot(lanes: int = 1, source: SourceInfo = SIMULATED) -> Snapshot:
    recorded = source.kind == "recording"
    return Snapshot(
        sequence=1,
        state="running",
        source=source,
        source_counters=SourceCounters(read=30),
        lanes=tuple(lane(k) for k in range(1, lanes + 1)),
        pairs=PAIRS if lanes >= 3 else PAIRS[:1] if lanes == 2 else (),
        power=(
            PowerReading("host", 2.569, "estimated", "this host"),
            PowerReading("VDD_IN", None, "unavailable", "board"),
        ),
        replay=ReplayStatus(source.t_first_us or 0, False, 1.0, False) if recorded else None,
        overview=np.linspace(0, 1e5, 256, dtype=np.float32) if recorded else None,
        paced=True,
        wall_s=1.0,
        peak_rss_mb=100.0,
    )


class FakeReplay:
    def __init__(self, status: ReplayStatus) -> None:
        self.state = status
        self.steps = 0

    def status(self) -> ReplayStatus:
        return self.state

    def pause(self, paused: bool) -> None:
        self.state = dataclasses.replace(self.state, paused=paused)

    def seek(self, t_us: int) -> None:
        self.state = dataclasses.replace(self.state, position_us=t_us)

    def step(self) -> None:
        self.steps += 1

    def set_speed(self, speed: float) -> None:
        self.state = dataclasses.replace(self.state, speed=speed)

    def set_loop(self, loop: bool) -> None:
        self.state = dataclasses.replace(self.state, loop=loop)

    def overview(self) -> NDArray[np.float32]:
        return np.linspace(0, 1e5, 256, dtype=np.float32)


class FakeSession:
    """``tuned``, ``wanted``, ``recorded`` and ``marked`` : what the window asked for, in order."""

    def __init__(self, uri: str = "sim:", source: SourceInfo = SIMULATED, lanes: int = 1) -> None:
        self.uri = uri
        self.newest = snapshot(lanes, source)
        self.picture = Picture(source.sensor)
        self.replay = FakeReplay(self.newest.replay) if self.newest.replay is not None else None
        self.tuned: list[tuple[int, float | None, int | None]] = []
        self.wanted: list[tuple[int, bool]] = []
        self.recorded: list[Path | None] = []
        self.marked: list[str | None] = []
        self.closed = 0

    def snapshot(self) -> Snapshot:
        return self.newest

    def show(self, changed: Snapshot) -> None:
        """The next snapshot."""
        self.newest = dataclasses.replace(changed, sequence=self.newest.sequence + 1)

    def show_lane(self, changed: LaneSnapshot, number: int = 0) -> None:
        """The next snapshot, with one lane changed."""
        lanes = [*self.newest.lanes[:number], changed, *self.newest.lanes[number + 1 :]]
        self.show(dataclasses.replace(self.newest, lanes=tuple(lanes)))

    def decide(self, label: str | None, confidence: float = 0.9, number: int = 0) -> None:
        """The next snapshot, with another decision of one lane."""
        self.show_lane(dataclasses.replace(self.newest.lanes[number], decision=decision(label, confidence)), number)

    def tune(self, lane: int, threshold: float | None = None, smoothing_us: int | None = None) -> None:
        self.tuned.append((lane, threshold, smoothing_us))

    def want_features(self, lane: int, wanted: bool) -> None:
        self.wanted.append((lane, wanted))

    def record(self, path: Path | None) -> None:
        self.recorded.append(path)
        self._show_recording(running=path is not None, path=str(path))

    def mark(self, label: str | None) -> None:
        self.marked.append(label)
        self._show_recording(label=label)

    def _show_recording(self, **changed: Any) -> None:
        before = self.newest.recording or RecordingStatus("", False, 12_345_678, 9)
        self.show(dataclasses.replace(self.newest, recording=dataclasses.replace(before, **changed)))

    def close(self) -> None:
        self.closed += 1
