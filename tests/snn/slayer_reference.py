"""Runs random quantised SLAYER networks and exports them; for Lava's own Python 3.10, without spikebridge.

    python slayer_reference.py FOLDER N

Writes FOLDER/<n>.net as lava-dl's blocks export themselves, and FOLDER/<n>.npz with counts (T, C, H, W) uint8 and
SLAYER's spikes (T, C', H', W') uint8. Weights are large enough to fire and small enough that no state overflows.
"""

import sys
from pathlib import Path

import h5py
import numpy as np
import torch
from lava.lib.dl import slayer

STEPS = 24


def network(rng):
    """Blocks and input shape (C, H, W)."""
    shape = (int(rng.integers(1, 4)), int(rng.integers(6, 12)), int(rng.integers(6, 12)))
    blocks, channels, size = [], shape[0], list(shape[1:])
    for _ in range(int(rng.integers(1, 5))):
        neuron = {
            "threshold": float(rng.choice([0.5, 1.0, 1.25])),
            "current_decay": float(rng.choice([0.3, rng.uniform(0.05, 1)])),
            "voltage_decay": float(rng.choice([0.25, rng.uniform(0.01, 0.9)])),
        }
        kernel, stride, padding = int(rng.integers(1, 4)), int(rng.integers(1, 3)), int(rng.integers(0, 2))
        after = [(n + 2 * padding - kernel) // stride + 1 for n in size]
        if min(after) < 1:
            break
        outputs = int(rng.choice([1, 3, 4, 8]))
        blocks.append(
            slayer.block.cuba.Conv(neuron, channels, outputs, kernel, stride=stride, padding=padding, weight_scale=2)
        )
        channels, size = outputs, after
    if rng.random() < 0.4:
        blocks.append(slayer.block.cuba.Flatten())
        blocks.append(slayer.block.cuba.Dense(neuron, channels * size[0] * size[1], 7, weight_scale=2))
    return blocks, shape


def run(case, seed):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    blocks, shape = network(rng)
    counts = (rng.random((STEPS, *shape)) < 0.3).astype(np.uint8)
    signal = torch.tensor(counts, dtype=torch.float32).permute(1, 2, 3, 0)[None]
    with torch.no_grad():
        for block in blocks:
            signal = block(signal)
    spikes = signal[0].numpy()
    spikes = spikes.transpose(3, 0, 1, 2) if spikes.ndim == 4 else spikes.T[:, :, None, None]
    with h5py.File(case.with_suffix(".net"), "w") as file:
        group = file.create_group("layer/0")
        group.create_dataset("type", (1,), "S10", [b"input"])
        group.create_dataset("shape", data=np.array(shape))
        for n, block in enumerate(blocks):
            block.export_hdf5(file.create_group(f"layer/{n + 1}"))
    np.savez(case.with_suffix(".npz"), counts=counts, spikes=(spikes > 0).astype(np.uint8))


if __name__ == "__main__":
    for seed in range(int(sys.argv[2])):
        run(Path(sys.argv[1]) / f"{seed:03}", seed)
