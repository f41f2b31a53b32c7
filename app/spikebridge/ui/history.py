"""What charts and sparklines look back on, kept for every lane, so that choosing another shows its past at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import PowerReading
from spikebridge.snapshot import LaneSnapshot, StageCard
from spikebridge.stages import CARDS, STAGE_KEYS, CardKey

#: Half a minute at ten points a second.
POINTS = 300
POINT_S = 0.1
#: Points of a sparkline; fed five times a second, this is a quarter of a minute.
SPARK_POINTS = 75
#: Cards whose sparkline is their rate; that of the others is their latency.
RATE_CARDS: tuple[CardKey, ...] = ("source", "snn")


class Latencies:
    """``values_ms`` : (n_stages, POINTS), the newest last; ``n`` of them are known."""

    def __init__(self) -> None:
        self.values_ms: NDArray[np.float64] = np.zeros((len(STAGE_KEYS), POINTS))
        self.n = 0

    def add(self, latency_us: Mapping[str, float]) -> None:
        self.values_ms[:, :-1] = self.values_ms[:, 1:]
        self.values_ms[:, -1] = [latency_us.get(key, 0.0) / 1000 for key in STAGE_KEYS]
        self.n = min(self.n + 1, POINTS)


class Rails:
    """Watts of each rail, newest last, NaN where they are not known; ``latest`` by the rail's name."""

    def __init__(self) -> None:
        self.watts: dict[str, deque[float]] = {}
        self.latest: dict[str, PowerReading] = {}

    def add(self, readings: Iterable[PowerReading]) -> None:
        for reading in readings:
            known = reading.watts is not None and reading.watts > 0 and reading.provenance != "unavailable"
            history = self.watts.setdefault(reading.rail, deque(maxlen=POINTS))
            history.append(reading.watts if known and reading.watts is not None else np.nan)
            self.latest[reading.rail] = reading


class LaneHistory:
    """Of one lane."""

    def __init__(self) -> None:
        self.latencies = Latencies()
        self.chip = Rails()
        self.sparks: dict[CardKey, deque[float]] = {key: deque(maxlen=SPARK_POINTS) for key in CARDS}

    def add_latency(self, lane: LaneSnapshot) -> None:
        """Ten times a second while the lane runs."""
        if lane.state == "running" and lane.decision is not None:
            self.latencies.add(lane.decision.latency_us)

    def add_cards(self, cards: Iterable[StageCard]) -> None:
        """Five times a second."""
        for card in cards:
            self.sparks[card.key].append(card.rate_hz if card.key in RATE_CARDS else card.latency.newest_us)
