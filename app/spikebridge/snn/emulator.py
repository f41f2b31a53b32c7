"""Loihi's spiking layers on the host, bit for bit as Lava's fixed-point models compute them."""

from __future__ import annotations

import numpy as np

from spikebridge.contracts import Counts, LayerActivity, SnnActivity, SnnMeter, Spikes
from spikebridge.snn.layout import State, lay_out, padded
from spikebridge.snn.network import Network
from spikebridge.snn.plan import BLOCK, GUARD


class Emulator:
    """An ``SnnStage``. ``step`` t returns what a receiver behind Lava's network sees in step t: an input of step t
    reaches the output in step t + n_layers.

    graded : counts multiply the weights, as with ``input_message_bits=8`` in lava-dl; otherwise any count is one spike.
    """

    def __init__(self, network: Network, graded: bool = True) -> None:
        from spikebridge.snn import kernels

        self.network = network
        self.name = "Loihi emulator"
        layout = lay_out(network)
        self._plan, self._blocks_in_use = layout.plan, layout.blocks
        self._state = np.zeros((4, layout.neurons), np.int32)
        for row, layer, size in zip(self._plan["neurons"], network.layers, network.neurons, strict=True):
            if layer.bias is not None:
                self._state[3, row["base"] : row["base"] + size] = np.tile(layer.bias << 6, size // layer.channels)
        self._blocks = np.zeros((3, layout.neurons // BLOCK), np.uint8)
        self._blocks[2] = (self._state[3].reshape(-1, BLOCK) != 0).any(1)
        self._blocks[0] = self._blocks[2]
        most = padded(max(*network.neurons, int(np.prod(network.input_shape))))
        self._step = kernels.step
        self._arguments = (
            graded, self._plan, self._state, self._blocks, layout.weights, layout.places, layout.masks,
            np.zeros(most // 64 + 2 * GUARD, np.uint64), np.zeros(most + BLOCK, np.int32), np.zeros(most, np.uint8),
            np.zeros(BLOCK, np.uint8),
        )  # fmt: skip
        self._steps = self._events = 0

    def step(self, counts: Counts) -> Spikes:
        """One time step: (C, H, W) uint8 in, (C', H', W') uint8 of 0 and 1 out."""
        if counts.shape != self.network.input_shape or counts.dtype != np.uint8:
            raise ValueError(f"expected {self.network.input_shape} uint8, got {counts.shape} {counts.dtype}")
        output = np.zeros(self.network.output_shape, np.uint8)
        self._events += self._step(counts.reshape(-1), *self._arguments, output.reshape(-1))
        self._steps += 1
        return output

    def reset(self) -> None:
        """Clears currents, voltages and what is on its way between layers."""
        self._state[:3] = 0
        self._blocks[0] = self._blocks[2]

    def state(self, layer: int) -> tuple[State, State]:
        """Currents and voltages of a layer after the last step, both (C, H, W) int32."""
        first = int(self._plan["neurons"]["base"][layer])
        c, h, w = self.network.shapes[layer + 1]
        current, voltage = self._state[1:3, first : first + c * h * w].reshape(2, h, w, c).transpose(0, 3, 1, 2).copy()
        return current, voltage

    @property
    def awake_neurons(self) -> int:
        """Neurons that the next step computes: those of the blocks in which not all rest."""
        return int(self._blocks[0, : self._blocks_in_use].sum()) * BLOCK

    def activity(self) -> SnnActivity:
        """Counts since the emulator was built. A neuron update is one of a neuron that does not rest: current, voltage,
        input or bias is not zero. A synaptic event is one synapse of the fan-out of one input event or spike. Where
        ``overflows`` is not zero the results are Lava's, not the chip's."""
        counted = self._plan["neurons"][["synaptic_events", "updates", "spikes", "overflows"]].tolist()
        return SnnActivity(
            steps=self._steps,
            input_events=self._events,
            layers=tuple(
                LayerActivity(layer.name, neurons, *counts)
                for layer, neurons, counts in zip(self.network.layers, self.network.neurons, counted, strict=True)
            ),
        )

    def meter(self) -> SnnMeter:
        """An estimate of what a Loihi would draw for the same activity."""
        from spikebridge.snn.meter import ModelMeter

        return ModelMeter(self, self.network)

    def close(self) -> None:
        """Nothing to release."""
