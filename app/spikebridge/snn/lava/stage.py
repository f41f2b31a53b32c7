"""Lava as the spiking stage of the chain: its CPU simulation, or Loihi 2."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import Counts, Say, SnnActivity, Spikes
from spikebridge.errors import MissingError, SpikebridgeError, StageError
from spikebridge.snn.lava import environment
from spikebridge.snn.lava.activity import Activity
from spikebridge.snn.lava.client import Worker
from spikebridge.snn.lava.worker import wire
from spikebridge.snn.netfile import load_network
from spikebridge.snn.network import Network, Shape

State: TypeAlias = NDArray[np.int32]
_SAY_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class LavaOptions:
    """How to run Lava.

    backend : ``cpu``, Lava's bit-accurate simulation, or ``loihi2``. python : interpreter that has Lava; None looks
    where ``environment.find_python`` does. step_deadline_s : longest time for one step, reset or read-out.
    start_deadline_s : longest time to import Lava, compile and start. import_path : further folders for its imports,
    joined like PATH. hardware : ``HardwareOptions.request()``.
    """

    backend: Literal["cpu", "loihi2"] = "cpu"
    python: Path | None = None
    step_deadline_s: float = 1.5
    start_deadline_s: float = 60.0
    import_path: str = ""
    hardware: Mapping[str, Any] = field(default_factory=dict)


class LavaStage:
    """A ``.net`` file on Lava in a worker process; see ``contracts.SnnStage``.

    The worker starts at once, in the background: ``state`` says in words how far it is, and the first step waits for
    it. When Lava hangs or dies, the step raises StageError within 2 s, later ones at once, and the next ``reset``
    starts a new worker.
    """

    def __init__(self, network: Path, input_shape: Shape, options: LavaOptions | None = None) -> None:
        self._network = network
        self._input_shape = input_shape
        self._options = options or LavaOptions()
        self._description = load_network(network, input_shape)
        self._python = self._options.python or environment.require_python()
        self._activity = Activity(self._description)
        self._lock = threading.Lock()
        self._closed = False
        self._figures: Mapping[str, Any] = {}
        self._start = self._begin()

    @property
    def name(self) -> str:
        return "Loihi 2" if self._options.backend == "loihi2" else "Lava CPU simulation"

    @property
    def state(self) -> str:
        """For the screen: ``importing Lava``, ``running``, ``ended`` …; never blocks."""
        return "closed" if self._closed else self._start.words

    @property
    def figures(self) -> Mapping[str, Any]:
        """Latest readings of the chip's profilers; empty without them. Never blocks."""
        return self._figures

    @property
    def versions(self) -> Mapping[str, str]:
        """Of Lava's packages and its Python; empty until it runs."""
        return self._start.versions

    @property
    def network(self) -> Network:
        """What Lava builds, as the program reads it from the file."""
        return self._description

    def wait_ready(self, say: Say = lambda words: None) -> None:
        """Returns once Lava runs; ``say`` hears ``state`` meanwhile. Raises what kept it from starting."""
        while not self._start.ended_within(_SAY_EVERY_S):
            say(self.state)
        self._running()

    def step(self, counts: Counts) -> Spikes:
        if counts.shape != self._input_shape or counts.dtype != np.uint8:
            raise ValueError(f"expected uint8 counts of {self._input_shape}, got {counts.dtype} of {counts.shape}")
        start = self._running()
        answer = self._request(start, wire.STEP, counts.tobytes(), wire.SPIKES)
        output, layers, tallies = start.split(answer)
        self._activity.add(counts, layers, output, tallies)
        return output

    def reset(self) -> None:
        with self._lock:
            if self._start.broken and not self._closed:
                # A new worker has no state to clear. The caller is not kept: the next step waits for it.
                self._start.close()
                self._start = self._begin()
                return
        start = self._running()
        self._request(start, wire.RESET, b"", wire.DONE)

    def read_state(self) -> list[tuple[State, State]]:
        """Current and voltage of each layer after the last step, (C, H, W) int32, in units of the chip."""
        start = self._running()
        values = np.frombuffer(self._request(start, wire.STATE, b"", wire.STATE), "<i4")
        state, at = [], 0
        for shape in start.shapes:
            size = int(np.prod(shape))
            u, v = values[at : at + 2 * size].reshape(2, *shape)
            state.append((u, v))
            at += 2 * size
        return state

    def activity(self) -> SnnActivity:
        return self._activity.snapshot()

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self._start.close()

    def __enter__(self) -> LavaStage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self) -> _Start:
        request = {
            "network": str(self._network.resolve()),
            "input_shape": self._input_shape,
            "backend": self._options.backend,
            "hardware": dict(self._options.hardware),
        }
        worker = Worker(self._python, self._options.import_path or environment.import_path())
        return _Start(worker, request, self._description.shapes[1:], self._options.start_deadline_s)

    def _running(self) -> _Start:
        if self._closed:
            raise StageError("snn", "expected the Lava stage to be open, found it closed; open a new one.")
        start = self._start
        start.wait()
        return start

    def _request(self, start: _Start, kind: bytes, payload: bytes, wanted: bytes) -> bytes:
        try:
            return start.worker.request(kind, payload, wanted, self._options.step_deadline_s, self._hear)
        except SpikebridgeError as error:
            start.fail(error)
            raise

    def _hear(self, kind: bytes, fields: Mapping[str, Any]) -> None:
        if kind == wire.FIGURES:
            self._figures = fields


