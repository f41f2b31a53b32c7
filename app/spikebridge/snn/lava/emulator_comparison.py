"""Lava and the emulator side by side: both step the same network on the same input, and have to agree."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spikebridge.snn.bench import moving_edges, paper_network
from spikebridge.snn.emulator import Emulator
from spikebridge.snn.lava.stage import LavaStage
from spikebridge.snn.netfile import save_network


@dataclass(frozen=True, slots=True)
class EmulatorComparison:
    """Of the S3 part of the paper's network at 128×128, about 1 000 events a step.

    lava_ms, emulator_ms : median time of a step on the clock, of the same steps in the same run; Lava's as the chain
    sees it, its way to the worker and back included. differing_steps : of ``steps``, whose spikes differ.
    start_s : from the call to a running network. reset_ms : clearing all of its state.
    """

    lava_ms: float
    emulator_ms: float
    steps: int
    differing_steps: int
    start_s: float
    reset_ms: float

    @property
    def ratio(self) -> float:
        """How many steps the emulator takes in one of Lava's."""
        return self.lava_ms / self.emulator_ms


def compare(steps: int = 200) -> EmulatorComparison:
    """Runs both; MissingError without Lava's environment."""
    network = paper_network(3)
    counts = moving_edges(network.input_shape, 1000, steps)
    emulator = Emulator(network)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s3.net"
        save_network(network, path)
        began_s = time.perf_counter()
        with LavaStage(path, network) as stage:
            stage.wait_ready()
            start_s = time.perf_counter() - began_s
            times_s = np.zeros((2, steps))
            differing = 0
            for i, step in enumerate(counts):
                began_s = time.perf_counter()
                found = stage.step(step)
                times_s[0, i] = time.perf_counter() - began_s
                differing += not np.array_equal(found, emulator.step(step))
            began_s = time.perf_counter()
            stage.reset()
            reset_ms = 1e3 * (time.perf_counter() - began_s)
    # On its own, as in the chain: between two steps of Lava the caches belong to Lava.
    for i, step in enumerate(counts):
        began_s = time.perf_counter()
        emulator.step(step)
        times_s[1, i] = time.perf_counter() - began_s
    lava_ms, emulator_ms = 1e3 * np.median(times_s, axis=1)
    return EmulatorComparison(float(lava_ms), float(emulator_ms), steps, differing, start_s, reset_ms)


if __name__ == "__main__":
    sys.stdout.write(f"{compare()}\n")
