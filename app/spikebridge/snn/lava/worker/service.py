"""Answers the program's frames, one at a time, with a network on Lava."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import traceback
from typing import TYPE_CHECKING, Any

import numpy as np

from spikebridge.snn.lava.worker import wire
from spikebridge.snn.lava.worker.errors import MissingPartError
from spikebridge.snn.lava.worker.imports import leave_out_training
from spikebridge.snn.lava.worker.netx import Bytes

if TYPE_CHECKING:
    from spikebridge.snn.lava.worker.session import LavaNetwork


def serve(connection: socket.socket) -> int:
    """Until the program closes its end; the exit status."""
    service = _Service(connection)
    try:
        while True:
            kind, payload = wire.receive(connection)
            service.answer(kind, payload)
    except wire.ClosedError:
        return 0
    except Exception as error:  # noqa: BLE001 - every failure travels to the program as one frame
        _report(connection, error)
        return 1


class _Service:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._network: LavaNetwork | None = None
        self._input_shape: tuple[int, ...] = ()

    def answer(self, kind: bytes, payload: bytes) -> None:
        if kind == wire.OPEN:
            self._open(wire.unpack(payload))
        elif kind == wire.STEP:
            self._step(np.frombuffer(payload, np.uint8).reshape(self._input_shape))
        elif kind == wire.RESET:
            self._running.reset()
            wire.send(self._connection, wire.DONE)
        elif kind == wire.STATE:
            state = [array for pair in self._running.state() for array in pair]
            wire.send(self._connection, wire.STATE, b"".join(array.astype("<i4").tobytes() for array in state))
        else:
            raise ValueError(f"expected a request, got a frame of kind {kind!r}")

    @property
    def _running(self) -> LavaNetwork:
        if self._network is None:
            raise RuntimeError("expected OPEN first, got another request")
        return self._network

    def _open(self, request: dict[str, Any]) -> None:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if self._network is not None:
            self._say("stopping the last network")
            self._network.stop()
        self._say("importing Lava")
        try:
            if request["backend"] == "loihi2":
                from spikebridge.snn.lava.worker.hardware import choose_host

                choose_host(request["hardware"])
            leave_out_training()
            from spikebridge.snn.lava.worker.session import LavaNetwork
        except ImportError as error:
            raise MissingPartError(
                f"expected lava-nc and lava-dl in {sys.executable}, found: {error}; run spikebridge lava-setup."
            ) from error
        self._network = LavaNetwork(request, self._say)
        self._input_shape = self._network.input_shape
        signal.signal(signal.SIGCHLD, lambda *_: self._lost())
        self._lost()
        wire.send(self._connection, wire.READY, wire.pack(**self._network.description()))

    def _step(self, counts: Bytes) -> None:
        output, layers, tallies = self._running.step(counts)
        figures = self._running.figures()
        if figures:
            wire.send(self._connection, wire.FIGURES, wire.pack(**figures))
        payload = output.tobytes() + b"".join(np.packbits(layer).tobytes() for layer in layers)
        payload += tallies.astype("<i8").tobytes()
        wire.send(self._connection, wire.SPIKES, payload)

    def _say(self, words: str) -> None:
        wire.send(self._connection, wire.PROGRESS, wire.pack(words=words))

    def _lost(self) -> None:
        # Lava waits for ever for a part that died; its processes live as long as the network does.
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None:
            return
        _report(self._connection, RuntimeError(f"one of Lava's processes ended with status {ended.si_status}"))
        os._exit(1)


def _report(connection: socket.socket, error: Exception) -> None:
    traceback.print_exception(type(error), error, error.__traceback__)
    sentence = str(error) or type(error).__name__
    missing = isinstance(error, MissingPartError)
    with contextlib.suppress(wire.ClosedError):
        wire.send(connection, wire.FAILED, wire.pack(sentence=sentence, missing=missing))
