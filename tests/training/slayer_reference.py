"""Runs spiking convolutions of SLAYER and stores spikes and gradients; for Lava's own Python 3.10.

    python slayer_reference.py IN.npz OUT.npz

IN: counts (B, S, C, H, W) uint8; weight<k> (C', C, 3, 3) float32; mixing (B, C', h, w, S) float32, the gradient of the
last layer's spikes; rate, the gradient of every spike; tau_grad, scale_grad. OUT: spikes (B, C', h, w, S) without the
layers' delays, fired (B, layers) and gradient<k>.
"""

import sys

import numpy as np
import torch
from lava.lib.dl.slayer import block


def main(source, target):
    stored = np.load(source)
    spikes = torch.from_numpy(stored["counts"].astype(np.float32)).permute(0, 2, 3, 4, 1)
    neuron = {
        "threshold": 1.0,
        "current_decay": 0.3,
        "voltage_decay": 0.25,
        "tau_grad": float(stored["tau_grad"]),
        "scale_grad": float(stored["scale_grad"]),
    }
    layers, fired = [], []
    while f"weight{len(layers)}" in stored.files:
        weight = torch.from_numpy(stored[f"weight{len(layers)}"])
        layer = block.cuba.Conv(
            neuron, weight.shape[1], weight.shape[0], 3, stride=2, padding=1, weight_norm=False, delay_shift=False
        )
        layer.synapse.weight.data = weight[..., None].clone()
        layers.append(layer)
        spikes = layer(spikes)
        fired.append(spikes.flatten(1).sum(1))
    fired = torch.stack(fired, 1)
    ((spikes * torch.from_numpy(stored["mixing"])).sum() + fired.sum() * float(stored["rate"])).backward()
    gradients = {f"gradient{k}": layer.synapse.weight.grad.numpy()[..., 0] for k, layer in enumerate(layers)}
    np.savez(target, spikes=spikes.detach().numpy(), fired=fired.detach().numpy(), **gradients)


if __name__ == "__main__":
    main(*sys.argv[1:])
