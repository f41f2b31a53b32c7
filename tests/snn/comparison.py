"""Names the first difference between two runs of a network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from random_networks import Case

from spikebridge.snn import Emulator


def emulate(case: Case) -> dict[str, NDArray[np.int64]]:
    """What the emulator computes, keyed as Lava's reference: spikes, u<k>, v<k>; the first axis is time."""
    emulator = Emulator(case.network, graded=case.graded)
    series: dict[str, list[NDArray[np.int64]]] = {}
    for counts in case.counts:
        series.setdefault("spikes", []).append(emulator.step(counts).astype(np.int64))
        for k in range(len(case.network.layers)):
            for name, value in zip("uv", emulator.state(k), strict=True):
                series.setdefault(f"{name}{k}", []).append(value.astype(np.int64))
    return {name: np.stack(values) for name, values in series.items()}


def first_divergence(expected: dict[str, NDArray[np.int64]], found: dict[str, NDArray[np.int64]]) -> str | None:
    """One sentence with step, layer, neuron, expected and found of the earliest difference, or None."""
    worst: tuple[int, int, str] | None = None
    layers = (len(expected) - 1) // 2
    for name, wanted in expected.items():
        if not (differs := wanted != found[name]).any():
            continue
        step, *neuron = (int(n) for n in np.argwhere(differs)[0])
        layer = layers - 1 if name == "spikes" else int(name[1:])
        what = {"s": "spike", "u": "current", "v": "voltage"}[name[0]]
        text = (
            f"step {step}, layer {layer}, neuron {tuple(neuron)}: expected {what} {wanted[(step, *neuron)]}, "
            f"found {found[name][(step, *neuron)]}"
        )
        worst = min(worst or (step, layer, text), (step, layer, text))
    return worst and worst[2]
