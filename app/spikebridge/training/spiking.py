"""The spiking part of a network as one differentiable torch function over sparse events."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spikebridge.training import kernels
from spikebridge.training.batch import EventBatch

#: SLAYER's factors on tau_grad and scale_grad of a CUBA neuron.
_TAU_FACTOR = 100.0
_SCALE_FACTOR = 0.1
#: SLAYER's weight scale: a threshold of 1 becomes the mantissa 64.
WEIGHT_SCALE = 64


@dataclass(frozen=True, slots=True)
class NeuronSpec:
    """CUBA neuron in SLAYER's parameters; decays are fractions per step, gradients as SLAYER scales them."""

    threshold: float = 1.0
    current_decay: float = 0.3
    voltage_decay: float = 0.25
    tau_grad: float = 0.01
    scale_grad: float = 10.0

    @property
    def current_decay_bits(self) -> int:
        """SLAYER's ``iDecay``; Loihi's ``du`` is one less."""
        return round(self.current_decay * kernels.DECAY_ONE)

    @property
    def voltage_decay_bits(self) -> int:
        """SLAYER's ``vDecay``, Loihi's ``dv``."""
        return round(self.voltage_decay * kernels.DECAY_ONE)

    @property
    def threshold_mantissa(self) -> int:
        """SLAYER's ``vThMant``."""
        return int(self.threshold * WEIGHT_SCALE)


def quantise(weight: Tensor) -> Tensor:
    """SLAYER's 8-bit weights with straight-through gradient: steps of 2/64 in [-256, 254]/64."""
    rounded = weight + (torch.round(weight * (WEIGHT_SCALE / 2)) * (2 / WEIGHT_SCALE) - weight).detach()
    return rounded.clamp(-256 / WEIGHT_SCALE, 254 / WEIGHT_SCALE)


class SpikingStack(nn.Module):
    """Spiking 3x3 stride-2 convolutions, then spiking dense layers, followed by the accumulator.

    The delay of one step per layer is left out: with it every output comes ``layers`` steps later and nothing else
    changes, both while streaming and in a window that is flushed by as many silent steps.
    """

    def __init__(
        self,
        channels: tuple[int, ...],
        size: int,
        neuron: NeuronSpec,
        gains: tuple[float, ...],
        seed: int,
        dense: tuple[int, ...] = (),
    ) -> None:
        """channels : of the input and of each convolution. size : height and width of the input. gains : weight scale
        of each layer at the start, in units of He's. dense : neurons of each dense layer behind the convolutions."""
        super().__init__()
        if size & (size - 1):
            raise ValueError(f"expected a power of two as size of the input, got {size}")
        self.channels = channels
        self.size = size
        self.neuron = neuron
        convolved = [(after, size >> (k + 1), size >> (k + 1)) for k, after in enumerate(channels[1:])]
        self.shapes: list[tuple[int, int, int]] = [*convolved, *((after, 1, 1) for after in dense)]
        generator = torch.Generator().manual_seed(seed)
        self.weights = nn.ParameterList()
        inputs = [math.prod(shape) for shape in self.shapes[len(convolved) - 1 :]]
        sizes = [(after, before, 3, 3) for before, after in pairwise(channels)]
        for shape, gain in zip([*sizes, *zip(dense, inputs, strict=False)], gains, strict=True):
            bound = gain * (6 / math.prod(shape[1:])) ** 0.5
            self.weights.append(nn.Parameter((torch.rand(shape, generator=generator) * 2 - 1) * bound))

    def integer_weights(self) -> list[NDArray[np.int32]]:
        """(C', C, 3, 3) or (O, I) even integers of each layer: what Loihi gets."""
        return [_to_integers(quantise(weight)) for weight in self.weights]

    def forward(self, events: EventBatch, window: int, interval: int) -> tuple[Tensor, Tensor]:
        """Features (B, C·T/I, h, w) of the last ``window`` steps, counts as float32, and spikes (B, layers)."""
        quantised = [quantise(weight) for weight in self.weights]
        result: tuple[Tensor, Tensor] = _Stack.apply(events, self, window, interval, *quantised)
        return result


