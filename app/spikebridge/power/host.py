"""What this process may draw, where no meter can be read: counted CPU time times a stated constant."""

from __future__ import annotations

import time
from collections.abc import Callable

from spikebridge.contracts import PowerReading

HOST_RAIL = "host"
#: An assumption, not a measurement: one core of a laptop's or desktop's processor under full load, with its share of
#: caches and memory controller. A small Arm core draws far less, a desktop core at its highest clock more.
WATTS_PER_BUSY_CORE = 8.0


class HostMeter:
    """CPU seconds of this process per second of wall time times WATTS_PER_BUSY_CORE. Idle power is not in it."""

    def __init__(
        self,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        cpu_ns: Callable[[], int] = time.process_time_ns,
    ) -> None:
        self._clock_ns = clock_ns
        self._cpu_ns = cpu_ns
        self._wall_before, self._cpu_before = clock_ns(), cpu_ns()
        self._busy_cores: float | None = None

    @property
    def name(self) -> str:
        return "Host estimate"

    def read(self) -> tuple[PowerReading, ...]:
        wall_ns, cpu_ns = self._clock_ns(), self._cpu_ns()
        if wall_ns > self._wall_before:
            self._busy_cores = (cpu_ns - self._cpu_before) / (wall_ns - self._wall_before)
            self._wall_before, self._cpu_before = wall_ns, cpu_ns
        if self._busy_cores is None:
            scope = "this process: waiting for the second reading"
            return (PowerReading(HOST_RAIL, None, "unavailable", scope, per_busy_core_w=WATTS_PER_BUSY_CORE),)
        scope = f"this process: CPU time × {WATTS_PER_BUSY_CORE:g} W per busy core (assumed), idle power not included"
        watts = self._busy_cores * WATTS_PER_BUSY_CORE
        return (PowerReading(HOST_RAIL, watts, "estimated", scope, per_busy_core_w=WATTS_PER_BUSY_CORE),)
