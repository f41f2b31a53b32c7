"""What the worker uses of Lava and of lava-dl's netx, as types; the packages bring none of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
States: TypeAlias = NDArray[np.int32]
Tallies: TypeAlias = NDArray[np.int64]


class Port(Protocol):
    """An end of a connection between processes."""

    shape: tuple[int, ...]

    def connect(self, ports: Port) -> None: ...


class Variable(Protocol):
    """State of a process, read and written from outside while it stands still."""

    shape: tuple[int, ...]

    def get(self) -> NDArray[np.float64]: ...

    def set(self, value: States) -> None: ...


class Neuron(Protocol):
    """The neurons of a layer. u, v : currents and voltages."""

    u: Variable
    v: Variable
    s_out: Port
    proc_params: MutableMapping[str, object]


class Layer(Protocol):
    """Synapses and neurons."""

    neuron: Neuron


class NetxNetwork(Protocol):
    """``lava.lib.dl.netx.hdf5.Network``."""

    inp: Port
    out: Port
    layers: Sequence[Layer]
    input_message_bits: int

    def create_runtime(self, run_cfg: object) -> None: ...

    def run(self, condition: object) -> None: ...

    def stop(self) -> None: ...


class Backend(Protocol):
    """Where the network runs. traced : the spikes of all layers are seen, not only the last one's."""

    traced: bool

    def connect(self, source: Port, network: NetxNetwork, sink: Port) -> None: ...

    def run_configuration(self) -> object: ...

    def spikes(self) -> Sequence[Bytes]:
        """Of the last step, by layer, in Lava's order (x, y, channel); empty where they are not seen."""

    def tallies(self) -> Tallies:
        """Of the last step, (2, n_layers): neuron updates and overflows; empty where they are not seen."""

    def state(self) -> Sequence[tuple[States, States]]:
        """Current and voltage of each layer."""

    def reset(self, advance_silent: Callable[[], None]) -> None: ...

    def figures(self) -> Mapping[str, float]:
        """What profilers measured in the last step."""
