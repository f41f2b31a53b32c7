"""Lava's own process models with two additions around their step: a reset, and a look at their state.

Lava resets a variable by sending it element by element to the process that owns it: seconds for a layer of this size.
Lava's processes are forked, so memory mapped before the fork is shared: a counter tells the models to clear their own
arrays at the start of the next step, and each neuron model leaves its spikes, currents and voltages where the parent
reads them between steps. The arithmetic is Lava's, untouched.
"""

from __future__ import annotations

import mmap
from typing import TypeVar

import numpy as np
from lava.proc.conv.models import PyConvModelFixed  # type: ignore[import-not-found]
from lava.proc.conv.process import Conv  # type: ignore[import-not-found]
from lava.proc.dense.models import PyDelayDenseModelBitAcc, PyDenseModelBitAcc  # type: ignore[import-not-found]
from lava.proc.dense.process import DelayDense, Dense  # type: ignore[import-not-found]
from lava.proc.io.extractor import Extractor, PyLoihiExtractorModel  # type: ignore[import-not-found]
from lava.proc.io.injector import Injector, PyLoihiInjectorModel  # type: ignore[import-not-found]
from lava.proc.lif.models import PyLifModelBitAcc  # type: ignore[import-not-found]
from lava.proc.lif.process import LIF  # type: ignore[import-not-found]
from numpy.typing import NDArray

#: Key in a process's parameters under which its model finds the number of its layer.
LAYER = "spikebridge_layer"
#: The chip's accumulator has 21 bits and a sign after the alignment by 6 bits.
ACCUMULATOR = 1 << 15


_Kind = TypeVar("_Kind", bound=np.generic)


def _shared(shape: tuple[int, ...], dtype: type[_Kind]) -> NDArray[_Kind]:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer(mmap.mmap(-1, size), dtype).reshape(shape)


class Memory:
    """Shared between this process and those that Lava forks from it afterwards.

    spikes, u, v : one array for each layer, in Lava's order (x, y, channel). tallies : of the last step, by layer:
    neurons that did not rest, and neurons that received more than the chip's accumulator holds. generation : counts
    resets.
    """

    def __init__(self, shapes: list[tuple[int, ...]]) -> None:
        self.generation = _shared((1,), np.int64)
        self.spikes = [_shared(shape, np.uint8) for shape in shapes]
        self.u = [_shared(shape, np.int32) for shape in shapes]
        self.v = [_shared(shape, np.int32) for shape in shapes]
        self.tallies = _shared((2, len(shapes)), np.int64)

    def clear(self) -> None:
        """Before the next step; what is read until then is already the cleared state."""
        self.generation += 1
        for spikes in self.spikes:
            spikes[:] = 0
        for state in (*self.u, *self.v):
            state[:] = 0


_memory: Memory | None = None


def use(memory: Memory) -> None:
    """For the models of the runtime that is built next."""
    global _memory
    _memory = memory


def current() -> Memory:
    if _memory is None:
        raise RuntimeError("expected shared memory before the models run, found none")
    return _memory


class _Resettable:
    _generation = 0

    def run_spk(self) -> None:
        generation = int(current().generation[0])
        if generation != self._generation:
            self._generation = generation
            self._clear()
        super().run_spk()  # type: ignore[misc]

    def _clear(self) -> None:
        raise NotImplementedError


class LifModel(_Resettable, PyLifModelBitAcc):  # type: ignore[misc]
    def run_spk(self) -> None:
        super().run_spk()
        layer = self.proc_params[LAYER]
        memory = current()
        memory.spikes[layer][:] = self.s_out_buff
        memory.u[layer][:] = self.u
        memory.v[layer][:] = self.v

    def subthr_dynamics(self, activation_in: NDArray[np.int32]) -> None:
        at_work = (self.u != 0) | (self.v != 0) | (activation_in != 0) | (self.effective_bias != 0)
        beyond = (activation_in >= ACCUMULATOR) | (activation_in < -ACCUMULATOR)
        current().tallies[:, self.proc_params[LAYER]] = np.count_nonzero(at_work), np.count_nonzero(beyond)
        super().subthr_dynamics(activation_in)

    def _clear(self) -> None:
        self.u[:] = 0
        self.v[:] = 0


class ConvModel(_Resettable, PyConvModelFixed):  # type: ignore[misc]
    def _clear(self) -> None:
        self.a_buf: NDArray[np.int32] = np.zeros_like(self.a_buf)


class DenseModel(_Resettable, PyDenseModelBitAcc):  # type: ignore[misc]
    def _clear(self) -> None:
        self.a_buff: NDArray[np.int32] = np.zeros_like(self.a_buff)


class DelayDenseModel(_Resettable, PyDelayDenseModelBitAcc):  # type: ignore[misc]
    def _clear(self) -> None:
        self.a_buff: NDArray[np.int32] = np.zeros_like(self.a_buff)


#: Injector and extractor have several untagged models, which a run configuration with a tag refuses to choose from.
MODELS = {
    LIF: LifModel,
    Conv: ConvModel,
    Dense: DenseModel,
    DelayDense: DelayDenseModel,
    Injector: PyLoihiInjectorModel,
    Extractor: PyLoihiExtractorModel,
}
