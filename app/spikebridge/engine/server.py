"""The chain's process: opens sources, runs their pipelines, and tells the window's process of them."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Protocol, TypeAlias

from spikebridge.contracts import Framed, Replay, Say
from spikebridge.engine import messages
from spikebridge.errors import CancelledError, SpikebridgeError, StageError
from spikebridge.events import EventPacket
from spikebridge.picture import Picture
from spikebridge.run.pipeline import Pipeline
from spikebridge.settings import RunSettings
from spikebridge.snapshot import Snapshot

#: Opens a pipeline that is ready to start; ``run.opening.open_pipeline``, or a test's.
OpenPipeline: TypeAlias = Callable[[str, RunSettings, Say], Pipeline]

_NEWS_S = 0.033
#: Packets that may wait for the picture: it is behind then, and loses the oldest, which nobody would see.
_PICTURE_PACKETS = 16


def serve(connection: Connection, open_pipeline: OpenPipeline, switch_interval_s: float) -> None:
    """Until the window's process closes its end, by its death too."""
    # Ctrl-C reaches every process of the terminal; the window's ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The window's thread, which may have started this, stands back for who computes.
    if hasattr(os, "sched_setscheduler"):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    sys.setswitchinterval(switch_interval_s)
    server = _Server(connection, open_pipeline)
    try:
        while True:
            server.answer(connection.recv())
    except (EOFError, OSError):
        pass
    finally:
        server.close()


class _Send(Protocol):
    def __call__(self, answer: messages.Answer, descriptor: int | None = None) -> None: ...


class _Server:
    def __init__(self, connection: Connection, open_pipeline: OpenPipeline) -> None:
        self._connection = connection
        self._open_pipeline = open_pipeline
        self._sending = threading.Lock()
        self._tickets: dict[int, _Ticket] = {}
        self._threads: list[threading.Thread] = []

    def answer(self, request: messages.Request) -> None:
        """Returns at once; what takes time runs on a thread."""
        if isinstance(request, messages.Open):
            self._tickets[request.ticket] = ticket = _Ticket(request, self._send)
            self._run(lambda: ticket.open(self._open_pipeline), "open")
            return
        found = self._tickets.get(request.ticket)
        if found is None:
            return
        if isinstance(request, messages.Close):
            del self._tickets[request.ticket]
            self._run(found.close, "close")
        else:
            found.control(request)

    def close(self) -> None:
        """Ends everything."""
        for ticket in self._tickets.values():
            ticket.close()
        for thread in self._threads:
            thread.join(timeout=5)

    def _run(self, work: Callable[[], None], name: str) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=work, name=f"spikebridge-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _send(self, answer: messages.Answer, descriptor: int | None = None) -> None:
        try:
            with self._sending:
                self._connection.send(answer)
                if descriptor is not None:
                    reduction.send_handle(self._connection, descriptor, 0)
        except (OSError, ValueError):  # the window's process is gone, and this one is about to end
            pass


