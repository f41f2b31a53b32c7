"""Samples all meters of a run from one thread."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from spikebridge.contracts import PowerMeter, PowerReading
from spikebridge.power.host import HOST_RAIL, WATTS_PER_BUSY_CORE

_PERIOD_S = 0.1
#: Weight of the newest sample in the shown value: smooths over about half a second, as the sensors are coarse.
_WEIGHT = 0.2


@dataclass(slots=True)
class _Mean:
    total: float = 0.0
    n: int = 0


class PowerMonitor:
    """Ten samples a second of every meter until ``close``. Without meters no thread is started."""

    def __init__(self, meters: Sequence[PowerMeter]) -> None:
        self._meters = tuple(meters)
        self._latest: tuple[PowerReading, ...] = ()
        self._smooth: dict[str, float] = {}
        self._means: dict[str, _Mean] = {}
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        if self._meters:
            self._thread = threading.Thread(target=self._run, name="spikebridge-power", daemon=True)
            self._thread.start()

    def latest(self) -> tuple[PowerReading, ...]:
        """The newest readings of all meters, smoothed over about half a second."""
        return self._latest

    def mean_w(self, rail: str) -> float | None:
        """Mean over the run; None when the rail never had a value."""
        mean = self._means.get(rail)
        return mean.total / mean.n if mean else None

    def busy_host_w(self) -> float | None:
        """Watts to charge for the time in which a stage keeps one core busy; None when nothing is known.

        The host estimate's constant where that is in use; else the mean of the first measured whole-board or package
        rail, an upper bound since it covers all programs.
        """
        for reading in self._latest:
            if reading.rail == HOST_RAIL:
                return WATTS_PER_BUSY_CORE
            if reading.whole and reading.provenance == "measured":
                return self.mean_w(reading.rail)
        return None

    def close(self) -> None:
        """Ends the thread; may be called twice."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._closed.wait(_PERIOD_S):
            self._latest = tuple(self._take(r) for meter in self._meters for r in meter.read())

    def _take(self, reading: PowerReading) -> PowerReading:
        if reading.watts is None:
            return reading
        mean = self._means.setdefault(reading.rail, _Mean())
        mean.total += reading.watts
        mean.n += 1
        before = self._smooth.get(reading.rail, reading.watts)
        watts = self._smooth[reading.rail] = before + _WEIGHT * (reading.watts - before)
        return PowerReading(reading.rail, watts, reading.provenance, reading.scope, reading.whole, reading.static_w)
