"""Runs the emulator on a case, names the first difference between two runs, and reduces runs to digests.

A run is a dict of arrays over time, as Lava's and SLAYER's workers write them: ``spikes`` (T, C', H', W') of the last
layer, ``u<k>`` and ``v<k>`` (T, C, H, W), currents and voltages of layer k.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray
from random_networks import Case
from reference import refer

from spikebridge.snn import Emulator
from spikebridge.snn.network import Conv

Run = dict[str, NDArray[np.int64]]
#: Currents are computed first, then voltages, then spikes.
_WHAT = {"u": "current", "v": "voltage", "s": "spike"}


def emulate(case: Case) -> Run:
    emulator = Emulator(case.network, graded=case.graded)
    series: dict[str, list[NDArray[np.int64]]] = {}
    for counts in case.counts:
        series.setdefault("spikes", []).append(emulator.step(counts).astype(np.int64))
        for k in range(len(case.network.layers)):
            for name, value in zip("uv", emulator.state(k), strict=True):
                series.setdefault(f"{name}{k}", []).append(value.astype(np.int64))
    return {name: np.stack(values) for name, values in series.items()}


def first_divergence(expected: Run, found: Run) -> str | None:
    """One sentence with layer, neuron, step, expected and found of the earliest difference, or None."""
    if expected.keys() != found.keys():
        return f"expected {sorted(expected)}, found {sorted(found)}"
    layers = (len(expected) - 1) // 2
    first: tuple[int, int, int, str] | None = None
    for name, wanted in expected.items():
        if wanted.shape != found[name].shape:
            return f"{name}: expected shape {wanted.shape}, found {found[name].shape}"
        if not (differs := wanted != found[name]).any():
            continue
        step, *neuron = (int(n) for n in np.argwhere(differs)[0])
        layer = layers - 1 if name == "spikes" else int(name[1:])
        text = (
            f"layer {layer}, neuron {tuple(neuron)}, step {step}: expected {_WHAT[name[0]]} "
            f"{wanted[(step, *neuron)]}, found {found[name][(step, *neuron)]}"
        )
        candidate = (step, layer, list(_WHAT).index(name[0]), text)
        first = min(first or candidate, candidate)
    return first and first[3]


def divergence_from_digest(case: Case, expected: str, found: Run) -> str | None:
    """``first_divergence`` of a run whose digest alone is known.

    The plain reference finds it: where it has the digest, it has the values."""
    if digest(found) == expected:
        return None
    plain = refer(case.network, case.counts, case.graded)
    if digest(plain) == expected:
        return first_divergence(plain, found)
    return f"emulator and plain reference both differ from it: compare with a running Lava (found: {digest(found)})"


def cut(run: Run, steps: int) -> Run:
    """The first steps."""
    return {name: values[:steps] for name, values in run.items()}


def digest(arrays: Run) -> str:
    """Of names, shapes and values."""
    state = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        state.update(f"{name}{arrays[name].shape}".encode())
        state.update(np.ascontiguousarray(arrays[name], "<i8"))
    return state.hexdigest()


def digest_input(case: Case) -> str:
    return digest({"counts": case.counts.astype(np.int64), "graded": np.array([case.graded], np.int64)})


def digest_case(case: Case) -> str:
    """Of the network and its input."""
    arrays = {"counts": case.counts.astype(np.int64), "graded": np.array([case.graded], np.int64)}
    for k, layer in enumerate(case.network.layers):
        neuron = layer.neuron
        arrays[f"weight{k}"] = layer.weight.astype(np.int64)
        arrays[f"bias{k}"] = np.zeros(layer.channels, np.int64) if layer.bias is None else layer.bias.astype(np.int64)
        arrays[f"neuron{k}"] = np.array([neuron.current_decay, neuron.voltage_decay, neuron.threshold])
        if isinstance(layer, Conv):
            arrays[f"geometry{k}"] = np.array([*layer.stride, *layer.padding, *layer.dilation, layer.groups])
    return digest(arrays)
