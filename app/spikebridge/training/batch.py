"""Batches of binary input as lists of events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Binary input of B samples over S steps, as lists of active inputs.

    addresses : uint16 ``(channel * H + y) * W + x``, each at most once per sample and step.
    offsets : (B, S + 1) int64; ``addresses[offsets[b, s]:offsets[b, s + 1]]`` are active in step s of sample b.
    """

    addresses: NDArray[np.uint16]
    offsets: NDArray[np.int64]

    @property
    def samples(self) -> int:
        return int(self.offsets.shape[0])

    @property
    def steps(self) -> int:
        return int(self.offsets.shape[1]) - 1

    def first_steps(self) -> NDArray[np.int64]:
        """(B,) first step with input; without input the neurons, which have no bias, stay at zero."""
        first: NDArray[np.int64] = (self.offsets[:, 1:] > self.offsets[:, :1]).argmax(axis=1)
        first[self.offsets[:, -1] == self.offsets[:, 0]] = self.steps - 1
        return first

    def counts(self, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
        """(B, S, C, H, W) uint8 of 0 and 1: the same as dense arrays."""
        dense = np.zeros((self.samples, self.steps, int(np.prod(shape))), np.uint8)
        for b in range(self.samples):
            for s in range(self.steps):
                dense[b, s, self.addresses[self.offsets[b, s] : self.offsets[b, s + 1]]] = 1
        return dense.reshape(self.samples, self.steps, *shape)

    def accumulate(
        self, window: int, interval: int, shape: tuple[int, int, int] = (2, 128, 128)
    ) -> NDArray[np.float32]:
        """(B, C·T/I, H, W) counts over the last ``window`` steps, without any spiking layer."""
        c, h, w = shape
        counts = np.zeros((self.samples, c, window // interval, h * w), np.float32)
        start = self.steps - window
        for b in range(self.samples):
            for s in range(start, self.steps):
                channel, pixel = np.divmod(self.addresses[self.offsets[b, s] : self.offsets[b, s + 1]], h * w)
                counts[b, channel, (s - start) // interval, pixel] += 1
        return counts.reshape(self.samples, -1, h, w)
