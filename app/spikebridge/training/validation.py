"""Accuracy of a network in training, on unvaried windows of clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from spikebridge.datasets.clips import TICK_US, ClipSet
from spikebridge.datasets.windows import WindowSpec, fixed_windows
from spikebridge.errors import InputError
from spikebridge.training.network import HybridNetwork, NetworkSpec

#: Steps before a window after which the neurons have forgotten older input: 0.75**12 = 0.03.
WARM_UP_STEPS = 12
_BATCH = 64


@dataclass(frozen=True, slots=True)
class Validation:
    """logits : (N, n_labels) of all windows. labels, clips : (N,) true class and clip of each. spikes_per_window :
    mean."""

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


def validate(
    network: HybridNetwork, clips: ClipSet, indices: Sequence[int], warm: bool, hop_steps: int = 0
) -> Validation:
    """Runs all windows of the clips at ``indices``.

    warm : with the steps before them, as while streaming; else from reset, as in the window mode. hop_steps : from
    window to window; 0 for T, so that they lie side by side.
    """
    spec = network.spec
    network.eval()
    logits, labels, owners, spikes = [], [], [], []
    with torch.no_grad():
        for batch in fixed_windows(clips, indices, windows_of(spec, warm), hop_steps or spec.window_steps, _BATCH):
            result, fired = network(batch.events)
            logits.append(result.numpy())
            labels.append(batch.labels)
            owners.append(batch.clips)
            spikes.append(fired.sum(1).numpy())
    if not logits:
        raise InputError(f"expected clips of at least {spec.window_steps} steps, found only shorter ones.")
    return Validation(
        np.concatenate(logits),
        np.concatenate(labels),
        np.concatenate(owners),
        float(np.concatenate(spikes).mean()),
    )


def windows_of(spec: NetworkSpec, warm: bool) -> WindowSpec:
    """The windows that a network of ``spec`` sees; an ordinary network has no use for steps before them."""
    return WindowSpec(spec.window_steps, WARM_UP_STEPS if warm and spec.spiking else 0, spec.step_us // TICK_US)
