"""Random spiking networks with input, over the whole range of their parameters; the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikebridge.snn.network import Conv, Dense, Layer, Network, Neuron

#: How weights and thresholds are drawn. ``extreme``: weights at the ends of their range, decays from none to all and
#: constant input, so that currents wrap and voltages clip. ``single``: one sign, odd values allowed.
STYLES = ("lively", "extreme", "single", "whole")
INPUTS = ("sparse", "empty", "saturated", "burst", "graded")


@dataclass(frozen=True)
class Case:
    """A network and its input. name : for files and messages. counts : (T, C, H, W) uint8. graded : see Emulator."""

    name: str
    network: Network
    counts: NDArray[np.uint8]
    graded: bool


def random_case(seed: int, steps: int = 14) -> Case:
    rng = np.random.default_rng(seed)
    style, kind = STYLES[seed % 4], INPUTS[seed // 4 % 5]
    shape = (int(rng.integers(1, 5)), int(rng.integers(5, 12)), int(rng.integers(5, 12)))
    layers: list[Layer] = []
    wanted = int(rng.integers(1, 7))
    current = shape
    flat = False
    while len(layers) < wanted:
        flat = flat or current[1:] == (1, 1) or rng.random() < 0.15
        name = f"{len(layers)}"
        layer = _dense(rng, name, current, style) if flat else _conv(rng, name, current, style)
        layers.append(layer)
        current = layer.output_shape(current)
    return Case(f"{seed:03}", Network(shape, tuple(layers)), _counts(rng, kind, (steps, *shape)), kind == "graded")


def _conv(rng: np.random.Generator, name: str, shape: tuple[int, int, int], style: str) -> Conv:
    padding = (int(rng.integers(0, 3)), int(rng.integers(0, 3)))
    kernel = tuple(int(rng.integers(1, min(5, shape[1 + a] + 2 * padding[a]) + 1)) for a in (0, 1))
    groups = 2 if shape[0] % 2 == 0 and rng.random() < 0.2 else 1
    dilation = tuple(
        2 if rng.random() < 0.15 and 2 * (kernel[a] - 1) + 1 <= shape[1 + a] + 2 * padding[a] else 1 for a in (0, 1)
    )
    channels = groups * int(rng.choice([1, 2, 3, 4, 8, 16, 32] if groups == 1 else [1, 2, 4]))
    fan_in = shape[0] // groups * kernel[0] * kernel[1]
    return Conv(
        name,
        _weights(rng, (channels, shape[0] // groups, *kernel), style),
        _neuron(rng, style, fan_in),
        _bias(rng, channels, style),
        stride=(int(rng.integers(1, 3)), int(rng.integers(1, 3))),
        padding=padding,
        dilation=(dilation[0], dilation[1]),
        groups=groups,
    )


def _dense(rng: np.random.Generator, name: str, shape: tuple[int, int, int], style: str) -> Dense:
    inputs = int(np.prod(shape))
    outputs = int(rng.integers(1, 33))
    return Dense(name, _weights(rng, (outputs, inputs), style), _neuron(rng, style, inputs), _bias(rng, outputs, style))


def _weights(rng: np.random.Generator, shape: tuple[int, ...], style: str) -> NDArray[np.int64]:
    if style == "extreme":
        weights = rng.choice([-256, 254], shape, p=rng.permutation([0.1, 0.9]))
    elif style == "single":
        scale = 2 ** int(rng.integers(0, 8))
        size = rng.integers(0, 256, shape) // scale * int(rng.choice([1, scale]))
        weights = int(rng.choice([1, 1, -1])) * size * (rng.random(shape) < 0.5)
        if weights.max() <= 0:
            weights = np.minimum(weights, -1) if rng.random() < 0.5 else weights // 2 * 2
    else:
        weights = 2 * rng.integers(-128 if style == "whole" else -40, 128 if style == "whole" else 56, shape)
    weights.flat[0] = weights.flat[0] or (-2 if weights.max() <= 0 else 2)
    return weights


def _neuron(rng: np.random.Generator, style: str, fan_in: int) -> Neuron:
    if style == "lively":
        return Neuron(int(rng.integers(400, 3500)), int(rng.integers(200, 3500)), int(rng.integers(20, 200)))
    if style == "extreme":
        return Neuron(
            int(rng.choice([1, 2, 4096, rng.integers(1, 4097)], p=[0.4, 0.3, 0.1, 0.2])),
            int(rng.choice([0, 1, 4095, rng.integers(0, 4096)])),
            int(rng.choice([0, 1, 5000, 131071])),
        )
    return Neuron(
        int(rng.integers(1, 4097)), int(rng.integers(0, 4096)), int(rng.choice([0, 64, rng.integers(0, 131072)]))
    )


def _bias(rng: np.random.Generator, channels: int, style: str) -> NDArray[np.int64] | None:
    if rng.random() < 0.5:
        return None
    reach = 4096 if style in ("extreme", "whole") else 60
    return rng.integers(-reach, reach, channels)


def _counts(rng: np.random.Generator, kind: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    if kind == "empty":
        return np.zeros(shape, np.uint8)
    if kind == "saturated":
        return np.full(shape, 255 if rng.random() < 0.5 else 1, np.uint8)
    if kind == "graded":
        return (rng.integers(0, 256, shape) * (rng.random(shape) < 0.3)).astype(np.uint8)
    density = 0.08 if kind == "sparse" else 0.5
    counts = (rng.random(shape) < density) * rng.integers(1, 4, shape)
    if kind == "burst":
        counts[3:] = 0
    return counts.astype(np.uint8)
