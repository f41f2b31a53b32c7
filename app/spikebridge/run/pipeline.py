"""One source and the networks it feeds: a feeder reads the source, each lane works on a thread of its own."""

from __future__ import annotations

import functools
import itertools
import math
import resource
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from spikebridge.chain import Chain
from spikebridge.chain.decision import DecisionRule
from spikebridge.contracts import Performing, Replay, Say, Source
from spikebridge.errors import SpikebridgeError, StageError
from spikebridge.events import EventPacket
from spikebridge.power import PowerMonitor
from spikebridge.run.agreement import Agreement, Merge
from spikebridge.run.inbox import WhenFull
from spikebridge.run.lane import CLOSE_WITHIN_S, Lane
from spikebridge.snapshot import Decision, LaneSnapshot, Snapshot, State
from spikebridge.sources.tape import Tape

#: Decisions that may wait for who takes them; then their lane waits, and what it cannot take is dropped in its inbox.
_DECISIONS = 1024
#: So many are handed over at once while the chain has more to do.
_BATCH = 32
_LOOK_S = 0.1
_ROOM_S = 0.005

LaneDecision: TypeAlias = tuple[int, Decision]


class Pipeline:
    """One source through one chain or several.

    Either ``start`` it and pull ``snapshot``, or iterate ``decisions``.
    chains : by the name of their lane. monitor : power of this run.
    lossless : the source waits when a chain is late instead of losing its oldest packets; recordings always do, and so
    go at the pace of the slowest.
    """

    def __init__(
        self, source: Source, chains: Mapping[str, Chain], monitor: PowerMonitor, *, lossless: bool = False
    ) -> None:
        self.source = source
        self.monitor = monitor
        self.failure: SpikebridgeError | None = None
        #: The source waits, and decisions come in the order of its time.
        self.lossless = lossless or source.info.kind == "recording"
        self._step_us = math.gcd(*(chain.bundle.input.step_us for chain in chains.values()))
        when_full: WhenFull = "block" if self.lossless else "drop_oldest"
        self.lanes = tuple(
            Lane(name, chain, source.info, monitor, when_full, self._step_us) for name, chain in chains.items()
        )
        self._agreement = Agreement(tuple(chains))
        self._sequence = itertools.count()
        self._started_s = time.monotonic()
        self._stopping = threading.Event()
        self._tape: Tape | None = None
        self._tapes: list[Tape] = []
        self._refused = ""
        self._feeder = threading.Thread(target=self._feed, name="spikebridge-feeder", daemon=True)

    # ------------------------------------------------ running

    def start(self, on_packet: Callable[[EventPacket], None] = lambda packet: None) -> None:
        """Runs everything on threads of its own; a failure shows in the snapshot.

        on_packet : gets each packet that the first lane has worked through, on its thread; for the picture.
        """

        def on_step(lane: int, packet: EventPacket, decision: Decision | None) -> None:
            if lane == 0:
                on_packet(packet)

        self._start(on_step, lambda lane: None)

    def decisions(self) -> Generator[LaneDecision | None, None, None]:
        """(lane, decision) until the source ends, each lane's in order, and None now and then while none comes.

        Those of a recording come in the order of its time, and of the lanes where that is equal, so that every run
        gives the same. Raises the first error of any thread at the end.
        """
        ready: deque[LaneDecision] = deque()
        came, ended = threading.Event(), list[int]()
        merge, lock = Merge(len(self.lanes)), threading.Lock()

        def give(lane: int, due: Iterable[LaneDecision]) -> None:
            for item in due:
                while len(ready) >= _DECISIONS and not self._stopping.is_set():
                    came.set()
                    time.sleep(_ROOM_S)
                ready.append(item)
            # Waking another thread takes a third as long as a step: where more waits to be worked on, not each time.
            if len(ready) >= _BATCH or not self.lanes[lane].waiting:
                came.set()

        def on_step(lane: int, packet: EventPacket, decision: Decision | None) -> None:
            if not self.lossless:
                give(lane, [(lane, decision)] if decision is not None else [])
                return
            with lock:
                give(lane, merge.step(lane, packet.t_stop_us, decision))

        def on_end(lane: int) -> None:
            with lock:
                give(lane, merge.end(lane))
                ended.append(lane)
                came.set()

        try:
            self._start(on_step, on_end)
            while True:
                came.clear()
                over = len(ended) == len(self.lanes)
                while ready:
                    yield ready.popleft()
                if over:
                    break
                if not came.wait(_LOOK_S):
                    yield None
        finally:
            self.close()
        if (failure := self.first_failure()) is not None:
            raise failure

    def close(self) -> None:
        """Ends source, threads and stages; may be called twice."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        self.source.close()
        for lane in self.lanes:
            lane.stop()
        if self._feeder.ident is not None:
            self._feeder.join(CLOSE_WITHIN_S)
        for lane in self.lanes:
            lane.close()
        # Behind the lanes: a session keeps what they made of their last steps.
        for tape in self._tapes:
            tape.close()
        self.monitor.close()

    def first_failure(self) -> SpikebridgeError | None:
        """Of the source or a lane."""
        return self.failure or next((lane.failure for lane in self.lanes if lane.failure is not None), None)

    def _start(
        self, on_step: Callable[[int, EventPacket, Decision | None], None], on_end: Callable[[int], None]
    ) -> None:
        self._started_s = time.monotonic()
        self.monitor.start()
        left = set(range(len(self.lanes)))
        for number, lane in enumerate(self.lanes):

            def stepped(packet: EventPacket, decision: Decision | None, number: int = number) -> None:
                self._agreement.step(number, packet.t_stop_us, decision)
                on_step(number, packet, decision)

            def ended(number: int = number) -> None:
                self._agreement.end(number)
                left.discard(number)
                if not left:
                    self.stop_recording()
                on_end(number)

            lane.start(stepped, ended)
        self._feeder.start()

    def _feed(self) -> None:
        try:
            for packet in self.source.packets(self._step_us):
                tape = self._tape
                if tape is not None:
                    tape.put(packet, self.source.current_label if isinstance(self.source, Performing) else None)
                taken = [lane.put(packet) for lane in self.lanes]
                if not any(taken):
                    return
        except SpikebridgeError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - the first error of a thread ends the run and is shown
            self._fail(StageError("source", f"expected {self.source.info.title} to deliver events, found: {error!r}."))
        finally:
            for lane in self.lanes:
                lane.finish()

    def _fail(self, error: SpikebridgeError) -> None:
        if not self._stopping.is_set():
            self.failure = error

    # ------------------------------------------------ recording

    def record(self, tape: Tape) -> None:
        """What comes from the source from now on goes to ``tape`` too, which ends with the run at the latest."""
        self.stop_recording()
        for number, lane in enumerate(self.lanes):
            lane.keep = functools.partial(_keep, tape, number, lane.chain.rule)
        self._tapes.append(tape)
        self._tape = tape

    def record_to(self, path: Path) -> None:
        """``record`` on a new file; where that fails the snapshot's notes say why."""
        try:
            tape = Tape(path, self.source.info.sensor, lossless=self.lossless)
        except SpikebridgeError as error:
            self._refused = str(error)
        else:
            self.record(tape)

    def stop_recording(self) -> None:
        """Does not wait until the file is whole."""
        if self._tape is not None:
            self._tape.finish()

    def mark(self, label: str | None) -> None:
        """``label`` holds from the next step on in what is being recorded; None ends it."""
        if self._tape is not None:
            self._tape.mark(label)

    # ------------------------------------------------ what views use

    def snapshot(self) -> Snapshot:
        """The state at this moment; any thread, never blocks for long."""
        lanes = tuple(lane.snapshot() for lane in self.lanes)
        replay = self.replay
        status = replay.status() if replay is not None else None
        failure = self.first_failure()
        recording = self._tape.status() if self._tape is not None else None
        counters = self.source.counters()
        paused = status is not None and status.paused
        return Snapshot(
            sequence=next(self._sequence),
            state=self._state(lanes, paused, bool(counters.waiting_for)),
            source=self.source.info,
            source_counters=counters,
            lanes=lanes,
            pairs=self._agreement.figures(),
            power=self.monitor.latest(),
            replay=status,
            overview=replay.overview() if replay is not None else None,
            paced=all(lane.end_to_end is not None for lane in lanes),
            wall_s=time.monotonic() - self._started_s,
            peak_rss_mb=peak_rss_mb(),
            failure=None if failure is None else str(failure),
            notes=self._notes(),
            recording=recording,
        )

    @property
    def replay(self) -> Replay | None:
        """Controls of the source when it is a recording."""
        return self.source if isinstance(self.source, Replay) else None

    def say_to(self, say: Say) -> None:
        """``say`` hears at once that a stage of a lane failed, and how far its restart is; on the lane's thread."""
        for lane in self.lanes:
            lane.say = say

    def _notes(self) -> dict[str, str]:
        problems = [tape.status().problem for tape in self._tapes]
        notes = {f"recording {number}": problem for number, problem in enumerate(problems) if problem}
        return notes | ({f"recording refused {self._refused}": self._refused} if self._refused else {})

    def _state(self, lanes: tuple[LaneSnapshot, ...], paused: bool, waiting: bool) -> State:
        if self.failure is not None or all(lane.state == "failed" for lane in lanes):
            return "failed"
        if all(lane.state in ("ended", "failed") for lane in lanes):
            return "ended"
        if paused:
            return "paused"
        if waiting:
            return "waiting"
        return "running" if any(lane.state == "running" for lane in lanes) else "starting"


def _keep(tape: Tape, number: int, rule: DecisionRule, packet: EventPacket, decision: Decision | None) -> None:
    tape.step(number, packet, decision, rule.used)


def peak_rss_mb() -> float:
    """Highest resident memory of this process, MB (10⁶ bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
