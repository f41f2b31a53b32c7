"""Loihi's spiking layers on the host, bit for bit as Lava's fixed-point models compute them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import Counts, LayerActivity, SnnActivity, Spikes
from spikebridge.snn.network import Conv, Layer, Network, Shape
from spikebridge.snn.synapses import as_kernel, stored_weights, taps

_Table = NDArray[np.int64]
_State = NDArray[np.int32]


class Emulator:
    """An ``SnnStage``. ``step`` t returns what a receiver behind Lava's network sees in step t: an input of step t
    reaches the output in step t + n_layers.

    graded : counts multiply the weights, as with ``input_message_bits=8`` in lava-dl; otherwise any count is one spike.
    """

    def __init__(self, network: Network, graded: bool = True) -> None:
        from spikebridge.snn import kernels

        self.network = network
        self.name = "Loihi emulator"
        self._graded = graded
        self._step = kernels.step
        self._plan, self._weights, self._starts, self._pairs = _compile(network, kernels)
        total = int(self._plan[-1, kernels.BASE] + _padded(int(self._plan[-1, kernels.SIZE]), kernels.BLOCK))
        self._received, self._current, self._voltage, self._bias = np.zeros((4, total), np.int32)
        for row, layer, size in zip(self._plan, network.layers, network.neurons, strict=True):
            if layer.bias is not None:
                first = row[kernels.BASE]
                self._bias[first : first + size] = np.tile(layer.bias << 6, size // layer.channels)
        self._biased = (self._bias.reshape(-1, kernels.BLOCK) != 0).any(1).astype(np.uint8)
        self._awake = self._biased.copy()
        self._fired = np.zeros(kernels.BLOCK, np.uint8)
        self._spikes = np.zeros(max(network.neurons), np.int32)
        self._counters = np.zeros((len(network.layers), 4), np.int64)
        self._words = np.zeros(-(-int(np.prod(network.input_shape)) // 8), np.uint64)
        self._counts = self._words.view(np.uint8)[: int(np.prod(network.input_shape))].reshape(network.input_shape)
        self._steps = self._events = 0

    def step(self, counts: Counts) -> Spikes:
        """One time step: (C, H, W) uint8 in, (C', H', W') uint8 of 0 and 1 out."""
        if counts.shape != self.network.input_shape or counts.dtype != np.uint8:
            raise ValueError(f"expected {self.network.input_shape} uint8, got {counts.shape} {counts.dtype}")
        np.copyto(self._counts, counts)
        output = np.zeros(self.network.output_shape, np.uint8)
        self._events += self._step(
            self._words, *self.network.input_shape[1:], self._graded, self._plan, self._counters, self._received,
            self._current, self._voltage, self._bias, self._awake, self._weights, self._starts, self._pairs,
            self._spikes, self._fired, output.reshape(-1),
        )  # fmt: skip
        self._steps += 1
        return output

    def reset(self) -> None:
        """Clears currents, voltages and what is on its way between layers."""
        for state in (self._received, self._current, self._voltage):
            state.fill(0)
        self._awake[:] = self._biased

    def state(self, layer: int) -> tuple[_State, _State]:
        """Currents and voltages of a layer after the last step, both (C, H, W) int32."""
        first = int(self._plan[layer, 0])
        c, h, w = self.network.shapes[layer + 1]
        current, voltage = (
            state[first : first + c * h * w].reshape(h, w, c).transpose(2, 0, 1).copy()
            for state in (self._current, self._voltage)
        )
        return current, voltage

    @property
    def overflows(self) -> int:
        """How often a neuron received more than the chip's accumulator of 21 bits and sign holds. The results are then
        Lava's, not the chip's."""
        return int(self._counters[:, 3].sum())

    def activity(self) -> SnnActivity:
        """Counts since the emulator was built. A neuron update is one of a neuron that does not rest: current, voltage,
        input or bias is not zero. A synaptic event is one synapse of the fan-out of one input event or spike."""
        return SnnActivity(
            steps=self._steps,
            input_events=self._events,
            layers=tuple(
                LayerActivity(layer.name, neurons, int(events), int(updates), int(spikes))
                for layer, neurons, (events, updates, spikes, _) in zip(
                    self.network.layers, self.network.neurons, self._counters.tolist(), strict=True
                )
            ),
        )

    def close(self) -> None:
        """Nothing to release."""


def _padded(size: int, block: int) -> int:
    return -(-size // block) * block


def _compile(network: Network, kernels: Any) -> tuple[_Table, _State, _State, _State]:
    """The layers as the tables that ``kernels.step`` walks: plan, weights, starts and pairs."""
    plan = np.zeros((len(network.layers), kernels.PLAN_COLUMNS), np.int64)
    weights: list[_State] = []
    starts: list[_State] = []
    pairs: list[_State] = []
    for row, layer, shapes in zip(plan, network.layers, zip(network.shapes, network.shapes[1:]), strict=True):
        input_shape, output_shape = shapes
        kernel = as_kernel(layer, input_shape)
        row[kernels.BASE] = sum(_padded(n, kernels.BLOCK) for n in network.neurons[: len(weights)])
        row[kernels.WEIGHTS] = sum(w.size for w in weights)
        weights.append(kernel.reshape(-1))
        for column, axis in ((kernels.ROWS, 0), (kernels.COLUMNS, 1)):
            row[column] = sum(s.size for s in starts)
            start, pair = taps(layer, axis, input_shape[1 + axis], output_shape[1 + axis])
            starts.append(start + sum(len(p) for p in pairs))
            pairs.append(pair)
        _describe(row, layer, kernel.shape, input_shape, output_shape, kernels)
    return (
        plan,
        np.concatenate(weights).astype(np.int32),
        np.concatenate(starts).astype(np.int32),
        np.concatenate(pairs).astype(np.int32),
    )


def _describe(
    row: _Table, layer: Layer, kernel: tuple[int, ...], input_shape: Shape, output_shape: Shape, kernels: Any
) -> None:
    groups = layer.groups if isinstance(layer, Conv) else 1
    row[kernels.SIZE] = int(np.prod(output_shape))
    row[kernels.CHANNELS], _, row[kernels.WIDTH] = output_shape
    row[kernels.GROUP_OUT], row[kernels.GROUP_IN] = layer.channels // groups, kernel[0]
    row[kernels.IN_CHANNELS], _, row[kernels.IN_WIDTH] = input_shape
    row[kernels.KERNEL_H], row[kernels.KERNEL_W] = kernel[1:3]
    row[kernels.KEEP_U] = 4096 - layer.neuron.current_decay
    row[kernels.KEEP_V] = 4096 - layer.neuron.voltage_decay
    row[kernels.THRESHOLD] = layer.neuron.threshold << 6
    # Lava's convolution wraps its sum at 24 bits; a dense sum is shifted back by its weights' exponent.
    left, right = (8, 8) if isinstance(layer, Conv) else (0, stored_weights(layer)[1])
    row[kernels.INPUT_LEFT], row[kernels.INPUT_RIGHT] = left, right
