"""The spiking part of a network as one differentiable torch function over sparse events."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from spikebridge.datasets.event_batch import EventBatch
from spikebridge.training.spiking_neuron import WEIGHT_SCALE, NeuronSpec
from spikebridge.training.spiking_pass import SpikingPass


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
        of each layer at the start, in units of He's. dense : neurons of each dense layer after the convolutions."""
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


class _Context(Protocol):
    """What torch hands from the forward to the backward pass."""

    needs_input_grad: tuple[bool, ...]
    saved_tensors: tuple[Tensor, ...]
    spiking_pass: SpikingPass | None

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class _Stack(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: _Context, events: EventBatch, stack: SpikingStack, window: int, interval: int, *weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        integers = [_to_integers(weight) for weight in weights]
        run = SpikingPass(events, stack.size, stack.shapes, stack.neuron, integers, window, interval)
        keep = any(ctx.needs_input_grad)
        features, spikes = run.forward(keep)
        if keep:
            ctx.spiking_pass = run
            ctx.save_for_backward(*weights)
        return torch.from_numpy(features), torch.from_numpy(spikes)

    @staticmethod
    def backward(ctx: _Context, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.spiking_pass is None:
            raise ValueError("expected one backward pass for each forward pass, got another one")
        weights = [weight.detach().numpy() for weight in ctx.saved_tensors]
        features, spikes = (np.ascontiguousarray(gradient.numpy()) for gradient in gradients)
        result = ctx.spiking_pass.backward(features, spikes, weights)
        ctx.spiking_pass = None
        return (None, None, None, None, *(torch.from_numpy(gradient) for gradient in result))


def _to_integers(quantised: Tensor) -> NDArray[np.int32]:
    integers: NDArray[np.int32] = np.ascontiguousarray(
        torch.round(quantised.detach() * WEIGHT_SCALE).to(torch.int32).numpy()
    )
    return integers
