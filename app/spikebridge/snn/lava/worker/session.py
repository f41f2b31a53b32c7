"""One network on Lava: built by lava-dl's netx from the .net file, fed and read step by step."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any, TypeVar

import numpy as np
from lava.lib.dl.netx import hdf5  # type: ignore[import-not-found]
from lava.magma.core.run_conditions import RunSteps  # type: ignore[import-not-found]
from lava.proc.io.extractor import Extractor  # type: ignore[import-not-found]
from lava.proc.io.injector import Injector  # type: ignore[import-not-found]
from numpy.typing import NDArray

from spikebridge.snn.lava.worker.netx import Backend, Bytes, NetxNetwork, States, Tallies

_Kind = TypeVar("_Kind", bound=np.generic)

#: Input counts are graded spikes of one byte; a count of one is an ordinary spike.
_COUNT_BITS = 8


class LavaNetwork:
    """netx network, injector and extractor under one runtime, which runs one step at a time.

    Single steps cost no more than a continuous run on the CPU and leave every process idle between them, so that state
    can be read and cleared without a race.
    """

    def __init__(self, request: dict[str, Any], say: Callable[[str], None]) -> None:
        shape = tuple(request["input_shape"])
        say("reading the network")
        self._network: NetxNetwork = hdf5.Network(
            request["network"], input_message_bits=_COUNT_BITS, input_shape=shape[::-1]
        )
        self._flat = len(self._network.inp.shape) == 1
        found = int(np.prod(self._network.inp.shape)) if self._flat else tuple(self._network.inp.shape[::-1])
        if found != (int(np.prod(shape)) if self._flat else shape):
            raise ValueError(f"expected {request['network']} to take an input of {shape}, found {found}")
        self.input_shape = shape
        self._injector = Injector(shape=self._network.inp.shape)
        self._extractor = Extractor(shape=self._network.out.shape)
        self._backend = _open_backend(self._network, request, say)
        self._backend.connect(self._injector.out_port, self._network, self._extractor.in_port)
        say("compiling the network")
        self._network.create_runtime(run_cfg=self._backend.run_configuration())
        self._run_one = RunSteps(num_steps=1)

    def description(self) -> dict[str, Any]:
        return {
            "shapes": [_ours(layer.neuron.s_out.shape) for layer in self._network.layers],
            "traced": self._backend.traced,
            "versions": {"lava-nc": _version("lava-nc"), "lava-dl": _version("lava-dl")}
            | {"python": platform.python_version()},
        }

    def step(self, counts: Bytes) -> tuple[Bytes, list[Bytes], Tallies]:
        """Output spikes (C', H', W') uint8; where they are seen, those of the layers before it, and (2, n_layers) int64
        neuron updates and overflows."""
        self._send(counts)
        output = _from_lava(self._extractor.receive()) != 0
        layers = [_from_lava(spikes) for spikes in self._backend.spikes()[:-1]]
        return output.astype(np.uint8), layers, self._backend.tallies()

    def reset(self) -> None:
        self._backend.reset(self._advance_silent)

    def state(self) -> list[tuple[States, States]]:
        """Current and voltage of each layer."""
        return [(_from_lava(u), _from_lava(v)) for u, v in self._backend.state()]

    def figures(self) -> Mapping[str, float]:
        return self._backend.figures()

    def stop(self) -> None:
        self._network.stop()

    def _send(self, counts: Bytes) -> None:
        data = counts.ravel() if self._flat else counts.transpose(2, 1, 0)
        self._injector.send(data.astype(float))
        self._network.run(condition=self._run_one)

    def _advance_silent(self) -> None:
        self._send(np.zeros(self.input_shape, np.uint8))
        self._extractor.receive()


def _open_backend(network: NetxNetwork, request: dict[str, Any], say: Callable[[str], None]) -> Backend:
    if request["backend"] == "loihi2":
        from spikebridge.snn.lava.worker.hardware import HardwareBackend

        return HardwareBackend(network, bool(request["hardware"]["profile"]), say)
    from spikebridge.snn.lava.worker.simulation import SimulationBackend

    return SimulationBackend(network)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # imported from a folder
        return "unknown"


def _ours(shape: tuple[int, ...]) -> list[int]:
    """(C, H, W) of Lava's (x, y, channel) or (neuron,)."""
    return [int(n) for n in reversed(shape)] if len(shape) == 3 else [int(np.prod(shape)), 1, 1]


def _from_lava(array: NDArray[_Kind]) -> NDArray[_Kind]:
    return np.ascontiguousarray(array.transpose(2, 1, 0)) if array.ndim == 3 else array.reshape(-1, 1, 1)