class _Ticket:
    """One source of the window, from the wish to open it to its end."""

    def __init__(self, request: messages.Open, send: _Send) -> None:
        self._request = request
        self._send = send
        self._pipeline: Pipeline | None = None
        self._packets: deque[EventPacket] = deque(maxlen=_PICTURE_PACKETS)
        self._came = threading.Event()
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._heard = 0
        self._threads: list[threading.Thread] = []

    # ------------------------------------------------ opening and closing

    def open(self, open_pipeline: OpenPipeline) -> None:
        """Answers with ``Opened`` or ``Refused``; with nothing once it is closed."""
        try:
            pipeline = open_pipeline(self._request.uri, self._request.settings, self._say)
            self._start(pipeline)
        except CancelledError:
            return
        except Exception as error:  # noqa: BLE001 - it is the window's to show
            if not isinstance(error, SpikebridgeError):
                traceback.print_exc()
            self._send(messages.Refused(self._request.ticket, _portable(error)))

    def close(self) -> None:
        """Ends the source, or gives up opening it."""
        with self._lock:
            self._closing.set()
            pipeline = self._pipeline
        if pipeline is not None:
            pipeline.close()
        self._came.set()
        for thread in self._threads:
            thread.join(timeout=5)
        self._send(messages.Closed(self._request.ticket))

    def _start(self, pipeline: Pipeline) -> None:
        with self._lock:
            if not self._closing.is_set():
                self._pipeline = pipeline
        if self._pipeline is None:
            pipeline.close()
            return
        picture, descriptor = Picture.create(pipeline.source.info.sensor)
        try:
            self._send(messages.Opened(self._request.ticket, pipeline.snapshot()), descriptor)
        finally:
            os.close(descriptor)
        pipeline.start(self._show)
        framed = pipeline.source if isinstance(pipeline.source, Framed) else None
        for work in (lambda: self._tell(pipeline), lambda: self._draw(picture, framed)):
            thread = threading.Thread(target=work, name="spikebridge-view", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _say(self, words: str) -> None:
        if self._closing.is_set():
            raise CancelledError("closed, or another source was opened")
        self._send(messages.Said(self._request.ticket, words))

    # ------------------------------------------------ what the window sees

    def _show(self, packet: EventPacket) -> None:
        """On the lane's thread: only hands the packet on."""
        self._packets.append(packet)
        self._came.set()

    def _draw(self, picture: Picture, framed: Framed | None) -> None:
        while not self._closing.is_set():
            self._came.wait()
            self._came.clear()
            while self._packets and not self._closing.is_set():
                packet = self._packets.popleft()
                picture.absorb(packet.events, packet.t_stop_us)
                if framed is not None:
                    picture.put_frame(framed.frame_at(packet.t_stop_us))

    def _tell(self, pipeline: Pipeline) -> None:
        told: Snapshot | None = None
        heard_before = -1
        while not self._closing.wait(_NEWS_S):
            heard = self._heard
            snapshot = pipeline.snapshot()
            if heard != heard_before or told is None or _differ(told, snapshot):
                self._send(messages.News(self._request.ticket, snapshot, heard))
                told, heard_before = snapshot, heard

    # ------------------------------------------------ controls

    def control(self, request: messages.Control) -> None:
        """Changes the source that runs; what comes before it runs has nothing to change."""
        pipeline = self._pipeline
        if pipeline is not None:
            _apply(pipeline, request)
        self._heard += 1


def _apply(pipeline: Pipeline, request: messages.Control) -> None:
    if isinstance(request, messages.Tune):
        pipeline.lanes[request.lane].tune(request.threshold, request.smoothing_us)
    elif isinstance(request, messages.WantFeatures):
        pipeline.lanes[request.lane].want_features(request.wanted)
    elif isinstance(request, messages.Record):
        if request.path is None:
            pipeline.stop_recording()
        else:
            pipeline.record_to(request.path)
    elif isinstance(request, messages.Mark):
        pipeline.mark(request.label)
    elif pipeline.replay is not None:
        _play(pipeline.replay, request)


def _play(replay: Replay, request: messages.Pause | messages.Seek | messages.Step | messages.Control) -> None:
    if isinstance(request, messages.Pause):
        replay.pause(request.paused)
    elif isinstance(request, messages.Seek):
        replay.seek(request.t_us)
    elif isinstance(request, messages.Step):
        replay.step()
    elif isinstance(request, messages.SetSpeed):
        replay.set_speed(request.speed)
    elif isinstance(request, messages.SetLoop):
        replay.set_loop(request.loop)


def _differ(one: Snapshot, other: Snapshot) -> bool:
    """Whether there is anything new to show; lanes replace their snapshots when they have."""
    return (
        one.state != other.state
        or one.replay != other.replay
        or one.recording != other.recording
        or one.notes != other.notes
        or one.power is not other.power
        or any(a is not b for a, b in zip(one.lanes, other.lanes, strict=True))
        or (one.overview is None or not one.overview.size) != (other.overview is None or not other.overview.size)
    )


def _portable(error: Exception) -> Exception:
    """The error, or one of ours with its words where it cannot be sent."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - whatever keeps it from being sent
        return StageError("chain", f"expected the source to open, found: {error!r}.")
    return error
