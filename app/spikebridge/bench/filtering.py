"""How fast noise filters are, each alone."""

from __future__ import annotations

import time

import numpy as np

from spikebridge.bench import BenchSettings, Figure
from spikebridge.bench.synthetic import noise_events
from spikebridge.events import EventArray, Sensor
from spikebridge.settings import FilterSettings
from spikebridge.sources.filters import FilterChain

_SENSORS = (Sensor(346, 260), Sensor(1280, 720))
_FILTERS = (
    FilterSettings("background", 2000),
    FilterSettings("refractory", 1000),
    # Half of the events are watched, then pixels are looked for.
    FilterSettings("hot", 200_000),
    FilterSettings("rate", rate_hz=5_000_000),
)
#: At 10 M events/s: as many as come in 10 ms.
_AT_ONCE = 100_000


def measure_filters(settings: BenchSettings) -> list[Figure]:
    """Noise all over the sensor, the worst for caches, 10 M events/s in steps of 10 ms."""
    n = 1_000_000 if settings.quick else 4_000_000
    figures = []
    for sensor in _SENSORS:
        events = noise_events(n, n // 10, sensor)
        for chosen in _FILTERS:
            rates = [_rate(events, chosen, sensor) for _ in range(7)]
            title = f"filter {chosen.kind}, {sensor.width}×{sensor.height}, median of 7"
            figures.append(Figure(title, float(np.median(rates)), "M events/s", 30, at_least=True))
    return figures


def _rate(events: EventArray, chosen: FilterSettings, sensor: Sensor) -> float:
    chain = FilterChain((chosen,), sensor)
    chain(events[:1])  # compiled code is loaded from the cache here
    started = time.perf_counter()
    for start in range(0, events.size, _AT_ONCE):
        chain(events[start : start + _AT_ONCE])
    return events.size / (time.perf_counter() - started) / 1e6
