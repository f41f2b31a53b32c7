"""Your own source or stage against the contracts. Each check raises ValueError with what was expected and found."""

from __future__ import annotations

from itertools import islice

import numpy as np

from spikebridge.contracts import Counts, SnnStage, Source
from spikebridge.events import EVENT_DTYPE, EventPacket


def check_source(source: Source, step_us: int = 10_000, packets: int = 20) -> list[EventPacket]:
    """Takes ``packets`` of them, or as many as come, and closes the source: regular steps, sorted events within them,
    none outside the sensor, sequences without a hole, arrays that nobody can change, counters that agree."""
    taken = list(islice(source.packets(step_us), packets))
    before: EventPacket | None = None
    for packet in taken:
        _expect("events of EVENT_DTYPE", packet.events.dtype, EVENT_DTYPE)
        _expect("read-only events", packet.events.flags.writeable, False)
        _expect("steps of step_us", packet.t_stop_us - packet.t_start_us, step_us)
        times = packet.events["t"]
        inside = bool(((times >= packet.t_start_us) & (times < packet.t_stop_us)).all())
        _expect("events within their step", inside, True)
        _expect("events sorted by time", bool((np.diff(times) >= 0).all()), True)
        sensor = source.info.sensor
        on_sensor = bool(((packet.events["x"] < sensor.width) & (packet.events["y"] < sensor.height)).all())
        _expect("events on the sensor", on_sensor, True)
        if before is not None:
            _expect("the next sequence", packet.sequence, before.sequence + 1)
            if not packet.gap:
                _expect("a step that begins where the last one ended", packet.t_start_us, before.t_stop_us)
        before = packet
    _expect("a count of the events read", source.counters().read >= sum(p.events.size for p in taken), True)
    source.close()
    source.close()
    return taken


def check_snn(stage: SnnStage, counts: Counts, steps: int = 12) -> None:
    """Runs ``counts`` (C, H, W) uint8, resets, runs them again: the same spikes of 0 and 1, monotonic counts."""
    runs = []
    for _ in range(2):
        stage.reset()
        before = stage.activity()
        spikes = [np.array(stage.step(counts)) for _ in range(steps)]
        after = stage.activity()
        _expect("so many steps counted", after.steps - before.steps, steps)
        _expect("the output's spikes counted", after.layers[-1].spikes - before.layers[-1].spikes, _total(spikes))
        for one in spikes:
            _expect("spikes as uint8", one.dtype, np.dtype(np.uint8))
            _expect("spikes of 0 and 1", int(one.max(initial=0)) <= 1, True)
        runs.append(np.stack(spikes))
    _expect("the same spikes after a reset", np.array_equal(runs[0], runs[1]), True)


def _total(spikes: list[Counts]) -> int:
    return sum(int(one.sum()) for one in spikes)


def _expect(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise ValueError(f"expected {what}: {expected}, got {found}")
