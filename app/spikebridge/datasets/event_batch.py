"""Batches of binary input as lists of active inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Binary input of B samples over S steps, as lists of active inputs.

    addresses : (n,) uint16 ``(channel * H + y) * W + x``, each at most once in a step of a sample.
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
        """(B, S, C, H, W) uint8 of 0 and 1: the same as a dense array; ``shape`` is (C, H, W)."""
        dense = np.zeros((self.samples, self.steps, int(np.prod(shape))), np.uint8)
        for b in range(self.samples):
            for s in range(self.steps):
                dense[b, s, self.addresses[self.offsets[b, s] : self.offsets[b, s + 1]]] = 1
        return dense.reshape(self.samples, self.steps, *shape)

    def accumulate(
        self, window: int, interval: int, shape: tuple[int, int, int] = (2, 128, 128)
    ) -> NDArray[np.float32]:
        """(B, C·T/I, H, W) counts of each ``interval`` of the last ``window`` steps: the accumulator on the input."""
        c, h, w = shape
        counts = np.zeros((self.samples, c, window // interval, h * w), np.float32)
        start = self.steps - window
        for b in range(self.samples):
            for s in range(start, self.steps):
                channel, pixel = np.divmod(self.addresses[self.offsets[b, s] : self.offsets[b, s + 1]], h * w)
                counts[b, channel, (s - start) // interval, pixel] += 1
        return counts.reshape(self.samples, -1, h, w)

    def shuffled(self, window: int, random: np.random.Generator) -> EventBatch:
        """Each window of ``window`` steps, and what lies before it, with its steps in another order.

        What a network can still tell, it does not tell from the order in time. random : draws the orders.
        """
        return self._rearranged(window, lambda n: random.permutation(n)[:, None])

    def accumulated(self, interval: int) -> EventBatch:
        """Accumulated before the network instead of behind its spiking layers: each step has all inputs of its
        interval."""
        return self._rearranged(interval, lambda n: np.tile(np.arange(n), (n, 1)))

    def _rearranged(self, group: int, sources: Callable[[int], NDArray[np.int64]]) -> EventBatch:
        """Each step gets the inputs of other steps of its group; groups of ``group`` steps are counted from the end.

        sources : for a group of n steps, (n, k) numbers of steps within it: step r of the new group gets the inputs of
        the k steps in row r.
        """
        lengths = np.zeros((self.samples, self.steps), np.int64)
        parts: list[NDArray[np.uint16]] = []
        bounds = [0, *range(self.steps % group or group, self.steps + 1, group)]
        for b in range(self.samples):
            for first, stop in pairwise(bounds):
                for row, chosen in enumerate(sources(stop - first)):
                    inputs = [self.addresses[slice(*self.offsets[b, first + s : first + s + 2])] for s in chosen]
                    parts.append(inputs[0] if len(inputs) == 1 else np.unique(np.concatenate(inputs)))
                    lengths[b, first + row] = parts[-1].size
        ends = np.cumsum(lengths).reshape(lengths.shape)
        return EventBatch(np.concatenate(parts), np.concatenate([ends[:, :1] - lengths[:, :1], ends], axis=1))
