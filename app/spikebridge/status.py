"""The figures on the cards: rates, powers and energy per decision of each stage."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from spikebridge.chain import Chain
from spikebridge.contracts import Counters, Energy, PowerReading, Provenance, StageStatus, StartingStage
from spikebridge.latency import LatencyStatistics
from spikebridge.power import LOIHI_RAIL, PowerMonitor

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
    monitor: PowerMonitor,
    now_ns: int,
) -> tuple[StageStatus, ...]:
    """The five cards of the bridge strip, from camera to decision.

    Bytes that leave a card: 5 per event (32-bit address, 8-bit time), a bitmap of the spikes per step, the features and
    the logits per decision.
    """
    activity = chain.snn.activity() if chain.snn else None
    spikes = activity.layers[-1].spikes if activity else counters.events_done
    events_hz = rates.of("events", counters.events_done, now_ns)
    spikes_hz = rates.of("spikes", spikes, now_ns)
    steps_hz = rates.of("steps", counters.packets_done, now_ns)
    decisions_hz = rates.of("decisions", counters.decisions, now_ns)
    bundle = chain.bundle
    spec = bundle.accumulator
    snn_name = _snn_name(chain)
    rule = "smoothed" if chain.mode == "stream" else "each window"
    busy_w = monitor.busy_host_w()

    def card(
        key: str, stage: str, backend: str, rate: tuple[float, str], calls_hz: float, bytes_per_s: float | None
    ) -> StageStatus:
        recent = latency[stage].recent()
        watts = None if busy_w is None else busy_w * recent.p50 * 1e-6 * calls_hz
        provenance: Provenance = "unavailable" if watts is None else "estimated"
        if key == "snn":
            watts, provenance = _loihi(monitor.latest())
        return StageStatus(
            key, backend, recent, latency[stage].latest_us, rate[0], rate[1], watts, provenance, bytes_per_s
        )

    return (
        card("source", "bin", _mapping(chain), (events_hz, "events/s"), steps_hz, 5 * events_hz),
        card("snn", "snn", snn_name, (spikes_hz, "spikes/s"), steps_hz, steps_hz * prod(bundle.spikes_shape) / 8),
        card(
            "accumulator", "accumulator", f"T={spec.window_steps} I={spec.interval_steps}", (steps_hz, "steps/s"),
            steps_hz, decisions_hz * prod(bundle.ann.input_shape),
        ),
        card(
            "ann", "ann", chain.ann.name, (decisions_hz, "inferences/s"),
            decisions_hz, decisions_hz * 4 * len(bundle.decision.labels),
        ),
        card("decision", "decision", rule, (decisions_hz, "decisions/s"), decisions_hz, None),
    )  # fmt: skip


def energy_per_decision(
    chain: Chain, latency: Mapping[str, LatencyStatistics], monitor: PowerMonitor, n_decisions: int
) -> dict[str, Energy]:
    """Energy of one decision in each stage, over the run.

    SNN: what the chip's profilers measured, else the cost model on the counted activity. The others: median busy time
    of the stage times the watts of the host while busy; a share of a shared rail, so "estimated" even where the rail
    itself was measured.
    """
    energies: dict[str, Energy] = {}
    if chain.snn is not None and n_decisions:
        energies["snn"] = monitor.snn_energy(chain.snn.activity(), chain.bundle.input.step_us, n_decisions)
    watts = monitor.busy_host_w()
    for stage in _HOST_STAGES:
        if watts is None or not latency[stage].run().n:
            energies[stage] = Energy(None, "unavailable")
        else:
            energies[stage] = Energy(latency[stage].run().p50 * 1e-3 * watts, "estimated")
    return energies


def overflow_sentence(chain: Chain) -> str:
    """Where and how often the chip's accumulator was exceeded, and what that means; empty where it never was."""
    activity = chain.snn.activity() if chain.snn else None
    exceeded = [layer for layer in activity.layers if layer.overflows] if activity else []
    if activity is None or not exceeded:
        return ""
    places = ", ".join(f"{layer.name}: {layer.overflows:,}×" for layer in exceeded)
    return (
        f"expected the input of each neuron to fit the chip's accumulator of 21 bits and sign, found more ({places} in "
        f"{activity.steps:,} steps); a Loihi would wrap around there and may decide otherwise than this run, where "
        "nothing wraps; smaller weights or fewer events in a step keep within it."
    )


def _snn_name(chain: Chain) -> str:
    if chain.snn is None:
        return "no spiking layers"
    state = chain.snn.state if isinstance(chain.snn, StartingStage) else "running"
    return chain.snn.name if state == "running" else f"{chain.snn.name}: {state}"


def _loihi(readings: tuple[PowerReading, ...]) -> tuple[float | None, Provenance]:
    reading = next((reading for reading in readings if reading.rail == LOIHI_RAIL), None)
    return (None, "unavailable") if reading is None else (reading.watts, reading.provenance)


def _mapping(chain: Chain) -> str:
    sensor, width, height = chain.binner.sensor, chain.bundle.input.width, chain.bundle.input.height
    size = f"{sensor.width}×{sensor.height}"
    return size if (sensor.width, sensor.height) == (width, height) else f"{size} → {width}×{height}"
