"""Threads around the chain: a feeder reads the source, a worker runs the chain, views pull the newest snapshot."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from spikebridge.chain import Chain
from spikebridge.contracts import (
    STAGES,
    Counters,
    Decision,
    Features,
    Replay,
    Say,
    Snapshot,
    Source,
)
from spikebridge.errors import CancelledError, SpikebridgeError, StageError
from spikebridge.events import EventPacket
from spikebridge.inbox import Inbox
from spikebridge.latency import LatencyStatistics
from spikebridge.power import PowerMonitor
from spikebridge.status import StageRates, energy_per_decision, overflow_sentence, stage_statuses

#: Steps that may wait: 80 ms at 10 ms steps. More would only make a late chain later.
INBOX_CAPACITY = 8
#: Packets kept for the picture while nobody draws.
PICTURE_PACKETS = 64
_SNAPSHOT_EVERY_NS = 33_000_000
_FIGURES_EVERY_NS = 100_000_000


class Pipeline:
    """One source through one chain.

    Either ``start`` it and pull ``snapshot`` (window), or iterate ``decisions`` on the calling thread (headless).
    monitor : power of this run. lossless : the source waits when the chain is late instead of losing its oldest
    packets; recordings always do.
    """

    def __init__(self, source: Source, chain: Chain, monitor: PowerMonitor, *, lossless: bool = False) -> None:
        self.source = source
        self.chain = chain
        self.monitor = monitor
        self.failure: SpikebridgeError | None = None
        self.latency = {stage: LatencyStatistics() for stage in STAGES}
        self.end_to_end = LatencyStatistics()
        self.n_decisions = 0
        self._inbox = Inbox(INBOX_CAPACITY, "block" if lossless or source.info.kind == "recording" else "drop_oldest")
        self._picture: deque[EventPacket] = deque(maxlen=PICTURE_PACKETS)
        self._want_features = False
        self._features: Features | None = None
        self._decision: Decision | None = None
        self._t_us = source.info.t_first_us or 0
        #: Hears at once that a stage failed, and how far its restart is; on the chain's thread.
        self.say: Say = lambda words: None
        self._notes: dict[str, str] = {}
        self._restarts = 0
        self._decisions_at_restart = -1
        self._rates = StageRates()
        self._figures: dict[str, Any] = {}
        self._figures_ns = 0
        self._snapshot_ns = 0
        self._sequence = 0
        self._ended = False
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._newest = self._build_snapshot()

    # ------------------------------------------------ running

    def decisions(self) -> Iterator[Decision]:
        """Runs the chain on this thread until the source ends; raises the first error of any thread."""
        self._start_thread(self._feed, "feeder")
        try:
            yield from self._work()
        finally:
            self.close()
        if self.failure is not None:
            raise self.failure

    def start(self) -> None:
        """Runs the chain on a thread of its own; a failure shows in the snapshot."""
        self._start_thread(self._feed, "feeder")
        self._start_thread(self._work_all, "chain")

    def close(self) -> None:
        """Ends source, threads and stages; may be called twice."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self.source.close()
        self._inbox.close()
        self._inbox.clear()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout=5)
        self.monitor.close()
        self.chain.close()

    def _start_thread(self, target: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=target, name=f"spikebridge-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _feed(self) -> None:
        try:
            for packet in self.source.packets(self.chain.bundle.input.step_us):
                if not self._inbox.put(packet):
                    return
        except SpikebridgeError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - the first error of a thread ends the run and is shown
            self._fail(StageError("source", f"expected {self.source.info.title} to deliver events, found: {error!r}."))
        finally:
            self._inbox.close()

    def _work_all(self) -> None:
        for _ in self._work():
            pass

    def _work(self) -> Iterator[Decision]:
        try:
            while not self._stopping.is_set():
                packet = self._inbox.get(timeout_s=0.05)
                if packet is not None:
                    decision = self._process(packet)
                    if decision is not None:
                        yield decision
                elif self._inbox.exhausted:
                    break
                self._refresh()
        except CancelledError:
            pass
        except SpikebridgeError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - as in _feed
            self._fail(StageError("chain", f"expected the chain to run, found: {error!r}."))
        self._ended = True
        self._refresh(force=True)

    def _process(self, packet: EventPacket) -> Decision | None:
        try:
            step = self.chain.process(packet)
        except StageError as error:
            self._restart(error)
            return None
        self._inbox.done()
        self._picture.append(packet)
        self._t_us = packet.t_stop_us
        for stage, latency_us in step.latency_us.items():
            if step.decision is not None or stage not in ("ann", "decision"):
                self.latency[stage].add(latency_us)
        if step.decision is None:
            return None
        self.n_decisions += 1
        self._decision = step.decision
        self.end_to_end.add(step.decision.end_to_end_us)
        if self._want_features:
            self._features = step.features
        return step.decision

    def _restart(self, error: StageError) -> None:
        """Goes on without the step that failed, counted as dropped. Raises ``error`` where no restart can help: the
        stage has none, or came to no decision since the last one."""
        if not error.restarts or self.n_decisions == self._decisions_at_restart or self._stopping.is_set():
            raise error
        self._decisions_at_restart = self.n_decisions
        self._restarts += 1
        self._inbox.lose()
        self._decision = None
        sentence = f"{str(error).rstrip('.')}: the step was lost, the {error.stage.upper()} restarts"
        self._notes[f"restart {self._restarts}"] = f"{sentence}."
        self.say(sentence)
        self.chain.restart(self._wait)

    def _wait(self, words: str) -> None:
        """While a stage starts: keeps the views alive, and gives up when the pipeline is closed."""
        if self._stopping.is_set():
            raise CancelledError("closed while a stage was starting")
        self._refresh()
        self.say(words)

    def _fail(self, error: SpikebridgeError) -> None:
        if self.failure is None and not self._stopping.is_set():
            self.failure = error

    # ------------------------------------------------ what views use

    def snapshot(self) -> Snapshot:
        """The newest state; never blocks."""
        return self._newest

    def drain_packets(self) -> list[EventPacket]:
        """Packets processed since the last call, at most the newest 64."""
        packets = []
        while self._picture:
            packets.append(self._picture.popleft())
        return packets

    @property
    def replay(self) -> Replay | None:
        """Controls of the source when it is a recording."""
        from spikebridge.sources.replay import Replay as Player

        return self.source if isinstance(self.source, Player) else None

    @property
    def threshold(self) -> float:
        return self.chain.rule.threshold

    @threshold.setter
    def threshold(self, value: float) -> None:
        self.chain.rule.threshold = min(1.0, max(0.0, value))

    @property
    def smoothing_us(self) -> int:
        return self.chain.rule.smoothing_us

    @smoothing_us.setter
    def smoothing_us(self, value: int) -> None:
        self.chain.rule.smoothing_us = max(0, value)

    def want_features(self, wanted: bool) -> None:
        """Whether snapshots carry what the accumulator sees."""
        self._want_features = wanted
        if not wanted:
            self._features = None

    def counters(self) -> Counters:
        """Of the inbox and the chain, taken together."""
        inbox = self._inbox.counters()
        return Counters(
            inbox.packets_in,
            inbox.packets_done,
            inbox.packets_dropped,
            inbox.packets_queued,
            inbox.events_in,
            inbox.events_done,
            inbox.events_dropped,
            inbox.events_queued,
            events_outside=self.chain.binner.outside,
            decisions=self.n_decisions,
            resets=self.chain.resets,
        )

    def notes(self) -> dict[str, str]:
        """Sentences on what the run met so far; see ``Snapshot.notes``."""
        sentence = overflow_sentence(self.chain)
        return self._notes | ({"overflow": sentence} if sentence else {})

    # ------------------------------------------------ snapshots

    def _refresh(self, force: bool = False) -> None:
        now_ns = time.monotonic_ns()
        if force or now_ns - self._snapshot_ns >= _SNAPSHOT_EVERY_NS:
            self._snapshot_ns = now_ns
            self._newest = self._build_snapshot()

    def _build_snapshot(self) -> Snapshot:
        now_ns = time.monotonic_ns()
        if now_ns - self._figures_ns >= _FIGURES_EVERY_NS or self._ended:
            self._figures_ns = now_ns
            counters = self.counters()
            self._figures = {
                "stages": stage_statuses(self.chain, self.latency, self._rates, counters, self.monitor, now_ns),
                "end_to_end": self.end_to_end.recent(),
                "counters": counters,
                "source_counters": self.source.counters(),
                "power": self.monitor.latest(),
                "notes": self.notes(),
                "energy": energy_per_decision(self.chain, self.latency, self.monitor, self.n_decisions),
            }
        self._sequence += 1
        bundle = self.chain.bundle
        return Snapshot(
            sequence=self._sequence,
            state=self._state(),
            source=self.source.info,
            model=bundle.name,
            t_us=self._t_us,
            step_us=bundle.input.step_us,
            delay_us=bundle.delay_us,
            decision=self._decision,
            features=self._features,
            features_shape=_features_shape(bundle) if self._features is not None else None,
            failure=None if self.failure is None else str(self.failure),
            **self._figures,
        )

    def _state(self) -> Any:
        if self.failure is not None:
            return "failed"
        if self._ended:
            return "ended"
        replay = self.replay
        if replay is not None and replay.status().paused:
            return "paused"
        return "running" if self._decision is not None else "starting"


def _features_shape(bundle: Any) -> tuple[int, int, int, int]:
    c, h, w = bundle.spikes_shape
    return (c, bundle.accumulator.intervals, h, w)
