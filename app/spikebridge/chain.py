"""The chain on one thread: packet in, decision out. No queues and no clocks but for the timings: deterministic."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from spikebridge.binning import Binner
from spikebridge.bridge import Accumulator
from spikebridge.bundle import Bundle, InputSpec
from spikebridge.contracts import STAGES, AnnStage, Decision, Features, Say, SnnStage, Spikes, StartingStage
from spikebridge.decision import DecisionRule
from spikebridge.errors import BundleError, SpikebridgeError, StageError
from spikebridge.events import EventPacket, Sensor

if TYPE_CHECKING:
    from spikebridge.snn import Network

#: ``stream``: state persists, a decision every hop. ``window``: the paper's protocol, reset between windows of T steps.
Mode: TypeAlias = Literal["stream", "window"]


@dataclass(frozen=True, slots=True)
class ChainStep:
    """What one packet did. ``decision`` and ``features`` are None between hops."""

    decision: Decision | None
    features: Features | None
    latency_us: dict[str, float]


class Chain:
    """bin → SNN → accumulator → ANN → decision for one bundle and one sensor.

    snn : None for a bundle without spiking layers. spec : the bundle's InputSpec, or the user's other fit.
    """

    def __init__(
        self,
        bundle: Bundle,
        snn: SnnStage | None,
        ann: AnnStage,
        sensor: Sensor,
        mode: Mode = "stream",
        spec: InputSpec | None = None,
    ) -> None:
        self.bundle = bundle
        self.snn = snn
        self.ann = ann
        self.rule = DecisionRule(bundle.decision)
        self.binner = Binner(spec or bundle.input, sensor)
        self.accumulator = Accumulator(bundle.accumulator, bundle.spikes_shape)
        self.mode = mode
        self.resets = 0
        self._delay_steps = bundle.snn.delay_steps if bundle.snn else 0
        self._silence = np.zeros(bundle.input.shape, np.uint8)
        self._next_sequence: int | None = None
        self._gap = False
        self._steps = 0

    def process(self, packet: EventPacket) -> ChainStep:
        """One step. A hole in the sequence or a packet marked ``gap`` resets the network first.

        Raises StageError with the stage's name when a stage fails.
        """
        started = time.monotonic_ns()
        if packet.gap or packet.sequence != self._next_sequence:
            if self._next_sequence is not None or packet.gap:
                self._gap = True
            if self._next_sequence is not None:
                self.resets += 1
            self.reset()
        self._next_sequence = packet.sequence + 1
        watch = _Watch(started)
        watch.latency_us["inbox"] = max(0.0, (started - packet.received_ns) / 1000)
        counts = self.binner(packet)
        watch.lap("bin")
        spikes = self._step_snn(counts)
        watch.lap("snn")
        due = self._accumulate(spikes)
        watch.lap("accumulator")
        if not due:
            return ChainStep(None, None, watch.latency_us)
        features = self.accumulator.features()
        watch.lap("accumulator")
        logits = self.ann.classify(features)
        watch.lap("ann")
        settled = True
        if self.mode == "stream":
            elapsed_us = self.bundle.accumulator.hop_steps * self.bundle.input.step_us
            index, probabilities = self.rule(logits, elapsed_us)
            # Half a window holds half a movement: somebody who walks in would be named for a moment.
            settled = self._steps >= self.bundle.accumulator.window_steps + self._delay_steps
            index = index if settled else None
        else:
            index, probabilities = self.rule.single(logits)
            self._reset_network()
        watch.lap("decision")
        decision = Decision(
            t_us=packet.t_stop_us,
            label=None if index is None else self.bundle.decision.labels[index],
            index=index,
            probabilities=probabilities,
            latency_us=watch.latency_us,
            end_to_end_us=max(0.0, (time.monotonic_ns() - packet.received_ns) / 1000),
            gap=self._gap,
            settled=settled,
        )
        self._gap = False
        return ChainStep(decision, features, watch.latency_us)

    def reset(self) -> None:
        """Clears the network and the decision's memory."""
        self._reset_network()
        self.rule.reset()

    def restart(self, say: Say) -> None:
        """After a StageError that ``restarts``: everything from rest; the next decision follows a gap."""
        self._gap = True
        self.resets += 1
        self.reset()
        snn = self.snn
        if isinstance(snn, StartingStage):
            snn.wait_ready(lambda words: say(f"{snn.name}: {words}"))

    def close(self) -> None:
        """Ends the stages."""
        if self.snn is not None:
            self.snn.close()
        self.ann.close()

    def _reset_network(self) -> None:
        if self.snn is not None:
            self.snn.reset()
        self.accumulator.reset()
        self._steps = 0

    def _step_snn(self, counts: Spikes) -> Spikes:
        if self.snn is None:
            return counts
        try:
            return self.snn.step(counts)
        except SpikebridgeError:
            raise
        except (ValueError, RuntimeError) as error:
            raise StageError("snn", f"expected the SNN to take the step, found: {error}.") from error

    def _accumulate(self, spikes: Spikes) -> bool:
        due = self.accumulator.push(spikes)
        self._steps += 1
        if self.mode == "stream":
            return due
        if self._steps < self.bundle.accumulator.window_steps:
            return False
        # The last inputs are still in the layers' delays: silent steps, run back to back, bring them out.
        for _ in range(self._delay_steps):
            self.accumulator.push(self._step_snn(self._silence))
        return True


class _Watch:
    """Adds the time since the last lap to a stage."""

    def __init__(self, started_ns: int) -> None:
        self._last_ns = started_ns
        self.latency_us = dict.fromkeys(STAGES, 0.0)

    def lap(self, stage: str) -> None:
        now_ns = time.monotonic_ns()
        self.latency_us[stage] += (now_ns - self._last_ns) / 1000
        self._last_ns = now_ns


def open_emulator(bundle: Bundle) -> SnnStage | None:
    """The bundle's spiking part on the emulator, checked against the contract; None without spiking layers."""
    if bundle.snn is None:
        return None
    from spikebridge.snn import Emulator, load_network

    network = load_network(bundle.snn.path)
    check_network(bundle, network)
    return Emulator(network)


def check_network(bundle: Bundle, network: Network) -> None:
    """BundleError where the spiking layers do not fit what stands before and behind them in the contract."""
    if bundle.snn is None:
        return
    found = (tuple(network.input_shape), tuple(network.output_shape))
    if found != (bundle.input.shape, bundle.snn.output_shape):
        raise BundleError(
            f"{bundle.folder}/model.toml: expected {bundle.snn.path.name} to map {bundle.input.shape} to "
            f"{bundle.snn.output_shape}, found {found[0]} to {found[1]}."
        )
