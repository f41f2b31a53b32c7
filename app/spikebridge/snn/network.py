"""The spiking network as Loihi knows it: integer weights, decays, thresholds and biases.

Arrays are (channels, height, width) outside; a dense layer sees its input flattened in that order and gives (O, 1, 1).
Whatever is built here is checked: a ``Network`` that exists can be run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError

Shape: TypeAlias = tuple[int, int, int]
Pair: TypeAlias = tuple[int, int]
Weights: TypeAlias = NDArray[np.int32]


def refuse(layer: str, field: str, expected: str, found: object) -> NoReturn:
    """Ends the reading of a network with one sentence."""
    raise InputError(f"spiking network, {layer}: expected {field} to be {expected}, found {found}.")


@dataclass(frozen=True, slots=True)
class Neuron:
    """Parameters of Loihi's current-based leaky integrate-and-fire neuron, shared by a layer.

    current_decay : ``iDecay`` of lava-dl, 1…4096 in 1/4096; the chip holds it less one (its offset bit is set).
    voltage_decay : ``vDecay``, 0…4095 in 1/4096. threshold : mantissa ``vThMant``, 0…131071, in units of 64.
    """

    current_decay: int
    voltage_decay: int
    threshold: int

    def check(self, layer: str) -> None:
        _within(layer, "neuron/iDecay", self.current_decay, 1, 4096, " (12 bits after the chip's offset of one)")
        _within(layer, "neuron/vDecay", self.voltage_decay, 0, 4095, " (12 bits)")
        _within(layer, "neuron/vThMant", self.threshold, 0, (1 << 17) - 1, " (17 bits)")


@dataclass(frozen=True, eq=False)
class Layer:
    """What both kinds of layer have.

    name : for messages and figures. weight : int32, read-only. bias : (O,) int32 mantissa in units of 64, or None.
    """

    name: str
    weight: Weights
    neuron: Neuron
    bias: NDArray[np.int32] | None

    @property
    def channels(self) -> int:
        return int(self.weight.shape[0])

    def __post_init__(self) -> None:
        for field in ("weight", "bias"):
            if (value := getattr(self, field)) is not None:
                object.__setattr__(self, field, whole_numbers(self.name, field, value))
        if self.weight.size == 0:
            refuse(self.name, "weight", "an array with at least one value", f"shape {self.weight.shape}")
        _check_weights(self.name, self.weight)
        self.neuron.check(self.name)
        if self.bias is not None:
            if self.bias.shape != (self.channels,):
                refuse(self.name, "bias", f"of shape ({self.channels},)", self.bias.shape)
            for value in (int(self.bias.min()), int(self.bias.max())):
                _within(self.name, "bias", value, -4096, 4095, " (13 bits, signed)")

    def output_shape(self, input_shape: Shape) -> Shape:
        """Shape of the spikes for an input of ``input_shape``; refuses what does not fit."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Conv(Layer):
    """Convolution; weight (O, I/groups, kh, kw), pairs are (vertical, horizontal), as PyTorch's ``conv2d``."""

    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1

    def __post_init__(self) -> None:
        if self.weight.ndim != 4:
            refuse(self.name, "weight", "of shape (O, I/groups, kh, kw)", self.weight.shape)
        super().__post_init__()
        for field, low in (("stride", 1), ("padding", 0), ("dilation", 1)):
            for value in getattr(self, field):
                _within(self.name, field, value, low, 127)
        if self.groups < 1 or self.channels % self.groups:
            refuse(self.name, "groups", f"a divisor of {self.channels} output channels", self.groups)

    def output_shape(self, input_shape: Shape) -> Shape:
        if (found := self.weight.shape[1] * self.groups) != input_shape[0]:
            refuse(self.name, "weight", f"for {input_shape[0]} input channels", f"{found} (shape {self.weight.shape})")
        size = []
        for axis in (0, 1):
            reach = self.dilation[axis] * (self.weight.shape[2 + axis] - 1) + 1
            space = input_shape[1 + axis] + 2 * self.padding[axis] - reach
            if space < 0:
                refuse(self.name, "kernel", f"at most {space + reach} px on axis {'yx'[axis]}", reach)
            size.append(space // self.stride[axis] + 1)
        return (self.channels, size[0], size[1])


@dataclass(frozen=True, eq=False)
class Dense(Layer):
    """Fully connected; weight (O, I) over the flattened input."""

    def __post_init__(self) -> None:
        if self.weight.ndim != 2:
            refuse(self.name, "weight", "of shape (O, I)", self.weight.shape)
        super().__post_init__()

    def output_shape(self, input_shape: Shape) -> Shape:
        if self.weight.shape[1] != (found := int(np.prod(input_shape))):
            refuse(self.name, "weight", f"for {found} inputs of {input_shape}", f"shape {self.weight.shape}")
        return (self.channels, 1, 1)


@dataclass(frozen=True, eq=False)
class Network:
    """Spiking layers from input to output. ``shapes[k]`` is the input of layer k, ``shapes[-1]`` the output."""

    input_shape: Shape
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if len(self.input_shape) != 3 or min(self.input_shape) < 1:
            refuse("input", "shape", "three positive integers (C, H, W)", self.input_shape)
        if not self.layers:
            refuse("network", "layers", "at least one", "none")
        object.__setattr__(self, "_shapes", self._walk())

    def _walk(self) -> tuple[Shape, ...]:
        shapes = [self.input_shape]
        for layer in self.layers:
            shapes.append(layer.output_shape(shapes[-1]))
        return tuple(shapes)

    @property
    def shapes(self) -> tuple[Shape, ...]:
        shapes: tuple[Shape, ...] = self._shapes  # type: ignore[attr-defined]
        return shapes

    @property
    def output_shape(self) -> Shape:
        return self.shapes[-1]

    @property
    def neurons(self) -> tuple[int, ...]:
        """Neurons of each layer."""
        return tuple(int(np.prod(shape)) for shape in self.shapes[1:])

    def __eq__(self, other: object) -> bool:
        """Same arithmetic; the layers' names do not count."""
        if not isinstance(other, Network):
            return NotImplemented
        return (
            self.input_shape == other.input_shape
            and len(self.layers) == len(other.layers)
            and all(map(_same_layer, self.layers, other.layers))
        )

    __hash__ = None  # type: ignore[assignment]


def _same_layer(one: Layer, two: Layer) -> bool:
    biases = [np.zeros(layer.channels, np.int32) if layer.bias is None else layer.bias for layer in (one, two)]
    geometry = [
        (layer.stride, layer.padding, layer.dilation, layer.groups) if isinstance(layer, Conv) else None
        for layer in (one, two)
    ]
    return (
        type(one) is type(two)
        and one.neuron == two.neuron
        and geometry[0] == geometry[1]
        and np.array_equal(one.weight, two.weight)
        and np.array_equal(biases[0], biases[1])
    )


def _within(layer: str, field: str, value: int, low: int, high: int, why: str = "") -> None:
    if not low <= value <= high:
        refuse(layer, field, f"in {low}…{high}{why}", value)


def whole_numbers(layer: str, field: str, values: NDArray[np.generic] | Sequence[int]) -> Weights:
    """As int32, read-only; refuses anything else."""
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        refuse(layer, field, "numbers", f"type {array.dtype}")
    with np.errstate(invalid="ignore"):
        whole = array.astype(np.int64)
    if not np.array_equal(whole, array):
        refuse(layer, field, "whole numbers (a quantised network)", f"{array[whole != array].flat[0]}")
    if whole.size and (whole.max() > 1 << 30 or whole.min() < -(1 << 30)):
        refuse(layer, field, "small integers", f"{whole.min()}…{whole.max()}")
    result = np.ascontiguousarray(whole, np.int32)
    result.setflags(write=False)
    return result


def _check_weights(layer: str, weight: Weights) -> None:
    """Loihi stores 8 bits: sign and 7 bits of even weights, or 8 bits of one sign. As in lava-dl, weights without a
    positive one count as of one sign only where none is zero."""
    low, high = int(weight.min()), int(weight.max())
    if low < -256 or high > 255:
        refuse(layer, "weight", "in -256…254 (8 bits)", f"{low}…{high}")
    one_sign = low >= 0 or -256 < low <= high < 0
    if not one_sign and (odd := weight[weight % 2 != 0]).size:
        refuse(layer, "weight", "even where signs are mixed (8 bits with sign)", f"{odd.size} odd, such as {odd[0]}")
