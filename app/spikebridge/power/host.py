"""An estimate for hosts without a readable meter, from this process's CPU time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from spikebridge.contracts import PowerReading

HOST_RAIL = "host CPU"
#: Watts that one busy core adds: a desktop processor of 65 W TDP with 8 cores. An assumption, not a measurement.
WATTS_PER_BUSY_CORE = 65 / 8


def _process_s() -> float:
    times = os.times()
    return times.user + times.system


class HostEstimate:
    """CPU time of this process between two reads times ``WATTS_PER_BUSY_CORE``; always "estimated"."""

    name = "CPU time"

    def __init__(self, cpu_s: Callable[[], float] = _process_s, clock: Callable[[], float] = time.monotonic) -> None:
        self._cpu_s = cpu_s
        self._clock = clock
        self._before = (cpu_s(), clock())

    def read(self) -> tuple[PowerReading, ...]:
        scope = f"this process, {WATTS_PER_BUSY_CORE:.1f} W per busy core assumed"
        now = (self._cpu_s(), self._clock())
        busy_s, elapsed_s = now[0] - self._before[0], now[1] - self._before[1]
        if elapsed_s <= 0:
            return (PowerReading(HOST_RAIL, None, "unavailable", scope),)
        self._before = now
        return (PowerReading(HOST_RAIL, busy_s / elapsed_s * WATTS_PER_BUSY_CORE, "estimated", scope, static_w=0.0),)
