"""What Lava's spikes cost, counted as the emulator counts, so that both backends' figures compare."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import Counts, LayerActivity, SnnActivity, Spikes
from spikebridge.snn.network import Network
from spikebridge.snn.synapses import fan_out


class Activity:
    """Monotonic counts of one stage; see ``Emulator.activity`` for what is counted.

    Hardware shows only the output's spikes: there the spikes of the layers before it, what they cause, and all neuron
    updates stay zero, and the overflows are None.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._fan_out = [fan_out(*pair) for pair in zip(network.layers, network.shapes, strict=False)]
        self._events, self._spikes = np.zeros((2, len(network.layers)), np.int64)
        self._tallies = np.zeros((2, len(network.layers)), np.int64)
        self._watched = True
        self._steps = self._input_events = 0

    def add(self, counts: Counts, layers: Sequence[Spikes], output: Spikes, tallies: NDArray[np.int64]) -> None:
        """One step. ``layers``: spikes of those before the output. ``tallies``: (2, n_layers) neuron updates and
        overflows. Both are empty where unseen."""
        self._steps += 1
        self._input_events += int(np.count_nonzero(counts))
        self._events[0] += self._synaptic_events(0, counts)
        for number, spikes in enumerate(layers):
            self._spikes[number] += int(spikes.sum())
            self._events[number + 1] += self._synaptic_events(number + 1, spikes)
        self._spikes[-1] += int(output.sum())
        self._watched = bool(tallies.size)
        if self._watched:
            self._tallies += tallies

    def snapshot(self) -> SnnActivity:
        columns = (self._network.layers, self._network.neurons, self._events, *self._tallies, self._spikes)
        return SnnActivity(
            steps=self._steps,
            input_events=self._input_events,
            layers=tuple(
                LayerActivity(
                    layer.name, neurons, int(events), int(updates), int(spikes), int(beyond) if self._watched else None
                )
                for layer, neurons, events, updates, beyond, spikes in zip(*columns, strict=True)
            ),
        )

    def _synaptic_events(self, layer: int, spikes: Spikes) -> int:
        return int(((spikes != 0).sum(axis=0) * self._fan_out[layer]).sum())
