"""Network stages of a few lines."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spikebridge.contracts import Counts, Energy, Features, LayerActivity, Logits, SnnActivity, SnnMeter, Spikes
from spikebridge.testing.meters import FixedSnnMeter


class DelayedCopy:
    """A spiking stage that gives each input back ``delay_steps`` later, as so many layers would, each count as a spike.

    meter : what its chip costs; nothing where none is given.
    """

    def __init__(self, shape: tuple[int, int, int], delay_steps: int = 1, meter: SnnMeter | None = None) -> None:
        self.name = "delayed copy"
        self._shape = shape
        self._delay_steps = delay_steps
        self._meter = meter or FixedSnnMeter(Energy(0.0, "simulated"))
        self._steps = self._input_events = self._spikes = 0
        self._line: list[Spikes] = []
        self.reset()

    def step(self, counts: Counts) -> Spikes:
        self._line.append(np.minimum(counts, 1))
        spikes = self._line.pop(0)
        self._steps += 1
        self._input_events += int(np.count_nonzero(counts))
        self._spikes += int(spikes.sum())
        return spikes

    def reset(self) -> None:
        self._line = [np.zeros(self._shape, np.uint8)] * self._delay_steps

    def activity(self) -> SnnActivity:
        neurons = int(np.prod(self._shape))
        layer = LayerActivity("copy", neurons, self._input_events, self._spikes, self._spikes)
        return SnnActivity(self._steps, self._input_events, (layer,))

    def meter(self) -> SnnMeter:
        return self._meter

    def close(self) -> None:
        """Nothing is held."""


class FixedAnn:
    """Answers with ``logits``, or with what a function makes of the features; ``calls`` counts."""

    def __init__(self, logits: Logits | Callable[[Features], Logits]) -> None:
        self.name = "fixed"
        self.calls = 0
        self._logits = logits

    def classify(self, features: Features) -> Logits:
        self.calls += 1
        return self._logits(features) if callable(self._logits) else self._logits

    def close(self) -> None:
        """Nothing is held."""
