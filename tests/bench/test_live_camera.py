"""The stand-in of a camera on the USB, and what a live source makes of a stream that is too much."""

from __future__ import annotations

import itertools

import numpy as np

from spikebridge.bench.live_camera import BATCH, RING, StandInCamera
from spikebridge.events import Sensor
from spikebridge.sources.live import LiveSource
from spikebridge.testing import HandClock

SENSOR = Sensor(64, 48)
#: A transfer each 1.6384 ms.
RATE_HZ = 20e6
BATCH_NS = round(BATCH / RATE_HZ * 1e9)


def camera() -> tuple[StandInCamera, HandClock]:
    clock = HandClock(0)
    made = StandInCamera(SENSOR, RATE_HZ, clock)
    assert made.read() is None
    return made, clock


def test_transfers_come_at_its_rate_and_in_order() -> None:
    made, clock = camera()
    clock.now_ns = 3 * BATCH_NS
    taken = [made.read() for _ in range(4)]
    assert taken[3] is None
    times = np.concatenate([batch["t"] for batch in taken if batch is not None])
    assert times.size == made.given == 3 * BATCH
    assert (np.diff(times) >= 0).all()
    # 98 304 events at 20 a µs.
    assert abs(int(times[-1]) - 4915) < 20


def test_events_go_on_over_the_end_of_the_template() -> None:
    made, clock = camera()
    last = 0
    for n in range(1, 200):
        clock.now_ns = n * BATCH_NS
        batch = made.read()
        assert batch is not None
        assert batch.size == BATCH
        assert (np.diff(batch["t"]) >= 0).all()
        assert int(batch["t"][0]) >= last
        last = int(batch["t"][-1])
    assert abs(last - 199 * BATCH / 20) < 50


def test_what_does_not_fit_the_ring_is_counted_oldest_first() -> None:
    made, clock = camera()
    clock.now_ns = (RING + 3) * BATCH_NS
    batch = made.read()
    assert batch is not None
    assert made.report().dropped == 3 * BATCH
    assert made.given == 4 * BATCH
    assert abs(int(batch["t"][0]) - 3 * BATCH / 20) < 20


def test_a_source_loses_nothing_without_a_word() -> None:
    """A reader that is held up for a second at a time: read, dropped and what still waits is all that was given."""
    clock = HandClock(0)
    made = StandInCamera(SENSOR, RATE_HZ, clock)
    source = LiveSource(made, clock, clock.pass_s)
    got = 0
    for n, packet in enumerate(itertools.islice(source.packets(10_000), 250)):
        got += packet.events.size
        clock.now_ns += 1_000_000_000 if n in (20, 140) else 0
    counters = source.counters()
    assert counters.dropped > 2 * (RATE_HZ * 0.8)
    assert made.given == counters.read + counters.dropped
    # What waits is part of a step at most, and one transfer.
    assert 0 <= counters.read - got <= RATE_HZ / 100 + BATCH
