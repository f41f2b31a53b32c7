"""Lava as the spiking stage of the chain: its CPU simulation, or Loihi 2."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import Counts, Say, SnnActivity, SnnMeter, Spikes
from spikebridge.errors import MissingError, SpikebridgeError, StageError
from spikebridge.settings import LoihiBoard
from spikebridge.snn.lava import environment
from spikebridge.snn.lava.activity import Activity
from spikebridge.snn.lava.client import Worker
from spikebridge.snn.lava.hardware import Loihi2Meter
from spikebridge.snn.lava.worker import wire
from spikebridge.snn.meter import ModelMeter
from spikebridge.snn.network import Network, Shape

State: TypeAlias = NDArray[np.int32]
_SAY_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class LavaOptions:
    """How to run Lava.

    python : interpreter that has Lava; None looks where ``environment.find_python`` does. step_deadline_s : longest
    time for one step, reset or read-out. start_deadline_s : longest time to import Lava, compile and start.
    import_path : further folders for its imports, joined like PATH. board : the Loihi 2 to run on; None for Lava's
    bit-accurate simulation on the CPU.
    """

    python: Path | None = None
    step_deadline_s: float = 1.5
    start_deadline_s: float = 60.0
    import_path: str = ""
    board: LoihiBoard | None = None


class LavaStage:
    """A ``.net`` file on Lava in a worker process; see ``contracts.SnnStage``.

    The worker starts at once, in the background: ``state`` says in words how far it is, and the first step waits for
    it. When Lava hangs or dies, the step raises StageError within 2 s, later ones at once, and the next ``reset``
    starts a new worker.

    path, network : the file, which the worker reads itself, and what is in it.
    """

    def __init__(self, path: Path, network: Network, options: LavaOptions | None = None) -> None:
        self.network = network
        self._path = path
        self._options = options or LavaOptions()
        self._python = self._options.python or environment.require_python()
        self._activity = Activity(network)
        self._lock = threading.Lock()
        self._closed = False
        self._figures: Mapping[str, float] = {}
        self._start = self._begin()

    @property
    def name(self) -> str:
        return "Loihi 2" if self._options.board else "Lava CPU simulation"

    @property
    def state(self) -> str:
        """For the screen: ``importing Lava``, ``running``, ``ended`` …; never blocks."""
        return "closed" if self._closed else self._start.words

    @property
    def figures(self) -> Mapping[str, float]:
        """Latest readings of the chip's profilers; empty without them. Never blocks."""
        return self._figures

    @property
    def versions(self) -> Mapping[str, str]:
        """Of Lava's packages and its Python; empty until it runs."""
        return self._start.versions

    def wait_ready(self, say: Say = lambda words: None) -> None:
        """Returns once Lava runs; ``say`` hears ``state`` meanwhile. Raises what kept it from starting."""
        while not self._start.ended_within(_SAY_EVERY_S):
            say(self.state)
        self._running()

    def step(self, counts: Counts) -> Spikes:
        if counts.shape != self.network.input_shape or counts.dtype != np.uint8:
            raise ValueError(
                f"expected uint8 counts of {self.network.input_shape}, got {counts.dtype} of {counts.shape}"
            )
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

    def meter(self) -> SnnMeter:
        """On hardware what its profilers say or nothing; a model of another chip would not be a figure of this one."""
        if self._options.board:
            return Loihi2Meter(lambda: self._figures)
        return ModelMeter(self, self.network)

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self._start.close()

    def __enter__(self) -> LavaStage:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self) -> _Start:
        board = self._options.board
        request = {
            "network": str(self._path.resolve()),
            "input_shape": self.network.input_shape,
            "backend": "loihi2" if board else "cpu",
            "hardware": asdict(board) if board else {},
        }
        worker = Worker(self._python, self._options.import_path or environment.import_path())
        return _Start(worker, request, self.network.shapes[1:], self._options.start_deadline_s)

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

    def _hear(self, kind: bytes, fields: Mapping[str, object]) -> None:
        if kind == wire.FIGURES:
            self._figures = cast(Mapping[str, float], fields)


class _Ready(TypedDict):
    """What the worker answers when Lava runs. shapes : (C, H, W) of each layer. traced : it shows all layers."""

    shapes: list[list[int]]
    traced: bool
    versions: dict[str, str]


class _Start:
    """A worker that starts on a thread of its own, and what is known of it."""

    def __init__(
        self, worker: Worker, request: Mapping[str, object], shapes: tuple[Shape, ...], within_s: float
    ) -> None:
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

    def _open(self, request: Mapping[str, object], within_s: float) -> None:
        try:
            answer = self.worker.request(wire.OPEN, wire.pack(**request), wire.READY, within_s, self._hear)
        except MissingError as error:
            self.fail(error)
        except StageError as error:
            words = f"{str(error).rstrip('.')} (while {self.words})."
            self.fail(StageError("snn", words, restarts=error.restarts))
        else:
            self._take(cast(_Ready, wire.unpack(answer)))

    def _take(self, ready: _Ready) -> None:
        found = tuple((c, h, w) for c, h, w in ready["shapes"])
        if found != self.shapes:
            self.worker.close()
            self.fail(StageError("snn", f"expected Lava to build layers of {self.shapes}, found {found}."))
            return
        self._traced = ready["traced"]
        self.versions = ready["versions"]
        self.words = "running"

    def _hear(self, kind: bytes, fields: Mapping[str, object]) -> None:
        if kind == wire.PROGRESS:
            self.words = str(fields["words"])
