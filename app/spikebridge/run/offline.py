"""One network stepped by the caller, with all figures on the camera's clock: every run of it shows the same."""

from __future__ import annotations

from dataclasses import replace

from spikebridge.chain import Chain
from spikebridge.contracts import SourceInfo
from spikebridge.events import EventPacket
from spikebridge.power import PowerMonitor
from spikebridge.run.snapshots import LaneMoment, LaneSnapshotBuilder
from spikebridge.run.tally import Tally
from spikebridge.snapshot import Counters, Decision, LaneSnapshot
from spikebridge.snn import load_network
from spikebridge.snn.meter import ModelMeter

_SAMPLE_EVERY_US = 100_000


class OfflineLane:
    """``chain`` on packets in order, without threads.

    What depends on the machine (latencies, the host's energy) is left out; rates and the chip's watts are per second
    of the camera's time.
    """

    def __init__(self, chain: Chain, source: SourceInfo) -> None:
        self._chain = chain
        self._now_us = self._sampled_us = source.t_first_us or 0
        self._name = chain.bundle.name
        self._monitor = PowerMonitor((), clock_ns=self._clock_ns)
        self._tally = Tally(chain.bundle.decision.labels)
        meter = None
        if chain.snn is not None and chain.bundle.snn is not None:
            meter = ModelMeter(chain.snn, load_network(chain.bundle.snn.path), self._clock_ns)
            self._monitor.watch_chip(self._name, meter)
        self._builder = LaneSnapshotBuilder(
            self._name, chain, meter, source, self._tally, self._monitor, clock_ns=self._clock_ns
        )
        self._decision: Decision | None = None
        self._steps = self._events = 0

    def process(self, packet: EventPacket) -> None:
        """One step."""
        step = self._chain.process(packet)
        if step.decision is not None:
            self._decision = replace(step.decision, latency_us={}, end_to_end_us=None)
        self._tally.add(replace(step, decision=step.decision and self._decision, latency_us={}, work_us={}))
        self._now_us = packet.t_stop_us
        self._steps += 1
        self._events += packet.events.size
        if self._now_us - self._sampled_us >= _SAMPLE_EVERY_US:
            self._sampled_us = self._now_us
            self._monitor.sample()

    def snapshot(self) -> LaneSnapshot:
        """After the newest step."""
        counters = Counters(
            packets_in=self._steps,
            packets_done=self._steps,
            events_in=self._events,
            events_done=self._events,
            decisions=self._tally.decisions,
        )
        return self._builder.build(LaneMoment("running", self._now_us, counters, self._decision, paced=False))

    def close(self) -> None:
        """Ends the stages."""
        self._chain.close()

    def _clock_ns(self) -> int:
        return self._now_us * 1000
