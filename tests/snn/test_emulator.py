"""The emulator against the plain reference: every current, voltage and spike of random networks."""

from __future__ import annotations

import numpy as np
import pytest

from comparison import emulate, first_divergence
from random_networks import Case, random_case
from reference import Reference
from spikebridge.snn import Conv, Dense, Emulator, Network, Neuron

N_NETWORKS = 240


def refer(case: Case) -> dict[str, np.ndarray]:
    reference = Reference(case.network, case.graded)
    series: dict[str, list[np.ndarray]] = {}
    for counts in case.counts:
        series.setdefault("spikes", []).append(reference.step(counts).copy())
        for k in range(len(case.network.layers)):
            series.setdefault(f"u{k}", []).append(reference.u[k].copy())
            series.setdefault(f"v{k}", []).append(reference.v[k].copy())
    return {name: np.stack(values) for name, values in series.items()}


@pytest.mark.parametrize("first", range(0, N_NETWORKS, 20))
def test_random_networks_equal_the_reference(first: int) -> None:
    for seed in range(first, first + 20):
        case = random_case(seed)
        assert first_divergence(refer(case), emulate(case)) is None, f"network {seed}"


def test_the_random_networks_reach_wraps_clips_and_spikes() -> None:
    wrapped = clipped = spiking = deep = 0
    for seed in range(N_NETWORKS):
        case = random_case(seed)
        series = emulate(case)
        steps = [np.abs(np.diff(series[k], axis=0)).max() for k in series if k[0] == "u"]
        wrapped += max(steps) > 2**23
        clipped += any((np.abs(series[k]) == 2**23 - 1).any() for k in series if k[0] == "v")
        spiking += bool(series["spikes"].any())
        deep += len(case.network.layers) > 3
    assert min(wrapped, clipped, spiking, deep) >= 20, (wrapped, clipped, spiking, deep)
