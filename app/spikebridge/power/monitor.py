"""Reads all meters ten times a second on one thread and keeps the newest readings and the energy of each rail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spikebridge.contracts import Energy, PowerMeter, PowerReading, SnnActivity, SnnMeter
from spikebridge.power.host import HOST_RAIL, WATTS_PER_BUSY_CORE
from spikebridge.power.loihi import LOIHI_RAIL

INTERVAL_S = 0.1


@dataclass(slots=True)
class _Integral:
    """Energy of one rail over the time in which it gave a figure."""

    energy_mj: float = 0.0
    seconds: float = 0.0


class PowerMonitor:
    """Samples from its construction until ``close``. Every method may be called from any thread and returns at once.

    meters : of this host, see ``discover_meters``. snn : of the chip, see ``SnnMeter``; None where nothing spikes.
    start : False leaves sampling to calls of ``sample``.
    """

    def __init__(
        self,
        meters: Sequence[PowerMeter],
        snn: SnnMeter | None = None,
        *,
        start: bool = True,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._meters: tuple[PowerMeter, ...] = (*meters, snn) if snn else tuple(meters)
        self._snn = snn
        self._clock_ns = clock_ns
        self._failed: dict[str, PowerReading] = {}
        self._latest: tuple[PowerReading, ...] = ()
        self._integrals: dict[str, _Integral] = {}
        self._before_ns = clock_ns()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        if start:
            self._thread = threading.Thread(target=self._run, name="power", daemon=True)
            self._thread.start()

    def latest(self) -> tuple[PowerReading, ...]:
        """The newest reading of every rail; empty until the first sample."""
        return self._latest

    def mean_w(self, rail: str) -> float | None:
        """Mean watts of ``rail`` over the run, each sample weighted by its length; None without a figure."""
        with self._lock:
            integral = self._integrals.get(rail)
            return integral.energy_mj / 1e3 / integral.seconds if integral and integral.seconds else None

    def energy_mj(self, rail: str) -> float | None:
        """Energy of ``rail`` since the start; None without a figure."""
        with self._lock:
            integral = self._integrals.get(rail)
            return integral.energy_mj if integral and integral.seconds else None

    def busy_host_w(self) -> float | None:
        """Watts to charge for a stage while it runs on this host; None where nothing is known.

        Measured: mean of the whole board or platform, else the sum of the separate rails. Otherwise the constant of the
        host estimate, because one stage keeps one core busy.
        """
        readings = _of_host(self._latest)
        measured = [reading for reading in readings if reading.provenance == "measured"]
        wholes = [reading for reading in measured if reading.whole]
        means = [mean for reading in (wholes or measured) if (mean := self.mean_w(reading.rail)) is not None]
        if means:
            return sum(means)
        estimated = any(reading.rail == HOST_RAIL and reading.provenance == "estimated" for reading in readings)
        return WATTS_PER_BUSY_CORE if estimated else None

    def snn_energy(self, activity: SnnActivity, step_us: float, n_decisions: int) -> Energy:
        """Energy of one decision on the chip, by its meter; see ``SnnMeter.energy``."""
        return self._snn.energy(activity, step_us, n_decisions) if self._snn else Energy(None, "unavailable")

    def sample(self) -> None:
        """Reads every meter once."""
        readings = tuple(reading for meter in self._meters for reading in self._read(meter))
        now_ns = self._clock_ns()
        seconds = (now_ns - self._before_ns) / 1e9
        with self._lock:
            self._before_ns = now_ns
            for reading in readings:
                if reading.watts is not None:
                    integral = self._integrals.setdefault(reading.rail, _Integral())
                    integral.energy_mj += reading.watts * 1e3 * seconds
                    integral.seconds += seconds
            self._latest = readings

    def close(self) -> None:
        """Ends the thread; may be called twice."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL_S):
            self.sample()

    def _read(self, meter: PowerMeter) -> tuple[PowerReading, ...]:
        if meter.name in self._failed:
            return (self._failed[meter.name],)
        try:
            return meter.read()
        # A broken meter must not end the demo: its figure turns unavailable, with the cause, and it is not asked again.
        except Exception as error:  # noqa: BLE001
            scope = f"{meter.name} failed: {error}"
            self._failed[meter.name] = PowerReading(meter.name, None, "unavailable", scope)
            return (self._failed[meter.name],)


def _of_host(readings: Sequence[PowerReading]) -> list[PowerReading]:
    return [reading for reading in readings if not reading.rail.startswith(LOIHI_RAIL)]


def host_reading(readings: Sequence[PowerReading]) -> PowerReading | None:
    """The one reading that stands for this host: whole board, else the first measured rail, else whatever there is."""
    return max(
        _of_host(readings),
        key=lambda reading: (reading.watts is not None, reading.provenance == "measured", reading.whole),
        default=None,
    )
