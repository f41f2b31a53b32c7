"""One batch of events through spiking layers and the accumulator, forwards and backwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spikebridge.datasets.event_batch import EventBatch
from spikebridge.training import spiking_kernels as kernels
from spikebridge.training.spiking_neuron import NeuronSpec

#: SLAYER's factors on tau_grad and scale_grad of a CUBA neuron.
_TAU_FACTOR = 100.0
_SCALE_FACTOR = 0.1

_Number = TypeVar("_Number", np.int32, np.float32)

#: Large arrays that no pass needs any more, by shape: fresh pages from the system cost more than what is computed.
_spare: dict[tuple[int, ...], list[NDArray[np.int32]]] = {}


def _take(shape: tuple[int, ...]) -> NDArray[np.int32]:
    spare = _spare.get(shape)
    return spare.pop() if spare else np.empty(shape, np.int32)


def _give_back(arrays: list[NDArray[np.int32]]) -> None:
    for array in arrays:
        _spare.setdefault(array.shape, []).append(array)


@dataclass(frozen=True, slots=True)
class _Events:
    """Active inputs of one sample, or the spikes that a layer fired; see ``kernels.event_kernel``."""

    addresses: NDArray[np.uint16] | NDArray[np.int32]
    offsets: NDArray[np.int64]
    bits: int


class SpikingPass:
    """What one batch leaves in the layers for the way back. In here channels come last, but for the features."""

    def __init__(
        self,
        events: EventBatch,
        size: int,
        shapes: Sequence[tuple[int, int, int]],
        neuron: NeuronSpec,
        weights: Sequence[NDArray[np.int32]],
        window: int,
        interval: int,
    ) -> None:
        """size : height and width of the input. shapes : (C, h, w) of each layer. weights : (C', C, 3, 3) or (O, I) of
        each. window, interval : T and I of the accumulator."""
        self.events = events
        self.bits = size.bit_length() - 1
        self.window = window
        self.interval = interval
        self.maps = [(h, w, c) for c, h, w in shapes]
        self.weights = [self._turned(k, weight) for k, weight in enumerate(weights)]
        self.neuron = neuron
        self.threshold = np.int32(neuron.threshold_mantissa << kernels.WEIGHT_SHIFT)
        self.first = events.first_steps()
        self.traces: list[NDArray[np.int32]] = []
        self.spikes: list[list[_Events]] = []

    def _turned(self, layer: int, weight: NDArray[_Number]) -> NDArray[_Number]:
        """(C', C, 3, 3) as (C, 3, 3, C'); (O, C·h·w) as (O, h·w·C)."""
        if weight.ndim == 4:
            return np.ascontiguousarray(weight.transpose(1, 2, 3, 0))
        h, w, c = self.maps[layer - 1]
        return np.ascontiguousarray(weight.reshape(-1, c, h, w).transpose(0, 2, 3, 1)).reshape(len(weight), -1)

    def _turned_back(self, layer: int, weight: NDArray[np.float32]) -> NDArray[np.float32]:
        """What ``_turned`` turned."""
        if weight.ndim == 4:
            return np.ascontiguousarray(weight.transpose(3, 0, 1, 2))
        return np.ascontiguousarray(weight.reshape(-1, *self.maps[layer - 1]).transpose(0, 3, 1, 2)).reshape(
            len(weight), -1
        )

    def forward(self, keep: bool) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Features (B, C·T/I, h, w) and spikes (B, layers). keep : whether ``backward`` follows."""
        events, steps = self.events, self.events.steps
        keep_u = np.int32(kernels.DECAY_ONE - self.neuron.current_decay_bits)
        keep_v = np.int32(kernels.DECAY_ONE - self.neuron.voltage_decay_bits)
        h, w, c = self.maps[-1]
        features = np.zeros((events.samples, c, self.window // self.interval, h, w), np.float32)
        spikes = np.zeros((events.samples, len(self.maps)), np.float32)
        drives = [np.zeros((steps, *shape), np.int32) for shape in self.maps]
        self.traces = [_take((events.samples if keep else 1, steps, *shape)) for shape in self.maps]
        for b in range(events.samples):
            first = int(self.first[b])
            fired = [_Events(events.addresses, events.offsets[b], self.bits)]
            for layer, (drive, traces) in enumerate(zip(drives, self.traces, strict=True)):
                self._drive(layer, fired[-1], drive, first)
                flat = (steps, drive[0].size)
                trace = traces[b if keep else 0].reshape(flat)
                kernels.forward_layer(drive.reshape(flat), trace, first, keep_u, keep_v, self.threshold)
                fired.append(self._fired(layer, trace, first))
                spikes[b, layer] = fired[-1].offsets[-1]
            last = fired[-1]
            kernels.accumulate(last.addresses, last.offsets, last.bits, self.interval, features[b])
            if keep:
                self.spikes.append(fired)
        if not keep:
            self._forget()
        return features.reshape(events.samples, -1, h, w), spikes

    def _forget(self) -> None:
        _give_back(self.traces)
        self.traces, self.spikes = [], []

    def _fired(self, layer: int, trace: NDArray[np.int32], first: int) -> _Events:
        height, _, channels = self.maps[layer]
        bits = height.bit_length() - 1
        room = _take((trace.size,))
        offsets = np.empty(len(trace) + 1, np.int64)
        kernels.find_spikes(trace, self.threshold, channels, bits, first, room, offsets)
        fired = _Events(room[: offsets[-1]].copy(), offsets, bits)
        _give_back([room])
        return fired

    def backward(
        self,
        features: NDArray[np.float32],
        spikes: NDArray[np.float32],
        weights: list[NDArray[np.float32]],
    ) -> list[NDArray[np.float32]]:
        """Gradients of the weights from those of the features (B, C·T/I, h, w) and of the spikes (B, layers)."""
        events, steps = self.events, self.events.steps
        h, w, c = self.maps[-1]
        per_step = features.reshape(events.samples, c, self.window // self.interval, h, w)
        turned = [self._turned(k, weight) for k, weight in enumerate(weights)]
        result = [np.zeros_like(weight) for weight in turned]
        gradients = [np.empty((steps, *shape), np.float32) for shape in self.maps]
        convolved = [layer for layer in range(1, len(turned)) if turned[layer].ndim == 4]
        patches = _take((max((9 * gradients[k - 1].size // 4 for k in convolved), default=0),))
        for b in range(events.samples):
            first = int(self.first[b])
            for layer, gradient in enumerate(gradients):
                gradient[:] = spikes[b, layer]
            last = gradients[-1][steps - self.window :]
            last += np.repeat(per_step[b].transpose(1, 2, 3, 0), self.interval, axis=0)
            for layer in range(len(gradients) - 1, -1, -1):
                gradient = gradients[layer]
                self._through_neurons(self.traces[layer][b], gradient, first)
                before = self.spikes[b][layer]
                if turned[layer].ndim == 4:
                    gather = kernels.event_kernel(gradient.shape[3], gathers=True)
                    gather(before.addresses, before.offsets, before.bits, result[layer], gradient)
                else:
                    fired = _as_dense(before, self.maps[layer - 1], first)
                    result[layer] += (torch.from_numpy(gradient[first:]).flatten(1).t() @ fired).numpy()
                if layer:
                    _pass_back(gradient[first:], turned[layer], gradients[layer - 1][first:], patches)
        _give_back([patches])
        self._forget()
        return [self._turned_back(k, weight) for k, weight in enumerate(result)]

    def _drive(self, layer: int, fired: _Events, drive: NDArray[np.int32], first: int) -> None:
        """Adds what the layer before fired to the drive of this one."""
        weights = self.weights[layer]
        if weights.ndim == 4:
            scatter = kernels.event_kernel(weights.shape[3], gathers=False)
            scatter(fired.addresses, fired.offsets, fired.bits, weights, drive)
            return
        # Sums of even 8-bit weights over a few hundred inputs are exact in float32.
        dense = _as_dense(fired, self.maps[layer - 1], first)
        drive[first:, 0, 0, :] = (dense @ torch.from_numpy(weights).float().t()).numpy()

    def _through_neurons(self, trace: NDArray[np.int32], gradient: NDArray[np.float32], first: int) -> None:
        spec = self.neuron
        flat = (trace.shape[0], trace[0].size)
        tau = spec.tau_grad * spec.threshold * _TAU_FACTOR
        kernels.backward_layer(
            trace.reshape(flat),
            gradient.reshape(flat),
            first,
            np.float32(1 - spec.current_decay_bits / kernels.DECAY_ONE),
            np.float32(1 - spec.voltage_decay_bits / kernels.DECAY_ONE),
            self.threshold,
            np.float32(1 / tau),
            np.float32(spec.scale_grad * _SCALE_FACTOR / 2 / tau),
        )


def _as_dense(fired: _Events, shape: tuple[int, int, int], first: int) -> Tensor:
    """(n, h·w·C) float32 of 0 and 1 for the n steps from ``first`` on."""
    steps, channels = len(fired.offsets) - 1, shape[2]
    dense = np.zeros((steps, math.prod(shape)), np.float32)
    place = (fired.addresses & ((1 << (2 * fired.bits)) - 1)) * channels + (fired.addresses >> (2 * fired.bits))
    dense[np.repeat(np.arange(steps), np.diff(fired.offsets)), place] = 1
    return torch.from_numpy(dense[first:])


def _pass_back(
    gradient: NDArray[np.float32],
    weights: NDArray[np.float32],
    spike_gradient: NDArray[np.float32],
    room: NDArray[np.int32],
) -> None:
    """Adds to the gradient of the spikes before, (n, H, W, C), what comes back from that of the drive, (n, H', W', C').

    Every neuron passes something back, so this is a dense matrix product, in the layout that suits BLAS. room : memory
    for what each tap passes back; its content does not matter.
    """
    after = torch.from_numpy(gradient)
    if weights.ndim == 2:
        spike_gradient += (after.flatten(1) @ torch.from_numpy(weights)).numpy().reshape(spike_gradient.shape)
        return
    n, height, width, n_out = gradient.shape
    taps = torch.from_numpy(weights).flatten(0, 2).unflatten(0, (-1, 9)).transpose(0, 1).flatten(0, 1)
    patches = room[: n * height * width * len(taps)].view(np.float32)
    torch.mm(after.reshape(-1, n_out), taps.t(), out=torch.from_numpy(patches).view(-1, len(taps)))
    fold = kernels.fold_kernel(spike_gradient.shape[3])
    fold(patches.reshape(n, height, width, 3, -1), spike_gradient.reshape(n, 2 * height, -1))