class _Stack(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, events: EventBatch, stack: SpikingStack, window: int, interval: int, *weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        run = _Run(events, stack, window, interval, [_to_integers(weight) for weight in weights])
        keep = any(ctx.needs_input_grad)
        features, spikes = run.forward(keep)
        if keep:
            ctx.run = run
            ctx.save_for_backward(*weights)
        return torch.from_numpy(features), torch.from_numpy(spikes)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        weights = [weight.detach().numpy() for weight in ctx.saved_tensors]
        features, spikes = (np.ascontiguousarray(gradient.numpy()) for gradient in gradients)
        result = ctx.run.backward(features, spikes, weights)
        ctx.run = None
        return (None, None, None, None, *(torch.from_numpy(gradient) for gradient in result))


class _Run:
    """One batch through the stack: scratch arrays and the traces that the backward pass needs."""

    def __init__(
        self,
        events: EventBatch,
        stack: SpikingStack,
        window: int,
        interval: int,
        weights: list[NDArray[np.int32]],
    ) -> None:
        self.events = events
        self.bits = stack.size.bit_length() - 1
        self.window = window
        self.interval = interval
        self.weights = weights
        self.neuron = stack.neuron
        self.threshold = np.int32(stack.neuron.threshold_mantissa << kernels.WEIGHT_SHIFT)
        self.first = events.first_steps()
        self.shapes = stack.shapes
        self.traces: list[NDArray[np.int32]] = []

    def forward(self, keep: bool) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        events, steps = self.events, self.events.steps
        keep_u = np.int32(kernels.DECAY_ONE - self.neuron.current_decay_bits)
        keep_v = np.int32(kernels.DECAY_ONE - self.neuron.voltage_decay_bits)
        intervals = self.window // self.interval
        c, h, w = self.shapes[-1]
        features = np.zeros((events.samples, c, intervals, h, w), np.float32)
        spikes = np.zeros((events.samples, len(self.shapes)), np.float32)
        drives = [np.zeros((steps, *shape), np.int32) for shape in self.shapes]
        traces = [np.empty((events.samples if keep else 1, steps, *shape), np.int32) for shape in self.shapes]
        for b in range(events.samples):
            first = int(self.first[b])
            for layer, (drive, weights) in enumerate(zip(drives, self.weights, strict=True)):
                trace = traces[layer][b if keep else 0]
                if layer == 0:
                    kernels.drive_from_events(events.addresses, events.offsets[b], weights, drive, self.bits)
                else:
                    self._drive(traces[layer - 1][b if keep else 0], weights, drive, first)
                flat = (steps, drive[0].size)
                kernels.forward_layer(drive.reshape(flat), trace.reshape(flat), first, keep_u, keep_v, self.threshold)
                if layer < len(drives) - 1:
                    spikes[b, layer] = np.count_nonzero(trace[first:] > self.threshold)
            spikes[b, -1] = kernels.count_spikes(trace, self.threshold, self.interval, features[b], first)
        self.traces = traces if keep else []
        return features.reshape(events.samples, c * intervals, h, w), spikes

    def backward(
        self,
        features: NDArray[np.float32],
        spikes: NDArray[np.float32],
        weights: list[NDArray[np.float32]],
    ) -> list[NDArray[np.float32]]:
        """Gradients of the weights from those of the features (B, C·T/I, h, w) and of the spikes (B, layers)."""
        events, steps = self.events, self.events.steps
        c, h, w = self.shapes[-1]
        per_step = features.reshape(events.samples, c, self.window // self.interval, h, w)
        result = [np.zeros_like(weight) for weight in weights]
        gradients = [np.empty((steps, *shape), np.float32) for shape in self.shapes]
        for b in range(events.samples):
            first = int(self.first[b])
            for layer, gradient in enumerate(gradients):
                gradient[:] = spikes[b, layer]
            last = gradients[-1][steps - self.window :]
            last += np.repeat(per_step[b].transpose(1, 0, 2, 3), self.interval, axis=0)
            for layer in range(len(gradients) - 1, -1, -1):
                gradient = gradients[layer]
                self._through_neurons(self.traces[layer][b], gradient, first)
                if layer == 0:
                    kernels.weights_from_events(events.addresses, events.offsets[b], gradient, result[0], self.bits)
                    continue
                self._through_synapses(
                    self.traces[layer - 1][b], gradient[first:], weights[layer], result[layer], gradients[layer - 1]
                )
        return result

    def _drive(
        self, before: NDArray[np.int32], weights: NDArray[np.int32], drive: NDArray[np.int32], first: int
    ) -> None:
        """Spikes of the layer before, as its voltages, to the drive of this one."""
        if weights.ndim == 4:
            kernels.drive_from_spikes(before, self.threshold, weights, drive, first)
            return
        # Sums of even 8-bit weights over a few hundred inputs are exact in float32.
        drive[first:, :, 0, 0] = (self._fired(before, first) @ torch.from_numpy(weights).float().t()).numpy()

    def _through_synapses(
        self,
        before: NDArray[np.int32],
        gradient: NDArray[np.float32],
        weights: NDArray[np.float32],
        weight_gradient: NDArray[np.float32],
        spike_gradient: NDArray[np.float32],
    ) -> None:
        """Adds to the gradients of the weights and of the spikes before; ``gradient`` (n, C', h, w) of the last steps.

        Every neuron passes something on, so what goes back is a dense matrix product, in the layout that suits BLAS.
        """
        first = len(before) - len(gradient)
        after = torch.from_numpy(gradient)
        if weights.ndim == 2:
            weight_gradient += (after.flatten(1).t() @ self._fired(before, first)).numpy()
            spike_gradient[first:] += (
                (after.flatten(1) @ torch.from_numpy(weights)).numpy().reshape(before[first:].shape)
            )
            return
        kernels.weights_from_spikes(before, self.threshold, gradient, weight_gradient, first)
        n, n_out, height, width = gradient.shape
        patches = torch.from_numpy(weights).flatten(1).t() @ after.transpose(0, 1).reshape(n_out, -1)
        kernels.fold(patches.numpy().reshape(-1, 3, 3, n, height, width), spike_gradient, first)

    def _fired(self, trace: NDArray[np.int32], first: int) -> Tensor:
        """(n, neurons) float32 of 0 and 1 from ``first`` on."""
        return torch.from_numpy((trace[first:] > self.threshold).astype(np.float32)).flatten(1)

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


def _to_integers(quantised: Tensor) -> NDArray[np.int32]:
    integers: NDArray[np.int32] = np.ascontiguousarray(
        torch.round(quantised.detach() * WEIGHT_SCALE).to(torch.int32).numpy()
    )
    return integers
