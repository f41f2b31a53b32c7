"""The fused layers against lava-dl's SLAYER itself: spikes bit for bit, gradients within rounding."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the train extra (torch)")

from spikebridge.errors import MissingError  # noqa: E402
from spikebridge.snn.lava.environment import require_python  # noqa: E402
from spikebridge.training.spiking_layers import SpikingStack  # noqa: E402
from spikebridge.training.spiking_neuron import NeuronSpec  # noqa: E402
from standin_clips import random_batch  # noqa: E402


@pytest.fixture
def lava_python() -> Path:
    try:
        python = require_python()
    except MissingError as error:
        pytest.skip(f"SLAYER is NOT compared: {error}")
    # What `lava-setup` makes holds Lava without torch; `make lava` brings Lava-DL with it.
    probe = subprocess.run(
        [python, "-c", "import torch, lava.lib.dl.slayer"], capture_output=True, timeout=110, check=False
    )
    if probe.returncode:
        pytest.skip(f"SLAYER is NOT compared: {python} has no Lava-DL; run 'make lava'")
    return python


def test_spikes_are_equal_and_gradients_agree(lava_python, tmp_path):
    neuron = NeuronSpec(tau_grad=0.02, scale_grad=3.0)
    stack = SpikingStack((2, 4, 8, 16), 128, neuron, (1.5,) * 3, seed=5)
    events, steps = random_batch(2, 12, 400), 12
    features, fired = stack(events, steps, 1)  # an interval of one step: the spikes themselves
    samples, _, height, width = features.shape
    spikes = features.reshape(samples, -1, steps, height, width).permute(0, 1, 3, 4, 2)
    mixing = torch.from_numpy(np.random.default_rng(1).normal(size=spikes.shape).astype(np.float32))
    ((spikes * mixing).sum() + fired.sum() * 0.25).backward()
    np.savez(
        tmp_path / "in.npz",
        counts=events.counts((2, 128, 128)),
        mixing=mixing.numpy(),
        rate=0.25,
        tau_grad=neuron.tau_grad,
        scale_grad=neuron.scale_grad,
        **{f"weight{k}": weight.detach().numpy() for k, weight in enumerate(stack.weights)},
    )
    script = Path(__file__).with_name("slayer_reference.py")
    subprocess.run(
        [lava_python, script, tmp_path / "in.npz", tmp_path / "out.npz"], check=True, timeout=110, capture_output=True
    )
    slayer = np.load(tmp_path / "out.npz")
    assert spikes.sum() > 100
    assert np.array_equal(slayer["spikes"], spikes.detach().numpy())
    assert np.array_equal(slayer["fired"], fired.detach().numpy())
    for k, weight in enumerate(stack.weights):
        expected = slayer[f"gradient{k}"]
        np.testing.assert_allclose(weight.grad.numpy(), expected, rtol=1e-3, atol=2e-5 * np.abs(expected).max())
