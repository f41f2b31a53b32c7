"""A chain of a few lines: one snapshot that the test sets, packets that the test puts in."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from spikebridge.contracts import (
    LABELS,
    STAGES,
    Counters,
    Decision,
    Energy,
    Percentiles,
    PowerReading,
    Replay,
    ReplayStatus,
    Snapshot,
    SourceCounters,
    SourceInfo,
    StageStatus,
)
from spikebridge.events import EventPacket, Sensor, make_events

SIMULATED = SourceInfo("sim:", "Simulated camera", "simulated", Sensor(128, 128))
RECORDING = SourceInfo("wave.aedat", "wave.aedat", "recording", Sensor(128, 128), 1_000_000, 3_000_000)


def decision(label: str | None, confidence: float = 0.9) -> Decision:
    probabilities = np.full(len(LABELS), (1 - confidence) / (len(LABELS) - 1), np.float32)
    index = None if label is None else LABELS.index(label)
    probabilities[index or 0] = confidence
    return Decision(10_000, label, index, probabilities, dict.fromkeys(STAGES, 100.0), 600.0)


def snapshot(sequence: int = 1, source: SourceInfo = SIMULATED, **changes: Any) -> Snapshot:
    keys = ("source", "snn", "accumulator", "ann", "decision")
    stages = tuple(
        StageStatus(key, key.upper(), Percentiles(120, 150, 200, 9), 130, 1e5, "events/s", 0.012, "estimated", 1e5)
        for key in keys
    )
    fields: dict[str, Any] = {
        "state": "running",
        "model": "test-model",
        "t_us": 10_000,
        "step_us": 10_000,
        "delay_us": 20_000,
        "decision": decision("air_drums"),
        "features": None,
        "features_shape": None,
        "stages": stages,
        "end_to_end": Percentiles(1100, 1500, 2100, 9),
        "counters": Counters(packets_in=3, packets_done=3, events_in=30, events_done=30),
        "source_counters": SourceCounters(read=30),
        "power": (
            PowerReading("loihi", 0.002, "estimated", "chip"),
            PowerReading("VDD_IN", None, "unavailable", "board"),
        ),
        "energy": {"snn": Energy(0.0012, "estimated", 2.3)},
    }
    return Snapshot(sequence=sequence, source=source, **{**fields, **changes})


def packet(t_us: list[int], x: list[int], y: list[int], polarity: list[int], start_us: int = 0) -> EventPacket:
    events = make_events(t_us, x, y, polarity)
    events.flags.writeable = False
    return EventPacket(events, start_us, start_us + 10_000, start_us // 10_000, 0)


class FakeReplay:
    def __init__(self, info: SourceInfo) -> None:
        self.info = info
        self.state = ReplayStatus(info.t_first_us or 0, False, 1.0, False)
        self.steps = 0

    def _set(self, **changes: Any) -> None:
        self.state = dataclasses.replace(self.state, **changes)

    def status(self) -> ReplayStatus:
        return self.state

    def pause(self, paused: bool) -> None:
        self._set(paused=paused)

    def seek(self, t_us: int) -> None:
        self._set(position_us=t_us)

    def step(self) -> None:
        self.steps += 1

    def set_speed(self, speed: float) -> None:
        self._set(speed=speed)

    def set_loop(self, loop: bool) -> None:
        self._set(loop=loop)

    def overview(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.linspace(0, 1e5, 256, dtype=np.float32)


class FakeSession:
    def __init__(self, uri: str = "sim:", source: SourceInfo = SIMULATED) -> None:
        self.uri = uri
        self.threshold = 0.5
        self.smoothing_us = 200_000
        self.newest = snapshot(source=source)
        self.packets: list[EventPacket] = []
        self.features_wanted = False
        self.closed = 0
        self.fake_replay = FakeReplay(source) if source.kind == "recording" else None

    def snapshot(self) -> Snapshot:
        return self.newest

    def show(self, **changes: Any) -> None:
        self.newest = dataclasses.replace(self.newest, sequence=self.newest.sequence + 1, **changes)

    def drain_packets(self) -> list[EventPacket]:
        packets, self.packets = self.packets, []
        return packets

    @property
    def replay(self) -> Replay | None:
        return self.fake_replay  # type: ignore[return-value]

    def want_features(self, wanted: bool) -> None:
        self.features_wanted = wanted

    def close(self) -> None:
        self.closed += 1
