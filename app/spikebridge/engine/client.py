"""The window's end of the chain's process."""

from __future__ import annotations

import dataclasses
import itertools
import os
import queue
import signal
import socket
import threading
from contextlib import suppress
from multiprocessing import get_context, reduction
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import ReplayStatus, Say
from spikebridge.engine import messages
from spikebridge.engine.server import OpenPipeline, serve
from spikebridge.errors import StageError
from spikebridge.picture import Picture
from spikebridge.run.opening import open_pipeline
from spikebridge.settings import RunSettings
from spikebridge.snapshot import Snapshot

#: As of the process that runs the chain; the default of 5 ms would show in the latency's tail.
SWITCH_INTERVAL_S = 1e-5
_LOOK_S = 0.1
_END_S = 8.0


class Engine:
    """Starts the chain's process at once and again when it has ended; opens sources in it. Thread safe.

    opener : what opens a pipeline there; a function of a module, which is sent by name.
    """

    def __init__(self, opener: OpenPipeline = open_pipeline) -> None:
        self._opener = opener
        self._tickets = itertools.count()
        self._lock = threading.Lock()
        self._process: _Process | None = _Process(opener)

    def open(self, uri: str, settings: RunSettings, say: Say) -> Session:
        """Opens and starts a source. ``say`` hears what is slow, on this thread, and gives up by raising.

        Raises what kept it from opening.
        """
        with self._lock:
            if self._process is None or self._process.ended:
                if self._process is not None:
                    self._process.close()
                self._process = _Process(self._opener)
            process = self._process
        ticket = next(self._tickets)
        answers = process.expect(ticket)
        process.send(messages.Open(ticket, uri, settings))
        words = "starting"
        try:
            while True:
                answer = _next_answer(answers, process)
                if isinstance(answer, messages.Opened):
                    return process.begin(answer)
                if isinstance(answer, messages.Refused):
                    raise answer.error
                if isinstance(answer, messages.Said):
                    words = answer.words
                say(words)
        except BaseException:
            process.send(messages.Close(ticket))
            process.forget(ticket)
            raise

    def close(self) -> None:
        """Ends the process; may be called twice."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.close()


class Session:
    """One source that runs in the chain's process. Every call but ``close`` returns at once."""

    def __init__(self, opened: messages.Opened, picture: Picture, process: _Process) -> None:
        self.picture = picture
        self._ticket = opened.ticket
        self._process = process
        self._newest = opened.snapshot
        self._sent = 0
        self._heard = 0
        self._tuned: dict[int, tuple[float, int]] = {}  # by lane: threshold and smoothing not heard of yet
        self._closed = threading.Event()
        replay = opened.snapshot.replay
        self.replay: ReplayControls | None = ReplayControls(self, replay) if replay is not None else None

    @property
    def pid(self) -> int:
        """Of the chain's process."""
        return self._process.pid

    def snapshot(self) -> Snapshot:
        """The newest state, never changed after it was published. Settings of a lane are those that were asked for, so
        that a key pressed twice counts twice, however soon."""
        if self.all_heard:
            self._tuned.clear()
        newest = self._newest
        if not self._tuned:
            return newest
        return dataclasses.replace(
            newest,
            lanes=tuple(
                lane.tuned(*self._tuned[i]) if i in self._tuned else lane for i, lane in enumerate(newest.lanes)
            ),
        )

    def tune(self, lane: int, threshold: float | None = None, smoothing_us: int | None = None) -> None:
        """Threshold and smoothing of one lane."""
        now = self.snapshot().lanes[lane]
        self.control(messages.Tune(self._ticket, lane, threshold, smoothing_us))
        self._tuned[lane] = (
            now.threshold if threshold is None else threshold,
            now.smoothing_us if smoothing_us is None else smoothing_us,
        )

    def want_features(self, lane: int, wanted: bool) -> None:
        """Whether snapshots carry what the accumulator of a lane sees."""
        self.control(messages.WantFeatures(self._ticket, lane, wanted))

    def record(self, path: Path | None) -> None:
        """Begins a recording there; None ends the one that runs. Snapshots tell what becomes of it."""
        self.control(messages.Record(self._ticket, path))

    def mark(self, label: str | None) -> None:
        """``label`` holds from now on in what is being recorded; None ends it."""
        self.control(messages.Mark(self._ticket, label))

    def close(self) -> None:
        """Ends the source; may take a second, may be called twice."""
        self._process.send(messages.Close(self._ticket))
        self._closed.wait(_END_S)
        self._process.forget(self._ticket)

    def control(self, request: messages.Control) -> None:
        self._sent += 1
        self._process.send(request)

    @property
    def ticket(self) -> int:
        return self._ticket

    @property
    def all_heard(self) -> bool:
        """Whether the newest snapshot shows every control that was sent."""
        return self._heard >= self._sent

    def take(self, answer: messages.Answer) -> None:
        """An answer of the chain's process; on the thread that reads them."""
        if isinstance(answer, messages.News):
            self._newest, self._heard = answer.snapshot, answer.heard
        elif isinstance(answer, messages.Closed):
            self._closed.set()

    def fail(self, sentence: str) -> None:
        """The chain's process has ended, and every lane with it that had not ended before."""
        lanes = tuple(
            lane if lane.state in ("ended", "failed") else dataclasses.replace(lane, state="failed", failure=sentence)
            for lane in self._newest.lanes
        )
        self._newest = dataclasses.replace(
            self._newest, sequence=self._newest.sequence + 1, state="failed", failure=sentence, lanes=lanes
        )
        self._closed.set()


