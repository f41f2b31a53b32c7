"""Accuracy of a network in training, on windows cut from clips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from spikebridge.datasets.augmentation import TICK_US
from spikebridge.datasets.clips import ClipSet, WindowSpec, fixed_windows
from spikebridge.errors import InputError
from spikebridge.training.network import HybridNetwork

#: Steps before a window after which the neurons have forgotten older input: 0.75**12 = 0.03.
WARM_UP_STEPS = 12


@dataclass(frozen=True, slots=True)
class Measured:
    """logits : (N, n_labels) of all windows. labels, clips : (N,). spikes_per_window : mean."""

    logits: NDArray[np.float32]
    labels: NDArray[np.int64]
    clips: NDArray[np.int64]
    spikes_per_window: float

    @property
    def window_accuracy(self) -> float:
        return float((self.logits.argmax(1) == self.labels).mean())

    @property
    def clip_accuracy(self) -> float:
        """Of the class with the highest mean probability over a clip."""
        probabilities = np.exp(self.logits - self.logits.max(1, keepdims=True))
        probabilities /= probabilities.sum(1, keepdims=True)
        right = [
            probabilities[self.clips == clip].mean(0).argmax() == self.labels[self.clips == clip][0]
            for clip in np.unique(self.clips)
        ]
        return float(np.mean(right))


def measure(network: HybridNetwork, clips: ClipSet, indices: list[int], warm: bool, hop_steps: int = 0) -> Measured:
    """Runs unvaried windows; warm : with the steps before them as when streaming, else from reset (the window mode).

    hop_steps : between windows; 0 for T, windows side by side.
    """
    spec = network.spec
    network.eval()
    windows = WindowSpec(spec.window_steps, WARM_UP_STEPS if warm and spec.spiking else 0, spec.step_us // TICK_US)
    logits, labels, owners, spikes = [], [], [], []
    with torch.no_grad():
        for batch in fixed_windows(clips, indices, windows, hop_steps or spec.window_steps, 64):
            result, fired = network(batch.events)
            logits.append(result.numpy())
            labels.append(batch.labels)
            owners.append(batch.clips)
            spikes.append(fired.sum(1).numpy())
    if not logits:
        raise InputError(f"expected clips of at least {spec.window_steps} steps, found only shorter ones.")
    return Measured(
        np.concatenate(logits),
        np.concatenate(labels),
        np.concatenate(owners),
        float(np.concatenate(spikes).mean()),
    )
