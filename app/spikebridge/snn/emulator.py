"""Loihi's spiking layers on the host, bit for bit as Lava's fixed-point models compute them."""

from __future__ import annotations

import numpy as np

from spikebridge.contracts import Counts, LayerActivity, SnnActivity, Spikes
from spikebridge.snn.layout import State, lay_out, padded
from spikebridge.snn.network import Network


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
        self._plan, self._weights, self._starts, self._runs = lay_out(network, kernels)
        total = int(self._plan[-1, kernels.BASE] + padded(int(self._plan[-1, kernels.SIZE]), kernels.BLOCK))
        self._n_blocks = total // kernels.BLOCK
        # Beyond the last layer room for the zeros of a piece that ends there.
        total += padded(int(self._runs[2::4].max(initial=0)), kernels.BLOCK)
        self._received, self._current, self._voltage, self._bias = np.zeros((4, total), np.int32)
        for row, layer, size in zip(self._plan, network.layers, network.neurons, strict=True):
            if layer.bias is not None:
                first = row[kernels.BASE]
                self._bias[first : first + size] = np.tile(layer.bias << 6, size // layer.channels)
        self._biased = (self._bias.reshape(-1, kernels.BLOCK) != 0).any(1).astype(np.uint8)
        self._awake = self._biased.copy()
        self._fired = np.zeros(kernels.BLOCK // 8, np.uint64)
        most = max(*network.neurons, int(np.prod(network.input_shape)))
        self._spikes = np.zeros(most, np.int32)
        self._values = np.ones(2 * most, np.int32)
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
            self._words, self._counts[0].size, self._graded, self._plan, self._counters, self._received, self._current,
            self._voltage, self._bias, self._awake, self._weights, self._starts, self._runs, self._spikes, self._values,
            self._fired, len(output), output.reshape(-1),
        )  # fmt: skip
        self._steps += 1
        return output

    def reset(self) -> None:
        """Clears currents, voltages and what is on its way between layers."""
        for state in (self._received, self._current, self._voltage):
            state.fill(0)
        self._awake[:] = self._biased

    def state(self, layer: int) -> tuple[State, State]:
        """Currents and voltages of a layer after the last step, both (C, H, W) int32."""
        first = int(self._plan[layer, 0])
        c, h, w = self.network.shapes[layer + 1]
        current, voltage = (
            state[first : first + c * h * w].reshape(h, w, c).transpose(2, 0, 1).copy()
            for state in (self._current, self._voltage)
        )
        return current, voltage

    @property
    def awake_neurons(self) -> int:
        """Neurons that the next step computes: those of the blocks in which not all rest."""
        return int(self._awake[: self._n_blocks].sum()) * len(self._received) // len(self._awake)

    def activity(self) -> SnnActivity:
        """Counts since the emulator was built. A neuron update is one of a neuron that does not rest: current, voltage,
        input or bias is not zero. A synaptic event is one synapse of the fan-out of one input event or spike. Where
        ``overflows`` is not zero the results are Lava's, not the chip's."""
        return SnnActivity(
            steps=self._steps,
            input_events=self._events,
            layers=tuple(
                LayerActivity(layer.name, neurons, events, updates, spikes, overflows)
                for layer, neurons, (events, updates, spikes, overflows) in zip(
                    self.network.layers, self.network.neurons, self._counters.tolist(), strict=True
                )
            ),
        )

    def meter(self):
        from spikebridge.snn.opening import _Meter

        return _Meter()

    def close(self) -> None:
        """Nothing to release."""
