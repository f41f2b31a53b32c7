"""The fused layers against the formulas, the emulator, and SLAYER's gradient written in plain torch."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the train extra (torch)")

from spikebridge.datasets.event_batch import EventBatch  # noqa: E402
from spikebridge.training.spiking_layers import SpikingStack, quantise  # noqa: E402
from spikebridge.training.spiking_neuron import NeuronSpec  # noqa: E402
from standin_clips import random_batch  # noqa: E402


class Spike(torch.autograd.Function):
    """SLAYER's spike: a step forwards, an exponential backwards."""

    @staticmethod
    def forward(ctx, voltage, scale, tau):
        ctx.save_for_backward(voltage)
        ctx.constants = scale, tau
        return (voltage > 1).to(voltage.dtype)

    @staticmethod
    def backward(ctx, gradient):
        (voltage,) = ctx.saved_tensors
        scale, tau = ctx.constants
        slope = scale / 2 / tau * torch.exp(-torch.abs(voltage - 1 - 0.01 / 4096) / tau)
        return gradient * slope, None, None


class Leak(torch.autograd.Function):
    """SLAYER's leaky integrator in integers: reset forwards, linear backwards."""

    @staticmethod
    def forward(ctx, drive, decay, threshold):
        ctx.decay = decay
        state = torch.zeros_like(drive[:, 0], dtype=torch.int64)
        result = torch.empty_like(drive)
        for step in range(drive.shape[1]):
            kept = torch.sign(state) * ((state.abs() * (4096 - decay)) >> 12)
            state = kept + torch.round(drive[:, step] * 4096).to(torch.int64)
            result[:, step] = state / 4096
            if threshold is not None:
                state = torch.where(state > threshold * 4096, torch.zeros_like(state), state)
        return result

    @staticmethod
    def backward(ctx, gradient):
        result = torch.empty_like(gradient)
        carried = torch.zeros_like(gradient[:, 0])
        for step in range(gradient.shape[1] - 1, -1, -1):
            carried = carried * (1 - ctx.decay / 4096) + gradient[:, step]
            result[:, step] = carried
        return result, None, None


def reference(stack: SpikingStack, events: EventBatch, window: int, interval: int):
    """The same stack in plain torch, in double precision: (features, spikes)."""
    spec = stack.neuron
    spikes = torch.from_numpy(events.counts((2, stack.size, stack.size))).double()
    fired = []
    for weight in stack.weights:
        samples, steps = spikes.shape[:2]
        if weight.ndim == 4:
            drive = torch.nn.functional.conv2d(spikes.flatten(0, 1), quantise(weight).double(), stride=2, padding=1)
        else:
            drive = (spikes.flatten(0, 1).flatten(1) @ quantise(weight).double().t())[..., None, None]
        current = Leak.apply(drive.unflatten(0, (samples, steps)), spec.current_decay_bits, None)
        voltage = Leak.apply(current, spec.voltage_decay_bits, spec.threshold)
        spikes = Spike.apply(voltage, spec.scale_grad * 0.1, spec.tau_grad * 100 * spec.threshold)
        fired.append(spikes.flatten(1).sum(1))
    counted = spikes[:, -window:].unflatten(1, (window // interval, interval)).sum(2)
    return counted.transpose(1, 2).flatten(1, 2), torch.stack(fired, 1)


@pytest.mark.parametrize(("layers", "dense"), [(1, ()), (2, ()), (4, ()), (6, (24, 11))])
def test_forward_is_exact_and_gradients_agree(layers, dense):
    channels = (2, 4, 8, 16, 32, 64, 128)[: layers + 1]
    stack = SpikingStack(channels, 128, NeuronSpec(), (1.5,) * (layers + len(dense)), 3, dense)
    events = random_batch(3, 20, 500)
    features, spikes = stack(events, 16, 4)
    expected, expected_spikes = reference(stack, events, 16, 4)
    assert features.sum() > 50
    assert torch.equal(features.double(), expected)
    assert torch.equal(spikes.double(), expected_spikes)
    mixing = torch.from_numpy(np.random.default_rng(0).normal(size=features.shape)).float()
    found = torch.autograd.grad((features * mixing).sum() + spikes.sum() * 0.1, list(stack.weights))
    wanted = torch.autograd.grad((expected * mixing).sum() + expected_spikes.sum() * 0.1, list(stack.weights))
    for one, other in zip(found, wanted, strict=True):
        assert torch.allclose(one, other.float(), rtol=1e-4, atol=1e-4 * float(other.abs().max()))


def test_a_silent_start_is_a_reset():
    stack = SpikingStack((2, 4, 8), 128, NeuronSpec(), (1.5, 1.5), seed=0)
    events = random_batch(2, 8, 400)
    padded = EventBatch(events.addresses, np.concatenate([events.offsets[:, :1].repeat(5, 1), events.offsets], 1))
    with torch.no_grad():
        assert torch.equal(stack(events, 8, 4)[0], stack(padded, 8, 4)[0])


def test_weights_are_even_and_clamped_without_gradient_outside():
    weight = torch.tensor([0.0, 0.017, -5.0, 3.99, 1.0], requires_grad=True)
    quantised = quantise(weight)
    assert (quantised * 64).tolist() == [0, 2, -256, 254, 64]
    quantised.sum().backward()
    assert weight.grad.tolist() == [1, 1, 0, 0, 1]


def test_no_event_at_all_gives_zero_features_and_gradients():
    stack = SpikingStack((2, 4), 128, NeuronSpec(), (1.0,), seed=0)
    events = EventBatch(np.zeros(0, np.uint16), np.zeros((2, 9), np.int64))
    features, spikes = stack(events, 8, 4)
    (features.sum() + spikes.sum()).backward()
    assert not features.any()
    assert not stack.weights[0].grad.any()
