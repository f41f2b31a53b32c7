"""One network on the stream: its inbox, its chain on a thread, and what is known of both."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import TypeAlias

from spikebridge.chain import Chain, ChainStep
from spikebridge.contracts import Features, Say, SourceInfo, say_nothing
from spikebridge.errors import CancelledError, SpikebridgeError, StageError
from spikebridge.events import EventPacket
from spikebridge.power import PowerMonitor
from spikebridge.run.inbox import Inbox, WhenFull
from spikebridge.run.regroup import Regrouper
from spikebridge.run.snapshots import LaneMoment, LaneSnapshotBuilder
from spikebridge.run.tally import Tally
from spikebridge.snapshot import Counters, Decision, LaneSnapshot, State

#: Steps that may wait: 80 ms at 10 ms steps. More would only make a late chain later.
INBOX_CAPACITY = 8
_SNAPSHOT_EVERY_NS = 33_000_000
_FIGURES_EVERY_NS = 100_000_000
_WAIT_S = 0.05
#: How long ``close`` waits for a thread that does not end, such as one in a stage that hangs.
CLOSE_WITHIN_S = 5.0

#: Hears of each step on the lane's thread: the packet, and the decision if there was one.
OnStep: TypeAlias = Callable[[EventPacket, Decision | None], None]


def _keep_nothing(packet: EventPacket, decision: Decision | None) -> None:
    """An ``OnStep``."""


class Lane:
    """A bundle with its backends on the packets that are ``put``.

    when_full : what the inbox does when the chain is late, see ``Inbox``. source_step_us : length of the packets that
    are put; that of the bundle's steps is a multiple of it.
    """

    def __init__(
        self,
        name: str,
        chain: Chain,
        source: SourceInfo,
        monitor: PowerMonitor,
        when_full: WhenFull,
        source_step_us: int,
    ) -> None:
        self.name = name
        self.chain = chain
        self.failure: SpikebridgeError | None = None
        #: Hears at once that a stage failed, and how far its restart is; on the lane's thread.
        self.say: Say = say_nothing
        #: Hears of each step that went through the chain, before the next one does; on the lane's thread.
        self.keep: OnStep = _keep_nothing
        self._monitor = monitor
        self._inbox = Inbox(INBOX_CAPACITY, when_full)
        group = chain.bundle.input.step_us // source_step_us
        self._regrouper = Regrouper(group, source_step_us) if group > 1 else None
        self._tally = Tally(chain.bundle.decision.labels)
        meter = chain.snn.meter() if chain.snn else None
        if meter is not None:
            monitor.watch_chip(name, meter)
        self._builder = LaneSnapshotBuilder(name, chain, meter, source, self._tally, monitor)
        self._paced = True
        self._want_features = False
        self._features: Features | None = None
        self._decision: Decision | None = None
        self._t_us = source.t_first_us or 0
        self._notes: dict[str, str] = {}
        self._restarts = 0
        self._decisions_at_restart = -1
        self._ended = False
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._figures_ns = self._snapshot_ns = time.monotonic_ns()
        self._newest = self._builder.build(self._moment())

    # ------------------------------------------------ running

    def start(self, on_step: OnStep, on_end: Callable[[], None]) -> None:
        """Works on a thread of its own until the inbox is closed and empty, or ``close``."""
        self._thread = threading.Thread(
            target=self._run, args=(on_step, on_end), name=f"spikebridge-lane {self.name}", daemon=True
        )
        self._thread.start()

    def put(self, packet: EventPacket) -> bool:
        """Takes a packet of the source; False when the lane works no more."""
        if self._regrouper is None:
            return self._inbox.put(packet)
        joined = list(self._regrouper.put(packet))
        for lost in self._regrouper.lost():
            self._inbox.refuse(lost)
        return all(self._inbox.put(packet) for packet in joined)

    def finish(self) -> None:
        """The source has ended: what waits is still worked through."""
        if self._regrouper is not None:
            for joined in self._regrouper.finish():
                self._inbox.put(joined)
        self._inbox.close()

    def stop(self) -> None:
        """Works no more; does not wait for it. What waits stays counted as that."""
        self._stopping.set()
        self._inbox.close()

    def close(self) -> None:
        """Ends the thread and the stages; may be called twice."""
        self.stop()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(CLOSE_WITHIN_S)
        self.chain.close()

    def _run(self, on_step: OnStep, on_end: Callable[[], None]) -> None:
        try:
            while not self._stopping.is_set():
                packet = self._inbox.get(_WAIT_S)
                if packet is not None:
                    on_step(packet, self._process(packet))
                elif self._inbox.exhausted:
                    break
                self._refresh()
        except CancelledError:
            pass
        except SpikebridgeError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - the first error of a thread ends the lane and is shown
            self._fail(StageError("chain", f"expected the chain to run, found: {error!r}."))
        self._inbox.close()
        if self.failure is not None:
            self._inbox.lose()
            self._inbox.clear()
        self._ended = True
        # A short run may end before the meters were read for the first time.
        self._monitor.sample()
        self._newest = self._builder.build(self._moment())
        on_end()

    def _process(self, packet: EventPacket) -> Decision | None:
        try:
            step = self.chain.process(packet)
        except StageError as error:
            self._restart(error)
            return None
        self._inbox.done()
        self.keep(packet, step.decision)
        self._note(packet, step)
        return step.decision

    def _note(self, packet: EventPacket, step: ChainStep) -> None:
        self._t_us = packet.t_stop_us
        self._paced = packet.due_ns is not None
        self._tally.add(step)
        if step.decision is not None:
            self._decision = step.decision
            self._features = step.features if self._want_features else None

    def _restart(self, error: StageError) -> None:
        """Goes on without the step that failed, counted as dropped. Raises ``error`` where no restart can help: the
        stage has none, or came to no decision since the last one."""
        if not error.restarts or self._tally.decisions == self._decisions_at_restart or self._stopping.is_set():
            raise error
        self._decisions_at_restart = self._tally.decisions
        self._restarts += 1
        self._inbox.lose()
        self._decision = None
        sentence = f"{str(error).removesuffix('.')}: the step was lost, the {error.stage.upper()} restarts"
        self._notes[f"restart {self._restarts}"] = f"{sentence}."
        self.say(sentence)
        self.chain.restart(self._wait)

    def _wait(self, words: str) -> None:
        """While a stage starts: keeps the views alive, and gives up when the lane is closed."""
        if self._stopping.is_set():
            raise CancelledError("closed while a stage was starting")
        self._refresh()
        self.say(words)

    def _fail(self, error: SpikebridgeError) -> None:
        if not self._stopping.is_set():
            self.failure = error

    # ------------------------------------------------ what views use

    def snapshot(self) -> LaneSnapshot:
        """The newest state; never blocks. Settings show at once, also while no step comes."""
        return self._newest.tuned(self.chain.rule.threshold, self.chain.rule.smoothing_us)

    def tune(self, threshold: float | None = None, smoothing_us: int | None = None) -> None:
        """Changes what is given, from the next decision on."""
        if threshold is not None:
            self.chain.rule.threshold = min(1.0, max(0.0, threshold))
        if smoothing_us is not None:
            self.chain.rule.smoothing_us = max(0, smoothing_us)

    @property
    def waiting(self) -> bool:
        """Whether more packets wait to be worked on."""
        return self._inbox.waiting

    def want_features(self, wanted: bool) -> None:
        """Whether snapshots carry what the accumulator sees."""
        self._want_features = wanted

    def counters(self) -> Counters:
        """Of the inbox and the chain, taken together."""
        return dataclasses.replace(
            self._inbox.counters(),
            events_outside=self.chain.binner.outside,
            decisions=self._tally.decisions,
            resets=self.chain.resets,
        )

    def _refresh(self) -> None:
        """Views see a new decision 30 times a second, new figures ten times."""
        now_ns = time.monotonic_ns()
        if now_ns - self._figures_ns >= _FIGURES_EVERY_NS:
            self._figures_ns = self._snapshot_ns = now_ns
            self._newest = self._builder.build(self._moment())
        elif now_ns - self._snapshot_ns >= _SNAPSHOT_EVERY_NS:
            self._snapshot_ns = now_ns
            moment = self._moment()
            self._newest = dataclasses.replace(
                self._newest,
                state=moment.state,
                t_us=moment.t_us,
                decision=moment.decision,
                features=moment.features,
                counters=moment.counters,
            )

    def _moment(self) -> LaneMoment:
        return LaneMoment(
            state=self._state(),
            t_us=self._t_us,
            counters=self.counters(),
            decision=self._decision,
            features=self._features,
            paced=self._paced,
            failure=None if self.failure is None else str(self.failure),
            notes=self._notes,
        )

    def _state(self) -> State:
        if self.failure is not None:
            return "failed"
        if self._ended:
            return "ended"
        return "running" if self._decision is not None else "starting"
