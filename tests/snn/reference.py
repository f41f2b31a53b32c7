"""Loihi's arithmetic written down again, plainly: int64, one neuron model, dense convolution by definition."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikebridge.snn.network import Conv, Layer, Network

Ints = NDArray[np.int64]


class Reference:
    """The network step by step; ``spikes``, ``u`` and ``v`` hold each layer's (C, H, W) after the last step."""

    def __init__(self, network: Network, graded: bool) -> None:
        self.network, self.graded = network, graded
        self.received, self.u, self.v = ([np.zeros(s, np.int64) for s in network.shapes[1:]] for _ in range(3))
        self.spikes = [np.zeros(s, np.int64) for s in network.shapes[1:]]

    def step(self, counts: NDArray[np.uint8]) -> Ints:
        for k, layer in enumerate(self.network.layers):
            self.u[k], self.v[k], self.spikes[k] = advance(layer, self.u[k], self.v[k], self.received[k])
        sent = [counts.astype(np.int64) if self.graded else (counts > 0).astype(np.int64), *self.spikes[:-1]]
        self.received = [
            synapse(layer, spikes, shape)
            for layer, spikes, shape in zip(self.network.layers, sent, self.network.shapes[1:], strict=True)
        ]
        return self.spikes[-1]


def refer(network: Network, inputs: NDArray[np.uint8], graded: bool) -> dict[str, Ints]:
    """Spikes, u<k> and v<k> over time, as ``comparison.emulate`` gives them."""
    reference = Reference(network, graded)
    series: dict[str, list[Ints]] = {}
    for counts in inputs:
        series.setdefault("spikes", []).append(reference.step(counts).copy())
        for k in range(len(network.layers)):
            series.setdefault(f"u{k}", []).append(reference.u[k].copy())
            series.setdefault(f"v{k}", []).append(reference.v[k].copy())
    return {name: np.stack(values) for name, values in series.items()}


def advance(layer: Layer, u: Ints, v: Ints, received: Ints) -> tuple[Ints, Ints, Ints]:
    neuron = layer.neuron
    u = np.sign(u) * (np.abs(u) * (4096 - neuron.current_decay) // 4096) + received * 64
    u = np.where(u > 2**23, u - 2**24, np.where(u <= -(2**23), u + 2**24, u))
    bias = 0 if layer.bias is None else layer.bias.astype(np.int64)[:, None, None] * 64
    v = np.sign(v) * (np.abs(v) * (4096 - neuron.voltage_decay) // 4096) + u + bias
    v = np.clip(v, -(2**23) + 1, 2**23 - 1)
    spikes = v > neuron.threshold * 64
    return u, np.where(spikes, 0, v), spikes.astype(np.int64)


def synapse(layer: Layer, spikes: Ints, shape: tuple[int, int, int]) -> Ints:
    if not isinstance(layer, Conv):
        return dense_sum(layer.weight.astype(np.int64), spikes.reshape(-1)).reshape(shape)
    (py, px), (sy, sx), (dy, dx) = layer.padding, layer.stride, layer.dilation
    padded = np.pad(spikes, ((0, 0), (py, py), (px, px)))
    result: Any = np.zeros(shape, np.int64)
    inputs, outputs = layer.weight.shape[1], layer.channels // layer.groups
    for o in range(layer.channels):
        first = o // outputs * inputs
        for i in range(inputs):
            for ky in range(layer.weight.shape[2]):
                for kx in range(layer.weight.shape[3]):
                    rows = slice(ky * dy, ky * dy + sy * (shape[1] - 1) + 1, sy)
                    columns = slice(kx * dx, kx * dx + sx * (shape[2] - 1) + 1, sx)
                    result[o] += int(layer.weight[o, i, ky, kx]) * padded[first + i, rows, columns]
    return (result + 2**23) % 2**24 - 2**23


def dense_sum(weight: Ints, spikes: Ints) -> Ints:
    """Step by step as lava-dl prepares a dense layer's weights and Lava's synapse stores and adds them."""
    stored, shift = stored_weights(weight)
    return (stored @ spikes) >> shift


def keeps_its_weights(layer: Layer) -> bool:
    """False for the dense layers of which Lava's synapses drop bits: odd weights of one sign, mostly."""
    if isinstance(layer, Conv):
        return True
    weight = layer.weight.astype(np.int64)
    stored, shift = stored_weights(weight)
    return bool((stored == weight << shift).all())


def stored_weights(weight: Ints) -> tuple[Ints, int]:
    """What Lava's synapse holds, and by how many bits it is shifted up."""
    low, high = weight.min(), weight.max()
    if low == high == 0:
        return weight, 0
    signed = not (high < 0 or low >= 0)
    with np.errstate(divide="ignore"):
        if signed:
            scale = min(np.float64(127) / high, np.float64(-128) / low)
        else:
            scale = np.float64(255) / high if low >= 0 else np.float64(-256) / low
    shift = int(np.floor(np.log2(scale))) + signed
    factor = max(n for n in range(9) if not (weight % 2**n).any())
    bits = 8 - shift - (factor - signed)
    stored = weight * 2**shift
    mixed = low < 0 < high
    drop = 2 ** (8 - bits + mixed)
    if high <= 0 and low < 0:
        stored = -(np.clip(-stored, 0, 255) // drop * drop)
    else:
        stored = np.clip(stored, -256 if mixed else 0, 255) // drop * drop
    return stored, shift