class _Start:
    """A worker that starts on a thread of its own, and what is known of it."""

    def __init__(self, worker: Worker, request: Mapping[str, Any], shapes: tuple[Shape, ...], within_s: float) -> None:
        self.worker = worker
        self.words = "starting Python"
        self.shapes = shapes
        self.versions: dict[str, str] = {}
        self._traced = False
        self._error: SpikebridgeError | None = None
        self._began_s = time.monotonic()
        self._thread = threading.Thread(target=self._open, args=(request, within_s), name="lava-start", daemon=True)
        self._thread.start()

    @property
    def broken(self) -> bool:
        return self._error is not None

    def wait(self) -> None:
        self._thread.join()
        if self._error is not None:
            raise self._error

    def ended_within(self, seconds: float) -> bool:
        """Whether the start is over, well or not."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def fail(self, error: SpikebridgeError) -> None:
        self._error = error
        self.words = "ended"

    def close(self) -> None:
        self.worker.close()
        self._thread.join()

    def split(self, answer: bytes) -> tuple[Spikes, list[Spikes], NDArray[np.int64]]:
        """Output, spikes of the layers before it, and (2, n_layers) neuron updates and overflows, from one frame."""
        output = np.frombuffer(answer, np.uint8, int(np.prod(self.shapes[-1]))).reshape(self.shapes[-1])
        layers, at = [], output.size
        for shape in self.shapes[:-1] if self._traced else ():
            size = int(np.prod(shape))
            bits = np.frombuffer(answer, np.uint8, (size + 7) // 8, at)
            layers.append(np.unpackbits(bits, count=size).reshape(shape))
            at += bits.size
        return output, layers, np.frombuffer(answer, "<i8", offset=at).reshape(2, -1)

    def _open(self, request: Mapping[str, Any], within_s: float) -> None:
        try:
            answer = self.worker.request(wire.OPEN, wire.pack(**request), wire.READY, within_s, self._hear)
        except MissingError as error:
            self.fail(error)
        except StageError as error:
            words = f"{str(error).rstrip('.')} (while {self.words})."
            self.fail(StageError("snn", words, restarts=error.restarts))
        else:
            self._take(wire.unpack(answer))

    def _take(self, fields: Mapping[str, Any]) -> None:
        found = tuple((c, h, w) for c, h, w in fields["shapes"])
        if found != self.shapes:
            self.worker.close()
            self.fail(StageError("snn", f"expected Lava to build layers of {self.shapes}, found {found}."))
            return
        self._traced = bool(fields["traced"])
        self.versions = {str(name): str(version) for name, version in fields["versions"].items()}
        self.words = "running"

    def _hear(self, kind: bytes, fields: Mapping[str, Any]) -> None:
        if kind == wire.PROGRESS:
            self.words = str(fields["words"])
