"""Reads all meters ten times a second on one thread and keeps the newest readings and the energy of each rail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spikebridge.contracts import PowerMeter, PowerReading

INTERVAL_S = 0.1


@dataclass(slots=True)
class _Integral:
    """Energy of one rail over the time in which it gave a figure."""

    energy_mj: float = 0.0
    seconds: float = 0.0


class PowerMonitor:
    """Samples from ``start`` until ``close``. Every method may be called from any thread and returns at once, but for
    ``sample``, which takes as long as the meters do.

    meters : of this host, see ``discover_meters``. The chips of the lanes are added by ``watch_chip``.
    """

    def __init__(self, meters: Sequence[PowerMeter], *, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._meters = tuple(meters)
        self._chips: dict[str, PowerMeter] = {}
        self._clock_ns = clock_ns
        self._failed: dict[int, PowerReading] = {}
        self._latest: tuple[PowerReading, ...] = ()
        self._latest_of: dict[str, tuple[PowerReading, ...]] = {}
        self._integrals: dict[str, _Integral] = {}
        self._before_ns = clock_ns()
        self._lock = threading.Lock()
        self._sampling = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def watch_chip(self, lane: str, meter: PowerMeter) -> None:
        """Samples the chip of a lane too."""
        with self._sampling:
            self._chips[lane] = meter

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="spikebridge-power", daemon=True)
        self._thread.start()

    def latest(self) -> tuple[PowerReading, ...]:
        """The newest reading of every rail of this host; empty until the first sample."""
        return self._latest

    def chip(self, lane: str) -> tuple[PowerReading, ...]:
        """The newest readings of a lane's chip; empty without one, and until the first sample."""
        return self._latest_of.get(lane, ())

    def mean_w(self, rail: str) -> float | None:
        """Mean watts of a rail of this host over the run, each sample weighted by its length; None without a figure."""
        with self._lock:
            integral = self._integrals.get(rail)
            return integral.energy_mj / 1e3 / integral.seconds if integral and integral.seconds else None

    def energy_mj(self, rail: str) -> float | None:
        """Energy of a rail of this host since the start; None without a figure."""
        with self._lock:
            integral = self._integrals.get(rail)
            return integral.energy_mj if integral and integral.seconds else None

    def busy_host_w(self) -> float | None:
        """Watts to charge for a stage while it runs on this host; None where nothing is known.

        Measured: mean of the whole board or platform, else the sum of the separate rails. Otherwise what the host
        estimate takes for a busy core, because one stage keeps one core busy.
        """
        measured = [reading for reading in self._latest if reading.provenance == "measured"]
        wholes = [reading for reading in measured if reading.whole]
        means = [mean for reading in (wholes or measured) if (mean := self.mean_w(reading.rail)) is not None]
        if means:
            return sum(means)
        return next((r.per_busy_core_w for r in self._latest if r.per_busy_core_w is not None), None)

    def sample(self) -> None:
        """Reads every meter once."""
        with self._sampling:
            readings = tuple(reading for meter in self._meters for reading in self._read(meter))
            chips = {lane: self._read(meter) for lane, meter in self._chips.items()}
            now_ns = self._clock_ns()
            seconds = (now_ns - self._before_ns) / 1e9
            self._before_ns = now_ns
        with self._lock:
            for reading in readings:
                if reading.watts is not None:
                    integral = self._integrals.setdefault(reading.rail, _Integral())
                    integral.energy_mj += reading.watts * 1e3 * seconds
                    integral.seconds += seconds
        self._latest, self._latest_of = readings, chips

    def close(self) -> None:
        """Ends the thread; may be called twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL_S):
            self.sample()

    def _read(self, meter: PowerMeter) -> tuple[PowerReading, ...]:
        if id(meter) in self._failed:
            return (self._failed[id(meter)],)
        try:
            return meter.read()
        # A broken meter must not end the demo: its figure turns unavailable, with the cause, and it is not asked again.
        except Exception as error:  # noqa: BLE001
            scope = f"{meter.name} failed: {error}"
            self._failed[id(meter)] = PowerReading(meter.name, None, "unavailable", scope)
            return (self._failed[id(meter)],)
