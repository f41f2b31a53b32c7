"""The chain on one thread: packet in, decision out. No queues and no clocks but for the timings: deterministic."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spikebridge.bundle import Bundle, InputSpec
from spikebridge.chain.accumulator import Accumulator
from spikebridge.chain.binning import Binner
from spikebridge.chain.decision import DecisionRule
from spikebridge.contracts import AnnStage, Counts, Features, Logits, Say, SnnStage, Spikes, StartingStage
from spikebridge.errors import SpikebridgeError, StageError
from spikebridge.events import EventPacket, Sensor
from spikebridge.settings import Mode
from spikebridge.snapshot import Decision
from spikebridge.stages import WORKING


@dataclass(frozen=True, slots=True)
class ChainStep:
    """What one packet did. ``decision`` and ``features`` are None between hops.

    latency_us : host time of this step by ``stages.STAGE_KEYS``; without the waiting stages where the source keeps no
    pace. work_us : processor time of this thread in the working stages: what others took of the time is not in it.
    """

    decision: Decision | None
    features: Features | None
    latency_us: Mapping[str, float]
    work_us: Mapping[str, float]


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
        self._silence: Counts = np.zeros(bundle.input.shape, np.uint8)
        self._hop_us = bundle.accumulator.hop_steps * bundle.input.step_us
        self._next_sequence: int | None = None
        self._gap = False
        self._steps = 0

    def process(self, packet: EventPacket) -> ChainStep:
        """One step. A hole in the sequence or a packet marked ``gap`` resets the network first.

        Raises StageError with the stage's name when a stage fails.
        """
        watch = _Watch(packet)
        if packet.gap or packet.sequence != self._next_sequence:
            self._begin_anew(packet)
            watch.lap("snn")
        elif self.mode == "window" and self._steps == self.bundle.accumulator.window_steps:
            # Not at the end of the window: its decision need not wait, and on a chip this takes steps of its own.
            self._reset_network()
            watch.lap("snn")
        self._next_sequence = packet.sequence + 1
        counts = self.binner(packet)
        watch.lap("bin")
        due = self._accumulate(counts, watch)
        if not due:
            return ChainStep(None, None, watch.latency_us, watch.work_us)
        features = self.accumulator.features()
        watch.lap("accumulator")
        logits = self.ann.classify(features)
        watch.lap("ann")
        index, probabilities, settled = self._decide(logits)
        watch.lap("decision")
        decision = Decision(
            t_us=packet.t_stop_us,
            label=None if index is None else self.bundle.decision.labels[index],
            index=index,
            probabilities=probabilities,
            latency_us=watch.latency_us,
            end_to_end_us=watch.end_to_end_us(),
            gap=self._gap,
            settled=settled,
        )
        self._gap = False
        return ChainStep(decision, features, watch.latency_us, watch.work_us)

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

    def _begin_anew(self, packet: EventPacket) -> None:
        first = self._next_sequence is None
        self._gap = self._gap or packet.gap or not first
        self.resets += not first
        self.reset()

    def _reset_network(self) -> None:
        if self.snn is not None:
            self.snn.reset()
        self.accumulator.reset()
        self._steps = 0

    def _accumulate(self, counts: Counts, watch: _Watch) -> bool:
        """Whether a decision is due."""
        spikes = self._step_snn(counts)
        watch.lap("snn")
        due = self.accumulator.push(spikes)
        self._steps += 1
        watch.lap("accumulator")
        if self.mode == "stream":
            return due
        if self._steps < self.bundle.accumulator.window_steps:
            return False
        # The last inputs are still in the layers' delays: silent steps, run back to back, bring them out.
        for _ in range(self._delay_steps):
            spikes = self._step_snn(self._silence)
            watch.lap("snn")
            self.accumulator.push(spikes)
            watch.lap("accumulator")
        return True

    def _step_snn(self, counts: Counts) -> Spikes:
        if self.snn is None:
            return counts
        try:
            return self.snn.step(counts)
        except SpikebridgeError:
            raise
        except (ValueError, RuntimeError) as error:
            raise StageError("snn", f"expected the SNN to take the step, found: {error}.") from error

    def _decide(self, logits: Logits) -> tuple[int | None, np.ndarray[tuple[int, ...], np.dtype[np.float32]], bool]:
        if self.mode == "window":
            return *self.rule.single(logits), True
        index, probabilities = self.rule(logits, self._hop_us)
        # Half a window holds half a movement: somebody who walks in would be named for a moment.
        settled = self._steps >= self.bundle.accumulator.window_steps + self._delay_steps
        return (index if settled else None), probabilities, settled


class _Watch:
    """Adds the time since the last lap to a stage, from the moment that the chain took the packet."""

    def __init__(self, packet: EventPacket) -> None:
        self._last_ns = time.monotonic_ns()
        self._worked_ns = time.thread_time_ns()
        self._due_ns = packet.due_ns
        self.work_us = dict.fromkeys(WORKING, 0.0)
        self.latency_us = dict.fromkeys(WORKING, 0.0)
        if packet.due_ns is not None:
            waited = {
                "source": max(0.0, (packet.received_ns - packet.due_ns) / 1000),
                "inbox": max(0.0, (self._last_ns - packet.received_ns) / 1000),
            }
            self.latency_us = {**waited, **self.latency_us}

    def lap(self, stage: str) -> None:
        worked_ns, now_ns = time.thread_time_ns(), time.monotonic_ns()
        self.work_us[stage] += (worked_ns - self._worked_ns) / 1000
        self.latency_us[stage] += (now_ns - self._last_ns) / 1000
        self._worked_ns, self._last_ns = worked_ns, now_ns

    def end_to_end_us(self) -> float | None:
        """Until the last lap, so that it is the sum of the stages; None where the source keeps no pace."""
        return None if self._due_ns is None else max(0.0, (self._last_ns - self._due_ns) / 1000)
