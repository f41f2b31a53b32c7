"""The figures on the cards: rates, powers and energy per decision of each stage."""

from __future__ import annotations

from collections.abc import Mapping

from spikebridge.chain import Chain
from spikebridge.contracts import Counters, Energy, PowerReading, StageStatus
from spikebridge.latency import LatencyStatistics
from spikebridge.power import HOST_RAIL, PowerMonitor

#: Stages that run on this host's processor; their energy is their time times the host's watts.
_HOST_STAGES = ("bin", "accumulator", "ann", "decision")


class StageRates:
    """Rates per second from monotonic counts, smoothed over about a second."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[int, int]] = {}
        self._rates: dict[str, float] = {}

    def of(self, key: str, count: int, now_ns: int) -> float:
        """The rate of ``count``; 0 until two values are known."""
        before_count, before_ns = self._before.get(key, (count, now_ns))
        elapsed_s = (now_ns - before_ns) / 1e9
        if elapsed_s > 0:
            rate = (count - before_count) / elapsed_s
            weight = min(1.0, elapsed_s)
            self._rates[key] = self._rates.get(key, rate) + weight * (rate - self._rates.get(key, rate))
        self._before[key] = (count, now_ns)
        return self._rates.get(key, 0.0)


def stage_statuses(
    chain: Chain,
    latency: Mapping[str, LatencyStatistics],
    rates: StageRates,
    counters: Counters,
    power: tuple[PowerReading, ...],
    now_ns: int,
) -> tuple[StageStatus, ...]:
    """The five cards of the bridge strip, from camera to decision."""
    activity = chain.snn.activity() if chain.snn else None
    events_hz = rates.of("events", counters.events_done, now_ns)
    spikes_hz = rates.of("spikes", activity.layers[-1].spikes if activity else counters.events_done, now_ns)
    steps_hz = rates.of("steps", counters.packets_done, now_ns)
    decisions_hz = rates.of("decisions", counters.decisions, now_ns)
    channels, height, width = chain.bundle.spikes_shape
    features = chain.bundle.ann.input_shape
    cards = (
        ("source", _mapping(chain), "bin", events_hz, "events/s", None, 5 * events_hz),
        (
            "snn",
            chain.snn.name if chain.snn else "none",
            "snn",
            spikes_hz,
            "spikes/s",
            "Loihi",
            steps_hz * channels * height * width / 8,
        ),
        (
            "accumulator",
            _interval(chain),
            "accumulator",
            steps_hz,
            "steps/s",
            None,
            decisions_hz * features[0] * features[1] * features[2],
        ),
        (
            "ann",
            chain.ann.name,
            "ann",
            decisions_hz,
            "inferences/s",
            HOST_RAIL,
            decisions_hz * 4 * len(chain.bundle.decision.labels),
        ),
        (
            "decision",
            "smoothed" if chain.mode == "stream" else "each window",
            "decision",
            decisions_hz,
            "decisions/s",
            None,
            None,
        ),
    )
    return tuple(
        StageStatus(
            key=key,
            backend=backend,
            latency=latency[stage].recent(),
            latest_us=latency[stage].latest_us,
            rate_hz=rate_hz,
            rate_unit=unit,
            power_w=None if (reading := _rail(power, rail)) is None else reading.watts,
            power_provenance="unavailable" if reading is None else reading.provenance,
            bytes_per_s=bytes_per_s,
        )
        for key, backend, stage, rate_hz, unit, rail, bytes_per_s in cards
    )


def energy_per_decision(
    chain: Chain, latency: Mapping[str, LatencyStatistics], monitor: PowerMonitor, n_decisions: int
) -> dict[str, Energy]:
    """Energy of one decision in each stage, over the run.

    SNN: the cost model on the counted activity. The others: median busy time of the stage times the watts of the host
    while busy; a share of a shared rail, so "estimated" even where the rail itself was measured.
    """
    energies: dict[str, Energy] = {}
    if chain.snn is not None and n_decisions:
        from spikebridge.snn.energy import energy_of

        energies["snn"] = energy_of(chain.snn.activity(), chain.bundle.input.step_us, n_decisions)
    watts = monitor.busy_host_w()
    for stage in _HOST_STAGES:
        if watts is None or not latency[stage].run().n:
            energies[stage] = Energy(None, "unavailable")
        else:
            energies[stage] = Energy(latency[stage].run().p50 * 1e-3 * watts, "estimated")
    return energies


def _rail(power: tuple[PowerReading, ...], rail: str | None) -> PowerReading | None:
    return next((reading for reading in power if reading.rail == rail), None)


def _interval(chain: Chain) -> str:
    spec = chain.bundle.accumulator
    return f"T={spec.window_steps} I={spec.interval_steps}"


def _mapping(chain: Chain) -> str:
    sensor, width, height = chain.binner.sensor, chain.bundle.input.width, chain.bundle.input.height
    size = f"{sensor.width}×{sensor.height}"
    return size if (sensor.width, sensor.height) == (width, height) else f"{size} → {width}×{height}"