class ReplayControls:
    """Controls of a recording. ``status`` shows what was asked for until the chain's process has heard it."""

    def __init__(self, session: Session, status: ReplayStatus) -> None:
        self._session = session
        self._asked = status

    def status(self) -> ReplayStatus:
        """Where the replay is."""
        # In this order: news that come between the two only make the snapshot newer.
        if self._session.all_heard and (newest := self._session.snapshot().replay) is not None:
            self._asked = newest
        return self._asked

    def pause(self, paused: bool) -> None:
        self._ask(messages.Pause(self._session.ticket, paused), paused=paused)

    def seek(self, t_us: int) -> None:
        """The next packet starts at the step that holds ``t_us`` and has ``gap`` set."""
        self._ask(messages.Seek(self._session.ticket, t_us), position_us=t_us)

    def step(self) -> None:
        """While paused: one packet, then pause again."""
        self._ask(messages.Step(self._session.ticket))

    def set_speed(self, speed: float) -> None:
        """1.0 is real time, ``math.inf`` as fast as the chain takes it."""
        self._ask(messages.SetSpeed(self._session.ticket, speed), speed=speed)

    def set_loop(self, loop: bool) -> None:
        self._ask(messages.SetLoop(self._session.ticket, loop), loop=loop)

    def overview(self) -> NDArray[np.float32]:
        """Event rate over the recording: (256,) events per second; empty until it is known."""
        rates = self._session.snapshot().overview
        return np.zeros(0, np.float32) if rates is None else rates

    def _ask(self, request: messages.Control, **asked: int | float | bool) -> None:
        status = self.status()
        self._session.control(request)
        self._asked = dataclasses.replace(status, **asked)  # type: ignore[arg-type]


class _Process:
    """One process, from its start to its end, and the thread that reads what it says."""

    def __init__(self, opener: OpenPipeline) -> None:
        context = get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(
            target=serve, args=(theirs, opener, SWITCH_INTERVAL_S), name="spikebridge-chain", daemon=True
        )
        self._process.start()
        theirs.close()
        self._sending = threading.Lock()
        self._state = threading.Lock()
        self._expected: dict[int, queue.SimpleQueue[messages.Answer]] = {}
        self._pictures: dict[int, Picture] = {}
        self._sessions: dict[int, Session] = {}
        self.ended = False
        self._reader = threading.Thread(
            target=self._read, args=(self._connection,), name="spikebridge-chain-news", daemon=True
        )
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def expect(self, ticket: int) -> queue.SimpleQueue[messages.Answer]:
        """Where the answers for a new ticket will come."""
        answers: queue.SimpleQueue[messages.Answer] = queue.SimpleQueue()
        with self._state:
            self._expected[ticket] = answers
        return answers

    def begin(self, opened: messages.Opened) -> Session:
        with self._state:
            session = Session(opened, self._pictures.pop(opened.ticket), self)
            self._sessions[opened.ticket] = session
            answers = self._expected.pop(opened.ticket)
            # News may have come before the session was there.
            while not answers.empty():
                session.take(answers.get())
            if self.ended:
                session.fail(self._last_words())
        return session

    def forget(self, ticket: int) -> None:
        with self._state:
            self._sessions.pop(ticket, None)
            self._expected.pop(ticket, None)
            self._pictures.pop(ticket, None)

    def send(self, request: messages.Request) -> None:
        """Nothing is sent to a process that has ended: its sessions know."""
        with suppress(OSError, ValueError), self._sending:
            self._connection.send(request)

    def close(self) -> None:
        """Closing the pipe is the order to end; a process that does not is killed."""
        # Closing alone would wake neither the thread that reads here nor the process.
        with suppress(OSError), socket.socket(fileno=os.dup(self._connection.fileno())) as end:
            end.shutdown(socket.SHUT_RDWR)
        self._process.join(_END_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._reader.join(_END_S)
        self._connection.close()

    def failure(self) -> StageError:
        return StageError("chain", self._last_words())

    def _read(self, connection: Connection) -> None:
        with suppress(EOFError, OSError):
            while True:
                answer: messages.Answer = connection.recv()
                if isinstance(answer, messages.Opened):
                    self._receive_picture(connection, answer)
                self._take(answer)
        self._process.join(1.0)
        with self._state:
            self.ended = True
            sessions = list(self._sessions.values())
        for session in sessions:
            session.fail(self._last_words())

    def _receive_picture(self, connection: Connection, opened: messages.Opened) -> None:
        descriptor = reduction.recv_handle(connection)
        try:
            self._pictures[opened.ticket] = Picture.attach(descriptor, opened.snapshot.source.sensor)
        finally:
            os.close(descriptor)

    def _take(self, answer: messages.Answer) -> None:
        # Under the lock, or an answer could come between the look-up and the session's beginning, and be lost.
        with self._state:
            session, answers = self._sessions.get(answer.ticket), self._expected.get(answer.ticket)
            if session is not None:
                session.take(answer)
            elif answers is not None:
                answers.put(answer)

    def _last_words(self) -> str:
        code = self._process.exitcode
        how = "ended" if code is None or code >= 0 else f"killed by {signal.Signals(-code).name}"
        status = f" with status {code}" if code is not None and code > 0 else ""
        return f"expected the chain's process to run, found it {how}{status}; open the source again."


def _next_answer(answers: queue.SimpleQueue[messages.Answer], process: _Process) -> messages.Answer | None:
    """None where none came for a moment; raises StageError when the process has ended."""
    try:
        return answers.get(timeout=_LOOK_S)
    except queue.Empty:
        if process.ended:
            raise process.failure() from None
        return None
